"""A file of which a preview reads a bounded number of bytes, in few requests, before a deadline."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import IO

from djupyter.codecs.deadline import Deadline
from djupyter.errors import DataJointError
from djupyter.render.object_card import bytes_text
from djupyter.stores.store import Store

Ranges = Sequence[tuple[int, int]]
ReadRanges = Callable[[Ranges], list[bytes]]

# Headers are read in many small pieces: a request brings at least so much, and the last of them are kept.
_BLOCK = 65_536
_KEPT = 32


class BoundedFile(io.RawIOBase):
    """A file by the ranges that can be read of it.

    Parameters
    ----------
    read_ranges
        Returns what lies between pairs of places; less at the end of the file.
    size
        In bytes.
    budget
        How many may be read.
    deadline
        Until when; None for no limit.

    Attributes
    ----------
    taken
        How many were read.
    deadline
        As given.

    Examples
    --------
    >>> file = BoundedFile.over(io.BytesIO(b"hello"), 5, 3)
    >>> file.read(2), file.taken
    (b'he', 3)
    >>> file.read(2)
    Traceback (most recent call last):
    djupyter.errors.DataJointError: a preview reads 3 bytes, this needs more
    """

    def __init__(
        self,
        read_ranges: ReadRanges,
        size: int,
        budget: int,
        deadline: Deadline | None = None,
    ) -> None:
        self._read_ranges, self.size, self.budget = read_ranges, size, budget
        self.deadline, self._position, self.taken = deadline, 0, 0
        self._kept: list[tuple[int, bytes]] = []

    @classmethod
    def of(cls, store: Store, path: str, budget: int, deadline: Deadline | None) -> BoundedFile:
        """Return an object of a store."""
        size = store.need(path).size
        return cls(lambda ranges: store.parts(path, ranges), size, budget, deadline)

    @classmethod
    def over(cls, file: IO[bytes] | BoundedFile, size: int, budget: int) -> BoundedFile:
        """Return an open file, which may be bounded already."""
        if isinstance(file, BoundedFile):
            return file

        def read_ranges(ranges: Ranges) -> list[bytes]:
            found = []
            for start, stop in ranges:
                file.seek(start)
                found.append(file.read(stop - start))
            return found

        return cls(read_ranges, size, budget)

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def seekable(self) -> bool:
        """Return that it can be read at any place."""
        return True

    def tell(self) -> int:
        """Return the place at which it is read next."""
        return self._position

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place."""
        origin = (0, self._position, self.size)[whence]
        self._position = max(0, origin + offset)
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        """Return the bytes that follow; fewer at the end.

        Raises
        ------
        DataJointError
            They are more than may be read, or the time is over.
        """
        rest = max(0, self.size - self._position)
        count = rest if size is None or size < 0 else min(size, rest)
        data = self._range(self._position, self._position + count) if count else b""
        self._position += len(data)
        return data

    def readall(self) -> bytes:
        """Return all that follows."""
        return self.read()

    def readinto(self, target: object) -> int:
        """Fill a buffer."""
        view = memoryview(target).cast("B")  # type: ignore[arg-type]
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def read_many(self, ranges: Ranges) -> list[bytes]:
        """Return what lies in several ranges, asked for at once."""
        self._take(sum(stop - start for start, stop in ranges))
        return self._read_ranges(ranges)

    def _range(self, start: int, stop: int) -> bytes:
        for first, data in self._kept:
            if first <= start and stop <= first + len(data):
                return data[start - first : stop - first]
        left = self.budget - self.taken
        end = min(max(stop, min(start + _BLOCK, start + left)), self.size)
        self._take(end - start)
        (data,) = self._read_ranges([(start, end)])
        self._kept = [(start, data), *self._kept[: _KEPT - 1]]
        return data[: stop - start]

    def _take(self, count: int) -> None:
        if self.deadline is not None:
            self.deadline.check()
        if self.taken + count > self.budget:
            raise DataJointError(f"a preview reads {bytes_text(self.budget)}, this needs more")
        self.taken += count
