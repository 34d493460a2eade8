"""What lies in stores and what rows refer to, in a temporary file: any number in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from djupyter.sql.connection import Connection

_ROWS = 5_000
_TABLES = (
    "CREATE TABLE files (store, key, path, size, modified, owner, kind, unit)",
    "CREATE TABLE refs (store, key)",
    "CREATE TABLE orphans (store, key, path, size, modified, owner, kind, unit)",
    "CREATE TABLE removed (store, key)",
)


class Ledger:
    """Lists in a file that goes away with the `with` block."""

    def __enter__(self) -> Self:
        self._folder = TemporaryDirectory(prefix="djupyter-")
        file = Path(self._folder.name) / "ledger.db"
        self._connection = Connection(f"sqlite:///{file.as_posix()}")
        # Nothing in it outlives the program, so nothing waits for the disk.
        self._connection.fetch("PRAGMA synchronous = OFF")
        for table in _TABLES:
            self._connection.execute(table)
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        with suppress(OSError):
            self._folder.cleanup()

    def add(self, table: str, rows: Iterable[Sequence[Any]], width: int) -> int:
        """Add rows to a list; return how many there were."""
        sql = f"INSERT INTO {table} VALUES ({', '.join('?' * width)})"
        count, remaining = 0, iter(rows)
        while batch := list(islice(remaining, _ROWS)):
            self._connection.execute_many(sql, batch)
            count += len(batch)
        return count

    def read(self, sql: str, values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query, a batch of them in memory."""
        for batch in self._connection.stream(sql, values, _ROWS):
            yield from batch

    def execute(self, sql: str, values: Sequence[object] = ()) -> None:
        """Change a list."""
        self._connection.execute(sql, values)

    def references(self, store: int) -> Iterator[bytes]:
        """Yield the keys of what rows refer to in a store, sorted, each once."""
        sql = "SELECT DISTINCT key FROM refs WHERE store = ? ORDER BY key"
        for (key,) in self.read(sql, (store,)):
            yield key
