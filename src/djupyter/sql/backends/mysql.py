"""MySQL and MariaDB: a schema is a database of the server.

Their tables stand in `mysql_tables`, schemas and the catalogue in `mysql_catalog`.

One class each, because they differ in collations, JSON and what they tell of indexes. Which of the
two a server is, it says when one connects.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import pymysql
import sqlalchemy as sa
from pymysql.constants import SERVER_STATUS
from pymysql.cursors import SSCursor
from sqlalchemy.dialects.mysql import Insert as MySQLInsert
from sqlalchemy.dialects.mysql import insert as mysql_insert
from sqlalchemy.pool import QueuePool

from djupyter.definition.model import TypeSpec
from djupyter.errors import DataJointError
from djupyter.heading.structure import TableStructure
from djupyter.sql.backends import (
    mysql_columns,
    mysql_connect,
    mysql_failures,
    mysql_statements,
    mysql_types,
)
from djupyter.sql.backends.base import Backend
from djupyter.sql.backends.differences.records import Convert, Fetch
from djupyter.sql.backends.mysql_catalog import MySQLCatalog
from djupyter.sql.backends.mysql_dialect import Dialect
from djupyter.sql.backends.mysql_tables import MySQLTables
from djupyter.sql.backends.tls import Tls
from djupyter.sql.failures import Failure
from djupyter.sql.json_path import JsonPath, place_of
from djupyter.sql.rights import Need, Right


class MySQL(MySQLTables, MySQLCatalog, Backend):
    """A MySQL server, and what it has in common with MariaDB.

    Examples
    --------
    >>> from djupyter.definition.names import TableName
    >>> MySQL().locate(TableName("lab", "#kind"))
    ('lab', '#kind')
    """

    name: ClassVar[str] = "mysql"
    language: ClassVar[str] = "mysql"
    joins_in_order: ClassVar[str] = "STRAIGHT_JOIN"
    url_options: ClassVar[tuple[str, ...]] = (
        "charset",
        "unix_socket",
        "connect_timeout",
        "read_timeout",
        "write_timeout",
    )
    default_port: ClassVar[int | None] = 3306
    depends_on_server: ClassVar[bool] = True
    product: ClassVar[str] = "MySQL"
    # Binary and without padding: 'a', 'A' and 'a ' are three keys.
    collation: ClassVar[str] = "utf8mb4_0900_bin"
    settings: ClassVar[str] = ""
    dialect = Dialect(paramstyle="format")
    # Texts that are not Unicode are refused by Python's own error.
    driver_errors = (pymysql.err.Error, UnicodeEncodeError)
    begin = "START TRANSACTION WITH CONSISTENT SNAPSHOT"
    unguard = ("SET foreign_key_checks = 0",)
    guard = ("SET foreign_key_checks = 1",)
    defines_in_transactions = False
    returns_updated = False
    # Else a statement that reads and writes would lock the rows that it reads, and the places between them.
    relaxed = ("SET TRANSACTION ISOLATION LEVEL READ COMMITTED",)

    # Connecting

    def engine(self, url: sa.URL, *, timeout: float, tls: Tls) -> sa.Engine:
        """Return an engine whose connections use autocommit and a strict mode."""
        options: dict[str, Any] = {
            "charset": "utf8mb4",
            "autocommit": True,
            "connect_timeout": max(1, math.ceil(timeout)),
            **mysql_connect.encryption(tls),
        }
        engine = sa.create_engine(
            url, poolclass=QueuePool, pool_size=5, max_overflow=-1, connect_args=options
        )
        sa.event.listen(
            engine,
            "do_connect",
            lambda _, __, args, named: mysql_connect.opened(*args, **named),
        )
        sa.event.listen(engine, "connect", lambda raw, _: self._check(raw, tls), insert=True)
        # After SQLAlchemy's own SET NAMES, which chooses a collation.
        waits = options["connect_timeout"]
        sa.event.listen(engine, "connect", lambda raw, _: self._prepare(raw, waits))
        return engine

    def _check(self, raw: Any, tls: Tls) -> None:
        mysql_connect.warn_if_plain(raw, tls)
        self.of_server(raw)

    def _prepare(self, raw: Any, seconds: int) -> None:
        server = self.of_server(raw)
        assert isinstance(server, MySQL), "one of the family"
        mysql_connect.prepare(raw, server.collation, seconds, server.settings)

    def of_server(self, raw: Any) -> Backend:
        """Return the class for the server that answered.

        Raises
        ------
        DataJointError
            It is too old.
        """
        return _SERVERS[mysql_connect.product(raw)]

    def resolved(self, url: sa.URL) -> sa.URL:
        """Return the URL with the driver that is used."""
        driver = url.drivername.partition("+")[2]
        if driver not in ("", "pymysql"):
            raise DataJointError(
                f"The driver `{driver}` is not known here. Write `mysql+pymysql://` or `mysql://`."
            )
        return url.set(drivername="mysql+pymysql")

    def is_shared(self, url: sa.URL) -> bool:
        """Whether all threads must share one connection: never."""
        return False

    def identity(self, url: sa.URL) -> object:
        """Return a server's place, which is not replaced behind our back."""
        return url.host or "localhost"

    def user(self, fetch: Fetch, url: sa.URL) -> str:
        """Return the account as the server knows it."""
        return str(fetch("SELECT USER()", ())[0][0])

    def server_version(self, fetch: Fetch) -> str:
        """Return product and version."""
        version = str(fetch("SELECT VERSION()", ())[0][0])
        return f"{self.product} {version.partition('-')[0]}"

    def is_alive(self, raw: Any) -> bool:
        """Whether the server has not closed the connection."""
        return mysql_connect.is_alive(raw)

    def survives(self, raw: Any, error: BaseException, connect: Callable[[], Any]) -> bool:
        """Whether the connection can go on after an interrupt; what runs on it is ended."""
        return mysql_connect.survives(raw, error, connect)

    def stop(self, raw: Any, connect: Callable[[], Any]) -> None:
        """Let a statement that another thread runs on a connection end soon."""
        mysql_connect.kill(raw.thread_id(), connect)

    def interrupt(self, raw: Any, connect: Callable[[], Any]) -> None:
        """Let such a statement end soon, but not the connection."""
        mysql_connect.kill(raw.thread_id(), connect, "QUERY")

    def stream_cursor(self, raw: Any, *, nested: bool) -> Any:
        """Return a cursor that leaves the rows on the server."""
        return raw.cursor(SSCursor)

    def placeholders(self, sql: str) -> str:
        """Return SQL in which `%` stands for itself, except in placeholders."""
        return mysql_statements.placeholders(sql)

    def session_id(self, raw: Any) -> int | None:
        """Return the number by which the server knows a connection."""
        return int(raw.thread_id())

    # Failing: see mysql_failures

    def failure(self, error: BaseException, sql: str) -> Failure:
        """Return what an error means, by its code."""
        return mysql_failures.failure(error, sql)

    def connecting_failure(self, error: BaseException, url: sa.URL) -> Failure:
        """Return why a connection could not be opened."""
        return mysql_connect.failure(error, self.failure(error, ""))

    def right(self, need: Need, url: sa.URL, fetch: Fetch) -> Right | None:
        """Return the privilege that a statement lacked, with the statement that grants it."""
        return mysql_connect.right(need, fetch, self.quote)

    def may_retry(self, error: BaseException) -> bool:
        """Whether the statement was chosen to end a deadlock; locks are waited for on the server."""
        return mysql_failures.code_of(error) == mysql_failures.DEADLOCK

    def in_transaction(self, raw: Any) -> bool:
        """Whether the transaction is still open; a deadlock, for one, ends it."""
        try:
            # An error says nothing of it: the server is asked.
            raw.ping(reconnect=False)
        except pymysql.err.Error:
            return False
        return bool(raw.server_status & SERVER_STATUS.SERVER_STATUS_IN_TRANS)

    # Values: see mysql_types

    def adapt(self, value: object) -> object:
        """Return what the driver takes for a Python value."""
        return mysql_types.adapt(value)

    def adapter(self, type: TypeSpec | None) -> Convert | None:
        """Return the conversion of an attribute's values to the driver's."""
        return mysql_types.adapter(type)

    def decoder(self, type: TypeSpec | None) -> Convert | None:
        """Return the conversion of the driver's values to an attribute's."""
        return mysql_types.decoder(type)

    # Statements

    def relation(self, structure: TableStructure) -> sa.TableClause:
        """Return a table whose columns are read and compared as on every backend."""
        return mysql_columns.relation(
            structure, self.collation, has_documents=self.product == "MySQL"
        )

    def typed(self, value: sa.ColumnElement[Any], type: TypeSpec | None) -> sa.ColumnElement[Any]:
        """Return a computed value; one of 32 bits is read with all its digits."""
        single = mysql_columns.is_single(type)
        return sa.type_coerce(value, mysql_columns.Single()) if single else value

    def delete(self, table: sa.TableClause, condition: sa.ColumnElement[bool]) -> sa.Delete:
        """Return the DELETE that may be of several tables, though it is of one.

        Of the other form MariaDB 10 looks up a subquery for every row of the table: 0.5 s rather than
        0.001 s for 100 of 200,000 rows.
        """
        name = self.dialect.identifier_preparer.format_table(table)
        return super().delete(table, condition).prefix_with(name.replace("%", "%%"))

    def insert(self, table: sa.TableClause) -> sa.Insert:
        """Return MySQL's INSERT, which knows ON DUPLICATE KEY."""
        return mysql_insert(table)

    def on_conflict(
        self, statement: sa.Insert, structure: TableStructure, conflict: str
    ) -> sa.Insert:
        """Return the INSERT with its ON DUPLICATE KEY clause.

        It looks at all unique keys. Where the row that is there has another primary key, the first
        attribute of that becomes NULL, which the database refuses; `mysql_failures` knows the code.
        """
        assert isinstance(statement, MySQLInsert), "made by `insert`"
        changes = mysql_statements.changes(self.relation(structure), structure, conflict)
        return statement.on_duplicate_key_update(changes)

    def json_value(self, column: sa.ColumnElement[Any], path: JsonPath) -> sa.ColumnElement[Any]:
        """Return the value at a place inside a JSON attribute, for an index."""
        returning = mysql_types.returned(path.written)
        return sa.literal_column(
            f"(json_value({self.quote(path.attribute)}, {place_of(path)} returning {returning}))"
        )

    def clock(self, seconds: float = 0) -> sa.ColumnElement[float]:
        """Return the seconds since 1970, to the microsecond."""
        return sa.literal_column(f"(UNIX_TIMESTAMP(NOW(6)) + {seconds:.3f}e0)", sa.Float())

    def moment(self, seconds: float = 0) -> sa.ColumnElement[Any]:
        """Return a time in the time zone of the session, as CURRENT_TIMESTAMP is kept."""
        return sa.literal_column(
            f"TIMESTAMPADD(MICROSECOND, {round(seconds * 1e6)}, CURRENT_TIMESTAMP(3))"
        )

    def define_alone(self, schema: str, seconds: float) -> list[str]:
        """Return the query that waits for a lock of that name, which the session keeps."""
        return [f"SELECT GET_LOCK('{mysql_connect.lock_name(schema)}', {math.ceil(seconds)})"]

    def define_freely(self, schema: str) -> list[str]:
        """Return the query that gives the lock back."""
        return [f"SELECT RELEASE_LOCK('{mysql_connect.lock_name(schema)}')"]


class MariaDB(MySQL):
    """A MariaDB server."""

    language: ClassVar[str] = "mariadb"
    product: ClassVar[str] = "MariaDB"
    collation: ClassVar[str] = "utf8mb4_nopad_bin"
    # A row was missing where a group was looked up for each row of a semijoin (10.11).
    settings = ", optimizer_switch = 'split_materialized=off'"
    dialect = Dialect(paramstyle="format", is_mariadb=True)

    def json_value(self, column: sa.ColumnElement[Any], path: JsonPath) -> sa.ColumnElement[Any]:
        """Return the value at a place inside a JSON attribute, for an index."""
        return sa.literal_column(f"json_value({self.quote(path.attribute)}, {place_of(path)})")


_SERVERS: dict[str, MySQL] = {"MySQL": MySQL(), "MariaDB": MariaDB()}
