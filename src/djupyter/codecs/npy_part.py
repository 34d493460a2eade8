"""Parts of a .npy file, read in as few contiguous pieces as there are, never the whole.

Format: NumPy Enhancement Proposal 1.
"""

from __future__ import annotations

from math import prod
from typing import IO, Any

import numpy as np

from djupyter.errors import DataJointError

_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


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

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        try:
            version = np.lib.format.read_magic(file)
            self.shape, self._fortran, self.dtype = _HEADERS[version](file)
        except (ValueError, KeyError, EOFError, SyntaxError) as error:
            raise DataJointError(f"This is no .npy file: {error}") from error
        if self.dtype.hasobject:
            raise DataJointError("The file holds Python objects, which are never loaded.")
        self._start = file.tell()

    def chunks(self, budget: int) -> list[int]:
        """Return lengths along the axes such that each piece of the array is contiguous in the file."""
        if not self.shape:
            return []
        inner = 0 if self._fortran else len(self.shape) - 1
        chunks = [1] * len(self.shape)
        most = max(1, budget // max(self.dtype.itemsize, 1))
        chunks[inner] = max(1, min(self.shape[inner], most))
        return chunks

    def read(self, index: tuple[slice | int, ...]) -> np.ndarray[Any, Any]:
        """Return a part; of each axis a position, or a slice from its beginning."""
        ends = [item + 1 if isinstance(item, int) else item.stop for item in index]
        starts = [item if isinstance(item, int) else (item.start or 0) for item in index]
        if self._fortran:
            found = self._read(starts[::-1], ends[::-1], self.shape[::-1]).T
        else:
            found = self._read(starts, ends, self.shape)
        return found[tuple(0 if isinstance(item, int) else slice(None) for item in index)]

    def _read(
        self, starts: list[int], ends: list[int], shape: tuple[int, ...]
    ) -> np.ndarray[Any, Any]:
        """Return a block of an array in C order."""
        lengths = [end - start for start, end in zip(starts, ends, strict=True)]
        if not shape:
            return np.frombuffer(self._piece(0, 1), self.dtype).reshape(())
        # All axes after `cut` are whole, so that a run along `cut` lies in one piece.
        cut = len(shape) - 1
        while cut > 0 and lengths[cut] == shape[cut]:
            cut -= 1
        run = lengths[cut] * prod(shape[cut + 1 :])
        pieces = [
            self._piece(self._offset(outer, starts, shape, cut), run)
            for outer in np.ndindex(*lengths[:cut])
        ]
        return np.frombuffer(b"".join(pieces), self.dtype).reshape(lengths)

    def _offset(
        self, outer: tuple[int, ...], starts: list[int], shape: tuple[int, ...], cut: int
    ) -> int:
        """Return where a run begins, in elements."""
        place = [start + step for start, step in zip(starts[:cut], outer, strict=True)] + starts[
            cut:
        ]
        offset = 0
        for position, length in zip(place, shape, strict=True):
            offset = offset * length + position
        return offset

    def _piece(self, first: int, count: int) -> bytes:
        size = count * self.dtype.itemsize
        self._file.seek(self._start + first * self.dtype.itemsize)
        data = self._file.read(size)
        if len(data) != size:
            raise DataJointError("The file ends before its array does.")
        return data
