"""The path of a fetched attachment, which shows the file in a notebook."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from djupyter.codecs.array_card import BUDGET
from djupyter.codecs.file_card import file_card
from djupyter.codecs.shown import guarded
from djupyter.render.object_card import ObjectCard, bytes_text, object_html


class Attachment(str):
    """A path on this machine, a text as any other; made by fetching an attribute `<attach>`."""

    __slots__ = ()

    def open(self) -> IO[bytes]:
        """Open the file for reading."""
        return Path(self).open("rb")

    def _repr_html_(self) -> str:
        facts = (("path", str(self)),)

        def card() -> ObjectCard:
            size = Path(self).stat().st_size
            return file_card(self, size, self.open, (*facts, ("size", bytes_text(size))), BUDGET)

        return object_html(guarded(card, "file", facts))
