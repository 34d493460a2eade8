"""The card of a frame in a Parquet file: its columns and its first rows, which a process of its own reads."""

from __future__ import annotations

from importlib.util import find_spec
from typing import IO

from djupyter.codecs.bounded_file import BoundedFile
from djupyter.codecs.isolated import read_isolated
from djupyter.codecs.text_card import rows_html, rows_text
from djupyter.render.markup import Html
from djupyter.render.object_card import Facts, ObjectCard


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
    if find_spec("pyarrow") is None:
        return ObjectCard("frame", facts, note="Not shown: that needs the package pyarrow.")
    size = source.seek(0, 2)
    source.seek(0)
    bounded = BoundedFile.over(source, size, budget)
    found = read_isolated("parquet_rows", bounded, budget=budget)
    known = (*facts, ("rows", f"{found['rows']:,}"), ("columns", f"{found['columns']:,}"))
    names = [str(name) for name in found["names"]]
    lines = [[str(value) for value in line] for line in found["lines"]]
    left = [f"{len(lines)} rows"] if len(lines) < found["rows"] else []
    left += [f"{len(names)} columns"] if len(names) < found["columns"] else []
    note = f"The first {' and '.join(left)}." if left else ""
    return ObjectCard(
        "frame",
        known,
        rows_html(names, lines, [str(kind) for kind in found["types"]]) if names else Html(""),
        lines=rows_text(names, lines) if names else (),
        note=note if found["rows"] else "It is empty.",
    )
