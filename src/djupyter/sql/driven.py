"""A driver connection, the statements that run on it, and what an error leaves of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import RLock
from typing import Any

from sqlalchemy.pool import PoolProxiedConnection

from djupyter.errors import DataJointError, LostConnectionError
from djupyter.sql import endings
from djupyter.sql.backends.base import Backend
from djupyter.sql.backends.differences.records import Row

_STATEMENT = "dj_statement"
# Seconds for what another thread runs to end each time it is told to, which it may not hear before it has begun.
_PATIENCE = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class DroppedError(Exception):
    """The server closed the connection while it was idle; nothing was sent."""


class Driven:
    """A driver connection in autocommit mode, which knows how deep in transactions it is; `Session` opens those.

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
    waiting
        A transaction that takes its lock at the first write has not begun yet.
    ended
        Why the transaction is over though the program has not left it; nothing may be written before it
        does, or half a transaction would be committed.
    guards
        Whether an error in a transaction must undo no more than its statement.
    is_dead
        The driver connection cannot be used again.
    is_closed
        Somebody closed it, perhaps another thread.
    """

    __slots__ = (
        "__weakref__",
        "_connect",
        "_handle",
        "_is_fresh",
        "_opened",
        "_place",
        "_running",
        "_saved",
        "backend",
        "depth",
        "ended",
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
        self.depth = 0
        self.waiting = self.is_dead = self.is_closed = False
        self.guards = True
        self._saved: set[int] = set()  # the depths at which the savepoint of a statement is open
        self._is_fresh = False  # nothing was done since that savepoint was set, together with BEGIN
        self.ended: DataJointError | None = None

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
            self._is_fresh = False
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

    def _start(self) -> None:
        """Begin a transaction; where statements need savepoints, the first one is set by the same trip."""
        self._is_fresh = self.guards and self.backend.aborts
        savepoint = f"; {self.backend.savepoint(_STATEMENT)}" if self._is_fresh else ""
        self._run(self.backend.begin + savepoint)
        if self._is_fresh:
            self._saved.add(1)

    def _save(self) -> None:
        """Set the savepoint of a statement; that of the one before is released only now, by the same trip."""
        if self._is_fresh:
            return
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
            self._is_fresh = False
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
            self._is_fresh = False
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
            self._start()
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
