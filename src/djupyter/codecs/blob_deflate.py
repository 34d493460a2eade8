"""Compression of blobs: zlib streams, made as fast as their size allows.

```
excerpts --each way, fastest first--> first way about as small as zlib's --> all pieces, one at a time
```

Any zlib reads these streams. Which way is fast and still small depends on the data, so each is
tried on a few excerpts. With arrays of 8 MB, against level 6 of zlib, which datajoint uses:

=============================  ===============  =============  =============
data                           by               times as fast  times as long
=============================  ===============  =============  =============
floats, images, recordings     isal 2           7 to 20        1.00 to 1.08
text, counts, rounded, masks   zlib-ng 4 and 5  3 to 5         0.98 to 1.11
times of events                zlib 1           2.4 to 5       0.94 to 0.99
=============================  ===============  =============  =============

The first two overlook repetitions of 3 bytes, all there is in times. libdeflate finds them and
is as fast, but its package `deflate` holds the interpreter's lock and wants all data in one place.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from io import BytesIO
from operator import itemgetter
from typing import Any, Protocol, cast

from djupyter.codecs.blob_payload import Payload

# Both have wheels for CPython on Linux, macOS and Windows; in a browser there are none.
isal_zlib: Any = None
zlib_ng: Any = None
try:
    from isal import isal_zlib
    from zlib_ng import zlib_ng
except ImportError:
    pass

_WORTH = 0.95  # of the plain size, at most: else every reader would inflate for nothing
_AS_SMALL = (
    1.105  # times zlib's default: isal makes the whole 0.01 to 0.03 better than the excerpts
)
_SHARE = 48  # an excerpt is this part of the whole, and there are three
_EXCERPT = 1400, 45_000  # bytes; in less nobody can tell one way from another


class _Compressor(Protocol):
    def compress(self, data: Any, /) -> bytes: ...
    def flush(self) -> bytes: ...


_Way = Callable[[], _Compressor]


def _isal() -> _Compressor:
    return cast(_Compressor, isal_zlib.compressobj(2))


class _InTurn:
    """Level 5 of zlib-ng, then twice 4: alone, counts get too slow by the one, too long by the other."""

    def __init__(self) -> None:
        self._head, self._turn, self._checksum = b"\x78\x9c", 0, 1

    def compress(self, data: Any) -> bytes:
        """Return blocks of a raw stream, which need no others."""
        level = 4 if self._turn % 3 else 5
        compressor = zlib_ng.compressobj(level, wbits=-zlib.MAX_WBITS, memLevel=9)
        self._checksum = zlib_ng.adler32(data, self._checksum)
        body = compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)
        head, self._head = self._head, b""
        self._turn += len(data) >= _EXCERPT[0]  # the few bytes before an array are no turn
        return cast(bytes, head + body)

    def flush(self) -> bytes:
        """Return an empty last block and the checksum."""
        return b"\x03\0" + self._checksum.to_bytes(4, "big")


def _thorough() -> _Compressor:
    return cast(_Compressor, zlib_ng.compressobj(5, memLevel=9))


def _triples() -> _Compressor:
    return zlib.compressobj(1, memLevel=9)


_WAYS: list[_Way] = [_isal, _InTurn, _thorough, _triples] if isal_zlib else []
_DEFAULT: _Way = _thorough if isal_zlib else zlib.compressobj
_INFLATER: Any = isal_zlib or zlib


class DamagedStreamError(Exception):
    """A zlib stream that is none."""


def deflated(payload: Payload, prefix: bytes) -> bytes | None:
    """Return a prefix and the payload as zlib stream; None if it stays nearly as large.

    The same payload gives the same bytes, on the same kind of processor.
    """
    packed = BytesIO()
    packed.write(prefix)
    compressor = _chosen(payload)()
    for piece in payload.pieces():
        packed.write(compressor.compress(piece))
    packed.write(compressor.flush())
    return packed.getvalue() if packed.tell() < payload.size * _WORTH else None


def inflated(stream: memoryview, size: int) -> tuple[bytes, bool]:
    """Return a zlib stream's bytes, at most one more than asked for, and whether it ends there.

    Raises
    ------
    DamagedStreamError
        It is no zlib stream, or its checksum differs.
    """
    inflater = _INFLATER.decompressobj()
    try:
        plain: bytes = inflater.decompress(stream, size + 1)
    except (zlib.error, _INFLATER.error) as error:
        raise DamagedStreamError(str(error)) from error
    return plain, bool(inflater.eof)


def _chosen(payload: Payload) -> _Way:
    least, most = _EXCERPT
    size = min(payload.size // _SHARE, most)
    if size < least or not _WAYS:
        return _DEFAULT
    excerpts = [payload.excerpt(where / 6, size) for where in (1, 3, 5)]
    enough = len(zlib.compress(b"".join(excerpts))) * _AS_SMALL
    lengths: list[tuple[int, _Way]] = []
    for way in _WAYS:
        lengths.append((_length(way, excerpts), way))
        if lengths[-1][0] <= enough:
            return way
    return min(lengths, key=itemgetter(0))[1]


def _length(way: _Way, excerpts: list[bytes]) -> int:
    compressor = way()
    return sum(len(compressor.compress(excerpt)) for excerpt in excerpts) + len(compressor.flush())
