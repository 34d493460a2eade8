"""Any number of rows, sorted, in bounded memory: sorted piece by piece, in temporary files, merged when read."""

from __future__ import annotations

import heapq
import pickle
import tempfile
from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from typing import IO, Any, Generic, TypeVar

T = TypeVar("T")
_IN_MEMORY = 20_000  # rows
_CHUNK = 500  # rows that are read from a file at a time


class Spool(Generic[T]):
    """Rows in their order, whatever the order in which they come.

    Until the first piece is full there is no file. It may be read any number of times, also several at once.

    Examples
    --------
    >>> spool = Spool([(2, "b"), (1, "a")])
    >>> spool.add([(0, "c"), (1, "a")])
    >>> list(spool), list(spool.distinct()), len(spool)
    ([(0, 'c'), (1, 'a'), (1, 'a'), (2, 'b')], [(0, 'c'), (1, 'a'), (2, 'b')], 4)
    """

    def __init__(self, rows: Iterable[T] = (), *, in_memory: int = _IN_MEMORY) -> None:
        self._in_memory, self._size = in_memory, 0
        self._rows: list[Any] = []
        self._pieces: list[_Piece] = []
        self.add(rows)

    def append(self, row: T) -> None:
        """Add a row."""
        self.add((row,))

    def add(self, rows: Iterable[T]) -> None:
        """Add rows."""
        coming = iter(rows)
        while some := list(islice(coming, self._in_memory - len(self._rows))):
            self._rows += some
            if len(self._rows) == self._in_memory:
                self._size += len(self._rows)
                self._pieces.append(_Piece(sorted(self._rows)))
                self._rows = []

    def __len__(self) -> int:
        return self._size + len(self._rows)

    def __iter__(self) -> Iterator[T]:
        self._rows.sort()
        if not self._pieces:
            return iter(self._rows)
        return heapq.merge(*self._pieces, self._rows)

    def distinct(self) -> Iterator[T]:
        """Yield each row once."""
        return (row for row, _ in groupby(self))


class _Piece:
    """Sorted rows in a temporary file, which goes away with the last reference to it."""

    def __init__(self, rows: list[Any]) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - outlives this
        self._places: list[tuple[int, int]] = []
        for start in range(0, len(rows), _CHUNK):
            data = pickle.dumps(rows[start : start + _CHUNK], pickle.HIGHEST_PROTOCOL)
            self._places.append((self._file.tell(), len(data)))
            self._file.write(data)
        self._file.flush()

    def __iter__(self) -> Iterator[Any]:
        for start, size in self._places:
            self._file.seek(start)  # somebody else may read it too
            yield from pickle.loads(self._file.read(size))
