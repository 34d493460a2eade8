"""Bytes of the blob format to Python values; see `blob_format` for the layout.

The bytes may come from anyone. Nothing is executed, every declared length is compared with the
bytes that are left before memory is asked for, and damaged data raise a `DataJointError`.
"""

from __future__ import annotations

import datetime
import math
import struct
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Final

import numpy as np

from djupyter.codecs.blob_cursor import BlobTooShortError, ByteCursor
from djupyter.codecs.blob_envelope import unwrapped
from djupyter.codecs.blob_format import (
    ABSENT,
    CHAR,
    DTYPES,
    MATLAB_PROTOCOL,
    MAX_DEPTH,
    OBJECT,
    PYTHON_PROTOCOL,
    MatCell,
    MatStruct,
)
from djupyter.errors import DataJointError

Array = np.ndarray[Any, np.dtype[Any]]

_NONE, _INT, _BOOL, _FLOAT, _STR = 0xFF, 0x0A, 0x0B, 0x0D, 0x05
# The length and the code of an element, by the bytes of a length.
_HEADS: Final = {4: struct.Struct("<IB").unpack_from, 8: struct.Struct("<QB").unpack_from}
_LENGTHS: Final = {4: struct.Struct("<I").unpack_from, 8: struct.Struct("<Q").unpack_from}
_read_u16 = struct.Struct("<H").unpack_from
_read_f64 = struct.Struct("<d").unpack_from


class UnknownArrayTypeError(DataJointError, KeyError):
    """A blob has an array of an unknown type; also a `KeyError`, as users of datajoint expect."""


def read(
    data: bytes | bytearray | memoryview, *, squeeze: bool = False, use_32bit_dims: bool = False
) -> object:
    """Return the value that a blob stands for.

    Parameters
    ----------
    data
        The whole blob.
    squeeze
        Whether to remove singleton dimensions of arrays; those left without any become
        Python scalars.
    use_32bit_dims
        Whether lengths are u32, as 32-bit builds of mYm wrote them.

    Returns
    -------
    object
        The value; None also for data in no known protocol. Arrays are read-only.

    Raises
    ------
    DataJointError
        The data are damaged.

    Examples
    --------
    >>> read(bytes.fromhex("646a30000a010001"))
    1
    """
    with _damage_explained():
        plain = unwrapped(data, use_32bit_dims)
        if not plain.startswith((MATLAB_PROTOCOL, PYTHON_PROTOCOL)):
            return None
        reader = _Reader(plain, squeeze, use_32bit_dims)
        value = reader.element()
        if reader.left:
            raise _bad_length()
        return value


@contextmanager
def _damage_explained() -> Iterator[None]:
    try:
        yield
    except DataJointError:
        raise
    except (struct.error, IndexError) as error:
        raise BlobTooShortError(f"Invalid blob: its data are cut short ({error}).") from error
    # What Python and numpy raise for impossible dates, dict keys, shapes, texts and decimals.
    except (
        ValueError,
        TypeError,
        ArithmeticError,
        MemoryError,
        RecursionError,
    ) as error:
        raise DataJointError(f"Invalid blob: its data are damaged ({error}).") from error


class _Reader(ByteCursor):
    """Reads the elements of one blob."""

    def __init__(self, data: bytes, squeeze: bool, use_32bit_dims: bool) -> None:
        super().__init__(data, len(PYTHON_PROTOCOL), use_32bit_dims)
        self._squeeze, self._depth = squeeze, 0

    def element(self) -> Any:
        """Read one element."""
        return self._body(self.take(1)[0])

    def _body(self, code: int) -> Any:
        read_body = _BODIES.get(code)
        if read_body is None:
            raise DataJointError(f'Unknown data structure code "{chr(code)}". Upgrade datajoint.')
        return read_body(self)

    def _values(self, count: int) -> list[Any]:
        """Read so many elements below the present one, each with its length in front."""
        if count:
            self._descend()
        data, position, width = self.data, self.position, self.width
        read_head, read_length = _HEADS[width], _LENGTHS[width]
        values: list[Any] = []
        # By code, the commonest first and without a call: this is most of the time of reading a list.
        for _ in range(count):
            size, code = read_head(data, position)
            position += width + 1
            end = position + size - 1
            if code == _FLOAT and size == 9:
                values += _read_f64(data, position)
            elif code == _STR and size > width:
                (length,) = read_length(data, position)
                text = data[position + width : end]
                if length != len(text):
                    raise self._bad_end(end)
                values.append(text.decode())
            elif code == _INT and size > 2:
                (length,) = _read_u16(data, position)
                digits = data[position + 2 : end]
                if length != len(digits):
                    raise self._bad_end(end)
                values.append(int.from_bytes(digits, "little", signed=True))
            elif code == _NONE and size == 1:
                values.append(None)
            elif code == _BOOL and size == 2:
                values.append(data[position] != 0)
            else:
                values.append(self._other(code, position, end))
            position = end
        self.position = position
        self._depth -= count > 0
        return values

    def _descend(self) -> None:
        if self._depth == MAX_DEPTH:
            raise DataJointError(f"Invalid blob: nested deeper than {MAX_DEPTH} levels.")
        self._depth += 1

    def _other(self, code: int, position: int, end: int) -> Any:
        if end > len(self.data):
            raise self._bad_end(end)
        self.position = position
        value = self._body(code)
        if self.position != end:
            raise _bad_length()
        return value

    def _bad_end(self, end: int) -> DataJointError:
        if end <= len(self.data):
            return _bad_length()
        return BlobTooShortError(f"Invalid blob: {end} bytes expected, {len(self.data)} found.")

    # Python values

    def _none(self) -> None:
        return None

    def _bool(self) -> bool:
        return self.take(1) != b"\0"

    def _int(self) -> int:
        (size,) = self.numbers("<H")
        return int.from_bytes(self.take(size), "little", signed=True)

    def _float(self) -> float:
        (value,) = self.numbers("<d")
        return float(value)

    def _complex(self) -> complex:
        return complex(*self.numbers("<dd"))

    def _bytes(self) -> bytes:
        return self.take(self.length())

    def _str(self) -> str:
        size = self.length()
        start = self.advance(size)
        return str(memoryview(self.data)[start : self.position], "utf-8")

    def _decimal(self) -> Decimal:
        return Decimal(self._str())

    def _uuid(self) -> uuid.UUID:
        return uuid.UUID(bytes=self.take(16))

    def _moment(self) -> datetime.date | datetime.time | None:
        days, clock = self.numbers("<iq")
        date = None if days == ABSENT else _date(days)
        time = None if clock == ABSENT else _time(clock)
        if date is not None and time is not None:
            return datetime.datetime.combine(date, time)
        return time if date is None else date

    def _items(self) -> list[Any]:
        return self._values(self.count())

    def _tuple(self) -> tuple[Any, ...]:
        return tuple(self._items())

    def _set(self) -> set[Any]:
        return set(self._items())

    def _dict(self) -> dict[Any, Any]:
        values = self._values(2 * self.count(2))
        return dict(zip(values[::2], values[1::2], strict=True))

    # Arrays

    def _array(self) -> Any:
        array = self._plain_array()
        if self._squeeze:
            array = array.squeeze()
            return array.item() if array.ndim == 0 else array
        if array.ndim == 0 and array.dtype != object:
            return array[()]
        return array

    def _plain_array(self) -> Array:
        shape = self.shape()
        number, is_complex = self.numbers("<II")
        dtype = DTYPES.get(number)
        if dtype is None:
            raise UnknownArrayTypeError(
                f"Invalid blob: array type {number} is unknown. "
                "Upgrade djupyter if a newer one wrote it."
            )
        size = math.prod(shape)
        if number == OBJECT:
            flat = _objects(self._values(self.possible(size)))
        elif is_complex and number != CHAR:
            flat = self._complex_numbers(dtype, size)
        else:
            flat = self._numbers(dtype, size)
        if number == CHAR:
            return _characters(flat, shape)
        return flat.reshape(shape, order="F")

    def _numbers(self, dtype: np.dtype[Any], count: int) -> Array:
        start = self.advance(count * dtype.itemsize)
        return np.frombuffer(self.data, dtype, count, start)

    def _complex_numbers(self, dtype: np.dtype[Any], count: int) -> Array:
        real, imaginary = self._numbers(dtype, count), self._numbers(dtype, count)
        array = np.empty(count, dtype="<c8" if dtype == np.float32 else "<c16")
        array.real, array.imag = real, imaginary
        array.flags.writeable = False
        return array

    def _cell(self) -> MatCell:
        shape = self.shape()
        size = self.possible(math.prod(shape))
        cell = _objects(self._values(size))
        cell = cell.reshape(shape if size else (0,), order="F")
        return (cell.squeeze() if self._squeeze else cell).view(MatCell)

    def _struct_array(self) -> Array:
        shape, names = self.shape(), self.names()
        if not names:
            return np.array(None, dtype=object)
        size = self.possible(math.prod(shape), len(names))
        values = self._values(size * len(names))
        array = np.empty(shape, dtype=[(name, object) for name in names])
        for number, name in enumerate(array.dtype.names or ()):
            array[name] = _objects(values[number :: len(names)]).reshape(shape, order="F")
        if self._squeeze:
            array = array.squeeze()
        return array.view(MatStruct)

    def _records(self) -> Array:
        names = self.names()
        if not names:
            return np.array(None, dtype=object)
        self._descend()
        columns = [self._record_column() for _ in names]
        self._depth -= 1
        # A column of small arrays has its own dimensions after those of the records.
        shape = min((column.shape for column in columns), key=len)
        dtype = [
            (name, column.dtype, column.shape[len(shape) :])
            for name, column in zip(names, columns, strict=True)
        ]
        if any(column.shape[: len(shape)] != shape for column in columns):
            raise DataJointError("Invalid blob: the columns of its records differ in length.")
        array = np.empty(shape, dtype=dtype)
        for name, column in zip(array.dtype.names or (), columns, strict=True):
            array[name] = column
        return array.view(np.recarray)

    def _record_column(self) -> Any:
        code = self.take(1)
        if code == b"A":
            return self._plain_array()
        if code == b"F":
            return self._records()
        raise DataJointError("Invalid blob: a column of its records is no array.")

    def _sparse(self) -> Any:
        raise DataJointError(
            "MATLAB sparse arrays are not supported. Store full(array) in MATLAB instead."
        )


_BODIES: dict[int, Callable[[_Reader], Any]] = {
    ord("A"): _Reader._array,
    ord("C"): _Reader._cell,
    ord("S"): _Reader._struct_array,
    ord("F"): _Reader._records,
    ord("P"): _Reader._sparse,
    _NONE: _Reader._none,
    0x01: _Reader._tuple,
    0x02: _Reader._items,
    0x03: _Reader._set,
    0x04: _Reader._dict,
    _STR: _Reader._str,
    0x06: _Reader._bytes,
    _INT: _Reader._int,
    _BOOL: _Reader._bool,
    0x0C: _Reader._complex,
    _FLOAT: _Reader._float,
    ord("d"): _Reader._decimal,
    ord("t"): _Reader._moment,
    ord("u"): _Reader._uuid,
}


def _objects(values: list[Any]) -> Array:
    # Filled one by one: numpy would take a list of equally long sequences for more dimensions.
    array = np.empty(len(values), dtype=object)
    for position, value in enumerate(values):
        array[position] = value
    return array


def _characters(codes: Array, shape: tuple[int, ...]) -> Array:
    if len(shape) == 1 or (len(shape) == 2 and shape[0] == 1):
        return np.array([codes.tobytes().decode("utf-16-le", "surrogatepass")])
    return codes.astype("<u4").view("<U1").reshape(shape, order="F")


def _date(days: int) -> datetime.date:
    year, rest = divmod(days, 10000)
    return datetime.date(year, *divmod(rest, 100))


def _time(clock: int) -> datetime.time:
    seconds, microsecond = divmod(clock, 1_000_000)
    hour, rest = divmod(seconds, 10000)
    return datetime.time(hour, *divmod(rest, 100), microsecond)


def _bad_length() -> DataJointError:
    return DataJointError("Blob length check failed! Invalid blob")
