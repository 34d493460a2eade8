"""What changed between the database and a cell, attribute by attribute."""

from __future__ import annotations

from djupyter.heading.differences import Change
from djupyter.render.characters import visible
from djupyter.render.html import scrolled
from djupyter.render.markup import Html, caption, join, muted, output, prose, tag
from djupyter.render.preview import Difference
from djupyter.render.text import aligned

SIGNS = {"added": "+", "removed": "-", "changed": "~", "same": " "}


def difference_text(difference: Difference) -> str:
    """Return a difference as aligned text.

    Examples
    --------
    >>> changes = Change("changed", "depth", "int16", "int32"), Change("added", "notes", "", "json")
    >>> print(difference_text(Difference("lab", "Scan", "Manual", changes, ("Nothing was done.",))))
    lab.Scan : Manual differs from the database
      attribute  database  cell
    ~ depth      int16     int32
    + notes                json
    Nothing was done.
    """
    title = f"{difference.schema}.{difference.name} : {difference.tier or 'table'}"
    rows = [["  attribute", "database", "cell"], *map(_text_row, difference.changes)]
    lines = [f"{visible(title)} differs from the database", *aligned(rows)]
    return "\n".join([*lines, *map(visible, difference.advice)])


def difference_html(difference: Difference) -> str:
    """Return a difference as HTML: coloured, and with a sign for those who do not see the colours.

    Examples
    --------
    >>> change = Change("added", "trace", "", "<blob>")
    >>> "&lt;blob&gt;" in difference_html(Difference("lab", "Scan", None, (change,)))
    True
    """
    heads = [tag("th", class_="dj-sign", aria_label="change")]
    heads += [tag("th", name, scope="col") for name in ("attribute", "database", "cell")]
    table = tag(
        "table",
        tag("thead", tag("tr", *heads)),
        tag("tbody", *map(_html_row, difference.changes)),
        class_="dj-table dj-changes",
    )
    advice = join(tag("li", prose(line)) for line in difference.advice)
    return output(
        caption(
            difference.name,
            difference.tier,
            muted(difference.schema),
            tag("span", "differs from the database"),
        ),
        scrolled(table, f"changes of {difference.name}"),
        tag("ul", advice, class_="dj-advice") if advice else "",
        styles=("table", "difference"),
    )


def _text_row(change: Change) -> list[str]:
    name = f"{SIGNS[change.kind]} {visible(change.name)}"
    return [name, visible(change.database), visible(change.cell)]


def _html_row(change: Change) -> Html:
    old: str = change.database
    new: str = change.cell
    if change.kind in {"removed", "changed"}:
        old = tag("del", old) if old else ""
    if change.kind in {"added", "changed"}:
        new = tag("ins", new) if new else ""
    return tag(
        "tr",
        tag("td", SIGNS[change.kind], class_="dj-sign", title=change.kind),
        tag("th", change.name, scope="row"),
        tag("td", old, class_="dj-wrap dj-mono"),
        tag("td", new, class_="dj-wrap dj-mono"),
        class_=f"dj-{change.kind}",
    )
