"""Which part of a large array a preview reads: at most so many bytes. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

# Of chunks, each of which is a request, however small it is.
_PIECES = 256


@dataclass(frozen=True, slots=True)
class Sample:
    """A part of an array.

    Parameters
    ----------
    index
        One slice or position for each axis; what is left has at most two axes, three for colours.
    is_whole
        Whether it is all of the array.
    axes
        The axes that are shown, in their order.
    """

    index: tuple[slice | int, ...]
    is_whole: bool
    axes: tuple[int, ...]

    def __str__(self) -> str:
        parts = [
            str(part)
            if isinstance(part, int)
            else f"{'' if part.start is None else part.start}:{'' if part.stop is None else part.stop}"
            for part in self.index
        ]
        return f"[{', '.join(parts)}]"


def sample(
    shape: Sequence[int],
    itemsize: int,
    budget: int,
    chunks: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    position: Sequence[int] | None = None,
) -> Sample:
    """Return what to read of an array to show it.

    The last two axes are shown (three when the last one has 3 or 4 colours), of all others the middle position. A
    plane that is too large is cut to its corner, at edges of chunks, for a chunk is read whole anyway.

    Parameters
    ----------
    shape
        Of the array.
    itemsize
        Bytes of an element.
    budget
        Bytes that may be read.
    chunks
        Lengths of the chunks along each axis; None for an array in one piece.
    axes
        Which axes to show, in ascending order; None as said above.
    position
        Where along each of the other axes; None for the middle.

    Examples
    --------
    >>> sample((10, 2000, 2000), 2, 8_000_000, (1, 500, 500)).index
    (5, slice(0, 2000, None), slice(0, 2000, None))
    >>> str(sample((10, 20000, 20000), 2, 8_000_000, (1, 500, 500)))
    '[5, 0:1000, 0:2500]'
    """
    steps = [min(c, n) or 1 for c, n in zip(chunks or [1] * len(shape), shape, strict=True)]
    axes = tuple(axes) if axes is not None else shown_axes(shape)
    # A chunk is read whole, also along axes of which one position is shown.
    cost = itemsize * math.prod(step for axis, step in enumerate(steps) if axis not in axes)
    lengths = _lengths(
        [shape[axis] for axis in axes],
        [steps[axis] for axis in axes],
        budget // max(cost, 1),
        _PIECES if chunks is not None else None,
    )
    index: list[slice | int] = [n // 2 for n in shape] if position is None else [*position]
    for axis, length in zip(axes, lengths, strict=True):
        index[axis] = slice(0, length)
    is_whole = len(axes) == len(shape) and all(
        length == shape[axis] for axis, length in zip(axes, lengths, strict=True)
    )
    return Sample(tuple(index), is_whole, axes)


def shown_axes(shape: Sequence[int]) -> tuple[int, ...]:
    """Return which axes make the picture of an array: the last two, or three when the last one has colours.

    >>> shown_axes((5, 20, 30)), shown_axes((5, 20, 30, 3))
    ((1, 2), (1, 2, 3))
    """
    count = len(shape)
    has_colours = count >= 3 and shape[-1] in (3, 4) and min(shape[-3:-1]) > 4
    return tuple(range(max(0, count - (3 if has_colours else 2)), count))


def _lengths(
    shape: Sequence[int], steps: Sequence[int], elements: int, pieces: int | None
) -> list[int]:
    """Return how much of each axis to read: in whole steps, at least one, so that no more elements are read."""
    counts = [-(-n // step) for n, step in zip(shape, steps, strict=True)]
    most = elements // math.prod(steps)
    if pieces is not None:
        most = min(most, pieces)
    while math.prod(counts) > most and max(counts, default=1) > 1:
        widest = counts.index(max(counts))
        counts[widest] //= 2
    return [min(n, c * step) for n, c, step in zip(shape, counts, steps, strict=True)]
