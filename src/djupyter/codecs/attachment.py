"""The path of a fetched attachment, which shows the file in a notebook."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

from djupyter.codecs.array_card import BUDGET
from djupyter.codecs.bounded_file import BoundedFile
from djupyter.codecs.deadline import Deadline
from djupyter.codecs.file_card import file_card
from djupyter.codecs.guarded import guarded
from djupyter.codecs.shown import bundle
from djupyter.render.object_card import ObjectCard, bytes_text, object_html


class Attachment(str):
    """A path on this machine, a text as any other; made by fetching an attribute `<attach>`."""

    __slots__ = ()

    def open(self) -> IO[bytes]:
        """Open the file for reading."""
        return Path(self).open("rb")

    def _repr_html_(self) -> str:
        return object_html(self._card())

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return bundle(self._card())

    def _card(self) -> ObjectCard:
        facts = (("path", str(self)),)
        return guarded(lambda until: self._shown(until), "file", facts)

    def _shown(self, until: Deadline) -> ObjectCard:
        size = Path(self).stat().st_size
        facts = (("path", str(self)), ("size", bytes_text(size)))
        with self.open() as file:
            bounded = BoundedFile.over(file, size, BUDGET)
            bounded.deadline = until
            return file_card(self, size, lambda: bounded, facts, BUDGET)
