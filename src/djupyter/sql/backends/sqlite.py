"""SQLite: one file holds all schemas; the database needs no server and no configuration.

Its tables stand in `sqlite_tables`, schemas and the catalogue in `sqlite_catalog`.
"""

from __future__ import annotations

import getpass
import os
import re
import sqlite3
from collections.abc import Callable
from platform import node
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import Insert as SQLiteInsert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.pool import QueuePool, StaticPool

from djupyter.definition.model import TypeSpec
from djupyter.definition.names import TableName
from djupyter.heading.structure import TableStructure
from djupyter.sql.backends import sqlite_failures, sqlite_file, sqlite_types
from djupyter.sql.backends.base import Backend
from djupyter.sql.backends.conflicts import on_conflict
from djupyter.sql.backends.differences.records import Convert, Fetch
from djupyter.sql.backends.sqlite_catalog import SQLiteCatalog
from djupyter.sql.backends.sqlite_tables import SQLiteTables
from djupyter.sql.backends.tls import Tls
from djupyter.sql.failures import Failure
from djupyter.sql.functions import register_sqlite
from djupyter.sql.json_path import JsonPath
from djupyter.sql.names import physical

# SQLite waits without listening to Ctrl-C, so it waits briefly and `Connection` asks until its own timeout.
_WAIT_SECONDS = 0.2
# Steps of SQLite's machine between two looks at Ctrl-C: some milliseconds.
_STEPS = 200_000

_PLACEHOLDER = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|%s|%\((\w+)\)s|%%")


class SQLite(SQLiteTables, SQLiteCatalog, Backend):
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

    # Failing: see sqlite_failures

    def failure(self, error: BaseException, sql: str) -> Failure:
        """Return what an error means, by its code."""
        return sqlite_failures.failure(error, sql)

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

    # Statements

    def locate(self, name: TableName) -> tuple[str | None, str]:
        """Return no schema, and the identifier that holds both names."""
        return None, physical(name)

    def insert(self, table: sa.TableClause) -> sa.Insert:
        """Return SQLite's INSERT, which knows ON CONFLICT."""
        return sqlite_insert(table)

    def on_conflict(
        self, statement: sa.Insert, structure: TableStructure, conflict: str
    ) -> sa.Insert:
        """Return the INSERT with its ON CONFLICT clause."""
        assert isinstance(statement, SQLiteInsert), "made by `insert`"
        return on_conflict(statement, structure, conflict)

    def json_value(self, column: sa.ColumnElement[Any], path: JsonPath) -> sa.ColumnElement[Any]:
        """Return the value at a place inside a JSON attribute."""
        steps = (f"[{step}]" if isinstance(step, int) else f'."{step}"' for step in path.path)
        return sa.func.json_extract(column, "$" + "".join(steps))

    def clock(self, seconds: float = 0) -> sa.ColumnElement[float]:
        """Return the seconds since 1970; SQLite before 3.42 tells them only by days."""
        return sa.literal_column(
            f"((julianday('now') - 2440587.5) * 86400.0 + {seconds:.3f})", sa.Float()
        )

    def moment(self, seconds: float = 0) -> sa.ColumnElement[Any]:
        """Return a time in the spelling of values."""
        return sqlite_types.moment(seconds)
