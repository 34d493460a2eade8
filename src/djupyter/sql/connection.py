"""One database, used from any number of threads.

Each thread has a session of its own, so that transactions and cursors of threads never mix.
Statements and values pass straight to the driver; SQLAlchemy keeps the pool and compiles
statements, and is not in the way of rows.
"""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from djupyter.sql import handwritten, travelling
from djupyter.sql.address import address
from djupyter.sql.backends import backend_of
from djupyter.sql.backends.base import Backend
from djupyter.sql.backends.differences.records import Row, Statement
from djupyter.sql.backends.tls import Tls
from djupyter.sql.failures import to_error
from djupyter.sql.reflect import Catalog
from djupyter.sql.result import Result
from djupyter.sql.rights import needed
from djupyter.sql.sessions import Sessions
from djupyter.sql.streaming import stream
from djupyter.sql.transactions import Transactions
from djupyter.stores.store import Stores

if TYPE_CHECKING:
    from djupyter.settings import Settings

_open: weakref.WeakSet[Connection] = weakref.WeakSet()


class Connection(Transactions):
    """A database.

    It connects when it is first needed. May be used by several threads at once. A connection that
    the server dropped is opened again, and a statement repeated where that is safe.

    Parameters
    ----------
    host
        The name of a server, also `host:port`; or a URL, which says all there is to say:
        `mysql+pymysql://user:password@host:3306`, `postgresql+psycopg://user@host/database`,
        `sqlite:///lab.db` (relative to the working directory), `sqlite:////absolute/lab.db`, or
        `sqlite://` for a database in memory that ends with the connection. `?mode=ro` opens a file
        for reading only.
    user, password
        Who connects.
    port
        Where the server listens, if not where its kind usually does.
    use_tls
        True requires encryption, False forbids it, a mapping with `ca`, `cert`, `key` and
        `check_hostname` requires it with these; None takes it where the server has it, and warns where
        not. Left out, the setting `database.use_tls` says it.
    database_name
        The database, on PostgreSQL.
    backend
        `mysql` or `postgresql`, for a host; else the setting `database.backend`.
    settings
        What the tables and queries of this connection go by.
    timeout
        Seconds to wait for a lock that someone else holds.

    Raises
    ------
    DataJointError
        The URL cannot be read, names a backend or an option that there is not, or a user is missing.

    Examples
    --------
    >>> with Connection("sqlite://") as connection:
    ...     connection.fetch("SELECT 1 + ?", (1,))
    [(2,)]
    >>> Connection("db.example.org", "ann", "secret", backend="postgresql")
    DataJoint connection (not connected) postgresql://ann:***@db.example.org
    """

    def __init__(
        self,
        host: str,
        user: str | None = None,
        password: str | None = None,
        port: int | None = None,
        use_tls: bool | Mapping[str, Any] | None = None,
        *,
        database_name: str | None = None,
        backend: str | None = None,
        settings: Settings | None = None,
        timeout: float = 30.0,
    ) -> None:
        self._settings = settings
        if settings is not None:
            backend = backend or settings["database.backend"]
            use_tls = settings["database.use_tls"] if use_tls is None else use_tls
        parsed = address(host, user, password, port, database_name, backend)
        known = backend_of(parsed)
        self._url = known.resolved(parsed)
        self._shown = parsed.render_as_string(hide_password=True)
        self.timeout = timeout
        self.schemas: dict[str, Any] = {}
        self.catalog = Catalog(lambda: self.backend, self.fetch)
        self._sessions = Sessions(
            known,
            self._url,
            Tls.of(use_tls),
            place=self._shown,
            timeout=timeout,
            explain=self._error,
            reconnects=lambda: bool(self.settings["database.reconnect"]),
        )
        # Read when it is needed: settings change, and few programs use stores.
        self.stores = Stores(lambda: self.settings["stores"])
        self.name_of_its_own = uuid4().hex  # by which other processes know it
        self.before_delete: list[Callable[[Mapping[str, Any]], object]] = []
        _open.add(self)

    @property
    def backend(self) -> Backend:
        """What differs between databases; connects where only the server can say that."""
        sessions = self._sessions
        if not sessions.knows_server:
            self.connect()
        return sessions.backend

    @property
    def settings(self) -> Settings:
        """What the tables and queries of this connection go by; defaults where none were given."""
        if self._settings is None:
            # pydantic costs a tenth of a second; the import of the package need not wait for it.
            from djupyter.settings import Settings

            self._settings = Settings()
        return self._settings

    def __reduce__(self) -> tuple[Any, ...]:
        return travelling.opened, (Connection, travelling.recipe(self), self._settings)

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
        self._sessions.current()

    @property
    def is_connected(self) -> bool:
        """Whether any thread has a session; the next statement of a thread without opens one."""
        return self._sessions.is_open

    @property
    def created(self) -> bool:
        """Whether this connection made the database, a file that was not there."""
        return self._sessions.created

    def close(self) -> None:
        """Undo what is open, in all threads, and disconnect; the next statement connects.

        A `with connection.transaction:` that is open is over, also for the statements after: they raise
        an error until the block is left.
        """
        self._sessions.close()
        self.catalog.look_again()

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
    def conn_info(self) -> dict[str, Any]:
        """Host, port, user and database, as far as there are any; never the password."""
        url = self._url
        return {"host": url.host, "port": url.port, "user": url.username, "database": url.database}

    @property
    def adapter(self) -> Backend:
        """What differs between databases; `adapter.backend` is `sqlite`, `mysql` or `postgresql`."""
        return self.backend

    @property
    def connection_id(self) -> int | None:
        """The number by which the server knows the session of this thread; None without a server."""
        return self.backend.session_id(self._sessions.current().raw)

    @property
    def server_version(self) -> str:
        """Product and version of the database."""
        self.connect()
        return self.backend.server_version(self.fetch)

    def get_user(self) -> str:
        """Return who is connected, `user@host`."""
        return self.backend.user(self.fetch, self._url)

    def register(self, schema: Any) -> None:
        """Note a schema that was activated on this connection, in `schemas` by its name."""
        self.schemas[schema.database] = schema

    def stopper(self) -> Callable[[], None]:
        """Return what stops, from another thread, the statement that this thread runs then.

        The statement raises KeyboardInterrupt in its own thread. A database in memory, which all threads share,
        is left alone.
        """
        sessions, session = self._sessions, self._sessions.current()
        if sessions.shared_lock:
            return lambda: None
        return lambda: sessions.backend.interrupt(session.raw, sessions.handle)

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
        sessions = self._sessions
        return sessions.run(lambda: sessions.current().rows(sql, params), sql, repeats=True)

    def stream(
        self, sql: str, params: Sequence[object] = (), size: int = 10_000
    ) -> Iterator[list[Row]]:
        """Yield the rows of a query in batches, holding one batch in memory.

        The rows are those at the start of the iteration, whatever this thread writes meanwhile.
        Inside a transaction they are copied to a temporary file first, because there is no second
        view of unfinished work.

        `sql` and `params` are as for `fetch`; `size` is the number of rows in a batch.
        """
        return stream(self.backend, self._sessions, self._error, (sql, params), size)

    def execute(self, sql: str, params: Sequence[object] = ()) -> int:
        """Carry out a statement that writes, and return the number of rows it changed."""
        sessions = self._sessions
        count = sessions.run(lambda: sessions.current().changed(sql, params), sql, repeats=False)
        if count < 0:  # no rows were meant
            self.catalog.look_again()
        return count

    def execute_many(self, sql: str, rows: Iterable[Sequence[object]]) -> int:
        """Carry out a statement for each row, all or none, and return how many rows changed."""

        def work() -> int:
            with self._sessions.current().cursor(writes=True, guards=False) as cursor:
                cursor.executemany(sql, rows)
                return max(int(cursor.rowcount), 0)

        # Rows may come from a generator, which cannot be asked again; the transaction has the lock.
        with self.transaction:
            return self._sessions.run(work, sql, repeats=False, waits=False)

    @contextmanager
    def as_one(self) -> Iterator[None]:
        """Let an error inside undo the whole transaction that is open, as it must when nobody catches it.

        Spares PostgreSQL two statements for each one, by which else an error undoes no more than that one.
        """
        session = self._sessions.current()
        before, session.guards = session.guards, False
        try:
            yield
        finally:
            session.guards = before

    def ddl(self, statements: Iterable[str | Statement]) -> None:
        """Carry out statements that define tables, all or none where the database can do that."""
        with self.defining, self.as_one():
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
        reconnect: bool | None = None,
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
        reconnect
            Whether to connect again and repeat a query when the server had dropped the connection; None
            asks the setting `database.reconnect`.

        Raises
        ------
        DataJointError
            The statement fails, or would begin or end a transaction: use `transaction`. Statements that
            define tables would end one on MySQL, so they are refused inside it everywhere.

        Examples
        --------
        >>> Connection("sqlite://").query("SELECT %s AS a, 2 AS b", (1,), as_dict=True).fetchall()
        [{'a': 1, 'b': 2}]
        """
        handwritten.check(sql, in_transaction=self.in_transaction)
        native, adapt = self.backend.placeholders(sql), self.backend.adapt
        values: Any = tuple(map(adapt, args))
        if isinstance(args, Mapping):
            values = {name: adapt(value) for name, value in args.items()}

        def work() -> Result:
            session = self._sessions.current()
            with session.cursor(writes=True) as cursor:
                cursor.execute(native, values)
                found = Result.of(cursor, as_dict=as_dict)
            session.refuse_end()
            return found

        repeats = handwritten.reads(sql)
        result = self._sessions.run(work, sql, repeats=repeats, reconnects=reconnect)
        if not result.names and result.rowcount < 0:
            self.catalog.forget()
        return result

    def _error(self, error: BaseException, sql: str) -> BaseException:
        failure = self._sessions.backend.failure(error, sql)
        if failure.problem == "interrupted":
            return KeyboardInterrupt()
        if failure.problem in ("missing table", "unknown attribute"):
            self.catalog.forget()
        if failure.problem == "access":
            need = needed(sql, failure.detail)
            failure = replace(failure, right=self.backend.right(need, self._url, self.fetch))
        structure = self.catalog.remembered(failure.table) if failure.table else None
        return to_error(failure, structure)


def _after_fork() -> None:
    for connection in list(_open):
        connection._sessions.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
