"""PostgreSQL 14 and later, by psycopg 3.

Its tables stand in `postgresql_tables`, schemas and the catalogue in `postgresql_catalog`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import Any, ClassVar

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert as PostgreSQLInsert
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.pool import QueuePool
from sqlalchemy.sql.elements import quoted_name

from djupyter.definition.model import TypeSpec
from djupyter.errors import DataJointError
from djupyter.heading.attribute import Attribute
from djupyter.heading.structure import TableStructure
from djupyter.sql.backends import (
    postgresql_connect,
    postgresql_driver,
    postgresql_failures,
    postgresql_types,
)
from djupyter.sql.backends.base import Backend
from djupyter.sql.backends.conflicts import on_conflict
from djupyter.sql.backends.differences.records import Convert, Fetch
from djupyter.sql.backends.postgresql_catalog import PostgreSQLCatalog, literal, lock
from djupyter.sql.backends.postgresql_tables import PostgreSQLTables
from djupyter.sql.backends.tls import Tls
from djupyter.sql.failures import Failure
from djupyter.sql.json_path import JsonPath
from djupyter.sql.rights import Need, Right

_LONGEST_NAME = 63  # bytes; longer names are cut, so that two may become one
_PLACEHOLDER = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|%s|%\(\w+\)s|%%|%")


class PostgreSQL(PostgreSQLTables, PostgreSQLCatalog, Backend):
    """A PostgreSQL server; schemas are schemas of one database.

    Examples
    --------
    >>> from djupyter.definition.names import TableName
    >>> PostgreSQL().locate(TableName("lab", "#kind"))
    ('lab', '#kind')
    """

    name: ClassVar[str] = "postgresql"
    language: ClassVar[str] = "postgresql"
    dialect = PGDialect(paramstyle="format")  # type: ignore[no-untyped-call]
    driver_errors = (psycopg.Error, UnicodeEncodeError)
    default_port: ClassVar[int | None] = 5432
    aborts: ClassVar[bool] = True
    merges_subqueries: ClassVar[bool] = True
    url_options: ClassVar[tuple[str, ...]] = (
        "host",
        "application_name",
        "connect_timeout",
        "keepalives",
        "keepalives_idle",
        "keepalives_interval",
        "keepalives_count",
        "options",
        "target_session_attrs",
        "tcp_user_timeout",
    )
    begin = "BEGIN ISOLATION LEVEL READ COMMITTED"

    # Connecting

    def engine(self, url: sa.URL, *, timeout: float, tls: Tls) -> sa.Engine:
        """Return an engine whose connections use autocommit."""
        opened = postgresql_connect.connector(
            postgresql_connect.arguments(url, timeout), tls, postgresql_driver.ADAPTERS
        )

        def connect() -> Any:
            raw = opened()
            try:
                postgresql_driver.prepare(raw, timeout)
            except BaseException:
                raw.close()
                raise
            return raw

        return sa.create_engine(
            "postgresql+psycopg://",
            creator=connect,
            poolclass=QueuePool,
            pool_size=5,
            max_overflow=-1,
            skip_autocommit_rollback=False,
        )

    def of_server(self, raw: Any) -> Backend:
        """Return the backend for the order and the letters of texts that the database has."""
        return _backend(*postgresql_driver.locale(raw))

    def resolved(self, url: sa.URL) -> sa.URL:
        """Return the URL with the driver that is used, and the database that every server has."""
        driver = url.drivername.partition("+")[2]
        if driver not in ("", "psycopg"):
            raise DataJointError(
                f"The driver `{driver}` is not known here. Write `postgresql+psycopg://` or "
                "`postgresql://`."
            )
        return url.set(drivername="postgresql+psycopg", database=url.database or "postgres")

    def is_shared(self, url: sa.URL) -> bool:
        """Whether all threads share one connection: no, the server keeps them apart."""
        return False

    def identity(self, url: sa.URL) -> object:
        """Return the place: what lies behind it is the server's affair."""
        return url.host, url.port, url.database

    def user(self, fetch: Fetch, url: sa.URL) -> str:
        """Return the user of the server, and from where."""
        sql = "SELECT current_user || '@' || coalesce(host(inet_client_addr()), 'localhost')"
        return str(fetch(sql, ())[0][0])

    def server_version(self, fetch: Fetch) -> str:
        """Return the version of the server."""
        return f"PostgreSQL {fetch('SHOW server_version', ())[0][0]}"

    def session_id(self, raw: Any) -> int | None:
        """Return the number of the server's process."""
        return int(raw.info.backend_pid)

    def is_alive(self, raw: Any) -> bool:
        """Whether the server has not closed the connection."""
        return postgresql_connect.is_alive(raw)

    def survives(self, raw: Any, error: BaseException, connect: Callable[[], Any]) -> bool:
        """Whether the connection can go on after an interrupt; what runs on it is ended.

        After Ctrl-C the driver ends the statement itself; what else a handler of a signal raises leaves it running.
        """
        if raw.info.transaction_status != psycopg.pq.TransactionStatus.ACTIVE:
            return True
        self.stop(raw, connect)
        raw.close()
        return False

    def stop(self, raw: Any, connect: Callable[[], Any]) -> None:
        """Let a statement that another thread runs on a connection end soon."""
        with suppress(psycopg.Error):  # it may have ended meanwhile
            raw.cancel_safe(timeout=5.0)

    def stream_cursor(self, raw: Any, *, nested: bool) -> Any:
        """Return a cursor of the server, which lives in a transaction; the pool ends its own."""
        if not nested:
            raw.execute("BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY")
        return raw.cursor(name="djupyter")

    def placeholders(self, sql: str) -> str:
        """Return SQL whose percent signs are doubled unless they mark a value.

        >>> PostgreSQL().placeholders("SELECT 7 % a FROM t WHERE b LIKE '5%' AND a = %s")
        "SELECT 7 %% a FROM t WHERE b LIKE '5%%' AND a = %s"
        """

        def spelled(match: re.Match[str]) -> str:
            text = match[0]
            if text in ("%", "%%"):
                return "%%"
            return text if text.startswith("%") else text.replace("%%", "%").replace("%", "%%")

        return _PLACEHOLDER.sub(spelled, sql)

    # Failing

    def failure(self, error: BaseException, sql: str) -> Failure:
        """Return what an error means, by its code."""
        return postgresql_failures.failure(error, sql)

    def connecting_failure(self, error: BaseException, url: sa.URL) -> Failure:
        """Return why a connection could not be opened."""
        return postgresql_connect.failure(error, self.failure(error, ""))

    def right(self, need: Need, url: sa.URL, fetch: Fetch) -> Right | None:
        """Return the privilege that a statement lacked, with the statement that grants it."""
        return postgresql_connect.right(need, url, self.quote)

    def may_retry(self, error: BaseException) -> bool:
        """Whether the statement was chosen to end a deadlock; locks are waited for on the server."""
        return getattr(error, "sqlstate", None) in ("40001", "40P01")

    def in_transaction(self, raw: Any) -> bool:
        """Whether the transaction is still open."""
        return raw.info.transaction_status != psycopg.pq.TransactionStatus.IDLE and not raw.closed

    # Values

    def adapt(self, value: object) -> object:
        """Return what the driver takes for a Python value."""
        return postgresql_types.adapt(value)

    def adapter(self, type: TypeSpec | None) -> Convert | None:
        """Return the conversion of an attribute's values to the driver's."""
        return postgresql_types.adapter(type)

    def decoder(self, type: TypeSpec | None) -> Convert | None:
        """Return the conversion of the driver's values to an attribute's."""
        return postgresql_types.decoder(type)

    # Statements

    def relation(self, structure: TableStructure) -> sa.TableClause:
        """Return a table whose columns know their types."""
        schema, table = self.locate(structure.name)
        return sa.table(
            quoted_name(table, True),
            *(
                sa.column(quoted_name(each.name, True), postgresql_types.told(each.type))
                for each in structure.attributes
            ),
            schema=quoted_name(str(schema), True),
        )

    def typed(self, value: sa.ColumnElement[Any], type: TypeSpec | None) -> sa.ColumnElement[Any]:
        """Return a computed value in the type that its expression has on every database."""
        return postgresql_types.typed(value, type)

    def insert(self, table: sa.TableClause) -> sa.Insert:
        """Return PostgreSQL's INSERT, which knows ON CONFLICT."""
        return postgresql_insert(table)

    def on_conflict(
        self, statement: sa.Insert, structure: TableStructure, conflict: str
    ) -> sa.Insert:
        """Return the INSERT with its ON CONFLICT clause."""
        assert isinstance(statement, PostgreSQLInsert), "made by `insert`"
        return on_conflict(statement, structure, conflict)

    def json_value(self, column: sa.ColumnElement[Any], path: JsonPath) -> sa.ColumnElement[Any]:
        """Return the text at a place inside a JSON attribute."""
        literals = (literal(str(step)) for step in path.path)
        return sa.func.jsonb_extract_path_text(column, *map(sa.literal_column, literals))

    def held(
        self, value: sa.ColumnElement[Any], attribute: Attribute, structure: TableStructure
    ) -> sa.ColumnElement[Any]:
        """Return a value in the type of its column: a SELECT takes a value of no type for text."""
        return sa.cast(value, self.column_type(attribute, structure))

    def clock(self, seconds: float = 0) -> sa.ColumnElement[float]:
        """Return the seconds since 1970 at this moment, not at the start of the transaction."""
        return sa.literal_column(
            f"(extract(epoch FROM clock_timestamp())::float8 + {seconds:.3f})", sa.Float()
        )

    def moment(self, seconds: float = 0) -> sa.ColumnElement[Any]:
        """Return a time in the time zone of the session, as CURRENT_TIMESTAMP is kept."""
        return sa.literal_column(
            f"(clock_timestamp() + {seconds:.3f} * interval '1 second')::timestamp(3)"
        )

    def given(
        self, structure: TableStructure, name: str, value: sa.ColumnElement[Any]
    ) -> sa.ColumnElement[Any]:
        """Return the value; NULL asks for the next number, and numbering goes on after one that is given."""
        if not structure.by_name[name].autoincrement:
            return value
        table = f"{self.quote(structure.name.schema)}.{self.quote(structure.name.table)}"
        return postgresql_types.numbered(value, table, name)

    def define_alone(self, schema: str, seconds: float) -> list[str]:
        """Return the query that waits until nobody else defines tables of a schema."""
        return [lock(schema)]


@lru_cache
def _backend(collates: bool, folding: str | None) -> PostgreSQL:
    """Return the backend for databases in which texts have another order, or letters, than elsewhere.

    Ours is the order of code points, as on the other backends, and is written out where it counts: indexes are made by
    that of the database.
    """
    backend = PostgreSQL()
    backend.dialect = PGDialect(paramstyle="format")  # type: ignore[no-untyped-call]
    backend.dialect.collates = collates  # type: ignore[attr-defined]
    backend.dialect.folding = f' COLLATE "{folding}"' if folding else ""  # type: ignore[attr-defined]
    return backend
