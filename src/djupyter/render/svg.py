"""A graph of tables as a picture: SVG that needs no program beside the one that shows it.

| drawn | means |
|---|---|
| sharp, rounded box | rows are entered by hand, made by the table itself |
| solid, dashed line | the foreign key is in the child's key, or outside it |
| thick line | it is all of the child's key: at most one child for each parent |
| orange line | attributes are renamed |

The colours are those that are asked for, or follow the system of the reader.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from djupyter.render.arranging import Point
from djupyter.render.blocks import LONGEST, Place, label
from djupyter.render.characters import cut, text_width, visible
from djupyter.render.drawing import Box, Direction, Drawing, Line
from djupyter.render.layout import Layout, layout
from djupyter.render.markup import Html, escape, tag
from djupyter.render.palette import FONT, PALETTES, ROUND, Palette, kind_of

_MARGIN = 10.0
_NOTE = 2000
"""Characters of a note that are shown."""

Shades = Literal["auto", "light", "dark"]


def svg(
    drawing: Drawing,
    shades: Shades = "auto",
    *,
    badges: Mapping[Box, str] | None = None,
    placed: Layout | None = None,
) -> Html:
    """Return a drawing as SVG.

    Parameters
    ----------
    drawing
        What to draw.
    shades
        `light`, `dark`, or `auto`: as the system of the reader is.
    badges
        A few characters for some boxes, such as how many rows there are.
    placed
        Its layout, where it is known already.

    Examples
    --------
    >>> text = svg(Drawing((Box("lab", "Subject", "Manual"),), ()))
    >>> text[:36], "<title>" in text
    ('<svg xmlns="http://www.w3.org/2000/s', True)
    """
    return Picture(drawing, badges=badges, placed=placed).svg(shades)


class Picture:
    """A drawing that is shown in several places: all but its colours is made once.

    Parameters
    ----------
    drawing, badges, placed
        As for `svg`.
    """

    def __init__(
        self,
        drawing: Drawing,
        *,
        badges: Mapping[Box, str] | None = None,
        placed: Layout | None = None,
    ) -> None:
        places, told = placed or layout(drawing), badges or {}
        width, height = places.size
        legend, (legend_width, legend_height) = _legend(drawing, max(width, 320.0))
        self._size = max(width, legend_width) + 2 * _MARGIN, height + legend_height + 2 * _MARGIN
        self._title = description(drawing)
        self._body = [
            tag(
                "g",
                *(_group(schema, place) for schema, place in places.groups.items()),
                *(_line(line, points, places.direction) for line, points in places.lines),
                *(_box(box, place, told.get(box, "")) for box, place in places.boxes.items()),
                transform=f"translate({_MARGIN:g} {_MARGIN:g})",
            ),
            tag("g", *legend, transform=f"translate({_MARGIN:g} {height + _MARGIN:g})"),
        ]

    def svg(self, shades: Shades = "auto") -> Html:
        """Return it in some colours."""
        width, height = self._size
        return tag(
            "svg",
            Html(f"<style>{_styles(shades)}</style>"),
            tag("rect", class_="paper", width="100%", height="100%"),
            *self._body,
            xmlns="http://www.w3.org/2000/svg",
            class_=f"dj-svg dj-{shades}",
            role="img",
            aria_label=self._title,
            viewBox=f"0 0 {width:g} {height:g}",
            width=f"{width:g}",
            height=f"{height:g}",
        )


def path(points: Sequence[Point], direction: Direction) -> str:
    """Return the path through some points, straight along and S-shaped across the direction.

    >>> path([(0, 0), (10, 0), (30, 8)], "LR")
    'M0 0H10C20 0 20 8 30 8'
    """
    if not points:
        return ""
    (x, y), *others = points
    pieces = [f"M{_number(x)} {_number(y)}"]
    for to_x, to_y in others:
        if direction == "LR":
            straight, middle = y == to_y, (x + to_x) / 2
            curve = f"C{_number(middle)} {_number(y)} {_number(middle)} {_number(to_y)} "
            step = f"H{_number(to_x)}"
        else:
            straight, middle = x == to_x, (y + to_y) / 2
            curve = f"C{_number(x)} {_number(middle)} {_number(to_x)} {_number(middle)} "
            step = f"V{_number(to_y)}"
        if (x, y) != (to_x, to_y):
            pieces.append(step if straight else f"{curve}{_number(to_x)} {_number(to_y)}")
        x, y = to_x, to_y
    return "".join(pieces)


def _number(value: float) -> str:
    text = f"{value:.1f}"
    return text[:-2] if text.endswith(".0") else text


def _group(schema: str, place: Place) -> Html:
    shown = cut(visible(schema), LONGEST)
    text = tag("text", shown, x=_number(place.x + 12), y=_number(place.y + 18))
    title = tag("title", f"schema {schema}")
    return tag("g", title, _rectangle(place, 6), text, class_="group")


def _box(box: Box, place: Place, badge: str) -> Html:
    kind = kind_of(box)
    middle = (place.x + place.width / 2, place.y + place.height / 2)
    return tag(
        "g",
        tag("title", _title(box)),
        *_shape(kind, place),
        tag("text", label(box), x=_number(middle[0]), y=_number(middle[1] + 4)),
        *_badge(badge, place),
        class_=f"box {kind.lower()}",
        data_table=box.full_name,
    )


def _shape(kind: str, place: Place) -> Iterator[Html]:
    corner = place.height / 2 if kind in ROUND else 2
    if kind == "Collapsed":  # a stack
        yield _rectangle(place, 2, 3.0)
    yield _rectangle(place, corner)


def _rectangle(place: Place, corner: float, shift: float = 0.0) -> Html:
    # Written out, as are lines: there are many of them, and nothing but numbers in them.
    x, y = _number(place.x + shift), _number(place.y + shift)
    width, height = _number(place.width), _number(place.height)
    return Html(
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="{_number(corner)}"></rect>'
    )


def _stroke(classes: str, way: str) -> Html:
    return Html(f'<path class="{classes}" d="{way}"></path>')


def _badge(badge: str, place: Place) -> Iterator[Html]:
    if badge:
        yield tag(
            "text",
            badge,
            class_="badge",
            x=_number(place.x + place.width - 4),
            y=_number(place.y + place.height + 9),
        )


def _title(box: Box) -> str:
    if box.is_collapsed:
        return f"schema {box.label}"
    head = f"{box.full_name} : {box.tier or 'table'}"
    return Html("\n".join(escape(line) for line in [head, *box.note[:_NOTE].splitlines()]))


def _line(line: Line, points: Sequence[Point], direction: Direction) -> Html:
    if not points:
        return Html("")
    classes = _classes(line)
    told = tag("title", f"{line.parent.label} → {line.child.label}: {line.words}")
    head = _stroke(classes.replace("line", "head"), _head(points[-1], direction))
    drawn = _stroke(classes, path(points, direction))
    return tag("g", told, drawn, head)


def _head(tip: Point, direction: Direction) -> str:
    back = "l-6-3.2v6.4z" if direction == "LR" else "l-3.2-6h6.4z"
    return f"M{_number(tip[0])} {_number(tip[1])}{back}"


def _classes(line: Line) -> str:
    marks = {"dashed": not line.in_key, "thick": line.whole_key, "renamed": bool(line.renames)}
    return " ".join(["line", *(name for name, holds in marks.items() if holds)])


def description(drawing: Drawing) -> str:
    """Return what a drawing shows, in words."""
    tables = sum(box.tables for box in drawing.boxes)
    schemas = list(dict.fromkeys(box.schema for box in drawing.boxes))
    told = ", ".join(schemas[:6]) + (", …" if len(schemas) > 6 else "")
    return (
        f"Diagram of {tables} table{'' if tables == 1 else 's'} in {told}"
        if schemas
        else "Diagram of no tables"
    )


# -- legend -----------------------------------------------------------------------------------------

_KINDS = ("Manual", "Lookup", "Imported", "Computed", "Part", "Other", "Collapsed")
_SAMPLES = {
    "primary": Line(Box("", "a"), Box("", "b")),
    "secondary": Line(Box("", "a"), Box("", "b"), in_key=False),
    "one-to-one": Line(Box("", "a"), Box("", "b"), whole_key=True),
    "renamed": Line(Box("", "a"), Box("", "b"), renames=(("a", "b"),)),
}


def _legend(drawing: Drawing, width: float) -> tuple[list[Html], tuple[float, float]]:
    """Return what the kinds that occur look like, in rows no wider than the picture, and the size of it."""
    words = {"Other": "other table", "Collapsed": "whole schema"}
    kinds = {kind_of(box) for box in drawing.boxes}
    samples = [(words.get(kind, kind), kind) for kind in _KINDS if kind in kinds]
    samples += [(name, name) for name in _used(drawing.lines)]
    x, y, widest = 0.0, 26.0, 0.0
    drawn = []
    for text, sample in samples:
        long = 34 + text_width(text) * 6.6 + 14
        if x and x + long > width:
            x, y = 0.0, y + 20
        drawn += [*_sample(sample, x, y), tag("text", text, x=_number(x + 32), y=_number(y + 4))]
        x += long
        widest = max(widest, x)
    return [tag("g", *drawn, class_="legend")] if drawn else [], (widest, y + 10 if drawn else 0.0)


def _used(lines: Sequence[Line]) -> Iterator[str]:
    kinds = {
        "primary": any(line.in_key and not line.whole_key for line in lines),
        "secondary": any(not line.in_key for line in lines),
        "one-to-one": any(line.whole_key for line in lines),
        "renamed": any(line.renames for line in lines),
    }
    return (name for name, occurs in kinds.items() if occurs)


def _sample(name: str, x: float, y: float) -> Iterator[Html]:
    if name in _SAMPLES:
        line = f"M{_number(x)} {_number(y)}h26"
        yield _stroke(_classes(_SAMPLES[name]), line)
    else:
        shape = _shape(name, Place(x + 2, y - 6, 22, 12))
        yield tag("g", *shape, class_=f"box {name.lower()}")


# -- colours ----------------------------------------------------------------------------------------


def _styles(shades: Shades) -> str:
    own = f".dj-{shades}"
    light, dark = PALETTES["light"], PALETTES["dark"]
    shape = _rules(
        own,
        {
            "text": f"font:12px {FONT};text-anchor:middle",
            ".group text": "text-anchor:start;font-size:12px;font-weight:600",
            ".legend text": "text-anchor:start;font-size:11px",
            ".badge": "text-anchor:end;font-size:9.5px",
            ".line": "fill:none;stroke-width:1.3",
            ".line.dashed": "stroke-dasharray:5 3",
            ".line.thick": "stroke-width:2.8",
        },
    )
    if shades == "auto":
        media = f"@media (prefers-color-scheme:dark){{{_rules(own, _colours(dark))}}}"
        return shape + _rules(own, _colours(light)) + media
    return shape + _rules(own, _colours(PALETTES[shades]))


def _rules(scope: str, rules: Mapping[str, str]) -> str:
    return "".join(
        f"{','.join(f'{scope} {each}' for each in selector.split(','))}{{{rule}}}"
        for selector, rule in rules.items()
    )


def _colours(palette: Palette) -> dict[str, str]:
    colours = {
        ".paper": f"fill:{palette.paper}",
        ".group rect": f"fill:{palette.group};stroke:{palette.border}",
        ".group text,.legend text,.badge": f"fill:{palette.soft}",
        ".line": f"stroke:{palette.line}",
        ".head": f"fill:{palette.line}",
        ".line.renamed": f"stroke:{palette.renamed}",
        ".head.renamed": f"fill:{palette.renamed}",
    }
    for kind, ink in palette.boxes.items():
        colours[f".{kind.lower()} rect"] = f"fill:{ink.fill};stroke:{ink.stroke}"
        colours[f".{kind.lower()} text"] = f"fill:{ink.text}"
    return colours
