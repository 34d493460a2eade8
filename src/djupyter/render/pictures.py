"""Arrays as pictures: a plane as a PNG in shades or colours, a trace as SVG lines. Pure; sizes are bounded."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np

from djupyter.render.markup import Html, image

Array = np.ndarray[Any, Any]

# Sides that differ more than this are shrunk each for itself: little would be left of the shorter one.
_LONG = 8
_SIDE, _SMALL = (
    320,
    192,
)  # pixels of a picture: at most, and about as many as smaller ones are enlarged to
_INK = "#4f86d9"  # to be seen on light and dark pages
_POINTS = 400  # columns of a trace
_CHARACTERS, _BARS = 60, "▁▂▃▄▅▆▇█"


def data_url(content: bytes, kind: str) -> Html:
    """Return bytes as a URL that holds them.

    >>> data_url(b"hi", "text/plain")
    'data:text/plain;base64,aGk='
    """
    return Html(f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}")


def can_be_drawn(array: Array) -> bool:
    """Whether an array is a plane or a trace of numbers."""
    return array.dtype.kind in "biufc" and array.size > 1 and array.ndim in (1, 2, 3)


def picture(plane: Array) -> bytes:
    """Return a plane of numbers, or of three or four colours, as a PNG of bounded size.

    Shades stretch from the 1st to the 99th percentile of the finite values; what is not finite is transparent.

    Parameters
    ----------
    plane
        Shape (rows, columns), or (rows, columns, 3 or 4).
    """
    from PIL import Image

    shrunk = _shrunk(np.abs(plane) if plane.dtype.kind == "c" else plane)
    pixels = _colours(shrunk) if shrunk.ndim == 3 else _shades(shrunk)
    scale = max(1, _SMALL // max(pixels.shape[:2]))
    if scale > 1:
        pixels = pixels.repeat(scale, axis=0).repeat(scale, axis=1)
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "PNG", optimize=True)
    return target.getvalue()


def sparkline(values: Array) -> str:
    """Return a line of numbers as characters; nothing for none that are finite.

    >>> sparkline(np.arange(8))
    '▁▂▃▄▅▆▇█'
    """
    numbers = np.abs(values) if values.dtype.kind == "c" else np.asarray(values, dtype=np.float64)
    edges = np.linspace(0, len(numbers), min(len(numbers), _CHARACTERS) + 1).astype(int)[:-1]
    high = np.fmax.reduceat(numbers, edges)
    finite = np.isfinite(high)
    if not finite.any():
        return ""
    bottom, top = high[finite].min(), high[finite].max()
    levels = np.where(finite, (high - bottom) / ((top - bottom) or 1.0) * (len(_BARS) - 1), 0)
    return "".join(
        _BARS[round(level)] if known else " "
        for level, known in zip(levels.tolist(), finite.tolist(), strict=True)
    )


def trace(values: Array, *, width: int = 360, height: int = 90) -> Html:
    """Return a line of numbers as SVG: of many values the least and the greatest of each column.

    Parameters
    ----------
    values
        Shape (n,).
    width, height
        In pixels.
    """
    numbers = np.abs(values) if values.dtype.kind == "c" else values
    low, high = _envelope(np.asarray(numbers, dtype=np.float64))
    finite = np.isfinite(low) & np.isfinite(high)
    if not finite.any():
        return Html("")
    bottom, top = float(low[finite].min()), float(high[finite].max())
    span = (top - bottom) or 1.0
    columns = np.linspace(1, width - 1, len(low))
    path, pen_is_down = [], False
    for x, a, b, is_finite in zip(columns, low, high, finite, strict=True):
        if not is_finite:
            pen_is_down = False
            continue
        y0, y1 = (height - 2 - (v - bottom) / span * (height - 4) for v in (a, b))
        path.append(f"{'L' if pen_is_down else 'M'}{x:.1f} {y0:.1f}L{x:.1f} {y1:.1f}")
        pen_is_down = True
    drawn = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f'<path d="{"".join(path)}" fill="none" stroke="{_INK}" stroke-width="1.2" '
        'vector-effect="non-scaling-stroke"/></svg>'
    )
    return image(drawn, f"trace from {bottom:.6g} to {top:.6g}", class_="dj-trace")


def _shrunk(plane: Array) -> Array:
    steps = [max(1, -(-n // _SIDE)) for n in plane.shape[:2]]
    if max(plane.shape[:2]) <= _LONG * min(plane.shape[:2]):
        steps = [max(steps)] * 2  # what is not a strip keeps its proportions
    return plane[:: steps[0], :: steps[1]]


def _shades(plane: Array) -> Array:
    values = np.asarray(plane, dtype=np.float64)
    finite = np.isfinite(values)
    low, high = np.percentile(values[finite], [1, 99]) if finite.any() else (0.0, 1.0)
    if high <= low:
        low, high = (values[finite].min(), values[finite].max()) if finite.any() else (0.0, 1.0)
    scaled = np.clip((np.where(finite, values, low) - low) / ((high - low) or 1.0), 0, 1)
    grey = (scaled * 255).astype(np.uint8)
    return grey if finite.all() else np.dstack([grey, np.where(finite, 255, 0).astype(np.uint8)])


def _colours(plane: Array) -> Array:
    if plane.dtype == np.uint8:
        return np.ascontiguousarray(plane)
    return np.dstack([_grey(plane[..., channel]) for channel in range(plane.shape[2])])


def _grey(channel: Array) -> Array:
    shades = _shades(channel)
    return shades if shades.ndim == 2 else shades[..., 0]


def _envelope(values: Array) -> tuple[Array, Array]:
    if len(values) <= _POINTS:
        return values, values
    edges = np.linspace(0, len(values), _POINTS + 1).astype(int)[:-1]
    with np.errstate(invalid="ignore"):
        return np.fmin.reduceat(values, edges), np.fmax.reduceat(values, edges)
