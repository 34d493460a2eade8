"""What a blob holds, told from its first bytes: a repr never reads a whole array to name it."""

from __future__ import annotations

import struct
import zlib
from typing import Any

from djupyter.codecs.blob_format import (
    ABSENT,
    CHAR,
    DTYPES,
    MATLAB_PROTOCOL,
    OBJECT,
    PYTHON_PROTOCOL,
    SINGLE,
    ZLIB_MARK,
)

_ENOUGH = 4096  # bytes to inflate: more than any description needs
_NAMES = {
    b"\xff": "None",
    b"\x0a": "int",
    b"\x0b": "bool",
    b"\x0c": "complex",
    b"\x0d": "float",
    b"d": "Decimal",
    b"u": "UUID",
    b"P": "sparse",
}
_CONTAINERS = {
    b"\x01": ("tuple", "item"),
    b"\x02": ("list", "item"),
    b"\x03": ("set", "item"),
    b"\x04": ("dict", "key"),
}
_TEXTS = {b"\x05": "str", b"\x06": "bytes"}
_SHAPED = {b"C": "cell", b"S": "struct"}
_MOMENTS = {(True, False): "date", (False, True): "time", (True, True): "datetime"}


def summary(prefix: bytes, size: int) -> str:
    """Return a short description of a blob; never raises.

    Parameters
    ----------
    prefix
        Its first bytes; 512 are plenty.
    size
        Its full size in bytes.

    Examples
    --------
    >>> summary(bytes.fromhex("646a3000020300000000000000"), 100)
    'list 3 items'
    >>> summary(b"", 2400)
    'blob 2.4 kB'
    """
    try:
        return _described(_payload(prefix))
    except (KeyError, IndexError, ValueError, TypeError, OverflowError, struct.error, zlib.error):
        return f"blob {readable_size(size)}"


def readable_size(size: int) -> str:
    """Return a number of bytes for people, in powers of 1000.

    >>> readable_size(300), readable_size(1234), readable_size(5_600_000)
    ('300 B', '1.2 kB', '5.6 MB')
    """
    if size < 1000:
        return f"{size} B"
    amount, units = size / 1000, iter(["kB", "MB", "GB", "TB"])
    unit = next(units)
    while amount >= 999.95 and unit != "TB":
        amount, unit = amount / 1000, next(units)
    return f"{amount:.1f} {unit}"


def _payload(prefix: bytes) -> bytes:
    if prefix.startswith(ZLIB_MARK):
        prefix = zlib.decompressobj().decompress(prefix[len(ZLIB_MARK) + 8 :], _ENOUGH)
    if not prefix.startswith((MATLAB_PROTOCOL, PYTHON_PROTOCOL)):
        raise ValueError("no known protocol")
    return prefix[len(PYTHON_PROTOCOL) :]


def _described(element: bytes) -> str:
    code, body = element[:1], element[1:]
    if code in _CONTAINERS:
        kind, item = _CONTAINERS[code]
        count = _u64(body, 0)
        return f"{kind} {count} {item}{'' if count == 1 else 's'}"
    if code in _TEXTS:
        return f"{_TEXTS[code]} {readable_size(_u64(body, 0))}"
    if code in _SHAPED:
        return f"{_SHAPED[code]} {_shape(body)}"
    if code == b"A":
        return _array(body)
    if code == b"F":
        return _records(body)
    if code == b"t":
        days, clock = struct.unpack_from("<iq", body)
        return _MOMENTS.get((days != ABSENT, clock != ABSENT), "None")
    return _NAMES[code]


def _array(body: bytes) -> str:
    shape = _shape(body)
    number, is_complex = struct.unpack_from("<II", body, 8 + 8 * len(shape))
    name = f"{DTYPES[number]}"
    if number in (CHAR, OBJECT):
        name = "char" if number == CHAR else "object"
    elif is_complex:
        name = "complex64" if number == SINGLE else "complex128"
    return f"{name} {shape}" if shape else name


def _records(body: bytes) -> str:
    """Describe records by their first column: all have its shape."""
    (count,) = struct.unpack_from("<I", body)
    names, rest = [], body[4:]
    for _ in range(count):
        name, end, rest = rest.partition(b"\0")
        if not end:
            raise ValueError("the names go on beyond what is known")
        names.append(name.decode())
    if rest[:1] == b"F":
        return f"records {', '.join(names)}"
    return f"records {_shape(rest[1:])} {', '.join(names)}"


def _shape(body: bytes) -> tuple[Any, ...]:
    return struct.unpack_from(f"<{_u64(body, 0)}Q", body, 8)


def _u64(body: bytes, offset: int) -> int:
    (number,) = struct.unpack_from("<Q", body, offset)
    return int(number)
