"""The card of an array in a .npy file."""

from __future__ import annotations

from typing import IO

from djupyter.codecs.array_card import array_card
from djupyter.codecs.bounded_file import BoundedFile
from djupyter.codecs.npy_part import NpyPart
from djupyter.render.object_card import Facts, ObjectCard


def npy_card(title: str, file: IO[bytes] | BoundedFile, facts: Facts, budget: int) -> ObjectCard:
    """Return the card of the array in an open file, of which a bounded part is read."""
    part = NpyPart(file)
    return array_card(
        title,
        part.shape,
        part.dtype,
        part.read,
        facts=facts,
        chunks=part.chunks(budget),
        # The header and what a request brings beyond it are read as well.
        budget=max(1, budget - 2 * 65_536) if budget > 4 * 65_536 else budget // 2,
        axes=part.shown_axes,
    )
