"""Waiting for a database that is away, in pauses that grow."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from djupyter.errors import LostConnectionError

T = TypeVar("T")
# Seconds of the first and the longest pause, and between two looks at whether to go on waiting.
_FIRST, _LONGEST, _LOOK = 0.5, 30.0, 0.25
# Seconds for which a populate waits unless it is told otherwise: as long as a server takes to start again.
PATIENCE = 60.0


def patiently(
    work: Callable[[], T],
    seconds: float = PATIENCE,
    *,
    stopped: Callable[[], bool] = lambda: False,
    told: Callable[[LostConnectionError, float], None] = lambda error, pause: None,
) -> T:
    """Do something that asks the database, again while it is away.

    Parameters
    ----------
    work
        What may be done twice.
    seconds
        For how long to try.
    stopped
        Asked while waiting; once true, no more is tried.
    told
        Called with the error and the seconds until the next attempt.

    Raises
    ------
    LostConnectionError
        The database has been away for too long.

    Examples
    --------
    >>> answers = iter([LostConnectionError("away"), 42])
    >>> def ask():
    ...     answer = next(answers)
    ...     if isinstance(answer, Exception):
    ...         raise answer
    ...     return answer
    >>> patiently(ask, told=lambda error, pause: print(f"{error}; again in {pause} s"))
    away; again in 0.5 s
    42
    """
    deadline: float | None = None
    pause = _FIRST
    while True:
        try:
            return work()
        except LostConnectionError as error:
            now = time.monotonic()
            deadline = now + seconds if deadline is None else deadline
            if stopped() or now + pause > deadline:
                raise
            told(error, pause)
            wait(pause, stopped)
            pause = min(2 * pause, _LONGEST)


def wait(seconds: float, stopped: Callable[[], bool]) -> None:
    """Wait, or until it is asked to stop."""
    end = time.monotonic() + seconds
    while not stopped() and (left := end - time.monotonic()) > 0:
        time.sleep(min(left, _LOOK))
