"""MySQL and MariaDB: a schema is a database of the server.

One class each, because they differ in collations, JSON and what they tell of indexes. Which of the
two a server is, it says when one connects.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, ClassVar

import pymysql
import sqlalchemy as sa
from pymysql.constants import SERVER_STATUS
from pymysql.cursors import SSCursor
from sqlalchemy.dialects.mysql import Insert as MySQLInsert
from sqlalchemy.dialects.mysql import insert as mysql_insert
from sqlalchemy.pool import QueuePool

from djupyter.definition.model import TypeSpec
from djupyter.definition.names import TableName
from djupyter.definition.writer import write_marker
from djupyter.errors import DataJointError
from djupyter.heading.attribute import Attribute
from djupyter.heading.structure import TableStructure
from djupyter.sql.backends import (
    mysql_alter,
    mysql_catalog,
    mysql_columns,
    mysql_connect,
    mysql_conversion,
    mysql_failures,
    mysql_statements,
    mysql_types,
)
from djupyter.sql.backends.base import Backend
from djupyter.sql.backends.differences.records import (
    ColumnType,
    Conversion,
    Convert,
    Fetch,
    Statement,
    TableChange,
    TableRows,
)
from djupyter.sql.backends.mysql_dialect import Dialect
from djupyter.sql.backends.tls import Tls
from djupyter.sql.failures import Failure
from djupyter.sql.json_path import JsonPath, place_of
from djupyter.sql.names import LINEAGE
from djupyter.sql.rights import Need, Right


class MySQL(Backend):
    """A MySQL server, and what it has in common with MariaDB.

    Examples
    --------
    >>> MySQL().locate(TableName("lab", "#kind"))
    ('lab', '#kind')
    """

    name: ClassVar[str] = "mysql"
    language: ClassVar[str] = "mysql"
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
    retypes_keys = False

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

    # Tables

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

    def column_type(
        self, attribute: Attribute, structure: TableStructure
    ) -> sa.types.TypeEngine[Any]:
        """Return the column type.

        A text that refers compares as its parent's does, or the server refuses the foreign key. Others
        compare as the whole schema, so that tables that datajoint adds to it can refer to them.
        """
        refers = any(attribute.name in key.names for key in structure.foreign_keys)
        collation = attribute.collation or (self.collation if refers else "")
        return ColumnType(mysql_types.column(attribute, collation))

    def checks(self, attribute: Attribute) -> sa.ColumnElement[bool] | None:
        """Return nothing: the column types say it all."""
        return None

    def default(self, attribute: Attribute) -> sa.ColumnElement[Any] | str | None:
        """Return the default of the attribute's column."""
        return mysql_types.default(attribute)

    def column_comment(self, attribute: Attribute, structure: TableStructure) -> str | None:
        """Return the comment with the marker of the declared type, as datajoint writes it.

        What a foreign key brought has the type of its parent and needs no marker, but for a uuid.
        """
        assert attribute.type is not None, "a table's attribute always has a type"
        inherited = {name for key in structure.foreign_keys for name in key.names}
        marks = attribute.type.kind != "native" and attribute.name not in inherited
        if marks or attribute.type.name == "uuid":
            return mysql_types.write_comment(write_marker(attribute.type_text, attribute.comment))
        return mysql_types.write_comment(attribute.comment) or None

    def index_name(self, name: TableName, role: str, number: int, entries: Sequence[str]) -> str:
        """Return a name that only orders the indexes: the server names them."""
        return f"{role} {number}"

    def json_value(self, column: sa.ColumnElement[Any], path: JsonPath) -> sa.ColumnElement[Any]:
        """Return the value at a place inside a JSON attribute, for an index."""
        returning = mysql_types.returned(path.written)
        return sa.literal_column(
            f"(json_value({self.quote(path.attribute)}, {place_of(path)} returning {returning}))"
        )

    def table_options(self, structure: TableStructure) -> Mapping[str, Any]:
        """Return the engine and the comment."""
        comment = mysql_types.write_comment(structure.comment)
        return {"mysql_engine": "InnoDB", **({"comment": comment} if comment else {})}

    def define_alone(self, schema: str, seconds: float) -> list[str]:
        """Return the query that waits for a lock of that name, which the session keeps."""
        return [f"SELECT GET_LOCK('{mysql_connect.lock_name(schema)}', {math.ceil(seconds)})"]

    def define_freely(self, schema: str) -> list[str]:
        """Return the query that gives the lock back."""
        return [f"SELECT RELEASE_LOCK('{mysql_connect.lock_name(schema)}')"]

    # Changing tables: see mysql_conversion and mysql_alter

    def conversion(
        self, column: sa.ColumnElement[Any], old: TypeSpec, new: TypeSpec
    ) -> Conversion | None:
        """Return how the values of a column become those of another type."""
        return mysql_conversion.conversion(column, old, new)

    def alter(self, fetch: Fetch, changes: Sequence[TableChange]) -> list[Statement]:
        """Return the statements that alter tables and keep their rows."""
        new_compiler: Any = self.dialect.ddl_compiler
        compiler = new_compiler(self.dialect, None)
        statements = mysql_alter.alter(fetch, changes, self.dialect, compiler.index_entries)
        return [(s, ()) if isinstance(s, str) else self.bound(s) for s in statements]

    # Schemas, notes and the catalogue: see mysql_catalog

    def create_schema(self, schema: str) -> list[str]:
        """Return the statement that creates a database, whose texts differ in case and in blanks."""
        return [
            f"CREATE DATABASE IF NOT EXISTS {self.quote(schema)} "
            f"CHARACTER SET utf8mb4 COLLATE {self.collation}"
        ]

    def drop_tables(self, names: Sequence[TableName]) -> list[str]:
        """Return one statement, of which MySQL carries out all or nothing."""
        place = self.dialect.identifier_preparer.format_table
        places = ", ".join(place(self.table(name, ())) for name in names)
        return [f"DROP TABLE {places}"] if names else []

    def drop_schema(self, schema: str) -> list[Statement]:
        """Return the statement that drops the database with all that is left in it."""
        return [(f"DROP DATABASE {self.quote(schema)}", ())]

    def prepare_notes(self, schema: str) -> list[str]:
        """Return the statement that creates the table of lineage where it is missing."""
        return [mysql_statements.create_lineage(f"{self.quote(schema)}.{self.quote(LINEAGE)}")]

    def annotate(self, structure: TableStructure) -> list[Statement]:
        """Return nothing: CREATE TABLE has the comments."""
        return []

    def unannotate(self, name: TableName) -> list[Statement]:
        """Return nothing: comments go with their table."""
        return []

    def schemas(self, fetch: Fetch) -> list[str]:
        """Return the databases that are not the server's own."""
        return mysql_catalog.schemas(fetch)

    def as_kept(self, fetch: Fetch, structure: TableStructure) -> TableStructure:
        """Return a new table with the collations of its texts, which are those of the schema."""
        return mysql_catalog.with_collations(fetch, structure, self.collation)

    def catalog_version(self, fetch: Fetch) -> object:
        """Return None: there is no counter that is cheap to read."""
        return None

    def table_exists(self, fetch: Fetch, name: TableName) -> bool:
        """Whether there is such a table now."""
        return mysql_catalog.table_exists(fetch, name)

    def schema_links(self, fetch: Fetch) -> list[tuple[str, str]]:
        """Return each pair of schemas of which the first has a foreign key to the second."""
        return mysql_catalog.schema_links(fetch)

    def codec_schemas(self, fetch: Fetch) -> list[str]:
        """Return the schemas with attributes whose comment marks a codec."""
        return mysql_catalog.codec_schemas(fetch)

    def read_tables(self, fetch: Fetch, schemas: Collection[str] | None) -> list[TableRows]:
        """Return all tables of some or all schemas."""
        return mysql_catalog.read_tables(
            fetch, schemas, own_collation=self.collation, has_expressions=self.product == "MySQL"
        )


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
