"""The card of a frame in a Parquet file: its columns, and its first rows, of which few pages are read.

pyarrow is imported when a card is made.
"""

from __future__ import annotations

from typing import IO, Any

from djupyter.codecs.bounded_file import BoundedFile
from djupyter.codecs.parquet_pages import pages
from djupyter.codecs.text_card import rows_html, rows_text
from djupyter.errors import DataJointError
from djupyter.render.object_card import Facts, ObjectCard, bytes_text

_ROWS, _COLUMNS, _CHARACTERS = 8, 20, 80
# Of each column the pages at its beginning are read, of about 1 MB unless their writer chose otherwise.
_PAGES = 1_100_000
_BUFFER = 65_536
# Pages of that size in memory, in all, for the bytes that may be read.
_DECOMPRESSED = 8


def parquet_card(source: IO[bytes] | BoundedFile, facts: Facts, budget: int) -> ObjectCard:
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
    size = source.seek(0, 2)
    bounded = BoundedFile.over(source, size, budget)
    bounded.seek(0)
    with parquet.ParquetFile(bounded, pre_buffer=False, buffer_size=_BUFFER) as file:
        return _frame(file, bounded, facts, budget)


def _frame(file: Any, source: BoundedFile, facts: Facts, budget: int) -> ObjectCard:
    fields = list(file.schema_arrow)
    known = (*facts, ("rows", f"{file.metadata.num_rows:,}"), ("columns", f"{len(fields):,}"))
    if not file.num_row_groups:
        names = [field.name for field in fields[:_COLUMNS]]
        return ObjectCard("frame", known, rows_html(names, []), note="It is empty.")
    shown = _shown(file.metadata.row_group(0), fields[:_COLUMNS], budget - source.taken)
    names = [field.name for field in shown]
    _check_pages(file.metadata.row_group(0), names, source, budget)
    found = file.iter_batches(_ROWS, row_groups=[0], columns=names, use_threads=False)
    rows = next(found, None) if names else None
    columns = [_texts(column) for column in rows.columns] if rows is not None else []
    body = [list(row) for row in zip(*columns, strict=True)]
    left = [f"{len(body)} rows"] if len(body) < file.metadata.num_rows else []
    left += [f"{len(shown)} columns"] if len(shown) < len(fields) else []
    return ObjectCard(
        "frame",
        known,
        rows_html(names, body, [str(field.type) for field in shown]) if names else "",  # type: ignore[arg-type]
        lines=rows_text(names, body) if names else (),
        note=f"The first {' and '.join(left)}." if left else "",
    )


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


def _check_pages(group: Any, names: list[str], source: BoundedFile, budget: int) -> None:
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
        for page in pages(source, start, stop, column.num_values if is_nested else _ROWS):
            size += page.size
            if size > _DECOMPRESSED * budget:
                raise DataJointError(
                    f"its first pages become {bytes_text(size)} or more when they are decompressed"
                )


def _texts(column: Any) -> list[str]:
    return [_text(value) for value in column.to_pylist()]


def _text(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= _CHARACTERS else f"{text[:_CHARACTERS]}…"
