"""A time limit for code of the user: an exception in its thread, at the next step of Python."""

from __future__ import annotations

import ctypes
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from djupyter.errors import DataJointError


class TimeLimitError(DataJointError):
    """A key took longer than the time limit; nothing of it was inserted."""


# Seconds after which code that has caught the error and goes on hears of it again, in a form that it does not catch.
_AGAIN = 2.0
_MOMENT = 0.0005  # seconds for another thread to end


class _InsistError(BaseException):
    """Ends code that catches every `Exception`."""


@contextmanager
def limited(seconds: float | None) -> Iterator[None]:
    """Raise `TimeLimitError` in a block that takes longer.

    Code that waits in the system hears it at once in a main thread, where there are signals, and elsewhere when it
    comes back to Python. Where it never does, the worker's guardian ends the process instead.

    Parameters
    ----------
    seconds
        The limit; None for none.
    """
    if seconds is None:
        yield
        return
    said: list[TimeLimitError] = []

    def late() -> BaseException:
        """Return what to raise: first what code may catch, to clean up after itself."""
        if said:
            return _InsistError()
        said.append(
            TimeLimitError(
                f"The key had not been made {seconds:g} s after it was begun. Raise the time limit, or find out what "
                "it waits for."
            )
        )
        return said[0]

    may = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    try:
        with (_by_signal if may else _by_thread)(seconds, late):
            yield
    except (TimeLimitError, _InsistError) as error:
        if not said:
            raise  # of another limit, inside of this one
        raise said[0].with_traceback(error.__traceback__) from None
    except KeyboardInterrupt as error:
        # What ends a statement of SQLite is not told from Ctrl-C, which as such has no cause.
        if said and error.__cause__ is not None:
            raise said[0] from None
        raise


@contextmanager
def _by_signal(seconds: float, late: Callable[[], BaseException]) -> Iterator[None]:
    def end(*_: Any) -> None:
        raise late()

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _by_thread(seconds: float, late: Callable[[], BaseException]) -> Iterator[None]:
    """Raise what is late in a thread that no signal reaches, by another one."""
    thread = threading.get_ident()
    over: queue.SimpleQueue[None] = queue.SimpleQueue()
    has_ended: list[bool] = []

    def watch() -> None:
        pause = seconds
        while True:
            try:
                over.get(timeout=pause)
            except queue.Empty:
                _raise_in(thread, type(late()))  # the system takes no more than a class
                pause = _AGAIN
            else:
                has_ended.append(True)
                return

    try:
        threading.Thread(target=watch, name="time limit", daemon=True).start()
        yield
    finally:
        # An error may come between any two steps, so that no lock may be held here: it would not be given back.
        # Python's own `join` then takes a thread that runs for one that has ended (3.11, `_wait_for_tstate_lock`).
        is_over = False
        while not is_over:
            with suppress(TimeLimitError, _InsistError):  # heard too late to matter
                over.put(None)
                while not has_ended:
                    time.sleep(_MOMENT)
                _raise_in(thread, None)  # one that was not heard yet
                is_over = True


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    """Let a thread raise an error at its next step; None takes back one that it has not raised yet."""
    given = None if error is None else ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), given)
