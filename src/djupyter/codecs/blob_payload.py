"""The bytes of a blob before compression, with large arrays left where they are.

An array is turned into its column-major bytes piece by piece, whatever its order in memory: beside the
value itself there is only ever the packed blob.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Part = bytes | Array
Piece = bytes | memoryview

LARGE = 1 << 16  # bytes; less is cheaper to copy than to keep track of
_PIECE = 1 << 20  # bytes at a time


class Payload:
    """Parts in their order.

    Parameters
    ----------
    parts
        Bytes, and arrays that stand for their bytes in column-major order.

    Examples
    --------
    >>> Payload([b"ab", np.array([[1, 2], [3, 4]], dtype="u1")]).to_bytes().hex()
    '616201030204'
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        self._segments = list(_segments(parts))
        self.size = sum(map(_size, self._segments))

    def pieces(self) -> Iterator[Piece]:
        """Yield all bytes, some at a time; how an array lies in memory does not show."""
        for segment in self._segments:
            if isinstance(segment, bytes):
                yield from _cut(memoryview(segment))
            elif segment.flags.f_contiguous:
                yield from _cut(_flat(segment))
            else:
                yield from _even(_slabs(segment))

    def excerpt(self, where: float, size: int) -> bytes:
        """Return about so many bytes from somewhere: 0 is the begin, 1 the end."""
        wanted, found = int(where * self.size), b""
        for segment in self._segments:
            length = _size(segment)
            if wanted < length:
                found += _excerpt(segment, wanted / length, size - len(found))
            wanted = max(0, wanted - length)
            if len(found) >= size:
                break
        return found

    def to_bytes(self) -> bytes:
        """Return all bytes, each copied once."""
        if len(self._segments) == 1 and isinstance(self._segments[0], bytes):
            return self._segments[0]
        whole = BytesIO()
        whole.seek(self.size - 1)
        whole.write(b"\0")
        with whole.getbuffer() as buffer:
            place = 0
            for segment in self._segments:
                end = place + _size(segment)
                _copy(segment, buffer[place:end])
                place = end
        return whole.getvalue()  # does not copy


def _segments(parts: Sequence[Part]) -> Iterator[Part]:
    """Yield the parts, the small ones joined."""
    start = 0
    for number, part in enumerate(parts):
        if _size(part) >= LARGE:
            if start < number:
                yield _joined(parts[start:number])
            yield part
            start = number + 1
    if start < len(parts):
        yield _joined(parts[start:])


def _joined(parts: Sequence[Part]) -> bytes:
    return b"".join(p if isinstance(p, bytes) else p.tobytes(order="F") for p in parts)


def _size(part: Part) -> int:
    return len(part) if isinstance(part, bytes) else part.nbytes


def _flat(array: Array) -> memoryview:
    """Return the memory of a column-major array."""
    return array.reshape(-1, order="F").view(np.uint8).data


def _cut(data: memoryview) -> Iterator[memoryview]:
    for start in range(0, len(data), _PIECE):
        yield data[start : start + _PIECE]


def _even(slabs: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the same in the pieces of `_cut`: a compressor shows where its input was cut."""
    rest = bytearray()
    for slab in slabs:
        rest += slab
        while len(rest) >= _PIECE:
            yield bytes(rest[:_PIECE])
            del rest[:_PIECE]
    if rest:
        yield bytes(rest)


def _slabs(array: Array) -> Iterator[bytes]:
    """Yield the column-major bytes of an array of any order, about a piece at a time."""
    last = array.shape[-1]
    each = array.nbytes // last
    if each > _PIECE and array.ndim > 1:
        for number in range(last):
            yield from _slabs(array[..., number])
        return
    step = max(1, _PIECE // each)
    for start in range(0, last, step):
        yield array[..., start : start + step].tobytes(order="F")


def _excerpt(segment: Part, where: float, size: int) -> bytes:
    if isinstance(segment, bytes):
        start = int(where * len(segment))
        return segment[start : start + size]
    while segment.ndim > 1 and segment.nbytes // segment.shape[-1] > size:
        segment = segment[..., int(where * segment.shape[-1])]
    start = int(where * segment.shape[-1])
    each = segment.nbytes // segment.shape[-1]
    return segment[..., start : start + -(-size // each)].tobytes(order="F")[:size]


def _copy(segment: Part, target: memoryview) -> None:
    if isinstance(segment, bytes):
        target[:] = segment
    elif segment.flags.f_contiguous:
        target[:] = _flat(segment)
    else:
        into: Array = np.frombuffer(target, segment.dtype).reshape(segment.shape, order="F")
        into[...] = segment
