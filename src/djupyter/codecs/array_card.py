"""The card of an array, wherever it lies: what is known of it, statistics and a picture from a bounded part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from djupyter.codecs.guarded import guarded
from djupyter.render.markup import Html, join, tag
from djupyter.render.object_card import Facts, ObjectCard, bytes_text, shape_text
from djupyter.render.pictures import can_be_drawn, data_url, picture, sparkline, trace
from djupyter.render.sampling import Sample, sample

Read = Callable[[tuple[slice | int, ...]], np.ndarray[Any, Any]]

# What a preview reads, at most; `display.preview_bytes` for objects of tables.
BUDGET = 8_000_000
# Of other elements neither a picture nor statistics are made, so they are not read.
_SHOWN = "biufc"


def in_memory_card(array: np.ndarray[Any, Any]) -> ObjectCard:
    """Return the card of an array in memory."""
    return guarded(
        lambda _: array_card("array", array.shape, array.dtype, array.__getitem__), "array", ()
    )


def array_card(
    title: str,
    shape: Sequence[int],
    dtype: np.dtype[Any],
    read: Read,
    *,
    facts: Facts = (),
    chunks: Sequence[int] | None = None,
    budget: int = BUDGET,
    axes: Sequence[int] | None = None,
    grid: Html | None = None,
) -> ObjectCard:
    """Return the card of an array, of which at most some bytes are read.

    Parameters
    ----------
    title
        What it is.
    shape, dtype
        Of the array.
    read
        Returns the part of the array at an index.
    facts
        What else is known of it.
    chunks
        Lengths of its chunks; None for an array in one piece.
    budget
        Bytes that may be read.
    axes
        Which axes the picture shows; the last ones when None.
    grid
        A drawing of its chunks.

    Examples
    --------
    >>> data = np.arange(6).reshape(2, 3)
    >>> dict(array_card("array", data.shape, data.dtype, data.__getitem__).facts)["values"]
    '0 … 5, mean 2.5'
    """
    known = array_facts(shape, dtype)
    if not prod(shape):
        return ObjectCard(title, (*known, *facts), note="It has no elements.")
    part = sample(shape, max(dtype.itemsize, 1), budget, chunks, axes)
    # Of a chunk nothing can be read before all of it is; it is as large at the edges.
    piece = prod(chunks) * dtype.itemsize if chunks else 0
    if dtype.kind not in _SHOWN:
        return ObjectCard(title, (*known, *facts), grid or Html(""))
    if piece > budget:
        note = f"Not shown: a chunk has {bytes_text(piece)}, a preview reads {bytes_text(budget)}."
        return ObjectCard(title, (*known, *facts), note=note)
    values = np.asarray(read(part.index))
    where = "values" if part.is_whole else "values (sampled)"
    statistics = array_statistics(values)
    return ObjectCard(
        title,
        (*known, *facts, *(((where, statistics),) if statistics else ())),
        join([array_picture(values, part), grid or Html("")]),
        lines=_line(values),
        note="" if part.is_whole else f"Shown: {part}, read in part.",
    )


def array_facts(shape: Sequence[int], dtype: np.dtype[Any]) -> Facts:
    """Return what is known of an array before anything of it is read."""
    return (
        ("shape", shape_text(shape)),
        ("type", str(dtype)),
        ("size", bytes_text(prod(shape) * dtype.itemsize)),
    )


def array_statistics(values: np.ndarray[Any, Any]) -> str:
    """Return the least, the greatest and the mean of numbers; nothing for other elements."""
    if values.dtype.kind == "b":
        return f"{int(values.sum()):,} true of {values.size:,}"
    if values.dtype.kind not in "iuf":
        return ""
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    if values.dtype.itemsize == 2 and values.dtype.kind == "f":
        finite = finite.astype(np.float32)  # a sum overflows half precision
    if not finite.size:
        return "no finite values"
    gaps = values.size - finite.size
    found = f"{finite.min():.6g} … {finite.max():.6g}, mean {finite.mean(dtype=np.float64):.6g}"
    return f"{found}, {gaps:,} not finite" if gaps else found


def array_picture(values: np.ndarray[Any, Any], part: Sample) -> Html:
    """Return a plane as an image, a line as a trace; nothing of what cannot be drawn."""
    if not can_be_drawn(values) or (values.ndim == 3 and len(part.axes) != 3):
        return Html("")
    if values.ndim == 1 or min(values.shape[:2]) == 1:
        return trace(values.reshape(-1))
    text = f"picture of {part}"
    # A picture of few elements or of one shade says nothing more than the facts do.
    return tag("img", src=data_url(picture(values), "image/png"), alt=text, class_="dj-picture")


def _line(values: np.ndarray[Any, Any]) -> tuple[str, ...]:
    flat = values.ndim == 1 or (values.ndim == 2 and min(values.shape) == 1)
    if not can_be_drawn(values) or not flat:
        return ()
    shown = sparkline(values.reshape(-1))
    return (shown,) if shown else ()
