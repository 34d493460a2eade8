"""The optional compression around a blob, taken off with care."""

from __future__ import annotations

from djupyter.codecs.blob_cursor import ByteCursor
from djupyter.codecs.blob_deflate import DamagedStreamError, inflated
from djupyter.codecs.blob_format import ZLIB_MARK
from djupyter.errors import DataJointError

# Deflate cannot do better than 1032 to 1: a larger promise is false before anything is inflated.
_BEST_RATIO = 1100


def unwrapped(data: bytes | bytearray | memoryview, use_32bit_dims: bool) -> bytes:
    """Return protocol and element; without a copy where the data are just these, as bytes."""
    mark = len(ZLIB_MARK)
    if bytes(data[:mark]) != ZLIB_MARK:
        return bytes(data)
    header = ByteCursor(bytes(data[mark : mark + 8]), 0, use_32bit_dims)
    size, start = header.length(), mark + header.position
    if size > len(data) * _BEST_RATIO:
        raise DataJointError(
            f"Blob size mismatch: expected {size}, got {len(data)} bytes that cannot hold so much"
        )
    with memoryview(data) as view, view[start:] as stream:
        try:
            plain, is_complete = inflated(stream, size)
        except DamagedStreamError as error:
            raise DataJointError(f"Invalid blob: its data are damaged ({error}).") from error
    if len(plain) > size:
        raise DataJointError(f"Blob size mismatch: expected {size}, got more")
    if len(plain) < size:
        raise DataJointError(f"Blob size mismatch: expected {size}, got {len(plain)}")
    if not is_complete:
        raise DataJointError("Invalid blob: its compressed data are cut short.")
    return plain
