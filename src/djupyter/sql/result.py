"""Rows of a statement: all of them in memory, or on disk while they are read."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from djupyter.sql.backends.differences.records import Row

_IN_MEMORY = 16 * 2**20  # bytes that a copy may take before it goes to disk


@dataclass
class Result:
    """What `connection.query` returns: a list of rows that can also be read like a cursor.

    Attributes
    ----------
    rows
        All rows, tuples or dicts.
    names
        Names of the columns; empty for a statement without result.
    rowcount
        Rows changed; -1 where that means nothing.
    """

    rows: list[Any]
    names: tuple[str, ...]
    rowcount: int
    _position: int = field(default=0, repr=False)

    @classmethod
    def of(cls, cursor: Any, *, as_dict: bool) -> Self:
        """Read all that a cursor has."""
        if cursor.description is None:
            return cls([], (), cursor.rowcount)
        names = [column[0] for column in cursor.description]
        return cls.from_rows(list(cursor.fetchall()), names, as_dict=as_dict)

    @classmethod
    def from_rows(cls, rows: list[Row], names: Sequence[str], *, as_dict: bool) -> Self:
        """Return rows that have been read."""
        made: list[Any] = [dict(zip(names, row, strict=True)) for row in rows] if as_dict else rows
        return cls(made, tuple(names), len(rows))

    def __iter__(self) -> Iterator[Any]:
        return iter(self.fetchall())

    def __len__(self) -> int:
        return len(self.rows)

    def fetchone(self) -> Any:
        """Return the next row, None after the last."""
        row = self.rows[self._position] if self._position < len(self.rows) else None
        self._position += row is not None
        return row

    def fetchall(self) -> list[Any]:
        """Return the rows not read yet."""
        rows = self.rows[self._position :]
        self._position = len(self.rows)
        return rows


def spooled(fill: Callable[[Callable[[list[Row]], None]], None]) -> Iterator[list[Row]]:
    """Yield the batches that `fill` hands over, after it has handed over all of them.

    Parameters
    ----------
    fill
        Is given a function that keeps one batch.
    """
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
        count = 0

        def keep(batch: list[Row]) -> None:
            nonlocal count
            count += 1
            pickle.dump(batch, file, pickle.HIGHEST_PROTOCOL)

        fill(keep)
        file.seek(0)
        for _ in range(count):
            yield pickle.load(file)
