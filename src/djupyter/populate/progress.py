"""How far a populate is, told to whoever listens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Progress:
    """A moment of a populate.

    Parameters
    ----------
    table
        Name of the class.
    done, errors, total
        Numbers of keys.
    """

    table: str
    done: int
    errors: int
    total: int


class Listener(Protocol):
    """Hears of every finished key."""

    def __call__(self, progress: Progress) -> None:
        """Take note of a moment; must be quick."""


class Bar:
    """A tqdm bar in the terminal or in the output of a cell.

    Parameters
    ----------
    table
        What the bar is called.
    total
        Number of keys.
    """

    def __init__(self, table: str, total: int) -> None:
        from tqdm import tqdm

        self._bar: Any = tqdm(total=total, desc=table, unit="key")

    def __call__(self, progress: Progress) -> None:
        """Advance the bar."""
        self._bar.update(progress.done + progress.errors - self._bar.n)
        if progress.errors:
            self._bar.set_postfix(errors=progress.errors)

    def close(self) -> None:
        """Leave the bar as it is."""
        self._bar.close()
