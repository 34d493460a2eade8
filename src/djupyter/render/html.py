"""A preview to HTML: a table that reads like pandas, with the key as its index."""

from __future__ import annotations

from collections.abc import Sequence

from djupyter.render.characters import cut
from djupyter.render.markup import Html, caption, join, muted, output, tag
from djupyter.render.preview import Preview, PreviewColumn
from djupyter.render.text import count_text, is_numeric
from djupyter.render.values import Shown, shown

WIDTH = 60
"""Characters of a value that are shown; up to 1000 appear when the pointer rests on it."""


def preview_html(preview: Preview) -> str:
    """Return the first rows of a query as HTML.

    The same preview gives the same bytes. There is no script; every value is escaped.

    Examples
    --------
    >>> columns = (PreviewColumn("mouse", "int32", in_key=True),)
    >>> page = preview_html(Preview("Mouse", "Manual", "", columns, (("<b>",),)))
    >>> "&lt;b&gt;" in page, "<b>" in page
    (True, False)
    """
    cells = [[shown(value) for value in row] for row in preview.rows]
    numeric = [is_numeric([row[place] for row in cells]) for place in range(len(preview.columns))]
    title = caption(preview.title, preview.tier, muted(preview.comment))
    return output(
        title if preview.title or preview.comment else "",
        scrolled(_table(preview, cells, numeric), f"rows of {preview.title or 'a query'}"),
        tag("div", _total(preview), class_="dj-total dj-muted") if preview.rows else "",
        styles=("table",),
    )


def scrolled(table: Html, label: str) -> Html:
    """Return a table that scrolls sideways where the notebook is too narrow for it."""
    return tag("div", table, class_="dj-scroll", role="region", aria_label=label, tabindex=0)


def cell(value: Shown, *, in_key: bool = False, edge: bool = False, numeric: bool = False) -> Html:
    """Return one value as an element of a table; key values head their row.

    Parameters
    ----------
    value
        What to show.
    in_key
        Whether it belongs to the index.
    edge
        Whether it is the last one of the index.
    numeric
        Whether its column is aligned to the right.
    """
    text = cut(value.text, WIDTH)
    full = value.full or value.text
    names = _classes(numeric, edge, value.kind if value.kind in {"null", "summary"} else "")
    title = full if full != text else None
    if in_key:
        return tag("th", text, class_=names, title=title, scope="row")
    return tag("td", text, sparkline(value.trace), class_=names, title=title)


def sparkline(trace: Sequence[float]) -> Html:
    """Return a small picture of a few numbers, nothing where there is no line to draw.

    >>> "polyline" in sparkline((0.0, 1.0)), sparkline(())
    (True, '')
    """
    if len(trace) < 2:
        return Html("")
    low, height, step = min(trace), (max(trace) - min(trace)) or 1.0, 60 / (len(trace) - 1)
    points = " ".join(
        f"{place * step:.1f},{13 - 12 * (value - low) / height:.1f}"
        for place, value in enumerate(trace)
    )
    line = tag("polyline", points=points, fill="none", stroke="currentColor")
    return tag("svg", line, class_="dj-spark", viewBox="0 0 60 14", aria_hidden="true")


def _table(preview: Preview, cells: Sequence[Sequence[Shown]], numeric: Sequence[bool]) -> Html:
    keys = [column.in_key for column in preview.columns]
    edges = [
        in_key and not any(keys[place + 1 :]) and place + 1 < len(keys)
        for place, in_key in enumerate(keys)
    ]
    layout = list(zip(keys, edges, numeric, strict=True))
    head = join(
        _head(column, edge=edge, numeric=right)
        for column, (_, edge, right) in zip(preview.columns, layout, strict=True)
    )
    body = [
        tag(
            "tr",
            *(
                cell(value, in_key=in_key, edge=edge, numeric=right)
                for value, (in_key, edge, right) in zip(row, layout, strict=True)
            ),
        )
        for row in cells
    ]
    if not body:
        body = [tag("tr", tag("td", "no rows", class_="dj-none", colspan=max(len(keys), 1)))]
    return tag(
        "table", tag("thead", tag("tr", head)), tag("tbody", *body), class_="dj-table dj-rows"
    )


def _head(column: PreviewColumn, *, edge: bool, numeric: bool) -> Html:
    title = " · ".join(
        filter(None, [column.type, "primary key" if column.in_key else "", column.comment])
    )
    name = column.name if column.in_key else tag("span", column.name, class_="dj-plain")
    return tag("th", name, class_=_classes(numeric, edge), title=title, scope="col")


def _classes(numeric: bool, edge: bool, kind: str = "") -> str:
    names = ["dj-number" * numeric, "dj-edge" * edge, f"dj-{kind}" if kind else ""]
    return " ".join(filter(None, names))


def _total(preview: Preview) -> str:
    number = len(preview.rows)
    if not preview.more:
        total = number if preview.total is None else preview.total
        return count_text(total, preview.bounded)
    if preview.total is None:
        return f"the first {count_text(number)}, there are more"
    return f"the first {number:,} of {count_text(preview.total, preview.bounded)}"
