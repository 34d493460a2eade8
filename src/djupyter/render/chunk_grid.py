"""The chunks of an array as a drawing: the grid along two axes, shards, and what of it was read. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from djupyter.render.markup import Html, image
from djupyter.render.sampling import Sample

_SIDE, _LEAST = 110.0, 14.0  # pixels
_INK, _READ = "#808890", "#4f86d9"  # to be seen on light and dark pages
# More lines than these would be a grey area.
_LINES = 32


def chunk_grid(
    shape: Sequence[int], chunks: Sequence[int], shards: Sequence[int] | None, part: Sample
) -> Html:
    """Return the grid of chunks along the axes that are shown, as SVG.

    Parameters
    ----------
    shape, chunks, shards
        Of the array; shards only where it has some.
    part
        What was read of it, which is filled.

    Examples
    --------
    >>> part = Sample((slice(0, 4), slice(0, 4)), False, (0, 1))
    >>> chunk_grid((8, 8), (4, 4), None, part).count("%3Cpath")
    1
    """
    axes = part.axes[:2]
    if not axes or not all(shape[axis] for axis in axes):
        return Html("")
    column, row = axes[-1], axes[0] if len(axes) == 2 else None
    width, height = _sides(shape[column], shape[row] if row is not None else None)
    text = _label(shape, chunks, axes)
    filled = _filled(part, shape, column, row, width, height)
    thin = _path(shape, chunks, column, row, width, height)
    thick = _path(shape, shards, column, row, width, height) if shards else ""
    lines = f'<path d="{thin}" stroke-width=".6"/>' if thin else ""
    lines += f'<path d="{thick}" stroke-width="1.4"/>' if thick else ""
    drawn = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1 -1 {width + 2:.1f} {height + 2:.1f}" '
        f'width="{width + 2:.0f}" height="{height + 2:.0f}" fill="none" stroke="{_INK}">'
        f'{filled}{lines}<rect width="{width:.1f}" height="{height:.1f}" stroke-width="1.4"/></svg>'
    )
    return image(drawn, text, class_="dj-grid", title=text)


def _sides(columns: int, rows: int | None) -> tuple[float, float]:
    if rows is None:
        return _SIDE, _LEAST
    longest = max(columns, rows)
    # Python's integers: what a damaged file says is larger than any float.
    return max(_LEAST, _SIDE * (columns / longest)), max(_LEAST, _SIDE * (rows / longest))


def _label(shape: Sequence[int], chunks: Sequence[int], axes: Sequence[int]) -> str:
    counts = " × ".join(f"{math.ceil(shape[axis] / max(1, chunks[axis])):,}" for axis in axes)
    which = " and ".join(str(axis) for axis in axes)
    return f"{counts} chunks along {'axis' if len(axes) == 1 else 'axes'} {which}; what was read is filled"


def _filled(
    part: Sample, shape: Sequence[int], column: int, row: int | None, width: float, height: float
) -> str:
    x, w = _extent(part.index[column], shape[column], width)
    y, h = _extent(part.index[row], shape[row], height) if row is not None else (0.0, height)
    place = f'x="{x:.1f}" y="{y:.1f}" width="{max(w, 1):.1f}" height="{max(h, 1):.1f}"'
    return f'<rect {place} fill="{_READ}" fill-opacity=".45" stroke="none"/>'


def _extent(index: slice | int, length: int, side: float) -> tuple[float, float]:
    if isinstance(index, int):
        return index / length * side, side / length
    first, last = index.start or 0, length if index.stop is None else index.stop
    return first / length * side, (last - first) / length * side


def _path(
    shape: Sequence[int],
    pieces: Sequence[int],
    column: int,
    row: int | None,
    width: float,
    height: float,
) -> str:
    lines = [f"M{x:.1f} 0V{height:.1f}" for x in _edges(shape[column], pieces[column], width)]
    if row is not None:
        lines += [f"M0 {y:.1f}H{width:.1f}" for y in _edges(shape[row], pieces[row], height)]
    return "".join(lines)


def _edges(length: int, piece: int, side: float) -> Iterator[float]:
    """Yield the places of edges inside; of very many only as many as can be seen, evenly."""
    count = math.ceil(length / max(1, piece))
    step = -(-count // _LINES)
    for number in range(step, count, step):
        yield number * piece / length * side
