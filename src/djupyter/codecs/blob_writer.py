"""Python values to bytes of the blob format; see `blob_format` for the layout."""

from __future__ import annotations

import datetime
import struct
import uuid
from collections.abc import Callable, Iterable, Mapping, MutableSequence, Sequence, Set
from decimal import Decimal
from itertools import chain
from typing import Any

import numpy as np

from djupyter.codecs.blob_deflate import deflated
from djupyter.codecs.blob_format import (
    ABSENT,
    COMPRESS_ABOVE,
    DOUBLE,
    MATLAB_PROTOCOL,
    MAX_DEPTH,
    OBJECT,
    PYTHON_PROTOCOL,
    SINGLE,
    TYPE_IDS,
    ZLIB_MARK,
    MatCell,
    MatStruct,
)
from djupyter.codecs.blob_payload import LARGE, Array, Part, Payload
from djupyter.errors import DataJointError

_U32 = struct.Struct("<I").pack
_U64 = struct.Struct("<Q").pack
_INT_LIMIT = 65535  # bytes: the length of an int is a u16

# The commonest elements with their length in front: each is one call.
_SIZED_FLOAT = struct.Struct("<QBd").pack
_SIZED_TEXT = struct.Struct("<QBQ").pack
_SIZED_INTS = [struct.pack("<QBH", 3 + size, 0x0A, size) for size in range(32)]
_SIZED_NONE, _SIZED_FALSE, _SIZED_TRUE = (
    struct.pack("<Q", len(element)) + element for element in (b"\xff", b"\x0b\0", b"\x0b\1")
)


def pack(obj: object, compress: bool = True) -> bytes:
    """Return the bytes that stand for a value.

    Parameters
    ----------
    obj
        numpy arrays and scalars, str, bytes, numbers, Decimal, dates and times, UUID, None, and any
        nesting of mappings, sequences and sets of these.
    compress
        Whether to compress with zlib where that makes more than 1000 bytes shorter.

    Raises
    ------
    DataJointError
        A value of another type, an array of another dtype, or nesting deeper than 200 levels.
    UnicodeEncodeError
        A text with surrogate code points.

    Examples
    --------
    >>> pack([1, "a"]).hex()
    '646a300002020000000000000004000000000000000a0100010a0000000000000005010000000000000061'
    """
    writer = _Writer()
    try:
        writer.element(obj)
    except RecursionError as error:
        raise _too_deep() from error
    payload = Payload([PYTHON_PROTOCOL if writer.needs_python else MATLAB_PROTOCOL, *writer.parts])
    del writer  # small parts are joined by now
    packed = None
    if compress and payload.size > COMPRESS_ABOVE:
        packed = deflated(payload, ZLIB_MARK + _U64(payload.size))
    return payload.to_bytes() if packed is None else packed


class _Writer:
    """Collects the pieces of one blob; lengths are filled in once what they measure is written."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.needs_python = False
        self._size = 0
        self._depth = 0

    def element(self, value: Any) -> None:
        """Write one element; the order of the tests is part of the format."""
        write = _BY_TYPE.get(type(value))
        if write is not None:
            self.needs_python = True
            write(self, value)
        elif isinstance(value, MatCell):
            self._cell(value)
        elif isinstance(value, MatStruct) and value.dtype.names:
            self._struct(value)
        elif isinstance(value, np.ndarray):
            self._any_array(np.asarray(value))
        else:
            self.needs_python = True
            _writer_of(value)(self, value)

    def _write(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.parts.append(piece)
            self._size += len(piece)

    def _values(self, values: Iterable[object]) -> None:
        """Write elements below the present one, each with its length in front."""
        if self._depth == MAX_DEPTH:
            raise _too_deep()
        self._depth += 1
        parts, size = self.parts, 0
        # By type, the commonest first and without a call: this is most of the time of packing a list.
        for value in values:
            kind = type(value)
            if kind is float:
                data = _SIZED_FLOAT(9, 0x0D, value)
            elif kind is str:
                text = value.encode()  # type: ignore[attr-defined]
                data = _SIZED_TEXT(9 + len(text), 0x05, len(text)) + text
            elif kind is int and (width := value.bit_length() // 8 + 1) < 32:  # type: ignore[attr-defined]
                data = _SIZED_INTS[width] + value.to_bytes(width, "little", signed=True)  # type: ignore[attr-defined]
            elif value is None:
                data = _SIZED_NONE
            elif kind is bool:
                data = _SIZED_TRUE if value else _SIZED_FALSE
            else:
                self._sized(value)
                continue
            parts.append(data)
            size += len(data)
        self._size += size
        self.needs_python |= size > 0
        self._depth -= 1

    def _sized(self, value: object) -> None:
        """Write one element with its length in front."""
        slot, before = len(self.parts), self._size
        self.parts.append(b"")
        self.element(value)
        self.parts[slot] = _U64(self._size - before)
        self._size += 8

    # Python values

    def _none(self, value: None) -> None:
        self._write(b"\xff")

    def _bool(self, value: bool) -> None:
        self._write(b"\x0b\x01" if value else b"\x0b\x00")

    def _int(self, value: int) -> None:
        size = value.bit_length() // 8 + 1
        if size > _INT_LIMIT:
            raise DataJointError(f"Integers are limited to {_INT_LIMIT} bytes")
        data = int(value).to_bytes(size, "little", signed=True)
        self._write(b"\x0a", size.to_bytes(2, "little"), data)

    def _float(self, value: float) -> None:
        self._write(struct.pack("<cd", b"\x0d", value))

    def _complex(self, value: complex) -> None:
        self._write(struct.pack("<cdd", b"\x0c", value.real, value.imag))

    def _str(self, value: str) -> None:
        self._text(b"\x05", value.encode())

    def _bytes(self, value: bytes | bytearray) -> None:
        self._text(b"\x06", bytes(value))

    def _decimal(self, value: Decimal) -> None:
        self._text(b"d", str(value).encode())

    def _text(self, code: bytes, data: bytes) -> None:
        self._write(code, _U64(len(data)), data)

    def _uuid(self, value: uuid.UUID) -> None:
        self._write(b"u", value.bytes)

    def _moment(self, value: datetime.date | datetime.time) -> None:
        date = time = ABSENT
        # pandas' NaT is a datetime whose parts are NaN; absent on both sides reads back as None.
        is_a_moment = value == value
        if is_a_moment and isinstance(value, datetime.date):
            date = value.year * 10000 + value.month * 100 + value.day
        if is_a_moment and isinstance(value, datetime.datetime | datetime.time):
            clock = value.hour * 10000 + value.minute * 100 + value.second
            time = clock * 1_000_000 + value.microsecond
        self._write(struct.pack("<ciq", b"t", date, time))

    def _mapping(self, value: Mapping[object, object]) -> None:
        self._write(b"\x04" + _U64(len(value)))
        if len(value):
            self._values(chain.from_iterable(value.items()))

    def _items(self, value: Sequence[object] | Set[object]) -> None:
        self._write((_CONTAINERS.get(type(value)) or _container(value)) + _U64(len(value)))
        if len(value):
            self._values(value)

    # Arrays

    def _any_array(self, array: Array) -> None:
        if array.dtype.names is not None:
            self.needs_python = True
            self._records(array)
            return
        is_matlab = array.ndim > 0 and array.dtype.kind in "biufcS"
        self.needs_python |= not is_matlab
        self._array(array)

    def _scalar(self, value: np.generic) -> None:
        self._array(np.asarray(value))

    def _array(self, array: Array) -> None:
        is_complex = array.dtype.kind == "c"
        self._shape(b"A", array)
        self._write(_U32(_type_id(array.dtype)), _U32(is_complex))
        if is_complex:
            self._numbers(array.real)
            self._numbers(array.imag)
        elif array.dtype.kind in "OU":
            self._array_values(array)
        elif array.dtype.kind == "S":
            self._numbers(array.astype("S2"))  # each character and a zero byte
        else:
            self._numbers(array)

    def _numbers(self, array: Array) -> None:
        # Large ones are turned into bytes when these are needed.
        self.parts.append(array if array.nbytes >= LARGE else array.tobytes(order="F"))
        self._size += array.nbytes

    def _array_values(self, array: Array) -> None:
        if array.size:
            self._values(array.ravel(order="F"))

    def _shape(self, code: bytes, array: Array) -> None:
        self._write(code, _U64(array.ndim), *map(_U64, array.shape))

    def _names(self, names: Sequence[str]) -> None:
        if any("\0" in name for name in names):
            raise DataJointError(
                f"Packing the names {names} is not possible: a zero byte ends a name."
            )
        self._write(_U32(len(names)), *(name.encode() + b"\0" for name in names))

    def _cell(self, cell: MatCell) -> None:
        self._shape(b"C", cell)
        self._array_values(np.asarray(cell))

    def _struct(self, struct_array: MatStruct) -> None:
        names = struct_array.dtype.names or ()
        self._shape(b"S", struct_array)
        self._names(names)
        records = np.asarray(struct_array).ravel(order="F")
        if records.size:
            self._values(record[name] for record in records for name in names)

    def _records(self, array: Array) -> None:
        if not array.dtype.names:
            raise _unsupported(array)
        self._write(b"F")
        self._names(array.dtype.names)
        for name in array.dtype.names:
            self._any_array(array[name])


# bool is an int, datetime is a date: the narrower type stands first.
_KINDS: list[tuple[Any, Callable[[_Writer, Any], None]]] = [
    (type(None), _Writer._none),
    (bool, _Writer._bool),
    (int, _Writer._int),
    (float, _Writer._float),
    (complex, _Writer._complex),
    (str, _Writer._str),
    (bytes | bytearray, _Writer._bytes),
    (Decimal, _Writer._decimal),
    (datetime.date | datetime.time, _Writer._moment),
    (uuid.UUID, _Writer._uuid),
    (Mapping, _Writer._mapping),
    (Set | Sequence, _Writer._items),
]
# What the search through the kinds would find, for values of just this type.
_BY_TYPE: dict[type, Callable[[_Writer, Any], None]] = {
    type(None): _Writer._none,
    bool: _Writer._bool,
    int: _Writer._int,
    float: _Writer._float,
    str: _Writer._str,
    dict: _Writer._mapping,
    list: _Writer._items,
    tuple: _Writer._items,
    set: _Writer._items,
}


_CONTAINERS: dict[type, bytes] = {tuple: b"\x01", list: b"\x02", set: b"\x03"}


def _container(value: Sequence[object] | Set[object]) -> bytes:
    kind: type = list if isinstance(value, MutableSequence) else tuple
    return _CONTAINERS[set if isinstance(value, Set) else kind]


def _writer_of(value: object) -> Callable[[_Writer, Any], None]:
    # numpy.float64 is a float too, but keeps its own type; only numpy's texts are Python's.
    if isinstance(value, np.generic) and not isinstance(value, np.str_ | np.bytes_ | np.void):
        return _Writer._scalar
    for kinds, write in _KINDS:
        if isinstance(value, kinds):
            return write
    raise _unsupported(value)


def _type_id(dtype: np.dtype[Any]) -> int:
    if dtype.kind == "c" and dtype.str in ("<c16", "<c8"):
        return DOUBLE if dtype.itemsize == 16 else SINGLE
    number = OBJECT if dtype.kind == "U" else TYPE_IDS.get(dtype.str)
    if number is None:
        raise DataJointError(
            f"Type {dtype} is ambiguous or unknown.",
            "Blobs hold arrays of bool, little-endian numbers of 8 to 64 bits, complex numbers, "
            "datetime64, text and objects: convert first, for example with array.astype('<f8').",
        )
    return number


def _too_deep() -> DataJointError:
    return DataJointError(
        f"Packing more than {MAX_DEPTH} levels of nesting is not supported. "
        "Does a container hold itself? Flatten the value or store it as an object."
    )


def _unsupported(value: object) -> DataJointError:
    return DataJointError(
        f"Packing object of type {type(value)} currently not supported!",
        "A blob holds arrays, numbers, text, bytes, dates, UUIDs and containers of these.",
    )
