"""The bare drivers, used as their documentation says, without anything in between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from benchmarks.places import Place

BATCH = 10_000


@dataclass(frozen=True)
class Driver:
    """A driver's connection in autocommit mode, and how its SQL is spelled."""

    place: Place
    connection: Any

    @property
    def place_holder(self) -> str:
        """What stands for a value."""
        return "?" if self.place.backend == "sqlite" else "%s"

    def table(self, name: str) -> str:
        """Return the quoted name of a table of the driver's schema."""
        schema = self.place.schema("bench_driver")
        if self.place.backend == "sqlite":
            return f'"{schema}.{name}"'
        quote = "`" if self.place.backend == "mysql" else '"'
        return f"{quote}{schema}{quote}.{quote}{name}{quote}"

    def insert(self, name: str, names: Sequence[str]) -> str:
        """Return the INSERT of one row."""
        places = ", ".join([self.place_holder] * len(names))
        return f"INSERT INTO {self.table(name)} ({', '.join(names)}) VALUES ({places})"

    def fetchall(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows."""
        cursor = self.connection.cursor()
        cursor.execute(sql, values)
        rows = cursor.fetchall()
        cursor.close()
        return list(rows)

    def execute(self, sql: str, values: Sequence[Any] = ()) -> None:
        """Carry out one statement."""
        cursor = self.connection.cursor()
        cursor.execute(sql, values)
        cursor.close()

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Carry out a statement for each row, in one transaction."""
        cursor = self.connection.cursor()
        cursor.execute("BEGIN")
        cursor.executemany(sql, rows)
        cursor.execute("COMMIT")
        cursor.close()

    def stream(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """Yield rows without holding all of them."""
        if self.place.backend == "mysql":
            from pymysql.cursors import SSCursor

            with self.connection.cursor(SSCursor) as cursor:
                cursor.execute(sql)
                yield from cursor.fetchall_unbuffered()
        elif self.place.backend == "postgresql":
            with self.connection.transaction(), self.connection.cursor(name="rows") as cursor:
                cursor.itersize = BATCH
                cursor.execute(sql)
                yield from cursor
        else:
            yield from self.connection.execute(sql)

    def close(self) -> None:
        """Disconnect."""
        self.connection.close()


def connect(place: Place) -> Driver:
    """Return the bare driver, connected as a user of it would be."""
    url = sa.make_url(place.url)
    arguments: dict[str, Any] = {"host": url.host, "port": url.port, "user": url.username}
    if place.backend == "sqlite":
        import sqlite3

        connection: Any = sqlite3.connect(url.database or "", isolation_level=None)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = NORMAL")  # as djupyter sets it, with its WAL
    elif place.backend == "mysql":
        import pymysql

        connection = pymysql.connect(**arguments, password=url.password or "", autocommit=True)
    else:
        import psycopg

        connection = psycopg.connect(
            **arguments, password=url.password, dbname=url.database, autocommit=True
        )
    return Driver(place, connection)
