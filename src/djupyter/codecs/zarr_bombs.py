"""How much a chunk becomes when it is decompressed, told before memory is taken for it.

A file of some kilobytes can say that it holds gigabytes. Formats: RFC 1952 (gzip), RFC 8878 (Zstandard), the headers
of Blosc 1 and of numcodecs' LZ4.
"""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from djupyter.errors import DataJointError

_ABSENT = 2**64 - 1  # a chunk that a shard does not have
_ZSTD, _SKIPPED = 0xFD2FB528, range(0x184D2A50, 0x184D2A60)
# A compressed block becomes 128 kB at most; of small ones there may be many more than of full ones.
_ZSTD_BLOCK, _ZSTD_PART = 1 << 17, 16


def decompressed_size(compressors: Iterable[Any], data: bytes, limit: int) -> int | None:
    """Return how many bytes a chunk becomes, at least where it is more than the limit; None when nobody knows.

    Parameters
    ----------
    compressors
        Of the array, in the order in which they wrote.
    data
        The chunk as it is stored.
    limit
        More is not looked for.

    Examples
    --------
    >>> class Gzip: ...
    >>> decompressed_size([Gzip()], zlib.compress(bytes(10**6)), 1000)
    1001
    """
    for compressor in reversed([*compressors]):
        name = type(compressor).__name__.lower().removesuffix("codec")
        if name in _SIZES:
            # What is damaged is left to the decoder, which says so better.
            with suppress(ValueError, IndexError, OSError, EOFError, zlib.error, lzma.LZMAError):
                return _SIZES[name](data, limit)
            return None
    return None


def stored_chunks(shard: Any, count: int, data: bytes, start: int | None) -> Iterator[bytes]:
    """Yield the chunks in what was read of a shard.

    Parameters
    ----------
    shard
        The codec that wrote it.
    count
        How many chunks it has room for.
    data
        What was read.
    start
        From where; negative from the end; None for all of it.
    """
    is_first = shard.index_location.value == "start"
    if start is not None:
        is_index = start < 0 or (is_first and start == 0)
        yield from () if is_index else (data,)
        return
    checksum = 4 * any("crc32c" in type(codec).__name__.lower() for codec in shard.index_codecs)
    size = 16 * count
    raw = data[:size] if is_first else data[-size - checksum : len(data) - checksum]
    for offset, length in struct.iter_unpack("<QQ", raw):
        if offset != _ABSENT:
            yield data[offset : offset + length]


def check_codecs(codecs: Iterable[Any]) -> None:
    """Raise where reading would run code that the object brings.

    Raises
    ------
    DataJointError
        A filter is Python's pickle.
    """
    if any("pickle" in type(codec).__name__.lower() for codec in codecs):
        raise DataJointError("its filters hold Python objects, which are never loaded")


def _deflate(data: bytes, limit: int) -> int:
    return len(zlib.decompressobj(wbits=47).decompress(data, limit + 1))


def _bz2(data: bytes, limit: int) -> int:
    return len(bz2.BZ2Decompressor().decompress(data, limit + 1))


def _lzma(data: bytes, limit: int) -> int:
    memory = 256 << 20
    return len(lzma.LZMADecompressor(memlimit=memory).decompress(data, limit + 1))


def _blosc(data: bytes, limit: int) -> int:
    return int.from_bytes(data[4:8], "little")


def _lz4(data: bytes, limit: int) -> int:
    return int.from_bytes(data[:4], "little")


def _zstd(data: bytes, limit: int) -> int:
    """Return what the frames claim, which is what memory is taken for; where one does not, what its blocks allow."""
    place = size = 0
    while place + 8 <= len(data) and size <= limit:
        magic = int.from_bytes(data[place : place + 4], "little")
        if magic in _SKIPPED:
            place += 8 + int.from_bytes(data[place + 4 : place + 8], "little")
            continue
        if magic != _ZSTD:
            break
        place, claimed = _zstd_header(data, place + 4)
        place, allowed = _zstd_blocks(data, place, _ZSTD_PART * limit)
        size += allowed // _ZSTD_PART if claimed is None else claimed
    return size


def _zstd_header(data: bytes, place: int) -> tuple[int, int | None]:
    descriptor = data[place]
    is_single, kind = bool(descriptor & 0x20), descriptor >> 6
    place += 1 + (0 if is_single else 1) + (0, 1, 2, 4)[descriptor & 3]
    length = (1 if is_single else 0, 2, 4, 8)[kind]
    if not length:
        return place, None
    size = int.from_bytes(data[place : place + length], "little") + (256 if length == 2 else 0)
    return place + length, size


def _zstd_blocks(data: bytes, place: int, limit: int) -> tuple[int, int]:
    """Return where a frame ends, and what its blocks become at most."""
    becomes = 0
    while place + 3 <= len(data):
        header = int.from_bytes(data[place : place + 3], "little")
        kind, size = header >> 1 & 3, header >> 3
        becomes += _ZSTD_BLOCK if kind == 2 else size
        place += 3 + (1 if kind == 1 else size)
        if header & 1 or becomes > limit:
            break
    return place, becomes


_SIZES: dict[str, Callable[[bytes, int], int]] = {
    **dict.fromkeys(("gzip", "zlib"), _deflate),
    "bz2": _bz2,
    "lzma": _lzma,
    "blosc": _blosc,
    "lz4": _lz4,
    "zstd": _zstd,
}
