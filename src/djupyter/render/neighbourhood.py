"""The small picture on a table card: parents above, the table in the middle, children below.

Shapes and lines are those of the pipeline diagram: rectangles are entered by hand, rounded boxes
fill themselves; a line is solid where the foreign key is in the child's key, dashed elsewhere,
orange where it renames, thick where it is unique.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from djupyter.render.characters import cut, text_width, visible
from djupyter.render.markup import Html, images, tag
from djupyter.render.palette import FONT, PALETTES, ROUND, Palette
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
    is_here: bool = False
    is_rest: bool = False

    @property
    def width(self) -> float:
        return text_width(self.text) * _CHAR + 2 * _MARGIN


def neighbourhood(card: Card) -> Html:
    """Return a table and its direct neighbours as a picture; nothing where it has none.

    Examples
    --------
    >>> neighbourhood(Card("lab", "Mouse", "Manual", "", ()))
    ''
    """
    if not (card.parents or card.children):
        return Html("")
    light, dark = (neighbourhood_svg(card, PALETTES[theme]) for theme in ("light", "dark"))
    return images(light, dark, _description(card), "dj-diagram")


def neighbourhood_svg(card: Card, palette: Palette) -> Html:
    """Return the picture of a table that has neighbours in some colours."""
    here = _Box(cut(visible(card.name), 24), card.tier, _title(card.name, card.tier), is_here=True)
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
        *(_edge(box.link, x, y, *middle, palette) for box, x, y in placed if box.link),
        *(_node(box, x, y, palette) for box, x, y in placed),
        xmlns="http://www.w3.org/2000/svg",
        font_family=FONT,
        font_size=12,
        text_anchor="middle",
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
        boxes.append(_Box(f"+{len(links) - MOST} more", None, names, is_rest=True))
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


def _node(box: _Box, x: float, y: float, palette: Palette) -> Html:
    ink = palette.boxes.get(box.tier or "Part", palette.boxes["Part"])
    if box.is_rest:
        return tag("text", box.text, x=f"{x:g}", y=f"{y + 16:g}", fill=palette.soft)
    shape = tag(
        "rect",
        x=f"{x - box.width / 2:g}",
        y=f"{y:g}",
        width=f"{box.width:g}",
        height=f"{_HEIGHT:g}",
        rx=12 if box.tier in ROUND else 3,
        fill=ink.fill,
        stroke=ink.stroke,
        stroke_width=2 if box.is_here else 1,
    )
    weight = 600 if box.is_here else None
    text = tag("text", box.text, x=f"{x:g}", y=f"{y + 16:g}", fill=ink.text, font_weight=weight)
    return tag("g", tag("title", box.title), shape, text)


def _edge(
    link: CardLink, x: float, y: float, here_x: float, here_y: float, palette: Palette
) -> Html:
    (top_x, top), (bottom_x, bottom) = sorted(
        ((x, y), (here_x, here_y)), key=lambda point: point[1]
    )
    top += _HEIGHT
    half = (top + bottom) / 2
    path = f"M{top_x:g} {top:g}C{top_x:g} {half:g} {bottom_x:g} {half:g} {bottom_x:g} {bottom:g}"
    return tag(
        "path",
        tag("title", describe(link)),
        d=path,
        fill="none",
        stroke=palette.renamed if link.renames else palette.line,
        stroke_width=2.6 if link.unique else 1.2,
        stroke_dasharray=None if link.in_key else "4 3",
    )


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
