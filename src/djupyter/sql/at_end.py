"""What hears of the end of a transaction."""

from __future__ import annotations

from contextlib import suppress
from typing import Protocol


class Ending(Protocol):
    """Something that must be done when a transaction ends."""

    def published(self) -> None:
        """Hear that what the transaction did is permanent."""

    def discarded(self) -> None:
        """Hear that what the transaction did is undone; must not raise."""


def discard_all(endings: list[Ending]) -> None:
    """Tell all that what they belong to is undone, the last one first."""
    while endings:
        ending = endings.pop()
        try:
            ending.discarded()
        except BaseException:  # Ctrl-C, which may have come before it began
            with suppress(Exception):
                ending.discarded()
            discard_all(endings)
            raise
