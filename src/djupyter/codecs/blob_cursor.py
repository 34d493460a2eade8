"""A position in bytes that nobody vouches for: no length is believed without so many bytes left."""

from __future__ import annotations

import struct
from typing import Any

from djupyter.errors import DataJointError

# NumPy knows no more; and the product of a million dimensions takes hours.
MAX_DIMENSIONS = 64


class BlobTooShortError(DataJointError, ValueError):
    """A blob promises more data than it has; also a `ValueError`, as users of datajoint expect."""


class ByteCursor:
    r"""Walks over the bytes of a blob, only ever forward.

    Parameters
    ----------
    data
        The bytes.
    position
        Where to begin.
    use_32bit_dims
        Whether lengths are u32 rather than u64.

    Examples
    --------
    >>> ByteCursor(b"\x02\x00\x00\x00ab", 0, use_32bit_dims=True).length()
    2
    """

    def __init__(self, data: bytes, position: int, use_32bit_dims: bool) -> None:
        self.data, self.position = data, position
        self.width = 4 if use_32bit_dims else 8

    @property
    def left(self) -> int:
        """Number of bytes not read yet."""
        return len(self.data) - self.position

    def expect(self, size: int) -> None:
        """Raise unless so many bytes are left."""
        if size > len(self.data) - self.position:
            raise BlobTooShortError(
                "Invalid blob: buffer is smaller than requested size "
                f"({size} bytes expected, {self.left} left)."
            )

    def advance(self, size: int) -> int:
        """Step over so many bytes and return where they begin."""
        self.expect(size)
        start = self.position
        self.position += size
        return start

    def take(self, size: int) -> bytes:
        """Return the next bytes."""
        start = self.advance(size)
        return self.data[start : start + size]

    def numbers(self, layout: str) -> tuple[Any, ...]:
        """Return the next numbers, laid out as `struct` says."""
        return struct.unpack(layout, self.take(struct.calcsize(layout)))

    def length(self) -> int:
        """Return the next length or count."""
        return int.from_bytes(self.take(self.width), "little")

    def count(self, per_item: int = 1) -> int:
        """Return the next count of entries, each of `per_item` sized elements."""
        return self.possible(self.length(), per_item)

    def possible(self, count: int, per_item: int = 1) -> int:
        """Return a count of entries if so many sized elements can follow."""
        self.expect(count * per_item * (self.width + 1))
        return count

    def shape(self) -> tuple[int, ...]:
        """Return the next shape of an array."""
        ndim = self.length()
        self.expect(ndim * self.width)
        if ndim > MAX_DIMENSIONS:
            raise DataJointError(f"Invalid blob: an array of {ndim} dimensions.")
        return tuple(self.length() for _ in range(ndim))

    def names(self) -> list[str]:
        """Return the next list of names, each ended by a zero byte."""
        count = int.from_bytes(self.take(4), "little")
        self.expect(count)
        return [self._name() for _ in range(count)]

    def _name(self) -> str:
        end = self.data.find(b"\0", self.position)
        if end < 0:
            self.expect(self.left + 1)
        return self.take(end + 1 - self.position)[:-1].decode()
