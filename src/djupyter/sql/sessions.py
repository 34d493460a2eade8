"""The sessions of all threads of a connection, and what is done when one waits, is dropped or fails."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.pool import PoolProxiedConnection

from djupyter.errors import LostConnectionError
from djupyter.sql import endings
from djupyter.sql.backends.base import Backend
from djupyter.sql.backends.tls import Tls
from djupyter.sql.driven import DroppedError
from djupyter.sql.failures import connecting_error
from djupyter.sql.session import Session

T = TypeVar("T")
Explain = Callable[[BaseException, str], BaseException]


class Sessions:
    """One session for each thread, from one pool.

    Parameters
    ----------
    backend, url, tls
        Where, and how encrypted.
    place
        The URL as users may see it.
    timeout
        Seconds to wait for a lock that someone else holds.
    explain
        Makes our error of a driver's error and the statement.
    reconnects
        Whether a connection that the server dropped is opened again without asking.

    Attributes
    ----------
    backend
        The one that was given; once connected, the one for the server that answered.
    knows_server
        Whether connecting will not change the backend.
    """

    def __init__(
        self,
        backend: Backend,
        url: sa.URL,
        tls: Tls,
        *,
        place: str,
        timeout: float,
        explain: Explain,
        reconnects: Callable[[], bool],
    ) -> None:
        self.backend, self._url, self.tls, self._shown = backend, url, tls, place
        self._timeout, self._explain, self._reconnects = timeout, explain, reconnects
        self.knows_server = not backend.depends_on_server
        self.created = False
        self._engine: sa.Engine | None = None
        self._engine_lock = threading.Lock()
        self.shared_lock = threading.RLock() if backend.is_shared(url) else None
        self._shared_running = threading.RLock()
        self._local = threading.local()
        self._open: weakref.WeakSet[Session] = weakref.WeakSet()
        self._inherited: list[Session] = []

    # Opening and closing

    def current(self) -> Session:
        """Return the session of this thread, opened when it is first needed.

        Raises
        ------
        DataJointError
            The database cannot be opened.
        """
        session: Session | None = getattr(self._local, "session", None)
        if session is not None and session.is_dead and not session.depth:
            session.close()
            session = None
        return session or self._opened()

    @property
    def own(self) -> Session | None:
        """The session of this thread, if it has one."""
        return getattr(self._local, "session", None)

    @property
    def is_open(self) -> bool:
        """Whether any thread has a session that can be used."""
        return any(not session.is_dead for session in list(self._open))

    def _opened(self) -> Session:
        handle = self.handle()
        lock, running = threading.RLock(), threading.RLock()
        if self.shared_lock:
            lock, running = self.shared_lock, self._shared_running
        session = Session(
            self.backend,
            handle,
            lock,
            running,
            lambda: self.backend.identity(self._url),
            self.handle,
        )
        self._open.add(session)
        self._local.session = session
        return session

    def handle(self) -> PoolProxiedConnection:
        """Return a driver connection from the pool that is alive."""
        while True:
            handle = self.run(self._take, repeats=True)
            if self.backend.is_alive(handle.dbapi_connection):
                return handle
            handle.invalidate()
            handle.close()

    def _take(self) -> PoolProxiedConnection:
        with self._engine_lock:
            if self._engine is None:
                self.created = self.backend.identity(self._url) is None
                self._engine = self.backend.engine(self._url, timeout=self._timeout, tls=self.tls)
            engine = self._engine
        try:
            handle = engine.raw_connection()
        except self.backend.driver_errors as error:
            if self.backend.may_retry(error):
                raise
            failure = self.backend.connecting_failure(error, self._url)
            raise connecting_error(failure, self._shown) from error
        self.backend = self.backend.of_server(handle.dbapi_connection)
        self.knows_server = True
        return handle

    def close(self) -> None:
        """Undo what is open, in all threads, and disconnect; the next statement connects."""
        for session in list(self._open):
            session.close()
        self._open = weakref.WeakSet()
        own = self.own
        if own is not None and not own.blocks:
            # What was begun by hand need not be ended by hand any more.
            del self._local.session
        if self.shared_lock:
            self.shared_lock = threading.RLock()  # another thread may hold the old one
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def after_fork(self) -> None:
        """Start anew in a forked process: the parent goes on using its connections."""
        if self._engine is not None and self.shared_lock is None:
            # Kept for good: closing them would disturb the parent.
            self._inherited += self._open
            self._engine_lock = threading.Lock()
            self._local = threading.local()
            self._open = weakref.WeakSet()
            self._engine.dispose(close=False)
            self._engine = None

    # Working

    def run(
        self,
        work: Callable[[], T],
        sql: str = "",
        *,
        repeats: bool,
        waits: bool = True,
        reconnects: bool | None = None,
    ) -> T:
        """Do something that may have to wait for a lock, or to be done again on a new connection.

        Between waits, Ctrl-C is heard.

        Parameters
        ----------
        work
            What to do, with the current session.
        sql
            The statement, for errors.
        repeats
            It may be done twice: after a connection is lost, nobody knows whether it was done.
        waits
            It may be done again after a lock.
        reconnects
            Open a dropped connection again; None asks the settings.
        """
        deadline, reopened = 0.0, False
        while True:
            try:
                return work()
            except DroppedError as error:
                self._reopen(str(error), True, reopened, reconnects, error)
                reopened = True
            except self.backend.driver_errors as error:
                if self.own is not None and self.own.is_closed:
                    raise endings.again(self.own.ended or endings.closed_meanwhile()) from error
                now = time.monotonic()
                deadline = deadline or now + self._timeout
                failure = self.backend.failure(error, sql)
                if failure.problem == "lost":
                    self._reopen(failure.detail, repeats, reopened, reconnects, error)
                    reopened = True
                elif now > deadline or not (waits and self._may_retry(error)):
                    raise self._explain(error, sql) from error

    def _may_retry(self, error: BaseException) -> bool:
        """Whether to do it again; a transaction that the database ended cannot go on."""
        own, aborts = self.own, self.backend.aborts
        has_ended = own is not None and (own.ended is not None or (aborts and own.depth > 0))
        return self.backend.may_retry(error) and not has_ended

    def _reopen(
        self,
        detail: str,
        harmless: bool,
        reopened: bool,
        reconnects: bool | None,
        cause: BaseException,
    ) -> None:
        """Let the next attempt open a new connection, or raise what tells why there is none."""
        session = self.own
        if session is not None and session.ended:
            raise endings.again(session.ended) from cause
        detail = detail.rstrip(".")
        if not harmless:
            raise LostConnectionError(
                f"The connection to the server was lost during a statement that writes ({detail}). It is not "
                "known whether it was carried out: look before you repeat it. The next statement connects anew."
            ) from cause
        allowed = self._reconnects() if reconnects is None else reconnects
        if reopened or not allowed:
            why = "again, just after it was opened anew" if reopened else ""
            raise LostConnectionError(
                f"The connection to the server was lost {why}({detail}). Nothing was done. "
                + (
                    ""
                    if reopened
                    else "It was not opened again because database.reconnect is off; "
                )
                + "the next statement connects anew."
            ) from cause
