"""The small picture on a table card: parents above, the table in the middle, children below.

Shapes and lines are those of the pipeline diagram: rectangles are entered by hand, rounded boxes
fill themselves; a line is solid where the foreign key is in the child's key, dashed elsewhere,
orange where it renames, thick where it is unique.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from djupyter.render.characters import cut, text_width, visible
from djupyter.render.markup import Html, tag, tier_class
from djupyter.render.preview import Card, CardLink

MOST = 6
"""Neighbours drawn on each side; of the others only the number is told."""

_CHAR, _MARGIN, _GAP = 7.0, 11.0, 12.0
_HEIGHT, _STEP = 24.0, 58.0


@dataclass(frozen=True, slots=True)
class _Box:
    text: str
    tier: str | None
    title: str = ""
    link: CardLink | None = None
    kind: str = "dj-node"

    @property
    def width(self) -> float:
        return text_width(self.text) * _CHAR + 2 * _MARGIN


def neighbourhood_svg(card: Card) -> Html:
    """Return a table and its direct neighbours as a picture; nothing where it has none.

    Examples
    --------
    >>> neighbourhood_svg(Card("lab", "Mouse", "Manual", "", ()))
    ''
    """
    if not (card.parents or card.children):
        return Html("")
    here = _Box(
        cut(visible(card.name), 24), card.tier, _title(card.name, card.tier), kind="dj-node dj-here"
    )
    rows = [row for row in (_boxes(card.parents), [here], _boxes(card.children)) if row]
    width = max(_row_width(row) for row in rows) + 4
    height = (len(rows) - 1) * _STEP + _HEIGHT + 4
    placed = [
        (box, x, 2 + place * _STEP)
        for place, row in enumerate(rows)
        for box, x in _centres(row, width)
    ]
    middle = next((x, y) for box, x, y in placed if box is here)
    return tag(
        "svg",
        *(_edge(box.link, x, y, *middle) for box, x, y in placed if box.link),
        *(_node(box, x, y) for box, x, y in placed),
        class_="dj-diagram",
        role="img",
        aria_label=_description(card),
        viewBox=f"0 0 {width:g} {height:g}",
        width=f"{width:g}",
        height=f"{height:g}",
    )


def _boxes(links: Sequence[CardLink]) -> list[_Box]:
    boxes = [
        _Box(cut(visible(link.name), 24), link.tier, _title(link.name, link.tier), link)
        for link in links[:MOST]
    ]
    if len(links) > MOST:
        names = ", ".join(link.name for link in links[MOST:])
        boxes.append(_Box(f"+{len(links) - MOST} more", None, names, kind="dj-rest"))
    return boxes


def _row_width(row: Sequence[_Box]) -> float:
    return sum(box.width for box in row) + _GAP * (len(row) - 1)


def _centres(row: Sequence[_Box], width: float) -> list[tuple[_Box, float]]:
    left = (width - _row_width(row)) / 2
    centres = []
    for box in row:
        centres.append((box, left + box.width / 2))
        left += box.width + _GAP
    return centres


def _node(box: _Box, x: float, y: float) -> Html:
    if box.kind == "dj-rest":
        shape = Html("")
    else:
        shape = tag(
            "rect",
            x=f"{x - box.width / 2:g}",
            y=f"{y:g}",
            width=f"{box.width:g}",
            height=f"{_HEIGHT:g}",
            rx=12 if box.tier in {"Imported", "Computed"} else 3,
        )
    text = tag(
        "text",
        box.text,
        x=f"{x:g}",
        y=f"{y + 16:g}",
    )
    return tag(
        "g", tag("title", box.title), shape, text, class_=f"{box.kind} {tier_class(box.tier)}"
    )


def _edge(link: CardLink, x: float, y: float, here_x: float, here_y: float) -> Html:
    (top_x, top), (bottom_x, bottom) = sorted(
        ((x, y), (here_x, here_y)), key=lambda point: point[1]
    )
    top += _HEIGHT
    half = (top + bottom) / 2
    names = ["dj-edge", *_line(link)]
    path = f"M{top_x:g} {top:g}C{top_x:g} {half:g} {bottom_x:g} {half:g} {bottom_x:g} {bottom:g}"
    return tag("path", tag("title", describe(link)), class_=" ".join(names), d=path)


def _line(link: CardLink) -> list[str]:
    marks = {
        "dj-dashed": not link.in_key,
        "dj-renamed": bool(link.renames),
        "dj-thick": link.unique,
    }
    return [name for name, holds in marks.items() if holds]


def describe(link: CardLink) -> str:
    """Return what a line says: where the foreign key stands, its options and renames."""
    words = ["in the key" if link.in_key else "secondary"]
    words += ["nullable"] * link.nullable + ["unique"] * link.unique
    words += [f"{here} = {there}" for here, there in link.renames]
    return ", ".join(words)


def _title(name: str, tier: str | None) -> str:
    return f"{name}, {tier}" if tier else name


def _description(card: Card) -> str:
    sides = {"parents": card.parents, "children": card.children}
    told = [
        f"{side}: {', '.join(link.name for link in links[:MOST])}"
        for side, links in sides.items()
        if links
    ]
    return f"{card.name}; {'; '.join(told)}"
