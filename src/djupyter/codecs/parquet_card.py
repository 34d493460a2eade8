"""The card of a frame in a Parquet file: its columns, and its first rows, of which few pages are read.

pyarrow is imported when a card is made.
"""

from __future__ import annotations

import io
from typing import IO, Any

from djupyter.errors import DataJointError
from djupyter.render.markup import Html, tag
from djupyter.render.object_card import Facts, ObjectCard, bytes_text

_ROWS, _COLUMNS, _CHARACTERS = 8, 20, 80
# Of each column the pages at its beginning are read, of about 1 MB unless their writer chose otherwise.
_PAGES = 1_100_000
_BUFFER = 65_536


def parquet_card(source: IO[bytes], facts: Facts, budget: int) -> ObjectCard:
    """Return the card of an open file; without pyarrow, what is known of it.

    Parameters
    ----------
    source
        The file, open for reading at any place.
    facts
        What is known of it.
    budget
        Bytes that may be read.
    """
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        return ObjectCard("frame", facts, note="Not shown: that needs the package pyarrow.")
    with parquet.ParquetFile(
        _Bounded(source, budget), pre_buffer=False, buffer_size=_BUFFER
    ) as file:
        return _frame(file, facts, budget)


class _Bounded(io.RawIOBase):
    """A file of which so many bytes can be read."""

    def __init__(self, source: IO[bytes], budget: int) -> None:
        self._source, self._budget, self._left = source, budget, budget

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._source.seek(offset, whence)

    def tell(self) -> int:
        return self._source.tell()

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= self._left:
            raise DataJointError(f"a preview reads {bytes_text(self._budget)}, its rows need more.")
        data = self._source.read(size)
        self._left -= len(data)
        return data


def _frame(file: Any, facts: Facts, budget: int) -> ObjectCard:
    fields = list(file.schema_arrow)
    known = (*facts, ("rows", f"{file.metadata.num_rows:,}"), ("columns", f"{len(fields):,}"))
    if not file.num_row_groups:
        return ObjectCard("frame", known, _table(fields[:_COLUMNS], []), note="It is empty.")
    shown = _shown(file.metadata.row_group(0), fields[:_COLUMNS], budget)
    names = [field.name for field in shown]
    found = file.iter_batches(_ROWS, row_groups=[0], columns=names, use_threads=False)
    rows = next(found, None) if names else None
    columns = [_texts(column) for column in rows.columns] if rows is not None else []
    lines = list(zip(*columns, strict=True))
    left = [f"{len(lines)} rows"] if len(lines) < file.metadata.num_rows else []
    left += [f"{len(shown)} columns"] if len(shown) < len(fields) else []
    note = f"The first {' and '.join(left)}." if left else ""
    return ObjectCard("frame", known, _table(shown, lines), note=note)


def _shown(group: Any, fields: list[Any], budget: int) -> list[Any]:
    """Return the first columns, as many as may be read."""
    costs: dict[str, int] = {}
    for place in range(group.num_columns):
        column = group.column(place)
        # Names of what lies in a nested column begin with its own.
        for field in fields:
            if f"{column.path_in_schema}.".startswith(f"{field.name}."):
                cost = min(column.total_compressed_size, _PAGES)
                costs[field.name] = costs.get(field.name, 0) + cost
    shown, left = [], budget
    for field in fields:
        left -= costs.get(field.name, 0)
        if left < 0:
            break
        shown.append(field)
    return shown


def _texts(column: Any) -> list[str]:
    texts = ["" if value is None else str(value) for value in column.to_pylist()]
    return [t if len(t) <= _CHARACTERS else f"{t[:_CHARACTERS]}…" for t in texts]


def _table(fields: list[Any], rows: list[tuple[str, ...]]) -> Html:
    head = tag("tr", *(tag("th", each.name, scope="col", title=str(each.type)) for each in fields))
    body = [tag("tr", *(tag("td", text) for text in row)) for row in rows]
    table = tag("table", tag("thead", head), tag("tbody", *body), class_="dj-table dj-rows")
    return tag("div", table, class_="dj-scroll")
