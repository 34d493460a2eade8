"""One database, used from any number of threads.

Each thread has a session of its own, so that transactions and cursors of threads never mix.
Statements and values pass straight to the driver; SQLAlchemy keeps the pool and compiles
statements, and is not in the way of rows.
"""

from __future__ import annotations

import os
import re
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Self, TypeVar

import sqlalchemy as sa

from djupyter.errors import DataJointError
from djupyter.sql.backends import backend_of, parse_url
from djupyter.sql.backends.base import Row, Statement
from djupyter.sql.backends.tls import Tls
from djupyter.sql.failures import to_error
from djupyter.sql.reflect import Catalog
from djupyter.sql.result import Result, spooled
from djupyter.sql.session import Session
from djupyter.sql.transaction import Transaction

if TYPE_CHECKING:
    from djupyter.settings import Settings

T = TypeVar("T")

_CONTROL = re.compile(r"\s*(BEGIN|COMMIT|END|ROLLBACK|SAVEPOINT|RELEASE|START)\b", re.IGNORECASE)
_open: weakref.WeakSet[Connection] = weakref.WeakSet()


class Connection:
    """A database.

    It connects when it is first needed. May be used by several threads at once.

    Parameters
    ----------
    url
        `sqlite:///lab.db` (relative to the working directory), `sqlite:////absolute/lab.db`, or
        `sqlite://` for a database in memory that ends with the connection. `?mode=ro` opens a file
        for reading only.
    settings
        What the tables and queries of this connection go by.
    timeout
        Seconds to wait for a lock that someone else holds.

    Raises
    ------
    DataJointError
        The URL cannot be read, or names a backend that there is not.

    Examples
    --------
    >>> with Connection("sqlite://") as connection:
    ...     connection.fetch("SELECT 1 + ?", (1,))
    [(2,)]
    """

    def __init__(
        self, url: str, *, settings: Settings | None = None, timeout: float = 30.0
    ) -> None:
        parsed = parse_url(url)
        self.backend = backend_of(parsed)
        self._url = self.backend.resolved(parsed)
        self._shown = parsed.render_as_string(hide_password=True)
        self._settings = settings
        self.timeout = timeout
        self.created = False
        self.catalog = Catalog(self.backend, self.fetch)
        self._engine: sa.Engine | None = None
        self._engine_lock = threading.Lock()
        self._shared_lock = threading.RLock() if self.backend.is_shared(self._url) else None
        self._local = threading.local()
        self._sessions: weakref.WeakSet[Session] = weakref.WeakSet()
        self._inherited: list[Session] = []
        _open.add(self)

    @property
    def settings(self) -> Settings:
        """What the tables and queries of this connection go by; defaults where none were given."""
        if self._settings is None:
            # pydantic costs a tenth of a second; the import of the package need not wait for it.
            from djupyter.settings import Settings

            self._settings = Settings()
        return self._settings

    def __repr__(self) -> str:
        state = "connected" if self.is_connected else "not connected"
        return f"DataJoint connection ({state}) {self._shown}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Connecting

    def connect(self) -> None:
        """Connect now rather than at the first statement.

        Raises
        ------
        DataJointError
            The database cannot be opened.
        """
        self._session()

    @property
    def is_connected(self) -> bool:
        """Whether any thread has a session; the next statement of a thread without opens one."""
        return bool(self._sessions)

    def close(self) -> None:
        """Roll back what is open, in all threads, and disconnect; the next statement connects."""
        for session in list(self._sessions):
            session.close()
        self._forget_sessions()
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def ping(self) -> float:
        """Return how many seconds the database takes to answer."""
        start = time.perf_counter()
        self.fetch("SELECT 1")
        return time.perf_counter() - start

    @property
    def url(self) -> str:
        """The URL, with stars in place of a password."""
        return self._url.render_as_string(hide_password=True)

    @property
    def label(self) -> str:
        """The URL as it was given, with stars in place of a password."""
        return self._shown

    @property
    def server_version(self) -> str:
        """Product and version of the database."""
        return self.backend.server_version(self.fetch)

    def get_user(self) -> str:
        """Return who is connected, `user@host`."""
        return self.backend.user(self.fetch, self._url)

    def _session(self) -> Session:
        try:
            return self._local.session  # type: ignore[no-any-return]
        except AttributeError:
            pass
        with self._engine_lock:
            if self._engine is None:
                self.created = self.backend.identity(self._url) is None
                self._engine = self.backend.engine(self._url, timeout=self.timeout, tls=Tls())
        handle = self._retrying(self._engine.raw_connection, "")
        lock = self._shared_lock or threading.RLock()
        session = Session(self.backend, handle, lock, lambda: self.backend.identity(self._url))
        self._sessions.add(session)
        self._local.session = session
        return session

    def _forget_sessions(self) -> None:
        self._local = threading.local()
        self._sessions = weakref.WeakSet()
        if self._shared_lock:
            self._shared_lock = threading.RLock()  # another thread may hold the old one

    def _after_fork(self) -> None:
        """Start anew in a forked process: the parent goes on using its connections."""
        if self._engine is not None and self._shared_lock is None:
            # Kept for good: closing them would disturb the parent.
            self._inherited += self._sessions
            self._engine_lock = threading.Lock()
            self._forget_sessions()
            self._engine.dispose(close=False)
            self._engine = None

    # Statements

    def fetch(self, sql: str, params: Sequence[object] = ()) -> list[Row]:
        """Return all rows of a query, as the driver gives them.

        Parameters
        ----------
        sql
            A statement with the driver's placeholders.
        params
            The values, adapted by `backend.adapt`.

        Raises
        ------
        DataJointError
            In the class that says what went wrong.
        """

        def work() -> list[Row]:
            with self._session().cursor(writes=False) as cursor:
                cursor.execute(sql, params)
                return cursor.fetchall()  # type: ignore[no-any-return]

        return self._retrying(work, sql)

    def stream(
        self, sql: str, params: Sequence[object] = (), size: int = 10_000
    ) -> Iterator[list[Row]]:
        """Yield the rows of a query in batches, holding one batch in memory.

        The rows are those at the start of the iteration, whatever this thread writes meanwhile.
        Inside a transaction they are copied to a temporary file first, because there is no second
        view of unfinished work.

        `sql` and `params` are as for `fetch`; `size` is the number of rows in a batch.
        """
        session = self._session()
        if session.depth or self._shared_lock:
            yield from spooled(lambda keep: self._keep(sql, params, size, keep))
            return
        assert self._engine is not None, "a session has an engine"
        handle = self._retrying(self._engine.raw_connection, "")
        cursor = self.backend.stream_cursor(handle.dbapi_connection)
        try:
            self._retrying(lambda: cursor.execute(sql, params), sql)
            while batch := self._retrying(lambda: cursor.fetchmany(size), sql):
                yield batch
        finally:
            cursor.close()
            handle.close()

    def _keep(
        self, sql: str, params: Sequence[object], size: int, keep: Callable[[list[Row]], None]
    ) -> None:
        def work() -> None:
            with self._session().cursor(writes=False) as cursor:
                cursor.execute(sql, params)
                while batch := cursor.fetchmany(size):
                    keep(batch)

        self._retrying(work, sql)

    def execute(self, sql: str, params: Sequence[object] = ()) -> int:
        """Carry out a statement that writes, and return the number of rows it changed."""

        def work() -> int:
            with self._session().cursor(writes=True) as cursor:
                cursor.execute(sql, params)
                return int(cursor.rowcount)

        return self._retrying(work, sql)

    def execute_many(self, sql: str, rows: Iterable[Sequence[object]]) -> int:
        """Carry out a statement for each row, all or none, and return how many rows changed."""

        def work() -> int:
            with self._session().cursor(writes=True) as cursor:
                cursor.executemany(sql, rows)
                return max(int(cursor.rowcount), 0)

        # Rows may come from a generator, which cannot be asked again; the transaction has the lock.
        with self.transaction:
            return self._retrying(work, sql, again=False)

    def ddl(self, statements: Iterable[str | Statement]) -> None:
        """Carry out statements that define tables, all or none where the database can do that."""
        with self.transaction:
            for statement in statements:
                sql, params = (statement, ()) if isinstance(statement, str) else statement
                self.execute(sql, params)
        self.catalog.forget()

    def query(
        self,
        sql: str,
        args: Sequence[object] | Mapping[str, object] = (),
        *,
        as_dict: bool = False,
    ) -> Result:
        """Carry out SQL of your own and return its rows.

        Parameters
        ----------
        sql
            Placeholders are `%s` with a sequence and `%(name)s` with a mapping, on every backend; a
            literal `%` outside quotes that could be taken for one is written `%%`. The driver's own
            placeholders (`?`, `:name` on SQLite) work too.
        args
            The values.
        as_dict
            Rows as dicts rather than tuples.

        Raises
        ------
        DataJointError
            The statement fails, or would begin or end a transaction: use `transaction`.

        Examples
        --------
        >>> Connection("sqlite://").query("SELECT %s AS a, 2 AS b", (1,), as_dict=True).fetchall()
        [{'a': 1, 'b': 2}]
        """
        if _CONTROL.match(sql):
            raise DataJointError(
                "Transactions are opened with `with connection.transaction:`, not by SQL."
            )
        native, adapt = self.backend.placeholders(sql), self.backend.adapt
        values: Any = tuple(map(adapt, args))
        if isinstance(args, Mapping):
            values = {name: adapt(value) for name, value in args.items()}

        def work() -> Result:
            with self._session().cursor(writes=True) as cursor:
                cursor.execute(native, values)
                return Result.of(cursor, as_dict=as_dict)

        result = self._retrying(work, sql)
        if not result.names and result.rowcount < 0:
            self.catalog.forget()
        return result

    def _retrying(self, work: Callable[[], T], sql: str, *, again: bool = True) -> T:
        """Do something that may have to wait for a lock; between waits, Ctrl-C is heard."""
        deadline = 0.0
        while True:
            try:
                return work()
            except self.backend.driver_errors as error:
                now = time.monotonic()
                deadline = deadline or now + self.timeout
                if now > deadline or not (again and self.backend.may_retry(error)):
                    raise self._error(error, sql) from error

    def _error(self, error: BaseException, sql: str) -> BaseException:
        failure = self.backend.failure(error, sql)
        if failure.problem == "interrupted":
            return KeyboardInterrupt()
        if failure.problem in ("missing table", "unknown attribute"):
            self.catalog.forget()
        structure = self.catalog.remembered(failure.table) if failure.table else None
        return to_error(failure, structure)

    # Transactions

    @property
    def transaction(self) -> Transaction[Self]:
        """All or nothing: `with connection.transaction:`.

        An exception, Ctrl-C included, rolls back. Inside another transaction it is a savepoint: an
        exception undoes the inner part only, and the outer one decides about the whole.

        Examples
        --------
        >>> connection = Connection("sqlite://")
        >>> connection.execute("CREATE TABLE t (a)")
        -1
        >>> with connection.transaction:
        ...     connection.execute("INSERT INTO t VALUES (?)", (1,))
        1
        """
        return Transaction(self)

    @property
    def late_transaction(self) -> Transaction[Self]:
        """A transaction that locks others out only from its first write on.

        What it reads before is the state at each statement. For computations: hours may lie between
        reading and writing. On servers it is an ordinary transaction.
        """
        return Transaction(self, late=True)

    def unguarded(self) -> AbstractContextManager[None]:
        """Let the transactions inside leave foreign keys unchecked; they check them themselves."""
        return self._session().unguarded()

    @property
    def in_transaction(self) -> bool:
        """Whether this thread is in a transaction."""
        return hasattr(self._local, "session") and self._session().depth > 0

    def start_transaction(self, *, late: bool = False) -> None:
        """Open a transaction, or a savepoint inside one."""
        self._retrying(lambda: self._session().begin(late=late), "")

    def commit_transaction(self) -> None:
        """Make the innermost transaction permanent, or a part of the outer one.

        Raises
        ------
        DataJointError
            There is none, or the database has ended it.
        """
        self._retrying(self._innermost().commit, "")

    def cancel_transaction(self) -> None:
        """Undo the innermost transaction.

        Raises
        ------
        DataJointError
            There is none.
        """
        self._retrying(self._innermost().cancel, "")

    def _innermost(self) -> Session:
        if not self.in_transaction:
            raise DataJointError(
                "There is no transaction to end. Open one with `with connection.transaction:`."
            )
        return self._session()


def _after_fork() -> None:
    for connection in list(_open):
        connection._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
