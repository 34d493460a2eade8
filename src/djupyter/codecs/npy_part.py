"""Parts of a .npy file, read in as few contiguous pieces as there are, never the whole.

Format: NumPy Enhancement Proposal 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from math import prod
from typing import IO, Any

import numpy as np

from djupyter.codecs.bounded_file import BoundedFile
from djupyter.errors import DataJointError

_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
    # As the second, but for names of fields that are not Latin.
    (3, 0): np.lib.format.read_array_header_2_0,
}
# What a header may have. That of an array of a thousand fields has a tenth of it.
_HEADER = 1 << 20
# Of a remote file, asking for less takes as long as for so much.
_PIECE = 65_536
_RUN = 4096

Index = tuple[slice | int, ...]


class NpyPart:
    """An open .npy file.

    Parameters
    ----------
    file
        At its beginning; can be read at any place.

    Raises
    ------
    DataJointError
        It is no .npy file, or holds Python objects, which are never loaded.

    Examples
    --------
    >>> import io
    >>> target = io.BytesIO(); np.save(target, np.arange(12).reshape(3, 4)); _ = target.seek(0)
    >>> NpyPart(target).read((1, slice(0, 2)))
    array([4, 5])
    """

    def __init__(self, file: IO[bytes] | BoundedFile) -> None:
        self._file = file
        try:
            version = np.lib.format.read_magic(file)
            self._check_header(version)
            self.shape, self.is_fortran, self.dtype = _HEADERS[version](file)
        except DataJointError:
            raise
        except (
            Exception
        ) as error:  # the header is Python's notation, which its reader may stumble over
            raise DataJointError(f"This is no .npy file: {error}") from error
        if self.dtype.hasobject:
            raise DataJointError("The file holds Python objects, which are never loaded.")
        if any(n < 0 for n in self.shape):
            raise DataJointError("This is no .npy file: its array has a negative length.")
        self._start = file.tell()

    def _check_header(self, version: tuple[int, int]) -> None:
        """Raise before a header is read that would be longer than any is."""
        place = self._file.tell()
        length = int.from_bytes(self._file.read(2 if version == (1, 0) else 4), "little")
        if length > _HEADER:
            raise DataJointError("This is no .npy file: its header is too long.")
        self._file.seek(place)

    def on(self, file: BoundedFile) -> NpyPart:
        """Return the same array, read through another file object."""
        other = copy(self)
        other._file = file
        return other

    @property
    def shown_axes(self) -> tuple[int, ...] | None:
        """The axes of which a plane lies together in the file; None for the last ones."""
        return (0, 1) if self.is_fortran and len(self.shape) > 2 else None

    def chunks(self, budget: int) -> list[int]:
        """Return lengths along the axes of blocks that each lie in one piece, as large as one is worth reading."""
        chunks = [1] * len(self.shape)
        left = max(1, min(budget, _PIECE) // max(self.dtype.itemsize, 1))
        order = range(len(self.shape))
        for axis in order if self.is_fortran else reversed(order):
            chunks[axis] = max(1, min(self.shape[axis], left))
            left //= chunks[axis]
            if chunks[axis] < self.shape[axis]:
                break
        return chunks

    def read(self, index: Index) -> np.ndarray[Any, Any]:
        """Return a part; of each axis a position, or a slice of neighbours."""
        ends = [item + 1 if isinstance(item, int) else item.stop for item in index]
        starts = [item if isinstance(item, int) else (item.start or 0) for item in index]
        firsts, lasts = self._widened(starts, ends)
        if self.is_fortran:
            found = self._read(firsts[::-1], lasts[::-1], self.shape[::-1]).T
        else:
            found = self._read(firsts, lasts, self.shape)
        moved = zip(index, starts, ends, firsts, strict=True)
        return found[
            tuple(
                start - first if isinstance(item, int) else slice(start - first, end - first)
                for item, start, end, first in moved
            )
        ]

    def _widened(self, starts: list[int], ends: list[int]) -> tuple[list[int], list[int]]:
        """Return the bounds of a block around another one that is made of fewer pieces, unless those are large."""
        fast_first = range(len(self.shape)) if self.is_fortran else range(len(self.shape))[::-1]
        run = self.dtype.itemsize
        for axis in fast_first:
            run *= ends[axis] - starts[axis]
            if ends[axis] - starts[axis] < self.shape[axis]:
                break
        if run >= _RUN:
            return starts, ends
        firsts, lasts = [*starts], [*ends]
        for axis, chunk in zip(
            fast_first, [self.chunks(_PIECE)[a] for a in fast_first], strict=True
        ):
            firsts[axis] = starts[axis] // chunk * chunk
            lasts[axis] = min(self.shape[axis], -(-ends[axis] // chunk) * chunk)
        return firsts, lasts

    def _read(
        self, starts: list[int], ends: list[int], shape: tuple[int, ...]
    ) -> np.ndarray[Any, Any]:
        """Return a block of an array in C order."""
        lengths = [end - start for start, end in zip(starts, ends, strict=True)]
        # All axes after `cut` are whole, so that a run along `cut` lies in one piece.
        cut = max(0, len(shape) - 1)
        while cut > 0 and lengths[cut] == shape[cut]:
            cut -= 1
        run = prod(lengths[cut:])
        outer = np.ndindex(*lengths[:cut])
        offsets = [self._offset(place, starts, shape, cut) for place in outer]
        data = self._pieces(offsets, run)
        return np.frombuffer(data, self.dtype).reshape(lengths)

    def _offset(
        self, outer: tuple[int, ...], starts: list[int], shape: tuple[int, ...], cut: int
    ) -> int:
        """Return where a run begins, in elements."""
        place = [start + step for start, step in zip(starts[:cut], outer, strict=True)]
        offset = 0
        for position, length in zip([*place, *starts[cut:]], shape, strict=True):
            offset = offset * length + position
        return offset

    def _pieces(self, offsets: Sequence[int], count: int) -> bytes:
        item = self.dtype.itemsize
        begins = [self._start + offset * item for offset in offsets]
        size = count * item
        ranges = [(begin, begin + size) for begin in begins]
        if isinstance(self._file, BoundedFile):
            if ranges[-1][1] > self._file.size:
                raise DataJointError("The file ends before its array does.")
            whole = ranges[-1][1] - ranges[0][0]
            if len(ranges) > 1 and whole <= 2 * size * len(ranges):
                # What lies between them costs less than asking for each.
                (data,) = self._file.read_many([(ranges[0][0], ranges[-1][1])])
                pieces = [data[b - begins[0] : b - begins[0] + size] for b in begins]
            else:
                pieces = self._file.read_many(ranges)
        else:
            pieces = [self._piece(begin, size) for begin in begins]
        if any(len(piece) != size for piece in pieces):
            raise DataJointError("The file ends before its array does.")
        return b"".join(pieces)

    def _piece(self, begin: int, size: int) -> bytes:
        self._file.seek(begin)
        return self._file.read(size)
