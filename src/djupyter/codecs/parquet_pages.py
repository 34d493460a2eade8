"""How large the first pages of a Parquet file become when they are decompressed, before memory is taken for them.

A page says so in its own header (`PageHeader` of parquet.thrift, in Thrift's compact protocol), which pyarrow believes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from djupyter.codecs.bounded_file import BoundedFile

# A header holds statistics, the least and greatest value among them.
_HEADER = 16_384
_PAGES = 40

_TRUE, _FALSE, _I8, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)
_DATA, _DICTIONARY, _DATA_V2 = 5, 7, 8


@dataclass(frozen=True, slots=True)
class Page:
    """A page by its header: bytes in memory and in the file, values, and where the next one begins."""

    size: int
    stored: int
    values: int
    is_data: bool
    next: int


def pages(file: BoundedFile, start: int, stop: int, values: int) -> Iterator[Page]:
    """Yield the pages of a column between two places in the file, until they hold so many values.

    Raises
    ------
    ValueError
        What lies there is no header of a page.
    """
    for _ in range(_PAGES):
        file.seek(start)
        page = read_header(file.read(min(_HEADER, file.size - start)), start)
        yield page
        values -= page.values if page.is_data else 0
        if values <= 0 or page.next <= start or page.next >= min(stop, file.size):
            return
        start = page.next


def read_header(data: bytes, start: int = 0) -> Page:
    """Return the page whose header begins here.

    >>> read_header(bytes([0x15, 0, 0x15, 200, 1, 0x15, 20, 0x2C, 0x15, 6, 0, 0]))
    Page(size=100, stored=10, values=3, is_data=True, next=22)
    """
    reader = _Reader(data)
    fields = reader.struct()
    try:
        size, stored = int(fields[2]), int(fields[3])  # type: ignore[call-overload]
    except (KeyError, TypeError) as error:
        raise ValueError("this is no page of a Parquet file") from error
    if size < 0 or stored < 0:
        raise ValueError("a page of the Parquet file has a negative size")
    inner = fields.get(_DATA) or fields.get(_DATA_V2) or {}
    count = inner.get(1, 0) if isinstance(inner, dict) else 0
    is_data = _DICTIONARY not in fields
    values = count if isinstance(count, int) else 0
    return Page(size, stored, values, is_data, start + reader.place + stored)


class _Reader:
    """Reads structs of numbers; what else is in them is skipped."""

    def __init__(self, data: bytes) -> None:
        self.data, self.place = data, 0

    def struct(self, level: int = 0) -> dict[int, object]:
        if level > 8:
            raise ValueError("the header of a page is nested too deeply")
        fields: dict[int, object] = {}
        number = 0
        while head := self._byte():
            kind = head & 15
            number = number + (head >> 4) if head >> 4 else self._signed()
            fields[number] = self._value(kind, level)
        return fields

    def _value(self, kind: int, level: int) -> object:
        if kind in (_TRUE, _FALSE):
            return kind == _TRUE
        if kind == _I8:
            return self._byte()
        if kind in (_I16, _I32, _I64):
            return self._signed()
        if kind == _STRUCT:
            return self.struct(level + 1)
        if kind in (_DOUBLE, _BINARY):
            self._skip(8 if kind == _DOUBLE else self._unsigned())
            return None
        raise ValueError("the header of a page holds what none does")

    def _skip(self, count: int) -> None:
        self.place += count
        if self.place > len(self.data):
            raise ValueError("the header of a page does not end")

    def _byte(self) -> int:
        self._skip(1)
        return self.data[self.place - 1]

    def _unsigned(self) -> int:
        result = shift = 0
        while True:
            byte = self._byte()
            result |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return result
            if shift > 63:
                raise ValueError("the header of a page has a number that is too long")

    def _signed(self) -> int:
        number = self._unsigned()
        return (number >> 1) ^ -(number & 1)
