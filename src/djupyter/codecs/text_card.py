"""The cards of texts, JSON and tables of separated values: their beginnings, shown as text, whatever they are."""

from __future__ import annotations

import csv
import json
from contextlib import suppress

from djupyter.codecs.bounded_file import BoundedFile
from djupyter.render.characters import cut, pad, text_width, visible
from djupyter.render.markup import Html, lines, tag
from djupyter.render.object_card import Facts, ObjectCard, bytes_text

_TEXT_BYTES = 4_000
_JSON_BYTES = 64_000
_LINES = 200
_ROWS, _COLUMNS, _CHARACTERS = 8, 20, 80
_PLACES = 24  # of a column in a terminal


def text_card(file: BoundedFile, facts: Facts, *, is_json: bool = False) -> ObjectCard:
    """Return the card of a text, JSON indented where it is not too long."""
    raw = file.read(min(file.budget, _JSON_BYTES if is_json else _TEXT_BYTES))
    whole = len(raw) >= file.size
    text = raw.decode("utf-8", errors="replace")
    if is_json and whole:
        with suppress(ValueError, RecursionError):
            text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    shown = text[:_TEXT_BYTES]
    rows = shown.splitlines()[:_LINES]
    cut_short = len(shown) < len(text) or len(rows) < len(shown.splitlines())
    note = "" if whole and not cut_short else f"The first {bytes_text(min(len(raw), _TEXT_BYTES))}"
    if note:
        note += f" of {bytes_text(file.size)}."
    return ObjectCard(
        "text",
        facts,
        tag("pre", lines("\n".join(rows))),
        lines=tuple(row.expandtabs(4) for row in rows[:20]),
        note=note,
    )


def separated_card(file: BoundedFile, separator: str, facts: Facts) -> ObjectCard:
    """Return the card of a table of separated values, its first rows."""
    raw = file.read(min(file.budget, 16 * _TEXT_BYTES))
    found = raw.decode("utf-8-sig", errors="replace").splitlines()
    if len(raw) < file.size and len(found) > 1:
        found = found[:-1]  # cut in its middle
    read = csv.reader(found[: _ROWS + 1], delimiter=separator)
    rows = []
    with suppress(csv.Error):  # such as a value of more than 131,072 characters
        rows += [row for row in read if row]
    if not rows:
        return ObjectCard(
            "table", facts, note="It is empty." if not file.size else "It has no rows."
        )
    head, *body = rows
    whole = len(raw) >= file.size and len(found) <= _ROWS + 1
    left = [] if whole else [f"{len(body)} rows"]
    left += [f"{_COLUMNS} columns"] if len(head) > _COLUMNS else []
    shown = [[value[:_CHARACTERS] for value in row[:_COLUMNS]] for row in rows]
    return ObjectCard(
        "table",
        (*facts, ("columns", str(len(head)))),
        rows_html(shown[0], shown[1:]),
        lines=rows_text(shown[0], shown[1:]),
        note=f"The first {' and '.join(left)}." if left else "",
    )


def rows_html(head: list[str], rows: list[list[str]], titles: list[str] | None = None) -> Html:
    """Return rows as a table; `titles` are what its headings say when pointed at."""
    names = zip(head, titles or [""] * len(head), strict=True)
    top = tag("tr", *(tag("th", name, scope="col", title=title) for name, title in names))
    body = [tag("tr", *(tag("td", value) for value in row)) for row in rows]
    table = tag("table", tag("thead", top), tag("tbody", *body), class_="dj-table dj-rows")
    return tag("div", table, class_="dj-scroll")


def rows_text(head: list[str], rows: list[list[str]]) -> tuple[str, ...]:
    """Return rows as aligned text.

    >>> print(*rows_text(["x", "name"], [["1", "a"], ["20", "b"]]), sep="|")
    x   name|1   a|20  b
    """
    cells = [[cut(visible(value), _PLACES) for value in row] for row in [head, *rows]]
    count = max(len(row) for row in cells)
    widths = [max(text_width(r[c]) for r in cells if c < len(r)) for c in range(count)]
    return tuple(
        "  ".join(pad(value, width) for value, width in zip(row, widths, strict=False)).rstrip()
        for row in cells
    )
