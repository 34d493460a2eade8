"""What one thread holds of a connection: a driver connection and the transactions it has open."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import RLock
from typing import Any

from sqlalchemy.pool import PoolProxiedConnection

from djupyter.errors import DataJointError, LostConnectionError
from djupyter.sql import endings
from djupyter.sql.at_end import Ending, discard_all
from djupyter.sql.backends.base import Backend, Row

_STATEMENT = "dj_statement"
# Seconds for what another thread runs to end each time it is told to, which it may not hear before it has begun.
_PATIENCE = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class DroppedError(Exception):
    """The server closed the connection while it was idle; nothing was sent."""


class Session:
    """A driver connection in autocommit mode; BEGIN, COMMIT and SAVEPOINT are ours.

    Parameters
    ----------
    backend
        Knows the statements.
    handle
        The pooled connection; it goes back to the pool when the thread ends.
    lock
        Held while a statement runs and through each transaction: the session's own, or one for all
        threads that share a database in memory.
    place
        Tells what lies where the database was opened; nothing is written once that is something else.
    running
        Held while the driver works, so that nobody closes the connection meanwhile; shared like `lock`.
    connect
        Opens another driver connection, to stop what runs on this one.

    Attributes
    ----------
    depth
        Number of open transactions, the nested ones included.
    blocks
        How many of them are `with` blocks, which must be left even when the connection was closed.
    waiting
        A transaction that takes its lock at the first write has not begun yet.
    ended
        Why the transaction is over though the program has not left it; nothing may be written before it
        does, or half a transaction would be committed.
    guards
        Whether an error in a transaction must undo no more than its statement.
    is_dead
        The driver connection cannot be used again.
    endings
        For each open transaction, what wants to know how it ends.
    is_closed
        Somebody closed it, perhaps another thread.
    """

    __slots__ = (
        "__weakref__",
        "_connect",
        "_handle",
        "_opened",
        "_place",
        "_running",
        "_saved",
        "backend",
        "blocks",
        "depth",
        "ended",
        "endings",
        "guards",
        "is_closed",
        "is_dead",
        "lock",
        "raw",
        "waiting",
    )

    def __init__(
        self,
        backend: Backend,
        handle: PoolProxiedConnection,
        lock: RLock,
        running: RLock,
        place: Callable[[], object],
        connect: Callable[[], Any],
    ) -> None:
        self.backend, self._handle, self.lock, self._running = backend, handle, lock, running
        self._place, self._opened, self._connect = place, place(), connect
        self.raw: Any = handle.dbapi_connection
        self.depth = self.blocks = 0
        self.waiting = self.is_dead = self.is_closed = False
        self.guards = True
        self._saved: set[int] = set()  # the depths at which the savepoint of a statement is open
        self.ended: DataJointError | None = None
        self.endings: list[list[Ending]] = []

    # Statements

    @contextmanager
    def cursor(self, *, writes: bool, streams: bool = False, guards: bool = True) -> Iterator[Any]:
        """Yield a cursor.

        Parameters
        ----------
        writes
            The statement writes, so that a transaction that waits for that begins.
        streams
            The result need not fit into memory.
        guards
            An error must not undo more than the statement; false where a transaction was opened for it.
        """
        with self.lock, self._running:
            self._prepare(writes=writes)
            guards = (
                guards
                and self.guards
                and self.backend.aborts
                and self.depth > 0
                and not self.waiting
            )
            if guards:
                self._save()
            with self._watched(undo=guards):
                cursor = (
                    self.backend.stream_cursor(self.raw, nested=True)
                    if streams
                    else self.raw.cursor()
                )
                try:
                    yield cursor
                finally:
                    # Of a lost connection the driver may say so once more.
                    with suppress(*self.backend.driver_errors):
                        cursor.close()

    def _save(self) -> None:
        """Set the savepoint of a statement; that of the one before is released only now, by the same trip."""
        savepoint = self.backend.savepoint(_STATEMENT)
        if self.depth in self._saved:
            savepoint = f"{self.backend.release(_STATEMENT)}; {savepoint}"
        self._run(savepoint)
        self._saved.add(self.depth)

    def rows(self, sql: str, params: Sequence[object]) -> list[Row]:
        """Return all rows of a query.

        What `cursor` does, without the cost of its context managers: half of that of a small query.
        """
        if self.depth and self.guards and self.backend.aborts:
            with self.cursor(writes=False) as cursor:
                cursor.execute(sql, params)
                return list(cursor.fetchall())
        with self.lock, self._running:
            self._refuse_if_ended()
            try:
                cursor = self.raw.cursor()
                cursor.execute(sql, params)
                found = cursor.fetchall()
                cursor.close()
            except BaseException as error:
                self._after(error)
                raise
        # PyMySQL gives a tuple, of no rows at least.
        return found if type(found) is list else list(found)

    def changed(self, sql: str, params: Sequence[object]) -> int:
        """Return how many rows a statement that writes has changed; as `rows` is to a query."""
        if self.depth and self.guards and self.backend.aborts:
            with self.cursor(writes=True) as cursor:
                cursor.execute(sql, params)
                return int(cursor.rowcount)
        with self.lock, self._running:
            self._prepare(writes=True)
            try:
                cursor = self.raw.cursor()
                cursor.execute(sql, params)
                count = int(cursor.rowcount)
                cursor.close()
            except BaseException as error:
                self._after(error)
                raise
        return count

    def _prepare(self, *, writes: bool) -> None:
        self._refuse_if_ended()
        if not writes:
            return
        if self.waiting or self.depth == 0:
            self._check_place()
        if self.waiting:
            self._run(self.backend.begin)
            self.waiting = False
        elif self.depth == 0 and not self.backend.is_alive(self.raw):
            self.is_dead = True
            raise DroppedError("the server closed it while it was idle")

    @contextmanager
    def _watched(self, *, undo: bool = False) -> Iterator[None]:
        """Find out after an error what is left of the connection and its transaction."""
        try:
            yield
        except BaseException as error:
            self._after(error, undo=undo)
            raise

    def _after(self, error: BaseException, *, undo: bool = False) -> None:
        """Note what an error has left of the connection and its transaction."""
        if isinstance(error, self.backend.driver_errors):
            failure = self.backend.failure(error, "")
            if failure.problem == "lost":
                self.lose(failure.detail)
                return
        elif not self.backend.survives(self.raw, error, self._connect):
            self.lose("it was interrupted in the middle of a statement")
            return
        if undo and self.backend.in_transaction(self.raw):
            self._execute(self.backend.rollback_to(_STATEMENT))
        elif isinstance(error, self.backend.driver_errors) and self._is_over():
            self.ended = self.ended or endings.undone()

    def _run(self, statement: str) -> None:
        with self._running, self._watched():
            self._execute(statement)

    def _execute(self, statement: str) -> None:
        cursor = self.raw.cursor()
        try:
            cursor.execute(statement)
        finally:
            with suppress(*self.backend.driver_errors):
                cursor.close()

    # Transactions

    def begin(self, *, late: bool, block: bool) -> None:
        """Open a transaction, or one nested in it; of a `with` block or not."""
        self.lock.acquire()
        try:
            if self.depth == 0:
                self._check_place()
                self.waiting = late and self.backend.begins_late
                if not self.waiting:
                    self._run(self.backend.begin)
            else:
                self._nest()
        except BaseException:
            self.lock.release()
            raise
        self.depth += 1
        self.blocks += block
        self.endings.append([])

    def _nest(self) -> None:
        self._refuse_if_ended()
        if self.waiting:
            # A savepoint outside a transaction would be one of its own.
            self._run(self.backend.begin)
            self.waiting = False
        self._run(self.backend.savepoint(self._name(self.depth)))

    def commit(self) -> None:
        """Make what the innermost transaction did a part of the outer one, or permanent.

        When that fails, the transaction is still there, to be cancelled.
        """
        self._refuse_if_ended()
        try:
            if self.depth > 1:
                self._run(self.backend.release(self._name(self.depth - 1)))
            elif not self.waiting:
                self._commit()
        except BaseException:
            self.endings[-1].clear()  # nobody knows whether it was done
            raise
        self._leave(kept=True)

    def _commit(self) -> None:
        if not self.backend.is_alive(self.raw):
            self.lose("the server closed it before the commit")
            self._refuse_if_ended()
        try:
            self._run(self.backend.commit)
        except BaseException:
            if self.is_dead:
                self.ended = endings.in_doubt()
            raise

    def cancel(self) -> None:
        """Undo what the innermost transaction did."""
        try:
            # A commit that fails on a full disk leaves nothing to undo.
            if not (self.ended or self.waiting or self.is_dead or self._is_over()):
                self._undo()
        except self.backend.driver_errors:
            # What a lost connection had open, the server undoes.
            if not self.is_dead:
                self.endings[-1].clear()
                raise
        finally:
            self._leave(kept=False)

    def _undo(self) -> None:
        if self.depth == 1:
            self._run(self.backend.rollback)
            return
        name = self._name(self.depth - 1)
        self._run(self.backend.rollback_to(name))
        self._run(self.backend.release(name))

    def _leave(self, *, kept: bool) -> None:
        endings = self.endings.pop()
        self._saved.discard(self.depth)
        self.depth -= 1
        self.blocks = min(self.blocks, self.depth)
        if self.depth == 0:
            self.waiting, self.ended = False, None
        self.lock.release()
        if kept and self.endings:
            self.endings[-1] += endings
            return
        for ending in endings if kept else ():
            ending.published()
        if not kept:
            discard_all(endings)

    @contextmanager
    def unguarded(self) -> Iterator[None]:
        """Let the transactions inside leave foreign keys unchecked, this thread's only."""
        with self.lock:
            try:
                for statement in self.backend.unguard:
                    self._run(statement)
                yield
            finally:
                if not self.is_dead:
                    for statement in self.backend.guard:
                        self._run(statement)

    # Ending

    def lose(self, detail: str) -> None:
        """Note that the driver connection is gone, and with it what its transaction did."""
        self.is_dead = True
        if self.depth and not self.is_closed:
            self.ended = endings.lost(detail)

    def close(self) -> None:
        """Close the driver connection, which undoes what is open; from any thread.

        What another thread runs on it is stopped first: SQLite's library does not survive the loss of a
        connection under its hands.
        """
        self.is_dead = self.is_closed = True
        if self.depth:
            self.ended = endings.closed()
        if not (self._running.acquire(blocking=False) or self._stopped()):
            return  # its thread closes it when it comes back
        try:
            if self._handle.dbapi_connection is not None:
                self._handle.invalidate()
        finally:
            self._running.release()

    def _stopped(self) -> bool:
        """Stop what another thread runs, and return whether it has ended; then `_running` is held."""
        for seconds in _PATIENCE:
            self.backend.stop(self.raw, self._connect)
            if self._running.acquire(timeout=seconds):
                return True
        return False

    def _refuse_if_ended(self) -> None:
        if self.ended:
            raise endings.again(self.ended)

    def _check_place(self) -> None:
        if self._place() != self._opened:
            raise LostConnectionError(
                "The file of the database was deleted, moved or replaced while it was open: what is written "
                "now would be lost. Put it back, or close the connection (`connection.close()`) to go on with "
                "what is there now."
            )

    def refuse_end(self) -> None:
        """Raise an error where a statement has ended the transaction that is open, as a procedure can."""
        if self._is_over():
            self.ended = endings.by_statement()
            self._refuse_if_ended()

    def _is_over(self) -> bool:
        return self.depth > 0 and not self.waiting and not self.backend.in_transaction(self.raw)

    @staticmethod
    def _name(depth: int) -> str:
        return f"dj_{depth}"
