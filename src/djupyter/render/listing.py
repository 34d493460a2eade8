"""Lists of tables: what a schema holds, and how far its automatic tables have come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from djupyter.render.characters import visible
from djupyter.render.html import scrolled
from djupyter.render.markup import Html, join, muted, output, tag, tier_class
from djupyter.render.object_card import bytes_text
from djupyter.render.text import aligned, count_text

HEADS = ("table", "tier", "rows", "attributes", "size", "progress", "comment")
NUMERIC = {"rows", "attributes", "size"}
STATUS_HEADS = ("table", "progress", "remaining", "errors")

_NOTHING = "no Imported or Computed tables"


@dataclass(frozen=True, slots=True)
class TableRow:
    """One table in a list.

    Parameters
    ----------
    name
        Class name.
    tier
        Tier; None for a table of another tool.
    rows
        Number of rows, None when not counted.
    rows_bounded
        The count stopped at `rows`; there may be more.
    columns
        Number of attributes.
    comment
        The table's comment.
    done, total
        Keys done and keys in all, for tables that fill themselves; None for the others.
    errors
        Keys that failed.
    size
        Bytes on disk, None where the database does not tell.
    """

    name: str
    tier: str | None
    rows: int | None = None
    rows_bounded: bool = False
    columns: int = 0
    comment: str = ""
    done: int | None = None
    total: int | None = None
    errors: int = 0
    size: int | None = None


def progress_text(done: int, errors: int, total: int, places: int = 20) -> str:
    """Return a bar of blocks and the counts; errors take part of the bar.

    Parameters
    ----------
    done, errors, total
        Numbers of keys.
    places
        Length of the bar.

    Examples
    --------
    >>> progress_text(5, 2, 10, places=10)
    '█████▒▒░░░ 5 of 10, 2 errors'
    """
    full, failed = _share(done, total, places), _share(errors, total, places)
    bar = "█" * full + "▒" * min(failed, places - full)
    return f"{bar:░<{places}} {_counts(done, errors, total)}"


def progress_html(rows: Sequence[TableRow]) -> str:
    """Return a bar for each table that fills itself, in the given order.

    Examples
    --------
    >>> page = progress_html([TableRow("Scan", "Imported", done=3, total=4)])
    >>> "3 of 4" in page, "75%" in page
    (True, True)
    """
    body = [tag("tr", _name(row), tag("td", _bar(row))) for row in rows if _is_automatic(row)]
    table = tag("table", tag("tbody", *body), class_="dj-table dj-listing")
    return output(scrolled(table, "progress"), styles=("table", "listing"))


def tables_text(rows: Sequence[TableRow]) -> str:
    """Return the tables of a schema as aligned text; without sizes, which are others after every insert.

    Examples
    --------
    >>> print(tables_text([TableRow("Mouse", "Manual", 12, columns=3, comment="Mice")]))
    table  tier    rows  attributes  comment
    Mouse  Manual    12           3  Mice
    """
    body = [_text_row(row) for row in rows]
    heads = [head for head in HEADS if head != "size"]
    used = [place for place, _ in enumerate(heads) if not body or any(row[place] for row in body)]
    lines = [[line[place] for place in used] for line in [heads, *body]]
    numeric = frozenset(place for place, old in enumerate(used) if heads[old] in NUMERIC)
    return "\n".join(aligned(lines, numeric))


def tables_html(rows: Sequence[TableRow], title: str = "") -> str:
    """Return the tables of a schema as HTML.

    Parameters
    ----------
    rows
        The tables, in the order to show them.
    title
        Name of the schema.

    Examples
    --------
    >>> "&lt;mice&gt;" in tables_html([TableRow("Mouse", "Manual", 12, comment="<mice>")])
    True
    """
    left_out = set() if any(map(_is_automatic, rows)) else {"progress"}
    left_out |= set() if any(row.size is not None for row in rows) else {"size"}
    heads = [head for head in HEADS if head not in left_out]
    head = [
        tag("th", name, class_="dj-number" if name in NUMERIC else "", scope="col")
        for name in heads
    ]
    body = [_html_row(row, heads) for row in rows]
    if not body:
        body = [tag("tr", tag("td", "no tables", class_="dj-none", colspan=len(heads)))]
    table = tag(
        "table",
        tag("thead", tag("tr", *head)),
        tag("tbody", *body),
        class_="dj-table dj-rows dj-listing",
    )
    caption = join(
        [tag("strong", title, class_="dj-name"), muted(count_text(len(rows), unit="table"))]
    )
    return output(
        tag("div", caption, class_="dj-caption dj-tier-none") if title else "",
        scrolled(table, f"tables of {title or 'the schema'}"),
        styles=("table", "listing"),
    )


def status_text(rows: Sequence[TableRow]) -> str:
    """Return how far each table that fills itself has come, as aligned text.

    Examples
    --------
    >>> print(status_text([TableRow("Stat", "Computed", done=5, total=10, errors=2)]))
    table  progress                                remaining  errors
    Stat   ██████████▒▒▒▒░░░░░░ 5 of 10, 2 errors          5       2
    """
    if not rows:
        return _NOTHING
    body = [[visible(row.name), *_status(row)] for row in rows]
    return "\n".join(aligned([list(STATUS_HEADS), *body], frozenset((2, 3))))


def status_html(rows: Sequence[TableRow]) -> str:
    """Return how far each table that fills itself has come, with a bar for each.

    Examples
    --------
    >>> page = status_html([TableRow("Stat", "Computed", done=5, total=10, errors=2)])
    >>> "5 of 10" in page, "50%" in page, "dj-errors" in page
    (True, True, True)
    """
    head = [
        tag("th", name, class_="dj-number" if place > 1 else "", scope="col")
        for place, name in enumerate(STATUS_HEADS)
    ]
    body = [_status_row(row) for row in rows]
    if not body:
        body = [tag("tr", tag("td", _NOTHING, class_="dj-none", colspan=len(head)))]
    table = tag(
        "table",
        tag("thead", tag("tr", *head)),
        tag("tbody", *body),
        class_="dj-table dj-rows dj-listing",
    )
    return output(scrolled(table, "progress of all tables"), styles=("table", "listing"))


def _status_row(row: TableRow) -> Html:
    _, remaining, errors = _status(row)
    shown = tag("span", row.comment, class_="dj-failed") if row.total is None else _bar(row)
    return tag(
        "tr",
        _name(row),
        tag("td", shown),
        tag("td", remaining, class_="dj-number"),
        tag(
            "td", tag("span", errors, class_="dj-failed" if row.errors else ""), class_="dj-number"
        ),
    )


def _status(row: TableRow) -> tuple[str, str, str]:
    if row.total is None:
        return visible(row.comment) or "unknown", "", ""
    done = row.done or 0
    bar = progress_text(done, row.errors, row.total)
    return bar, f"{row.total - done:,}", f"{row.errors:,}"


def _text_row(row: TableRow) -> list[str]:
    bar = "" if row.total is None else progress_text(row.done or 0, row.errors, row.total, 10)
    return [
        visible(row.name),
        row.tier or "",
        _rows(row),
        str(row.columns),
        bar,
        visible(row.comment),
    ]


def _is_automatic(row: TableRow) -> bool:
    return row.total is not None


def _html_row(row: TableRow, heads: Sequence[str]) -> Html:
    cells = {
        "tier": tag("td", row.tier or "", class_="dj-muted"),
        "rows": tag("td", _rows(row), class_="dj-number"),
        "attributes": tag("td", str(row.columns), class_="dj-number"),
        "size": tag("td", _size(row), class_="dj-number"),
        "progress": tag("td", _bar(row)),
        "comment": tag("td", row.comment, class_="dj-wrap"),
    }
    return tag("tr", _name(row), *(cells[head] for head in heads[1:]))


def _name(row: TableRow) -> Html:
    name = tag("span", row.name, class_="dj-name")
    return tag("th", name, class_=tier_class(row.tier), scope="row")


def _rows(row: TableRow) -> str:
    if row.rows is None:
        return "?"
    return f"{'>' if row.rows_bounded else ''}{row.rows:,}"


def _size(row: TableRow) -> str:
    return "" if row.size is None else bytes_text(row.size)


def _bar(row: TableRow) -> Html:
    if row.total is None:
        return Html("")
    done, errors = row.done or 0, row.errors
    counts = _counts(done, errors, row.total)
    pieces = [
        tag("span", class_=name, style=f"width:{_percent(count, row.total)}%")
        for name, count in (("dj-done", done), ("dj-errors", errors))
        if count
    ]
    bar = tag(
        "span",
        *pieces,
        class_="dj-bar",
        role="progressbar",
        aria_valuemin=0,
        aria_valuemax=row.total,
        aria_valuenow=done,
        aria_label=f"{row.name}: {counts}",
    )
    plain = _counts(done, 0, row.total)
    failed = tag("span", counts[len(plain) :], class_="dj-failed") if errors else ""
    return join([bar, tag("span", plain, failed, class_="dj-count")])


def _counts(done: int, errors: int, total: int) -> str:
    failed = f", {count_text(errors, unit='error')}" if errors else ""
    return f"{done:,} of {total:,}{failed}"


def _share(count: int, total: int, places: int) -> int:
    # Rounded down, so that only a complete table shows a full bar; with nothing to do all is done.
    return places * count // total if total else 0


def _percent(count: int, total: int) -> int:
    return min(100, 100 * count // total) if total else 0
