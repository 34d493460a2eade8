"""Pieces of a picture that nothing joins, side by side in rows, so that the whole is neither a line nor a column."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

_SHAPE = 1.5
"""Width of the whole over its height, about."""


def packed(
    sizes: Sequence[tuple[float, float]], gap: float, least: float = 0.0
) -> tuple[list[tuple[float, float]], tuple[float, float]]:
    """Return the upper left corner of each rectangle, and the size of the whole.

    Parameters
    ----------
    sizes
        Width and height of each.
    gap
        Between two of them.
    least
        A width that is there anyway.

    Examples
    --------
    >>> packed([(30, 10), (10, 10), (10, 10)], 2)
    ([(0.0, 0.0), (0.0, 12.0), (12.0, 12.0)], (30.0, 22.0))
    """
    area = sum((width + gap) * (height + gap) for width, height in sizes)
    most = max([least, sqrt(area * _SHAPE), *(width for width, _ in sizes)])
    corners = []
    x = y = row = widest = 0.0
    for width, height in sizes:
        if x and x + width > most:
            x, y, row = 0.0, y + row + gap, 0.0
        corners.append((x, y))
        x, row = x + width + gap, max(row, height)
        widest = max(widest, x - gap)
    return corners, (widest, y + row)
