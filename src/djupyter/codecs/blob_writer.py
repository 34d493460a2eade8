"""Python values to bytes of the blob format; see `blob_format` for the layout."""

from __future__ import annotations

import datetime
import struct
import uuid
import zlib
from collections.abc import Callable, Mapping, MutableSequence, Sequence, Set
from decimal import Decimal
from typing import Any

import numpy as np

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
from djupyter.errors import DataJointError

Array = np.ndarray[Any, np.dtype[Any]]

_U32 = struct.Struct("<I").pack
_U64 = struct.Struct("<Q").pack
_INT_LIMIT = 65535  # bytes: the length of an int is a u16


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
    protocol = PYTHON_PROTOCOL if writer.needs_python else MATLAB_PROTOCOL
    packed = b"".join([protocol, *writer.parts])
    if compress and len(packed) > COMPRESS_ABOVE:
        wrapped = ZLIB_MARK + _U64(len(packed)) + zlib.compress(packed)
        if len(wrapped) < len(packed):
            return wrapped
    return packed


class _Writer:
    """Collects the pieces of one blob; lengths are filled in once what they measure is written."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.needs_python = False
        self._size = 0
        self._depth = 0

    def element(self, value: Any) -> None:
        """Write one element; the order of the tests is part of the format."""
        if isinstance(value, MatCell):
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

    def _sized(self, value: object) -> None:
        """Write one element below the present one, with its length in front."""
        if self._depth == MAX_DEPTH:
            raise _too_deep()
        slot, before = len(self.parts), self._size
        self.parts.append(b"")
        self._depth += 1
        self.element(value)
        self._depth -= 1
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
        self._write(b"\x04", _U64(len(value)))
        for key, item in value.items():
            self._sized(key)
            self._sized(item)

    def _items(self, value: Sequence[object] | Set[object]) -> None:
        is_list = isinstance(value, MutableSequence)
        code = b"\x02" if is_list else b"\x03" if isinstance(value, Set) else b"\x01"
        self._write(code, _U64(len(value)))
        for item in value:
            self._sized(item)

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
            self._write(array.real.tobytes(order="F"), array.imag.tobytes(order="F"))
        elif array.dtype.kind in "OU":
            for item in array.ravel(order="F"):
                self._sized(item)
        elif array.dtype.kind == "S":
            self._write(array.astype("S2").tobytes(order="F"))  # each character and a zero byte
        else:
            self._write(array.tobytes(order="F"))

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
        for item in np.asarray(cell).ravel(order="F"):
            self._sized(item)

    def _struct(self, struct_array: MatStruct) -> None:
        names = struct_array.dtype.names or ()
        self._shape(b"S", struct_array)
        self._names(names)
        for record in np.asarray(struct_array).ravel(order="F"):
            for name in names:
                self._sized(record[name])

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
