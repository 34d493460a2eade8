"""SQLite: one file holds all schemas; the database needs no server and no configuration."""

from __future__ import annotations

import getpass
import os
import re
import sqlite3
from collections.abc import Callable, Collection, Sequence
from platform import node
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import Insert as SQLiteInsert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.pool import QueuePool, StaticPool

from djupyter.definition.model import TypeSpec
from djupyter.definition.names import TableName
from djupyter.errors import DataJointError
from djupyter.heading.attribute import Attribute
from djupyter.heading.structure import TableStructure
from djupyter.sql.backends import sqlite_catalog, sqlite_file, sqlite_rebuild, sqlite_types
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
from djupyter.sql.backends.tls import Tls
from djupyter.sql.failures import Failure, Problem
from djupyter.sql.functions import register_sqlite
from djupyter.sql.json_path import JsonPath
from djupyter.sql.names import logical, physical
from djupyter.sql.types import storage_of

# SQLite waits without listening to Ctrl-C, so it waits briefly and `Connection` asks until its own timeout.
_WAIT_SECONDS = 0.2
# Steps of SQLite's machine between two looks at Ctrl-C: some milliseconds.
_STEPS = 200_000

_PROBLEMS: dict[str, Problem] = {
    "SQLITE_CONSTRAINT_PRIMARYKEY": "duplicate",
    "SQLITE_CONSTRAINT_UNIQUE": "duplicate",
    "SQLITE_CONSTRAINT_ROWID": "duplicate",
    "SQLITE_CONSTRAINT_NOTNULL": "missing value",
    "SQLITE_CONSTRAINT_CHECK": "invalid value",
    "SQLITE_CONSTRAINT_FOREIGNKEY": "broken key",
    "SQLITE_CONSTRAINT_TRIGGER": "broken key",  # what ON DELETE RESTRICT reports
    "SQLITE_MISMATCH": "invalid value",
    "SQLITE_TOOBIG": "too large",
    "SQLITE_BUSY": "locked",
    "SQLITE_LOCKED": "locked",
    "SQLITE_READONLY": "access",
    "SQLITE_PERM": "access",
    "SQLITE_AUTH": "access",
    "SQLITE_CANTOPEN": "cannot open",
    "SQLITE_NOTADB": "unreadable",
    "SQLITE_CORRUPT": "unreadable",
    "SQLITE_FULL": "full",
    "SQLITE_IOERR": "cannot open",
    "SQLITE_INTERRUPT": "interrupted",
}
# SQLite has one code for all of these; its words are fixed in its source and never translated.
_WORDS: dict[str, Problem] = {
    "no such table": "missing table",
    "no such column": "unknown attribute",
    "too many columns": "too large",
}
_TARGET = re.compile(
    r'\s*(?P<verb>INSERT|REPLACE|UPDATE|DELETE)\b[^"]*"(?P<name>[^"]+)"', re.IGNORECASE
)
_PLACEHOLDER = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|%s|%\((\w+)\)s|%%")


class SQLite(Backend):
    """The embedded default.

    Examples
    --------
    >>> SQLite().locate(TableName("lab", "#kind"))
    (None, 'lab.#kind')
    """

    name: ClassVar[str] = "sqlite"
    language: ClassVar[str] = "sqlite"
    dialect = SQLiteDialect_pysqlite(paramstyle="qmark")
    # Numbers beyond 64 bits and texts that are not Unicode are refused by Python's own errors.
    driver_errors = (sqlite3.Error, OverflowError, UnicodeEncodeError)
    url_options: ClassVar[tuple[str, ...]] = ("mode",)
    begin = "BEGIN IMMEDIATE"
    begins_late = True
    # A dropped table would take the rows with it that refer to it, and a renamed one their references.
    unguard = ("PRAGMA foreign_keys = OFF", "PRAGMA legacy_alter_table = ON")
    guard = ("PRAGMA legacy_alter_table = OFF", "PRAGMA foreign_keys = ON")

    # Connecting

    def engine(self, url: sa.URL, *, timeout: float, tls: Tls) -> sa.Engine:
        """Return an engine whose connections use autocommit and WAL, and check foreign keys."""

        def connect() -> sqlite3.Connection:
            sqlite_file.check_folder(url)
            raw = sqlite3.connect(
                sqlite_file.uri(url),
                uri=True,
                timeout=_WAIT_SECONDS,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=512,
            )
            try:
                self._prepare(raw, url)
            except BaseException:
                raw.close()
                raise
            return raw

        if self.is_shared(url):
            return sa.create_engine("sqlite://", creator=connect, poolclass=StaticPool)
        return sa.create_engine(
            "sqlite://", creator=connect, poolclass=QueuePool, pool_size=5, max_overflow=-1
        )

    def _prepare(self, raw: sqlite3.Connection, url: sa.URL) -> None:
        raw.set_progress_handler(lambda: 0, _STEPS)
        register_sqlite(raw)
        raw.execute("PRAGMA foreign_keys = ON")
        if "mode" not in url.query and not self.is_shared(url):
            raw.execute("PRAGMA journal_mode = WAL")
            raw.execute("PRAGMA synchronous = NORMAL")
        raw.execute("SELECT count(*) FROM sqlite_master").fetchone()  # is it a database at all?

    def resolved(self, url: sa.URL) -> sa.URL:
        """Return the URL with an absolute path, so that it survives a change of folder.

        Raises
        ------
        DataJointError
            It names a host, which is a path with a slash too few, or a mode that there is not.
        """
        return sqlite_file.resolved(url)

    def is_shared(self, url: sa.URL) -> bool:
        """Whether the database lies in memory, where each connection would see its own."""
        return sqlite_file.is_in_memory(url)

    def identity(self, url: sa.URL) -> object:
        """Return the number of the file, by which SQLite too knows whether it was moved."""
        try:
            return None if self.is_shared(url) else os.stat(url.database or "").st_ino
        except OSError:
            return None

    def user(self, fetch: Fetch, url: sa.URL) -> str:
        """Return who runs this program, where."""
        return f"{getpass.getuser()}@{node()}"

    def server_version(self, fetch: Fetch) -> str:
        """Return the version of the library."""
        return f"SQLite {sqlite3.sqlite_version}"

    def placeholders(self, sql: str) -> str:
        """Return SQL with `?` and `:name` for `%s` and `%(name)s`, except inside quotes.

        >>> SQLite().placeholders("SELECT '%s', a FROM t WHERE a = %s")
        "SELECT '%s', a FROM t WHERE a = ?"
        """

        def spelled(match: re.Match[str]) -> str:
            text = match[0]
            if text == "%s":
                return "?"
            if text == "%%":
                return "%"
            return f":{match[1]}" if match[1] else text.replace("%%", "%")

        return _PLACEHOLDER.sub(spelled, sql)

    def stop(self, raw: Any, connect: Callable[[], Any]) -> None:
        """Let a statement that another thread runs on a connection end soon."""
        raw.interrupt()

    # Failing

    def failure(self, error: BaseException, sql: str) -> Failure:
        """Return what an error means, by its code."""
        detail = str(error)
        table, deletes = _target(sql)
        problem = _problem(error, detail)
        if problem == "duplicate" or problem == "missing value":
            table, attributes = _constraint(detail, table)
            return Failure(problem, detail, table, attributes)
        if problem == "invalid value":
            table, attributes = (
                _constraint(detail, table) if "constraint failed: " in detail else (table, ())
            )
            return Failure(problem, detail, table, attributes)
        if problem in ("missing table", "unknown attribute"):
            detail = _named(detail)
        return Failure(problem, detail, table, deletes=deletes)

    def may_retry(self, error: BaseException) -> bool:
        """Whether another connection holds a lock; a snapshot that is too old stays too old."""
        name = getattr(error, "sqlite_errorname", "")
        return name.startswith("SQLITE_BUSY") and name != "SQLITE_BUSY_SNAPSHOT"

    def in_transaction(self, raw: Any) -> bool:
        """Whether the transaction is still open; a full disk, for one, ends it."""
        return bool(raw.in_transaction)

    # Values

    def adapt(self, value: object) -> object:
        """Return what the driver takes for a Python value."""
        return sqlite_types.adapt(value)

    def adapter(self, type: TypeSpec | None) -> Convert | None:
        """Return the conversion of an attribute's values to the driver's."""
        return sqlite_types.adapter(type)

    def decoder(self, type: TypeSpec | None) -> Convert | None:
        """Return the conversion of the driver's values to an attribute's."""
        return sqlite_types.decoder(type)

    def typed(self, value: sa.ColumnElement[Any], type: TypeSpec | None) -> sa.ColumnElement[Any]:
        """Return a computed value; a fraction stays one where it is whole."""
        return sa.cast(value, sa.REAL()) if type == sqlite_types.FRACTION else value

    # Tables

    def locate(self, name: TableName) -> tuple[str | None, str]:
        """Return no schema, and the identifier that holds both names."""
        return None, physical(name)

    def insert(self, table: sa.TableClause) -> sa.Insert:
        """Return SQLite's INSERT, which knows ON CONFLICT."""
        return sqlite_insert(table)

    def on_conflict(
        self, statement: sa.Insert, structure: TableStructure, conflict: str
    ) -> sa.Insert:
        """Return the INSERT with its ON CONFLICT clause.

        A replaced row keeps its identity, so that rows referring to it stay; attributes that are
        not given get their defaults, which `excluded` holds.
        """
        assert isinstance(statement, SQLiteInsert), "made by `insert`"
        key = list(structure.full_key)
        others = {n: statement.excluded[n] for n in structure.by_name if n not in key}
        if conflict == "skip" or not others:
            return statement.on_conflict_do_nothing(index_elements=key)
        return statement.on_conflict_do_update(index_elements=key, set_=others)

    def column_type(
        self, attribute: Attribute, structure: TableStructure
    ) -> sa.types.TypeEngine[Any]:
        """Return the column type; the checks do the rest."""
        if attribute.autoincrement:
            return sa.Integer()
        assert attribute.type is not None, "a table's attribute always has a type"
        storage = storage_of(attribute.type)
        if storage.family == "decimal" and storage.precision > 15:
            raise DataJointError(
                f"The attribute `{attribute.name}` is declared as {attribute.type_text}, but "
                f"SQLite keeps only 15 digits exactly. Use decimal(15,{min(storage.scale, 15)}) or "
                "less, float64, or a server."
            )
        return ColumnType(sqlite_types.COLUMN[storage.family])

    def checks(self, attribute: Attribute) -> sa.ColumnElement[bool] | None:
        """Return the condition on the attribute's values."""
        assert attribute.type is not None, "a table's attribute always has a type"
        return sqlite_types.check(attribute, storage_of(attribute.type))

    def default(self, attribute: Attribute) -> sa.ColumnElement[Any] | str | None:
        """Return the default of the attribute's column."""
        assert attribute.type is not None, "a table's attribute always has a type"
        return sqlite_types.default(attribute, storage_of(attribute.type))

    def index_name(self, name: TableName, role: str, number: int, entries: Sequence[str]) -> str:
        """Return a name that also tells what the index is for."""
        return sqlite_catalog.index_name(name, role, number)

    def json_value(self, column: sa.ColumnElement[Any], path: JsonPath) -> sa.ColumnElement[Any]:
        """Return the value at a place inside a JSON attribute."""
        steps = (f"[{step}]" if isinstance(step, int) else f'."{step}"' for step in path.path)
        return sa.func.json_extract(column, "$" + "".join(steps))

    def table_options(self, structure: TableStructure) -> dict[str, Any]:
        """Let SQLite number the rows where an attribute asks for it."""
        counted = [attribute for attribute in structure.attributes if attribute.autoincrement]
        if counted and structure.full_key != (counted[0].name,):
            raise DataJointError(
                f"{structure.name}: SQLite can number only a primary key of one attribute, so "
                f"`{counted[0].name}` cannot be auto_increment. Make it the whole primary key, or "
                "give the numbers yourself."
            )
        return {"sqlite_autoincrement": True} if counted else {}

    # Changing tables: see sqlite_rebuild

    def conversion(
        self, column: sa.ColumnElement[Any], old: TypeSpec, new: TypeSpec
    ) -> Conversion | None:
        """Return how the values of a column become those of another type."""
        return sqlite_rebuild.conversion(column, old, new)

    def alter(self, fetch: Fetch, changes: Sequence[TableChange]) -> list[Statement]:
        """Return the statements that put new tables in the place of old ones."""
        statements = sqlite_rebuild.alter(fetch, changes, self.quote, self.compile)
        return [(s, ()) if isinstance(s, str) else self.bound(s) for s in statements]

    def has_broken_keys(self, fetch: Fetch, name: TableName) -> bool:
        """Whether a row of a table refers to a parent that is not there."""
        return bool(fetch("SELECT 1 FROM pragma_foreign_key_check(?) LIMIT 1", (physical(name),)))

    # Schemas, notes and the catalogue: see sqlite_catalog

    def create_schema(self, schema: str) -> list[str]:
        """Return the statements that create the lineage table and the table of comments."""
        return [self.compile(statement) for statement in sqlite_catalog.create_schema(schema)]

    def drop_schema(self, schema: str) -> list[Statement]:
        """Return the statements that remove the lineage table and all comments."""
        remove, drop = sqlite_catalog.drop_schema(schema)
        return [self.bound(remove), (self.compile(drop), ())]

    def annotate(self, structure: TableStructure) -> list[Statement]:
        """Return the statements that note comments and declared types."""
        return [self.bound(statement) for statement in sqlite_catalog.annotate(structure)]

    def unannotate(self, name: TableName) -> list[Statement]:
        """Return the statement that removes a table's comments."""
        return [self.bound(sqlite_catalog.unannotate(name))]

    def schemas(self, fetch: Fetch) -> list[str]:
        """Return the schemas in this file."""
        return sqlite_catalog.schemas(fetch)

    def catalog_version(self, fetch: Fetch) -> object:
        """Return SQLite's own counter of changes to tables, which all processes share."""
        return fetch("PRAGMA schema_version", ())[0][0]

    def table_exists(self, fetch: Fetch, name: TableName) -> bool:
        """Whether there is such a table now."""
        sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
        return bool(fetch(sql, (physical(name),)))

    def read_tables(self, fetch: Fetch, schemas: Collection[str] | None) -> list[TableRows]:
        """Return all tables of some or all schemas."""
        return sqlite_catalog.read_tables(fetch, schemas, self.quote)


def _problem(error: BaseException, detail: str) -> Problem:
    if isinstance(error, (OverflowError, UnicodeEncodeError)):
        return "invalid value"
    code = getattr(error, "sqlite_errorname", None)
    if code is None:
        # The driver itself objects: a Python type it cannot bind, a wrong number of values, a
        # closed connection.
        return "invalid value" if "binding parameter" in detail else "other"
    if code == "SQLITE_ERROR":
        return next((kind for words, kind in _WORDS.items() if detail.startswith(words)), "syntax")
    basic = "_".join(code.split("_")[:2])
    return _PROBLEMS.get(code) or _PROBLEMS.get(basic, "other")


def _target(sql: str) -> tuple[TableName | None, bool]:
    """Return the table that a statement of ours writes to, and whether it deletes."""
    match = _TARGET.match(sql)
    return (logical(match["name"]), match["verb"].upper() == "DELETE") if match else (None, False)


def _constraint(detail: str, table: TableName | None) -> tuple[TableName | None, tuple[str, ...]]:
    """Read `... failed: lab.session.subject_id, ...`; our checks are named likewise."""
    places = detail.partition("constraint failed: ")[2]
    if places.startswith("index "):
        return table, (places.removeprefix("index ").strip("'"),)
    pairs = [place.rpartition(".") for place in places.split(", ")]
    return logical(pairs[0][0]) or table, tuple(name for _, _, name in pairs)


def _named(detail: str) -> str:
    identifier = detail.partition(": ")[2]
    name = logical(identifier.removeprefix("main."))
    return (
        str(name) if name and detail.startswith("no such table") else identifier.rpartition(".")[2]
    )
