"""How far a long work on objects is, told to whoever listens."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ObjectProgress:
    """A moment of a work on objects.

    Attributes
    ----------
    step
        What is being done: `listing`, `reading rows`, `removing`, `checking`, `copying`.
    done
        How many files, rows or objects, as the step has it.
    total
        Of how many; None where nobody knows yet.
    bytes
        How many bytes were moved.
    """

    step: str
    done: int
    total: int | None = None
    bytes: int = 0


Listener = Callable[[ObjectProgress], object]


class Teller:
    """Counts the steps of a work and tells a listener."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._step, self._done, self._bytes = "", 0, 0
        self._total: int | None = None

    def begin(self, step: str, total: int | None = None) -> None:
        """Begin a step."""
        self._step, self._done, self._total, self._bytes = step, 0, total, 0
        self._tell()

    def advance(self, count: int = 1, size: int = 0) -> None:
        """Note that so many more are done."""
        self._done, self._bytes = self._done + count, self._bytes + size
        self._tell()

    def _tell(self) -> None:
        self._listener(ObjectProgress(self._step, self._done, self._total, self._bytes))


@contextmanager
def teller(progress: bool | Listener) -> Iterator[Teller]:
    """Yield what a work tells its progress to.

    Parameters
    ----------
    progress
        True shows a bar; a function hears of each `ObjectProgress`.
    """
    if callable(progress):
        yield Teller(progress)
    elif not progress:
        yield Teller(lambda _: None)
    else:
        bar = _Bar()
        try:
            yield Teller(bar)
        finally:
            bar.close()


class _Bar:
    """A tqdm bar for each step."""

    def __init__(self) -> None:
        self._step = ""
        self._bar: Any = None

    def __call__(self, progress: ObjectProgress) -> None:
        from tqdm import tqdm

        if self._bar is None or progress.step != self._step:
            self.close()
            self._step = progress.step
            self._bar = tqdm(total=progress.total, desc=progress.step)
        self._bar.update(progress.done - self._bar.n)
        if progress.bytes:
            self._bar.set_postfix_str(f"{progress.bytes / 1e6:,.1f} MB")

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def frames_of_ours() -> int:
    """Return the stack level of the user's line, for a warning."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("djupyter."):
        frame, level = frame.f_back, level + 1
    return level
