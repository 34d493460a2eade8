"""What one thread holds of a connection: a driver connection and the transactions it has open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any

from sqlalchemy.pool import PoolProxiedConnection

from djupyter.errors import DataJointError, LostConnectionError
from djupyter.sql.backends.base import Backend


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

    Attributes
    ----------
    depth
        Number of open transactions, the nested ones included.
    waiting
        A transaction that takes its lock at the first write has not begun yet.
    lost
        The database ended the transaction by itself; nothing may be written before the program
        leaves it, or half a transaction would be committed.
    """

    __slots__ = (
        "__weakref__",
        "_handle",
        "_opened",
        "_place",
        "backend",
        "depth",
        "lock",
        "lost",
        "raw",
        "waiting",
    )

    def __init__(
        self,
        backend: Backend,
        handle: PoolProxiedConnection,
        lock: RLock,
        place: Callable[[], object],
    ) -> None:
        self.backend, self._handle, self.lock = backend, handle, lock
        self._place, self._opened = place, place()
        self.raw: Any = handle.dbapi_connection
        self.depth = 0
        self.waiting = self.lost = False

    @contextmanager
    def cursor(self, *, writes: bool) -> Iterator[Any]:
        """Yield a cursor, in a transaction that has begun if the statement writes."""
        with self.lock:
            if self.lost:
                raise _lost()
            if writes and (self.waiting or self.depth == 0):
                self._check_place()
            if self.waiting and writes:
                self._run(self.backend.begin)
                self.waiting = False
            cursor = self.raw.cursor()
            try:
                yield cursor
            except BaseException:
                self.lost = self._is_lost()
                raise
            finally:
                cursor.close()

    def begin(self, *, late: bool) -> None:
        """Open a transaction, or one nested in it."""
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

    def _nest(self) -> None:
        if self.lost:
            raise _lost()
        if self.waiting:
            # A savepoint outside a transaction would be one of its own.
            self._run(self.backend.begin)
            self.waiting = False
        self._run(self.backend.savepoint(self._name(self.depth)))

    def commit(self) -> None:
        """Make what the innermost transaction did a part of the outer one, or permanent."""
        if self.lost:
            self.cancel()
            raise _lost()
        if self.depth > 1:
            self._run(self.backend.release(self._name(self.depth - 1)))
        elif not self.waiting:
            self._run(self.backend.commit)
        self._leave()

    def cancel(self) -> None:
        """Undo what the innermost transaction did."""
        try:
            # A commit that fails on a full disk leaves nothing to undo.
            if not (self.lost or self.waiting or self._is_lost()):
                if self.depth > 1:
                    name = self._name(self.depth - 1)
                    self._run(self.backend.rollback_to(name))
                    self._run(self.backend.release(name))
                else:
                    self._run(self.backend.rollback)
        finally:
            self._leave()

    @contextmanager
    def unguarded(self) -> Iterator[None]:
        """Let the transactions inside leave foreign keys unchecked, this thread's only."""
        with self.lock:
            try:
                for statement in self.backend.unguard:
                    self._run(statement)
                yield
            finally:
                for statement in self.backend.guard:
                    self._run(statement)

    def close(self) -> None:
        """Give the driver connection back, from any thread; the pool rolls back what is open."""
        self.depth = 0
        self._handle.close()

    def _leave(self) -> None:
        self.depth -= 1
        if self.depth == 0:
            self.waiting = self.lost = False
        self.lock.release()

    def _check_place(self) -> None:
        if self._place() != self._opened:
            raise LostConnectionError(
                "The file of the database was deleted, moved or replaced while it was open: what is written "
                "now would be lost. Put it back, or close the connection (`connection.close()`) to go on with "
                "what is there now."
            )

    def _is_lost(self) -> bool:
        return self.depth > 0 and not self.waiting and not self.backend.in_transaction(self.raw)

    def _run(self, statement: str) -> None:
        cursor = self.raw.cursor()
        try:
            cursor.execute(statement)
        finally:
            cursor.close()

    @staticmethod
    def _name(depth: int) -> str:
        return f"dj_{depth}"


def _lost() -> DataJointError:
    return DataJointError(
        "The database ended the transaction after an earlier error, and undid all of it. "
        "Leave the transaction and start it again."
    )
