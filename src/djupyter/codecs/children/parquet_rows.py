"""The first rows of a Parquet file, of which few pages are read.

How large a page becomes when it is decompressed, it says in its own header (`PageHeader` of parquet.thrift, in Thrift's
compact protocol), which pyarrow believes. It is looked at before memory is taken for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

_ROWS, _COLUMNS, _CHARACTERS = 8, 20, 80
# Of each column the pages at its beginning are read, of about 1 MB unless their writer chose otherwise.
_COLUMN = 1_100_000
_BUFFER = 65_536
# Pages of that size in memory, in all, for the bytes that may be read.
_DECOMPRESSED = 8

# A header holds statistics, the least and greatest value among them.
_HEADER = 16_384
_PAGES = 40

_TRUE, _FALSE, _I8, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)
_DATA, _DICTIONARY, _DATA_V2 = 5, 7, 8


def read(file: BinaryIO, budget: int) -> dict[str, Any]:
    """Return the columns and the first rows of a file, as plain data.

    Parameters
    ----------
    file
        Open for reading at any place.
    budget
        Bytes that may be read.

    Raises
    ------
    ValueError
        Its pages would take too much memory.
    """
    import pyarrow.parquet as parquet

    with parquet.ParquetFile(file, pre_buffer=False, buffer_size=_BUFFER) as opened:
        return _frame(opened, file, budget)


def _frame(opened: Any, file: BinaryIO, budget: int) -> dict[str, Any]:
    fields = list(opened.schema_arrow)
    known: dict[str, Any] = {"rows": opened.metadata.num_rows, "columns": len(fields)}
    if not opened.num_row_groups:
        names = [field.name for field in fields[:_COLUMNS]]
        return known | {"names": names, "types": [""] * len(names), "lines": []}
    group = opened.metadata.row_group(0)
    shown = _shown(group, fields[:_COLUMNS], budget)
    names = [field.name for field in shown]
    _check_pages(group, names, file, budget)
    found = opened.iter_batches(_ROWS, row_groups=[0], columns=names, use_threads=False)
    rows = next(found, None) if names else None
    columns = [_texts(column) for column in rows.columns] if rows is not None else []
    lines = [list(line) for line in zip(*columns, strict=True)]
    types = [str(field.type)[:_CHARACTERS] for field in shown]
    return known | {"names": names, "types": types, "lines": lines}


def _shown(group: Any, fields: list[Any], budget: int) -> list[Any]:
    """Return the first columns, as many as may be read."""
    costs: dict[str, int] = {}
    for place in range(group.num_columns):
        column = group.column(place)
        # Names of what lies in a nested column begin with its own.
        for field in fields:
            if f"{column.path_in_schema}.".startswith(f"{field.name}."):
                cost = min(column.total_compressed_size, _COLUMN)
                costs[field.name] = costs.get(field.name, 0) + cost
    shown, left = [], budget
    for field in fields:
        left -= costs.get(field.name, 0)
        if left < 0:
            break
        shown.append(field)
    return shown


def _check_pages(group: Any, names: list[str], file: BinaryIO, budget: int) -> None:
    """Raise where the first pages become more than a preview may take, whatever the metadata say of them."""
    size = 0
    for place in range(group.num_columns):
        column = group.column(place)
        if not any(f"{column.path_in_schema}.".startswith(f"{name}.") for name in names):
            continue
        starts = [column.dictionary_page_offset, column.data_page_offset]
        start = min(offset for offset in starts if offset)
        # Of a nested column, a row may have any number of values.
        is_nested = "." in column.path_in_schema
        stop = start + column.total_compressed_size
        for page in pages(file, start, stop, column.num_values if is_nested else _ROWS):
            size += page.size
            if size > _DECOMPRESSED * budget:
                raise ValueError(
                    f"its first pages become {size / 1e6:,.1f} MB or more when they are decompressed"
                )


def _texts(column: Any) -> list[str]:
    return [_text(value) for value in column.to_pylist()]


def _text(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= _CHARACTERS else f"{text[:_CHARACTERS]}…"


@dataclass(frozen=True, slots=True)
class Page:
    """A page by its header: bytes in memory and in the file, values, and where the next one begins."""

    size: int
    stored: int
    values: int
    is_data: bool
    next: int


def pages(file: BinaryIO, start: int, stop: int, values: int) -> Iterator[Page]:
    """Yield the pages of a column between two places in the file, until they hold so many values.

    Raises
    ------
    ValueError
        What lies there is no header of a page.
    """
    for _ in range(_PAGES):
        file.seek(start)
        page = read_header(file.read(min(_HEADER, stop - start)), start)
        yield page
        values -= page.values if page.is_data else 0
        if values <= 0 or page.next <= start or page.next >= stop:
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
