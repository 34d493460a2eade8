"""A limit of time for work that nobody can stop: a store may hang, a damaged file may keep its decoder busy.

The work runs in a daemon thread. Who waits for it goes on when the time is over, and the thread, should it ever wake
up, ends at its next look at the clock; it never keeps the program from ending.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from djupyter.errors import DataJointError

SECONDS = 10.0
"""What a preview takes, at most."""

T = TypeVar("T")


class Deadline:
    """A moment after which nobody waits any more.

    Parameters
    ----------
    seconds
        From now.

    Examples
    --------
    >>> Deadline(5).run(lambda: 1 + 1)
    2
    >>> forever = threading.Event()
    >>> Deadline(0.01).run(forever.wait)
    Traceback (most recent call last):
    djupyter.errors.DataJointError: it took more than 0.01 seconds
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds, self._end = seconds, time.monotonic() + seconds
        self._waits: list[threading.Event] = []
        self._is_cancelled = False

    @property
    def left(self) -> float:
        """Seconds that are left; 0 when there are none, or nobody waits."""
        return 0.0 if self._is_cancelled else max(0.0, self._end - time.monotonic())

    @property
    def is_near(self) -> bool:
        """Whether most of the time is over, so that what was found had better be shown."""
        return self.left < 0.4 * self._seconds

    def check(self) -> None:
        """Raise when the time is over: what works in pieces asks before each.

        Raises
        ------
        DataJointError
            It is.
        """
        if not self.left:
            raise DataJointError(f"it took more than {self._seconds:g} seconds")

    def cancel(self) -> None:
        """Let nobody wait any longer."""
        self._is_cancelled = True
        for wait in list(self._waits):
            wait.set()

    def run(self, work: Callable[[], T]) -> T:
        """Return what the work returns, in time.

        Raises
        ------
        DataJointError
            It takes longer; what the work raises in time is raised.
        """
        results: list[T] = []
        errors: list[BaseException] = []
        done = threading.Event()
        self._waits.append(done)

        def perform() -> None:
            try:
                results.append(work())
            except BaseException as error:  # it is raised where somebody waits
                errors.append(error)
            finally:
                done.set()

        run = contextvars.copy_context().run
        thread = threading.Thread(target=run, args=(perform,), daemon=True, name="djupyter-preview")
        try:
            thread.start()
            # Who cancels sets what is noted before; what is noted later has nothing left.
            done.wait(self.left)
        except BaseException:  # Ctrl-C
            self.cancel()
            raise
        if results:
            return results[0]
        if errors:
            raise errors[0]
        self.cancel()
        raise DataJointError(f"it took more than {self._seconds:g} seconds")
