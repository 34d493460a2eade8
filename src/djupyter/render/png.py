"""A graph of tables as PNG: the layout of the SVG, painted by matplotlib, which needs no program beside it."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from itertools import pairwise
from math import sqrt
from typing import Any

from djupyter.errors import DataJointError
from djupyter.render.arranging import Point
from djupyter.render.blocks import LONGEST, Place, label
from djupyter.render.characters import cut, visible
from djupyter.render.drawing import Box, Drawing, Line
from djupyter.render.layout import Layout, layout
from djupyter.render.palette import PALETTES, ROUND, Palette, Theme, kind_of

_MARGIN = 10.0
_SCALE = 2.0
"""Pixels of the picture for one of the layout: sharp on dense screens and in print."""
_MOST_PIXELS = 25e6
_SIZE = 8.4  # of letters, in points: 12 pixels of the layout, which has 100 in an inch


def png(drawing: Drawing, theme: Theme = "light") -> bytes:
    """Return a drawing as PNG.

    Raises
    ------
    DataJointError
        matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise DataJointError(
            "A PNG is painted by matplotlib, which is not installed: `pip install matplotlib`. "
            "SVG and Mermaid need nothing: save the diagram as .svg or .mmd."
        ) from error
    places, palette = layout(drawing), PALETTES[theme]
    width, height = (side + 2 * _MARGIN for side in places.size)
    figure = Figure(figsize=(width / 100, height / 100), facecolor=palette.paper)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-_MARGIN, width - _MARGIN), ylim=(height - _MARGIN, -_MARGIN))
    axes.set_axis_off()
    _paint(axes, places, palette)
    scale = min(_SCALE, sqrt(_MOST_PIXELS / (width * height)))
    picture = BytesIO()
    figure.savefig(picture, format="png", dpi=100 * scale, facecolor=palette.paper)
    return picture.getvalue()


def _paint(axes: Any, places: Layout, palette: Palette) -> None:
    for schema, place in places.groups.items():
        _rectangle(axes, place, 6, palette.group, palette.border, 0)
        name = cut(visible(schema), LONGEST)
        _text(axes, (place.x + 12, place.y + 14), name, palette.soft, ha="left", weight="bold")
    for line, points in places.lines:
        if points:
            _line(axes, line, points, places.direction, palette)
    for box, place in places.boxes.items():
        _box(axes, box, place, palette)


def _rectangle(
    axes: Any, place: Place, corner: float, fill: str, stroke: str, order: float, shift: float = 0.0
) -> None:
    from matplotlib.patches import FancyBboxPatch

    style = f"round,pad=0,rounding_size={corner}"
    corners = (place.x + shift, place.y + shift)
    patch = FancyBboxPatch(
        corners, place.width, place.height, style, fc=fill, ec=stroke, lw=0.75, zorder=order
    )
    axes.add_patch(patch)


def _text(axes: Any, at: Point, text: str, colour: str, **more: Any) -> None:
    options = {"ha": "center", "va": "center", "fontsize": _SIZE, "zorder": 4, **more}
    # What looks like mathematics to matplotlib is only a name.
    axes.text(*at, text, color=colour, parse_math=False, **options)


def _box(axes: Any, box: Box, place: Place, palette: Palette) -> None:
    kind = kind_of(box)
    ink = palette.boxes[kind]
    corner = place.height / 2 if kind in ROUND else 2
    if box.is_collapsed:  # a stack
        _rectangle(axes, place, corner, ink.fill, ink.stroke, 2, 3.0)
    _rectangle(axes, place, corner, ink.fill, ink.stroke, 3)
    middle = (place.x + place.width / 2, place.y + place.height / 2)
    _text(axes, middle, label(box), ink.text)


def _line(axes: Any, line: Line, points: Sequence[Point], direction: str, palette: Palette) -> None:
    from matplotlib.patches import PathPatch, Polygon
    from matplotlib.path import Path

    codes, vertices = [Path.MOVETO], [points[0]]
    for (x, y), (to_x, to_y) in pairwise(points):
        codes += [Path.CURVE4] * 3
        if direction == "LR":
            middle = (x + to_x) / 2
            vertices += [(middle, y), (middle, to_y), (to_x, to_y)]
        else:
            middle = (y + to_y) / 2
            vertices += [(x, middle), (to_x, middle), (to_x, to_y)]
    colour = palette.renamed if line.renames else palette.line
    width = 2.1 if line.whole_key else 1.0
    dash = "-" if line.in_key else (0, (4, 2.4))
    axes.add_patch(
        PathPatch(Path(vertices, codes), fc="none", ec=colour, lw=width, ls=dash, zorder=1)
    )
    x, y = points[-1]
    head = [(x, y), (x - 6, y - 3.2), (x - 6, y + 3.2)]
    if direction == "TB":
        head = [(x, y), (x - 3.2, y - 6), (x + 3.2, y - 6)]
    axes.add_patch(Polygon(head, fc=colour, ec="none", zorder=1))
