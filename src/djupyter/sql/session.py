"""What one thread holds of a connection: a driver connection and the transactions it has open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any

from sqlalchemy.pool import PoolProxiedConnection

from djupyter.sql import endings
from djupyter.sql.at_end import Ending, discard_all
from djupyter.sql.backends.base import Backend
from djupyter.sql.driven import Driven

# Why a commit may be refused, after which the transaction is undone or still open.
_REFUSED = ("broken key", "duplicate", "deadlock", "locked")


class Session(Driven):
    """A driver connection with its transactions; BEGIN, COMMIT and SAVEPOINT are ours.

    Parameters are those of `Driven`.

    Attributes
    ----------
    blocks
        How many of the open transactions are `with` blocks, which must be left even when the connection was closed.
    endings
        For each open transaction, what wants to know how it ends.
    catalog
        What is known of tables, as it was when the outermost transaction began.
    """

    __slots__ = ("blocks", "catalog", "endings")

    def __init__(
        self,
        backend: Backend,
        handle: PoolProxiedConnection,
        lock: RLock,
        running: RLock,
        place: Callable[[], object],
        connect: Callable[[], Any],
    ) -> None:
        super().__init__(backend, handle, lock, running, place, connect)
        self.blocks = 0
        self.catalog: object = None
        self.endings: list[list[Ending]] = []

    def begin(self, *, late: bool, block: bool) -> None:
        """Open a transaction, or one nested in it; of a `with` block or not."""
        self.lock.acquire()
        try:
            if self.depth == 0:
                self._check_place()
                self.waiting = late and self.backend.begins_late
                if not self.waiting:
                    self._start()
            else:
                self._nest()
        except BaseException as error:
            if not (self.depth or isinstance(error, self.backend.driver_errors)):
                self._undo_begin()
            self.lock.release()
            raise
        self.depth += 1
        self.blocks += block
        self.endings.append([])

    def _undo_begin(self) -> None:
        """End what was begun although Ctrl-C came before that was noted: nobody else would."""
        try:
            if not self.is_dead and self.backend.in_transaction(self.raw):
                self._execute(self.backend.rollback)
        except self.backend.driver_errors:
            self.lose("it was interrupted while a transaction began")

    def _nest(self) -> None:
        self._refuse_if_ended()
        if self.waiting:
            # A savepoint outside a transaction would be one of its own.
            self._start()
            self.waiting = False
        self._is_fresh = False
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
        except BaseException as error:
            if not self._refuses(error):
                self.endings[-1].clear()  # nobody knows whether it was done
            raise
        self._leave(kept=True)

    def _refuses(self, error: BaseException) -> bool:
        """Whether an error of a commit says that nothing was written."""
        is_known = isinstance(error, self.backend.driver_errors)
        return is_known and self.backend.failure(error, "").problem in _REFUSED

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

    @staticmethod
    def _name(depth: int) -> str:
        return f"dj_{depth}"
