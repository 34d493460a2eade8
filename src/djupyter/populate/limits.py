"""A time limit for code of the user: an exception in the main thread, at the next step of Python."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from djupyter.errors import DataJointError


class TimeLimitError(DataJointError):
    """A key took longer than the time limit; nothing of it was inserted."""


# Seconds after which code that has caught the error and goes on hears of it again, in a form that it does not catch.
_AGAIN = 2.0


class _InsistError(BaseException):
    """Ends code that catches every `Exception`."""


@contextmanager
def limited(seconds: float | None) -> Iterator[None]:
    """Raise `TimeLimitError` in a block that takes longer.

    Only in a main thread, and where there are signals. Elsewhere, and inside compiled code that never comes back to
    Python, the worker's guardian ends the process instead.

    Parameters
    ----------
    seconds
        The limit; None for none.
    """
    may = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    if seconds is None or not may:
        yield
        return

    said: list[TimeLimitError] = []

    def end(*_: Any) -> None:
        if said:
            raise _InsistError
        said.append(
            TimeLimitError(
                f"The key had not been made {seconds:g} s after it was begun. Raise the time limit, or find out what "
                "it waits for."
            )
        )
        raise said[0]

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
    try:
        yield
    except _InsistError:
        raise said[0] from None
    except KeyboardInterrupt as error:
        # What ends a statement of SQLite is not told from Ctrl-C, which as such has no cause.
        if said and error.__cause__ is not None:
            raise said[0] from None
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
