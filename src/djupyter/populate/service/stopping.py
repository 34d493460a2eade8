"""How a worker is asked to stop: by a signal, with time to end the key in work."""

from __future__ import annotations

import _thread
import queue
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any, Self

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopping:
    """Hears signals within a block, in the main thread.

    The first one asks: what is in work shall be ended, and no more begun. A second one, or the end of the grace
    period, interrupts: KeyboardInterrupt is raised in the main thread, wherever that is.

    Parameters
    ----------
    grace
        Seconds.
    told
        Called with the name of the first signal.
    """

    def __init__(self, grace: float, told: Callable[[str], None] = lambda name: None) -> None:
        self.asked = False
        self._grace, self._told = grace, told
        self._before: dict[signal.Signals, Any] = {}
        # The thread is there before it is needed: a handler of a signal may put something into such a queue, but may
        # not start a thread, as it may have come in the middle of that.
        self._signs: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._watch = threading.Thread(target=self._watch_grace, name="grace", daemon=True)

    def __enter__(self) -> Self:
        self._watch.start()
        self._before = {each: signal.signal(each, self._hear) for each in _SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(KeyboardInterrupt):  # there is nothing left to interrupt
            self._signs.put("over")
            self._watch.join()
        for each, handler in self._before.items():
            signal.signal(each, signal.SIG_DFL if handler is None else handler)

    def is_asked(self) -> bool:
        """Whether no more shall be begun."""
        return self.asked

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            self._signs.put("over")
            raise KeyboardInterrupt
        self.asked = True
        self._signs.put("asked")
        self._told(signal.Signals(number).name)

    def _watch_grace(self) -> None:
        if self._signs.get() == "asked":
            try:
                self._signs.get(timeout=self._grace)
            except queue.Empty:
                _interrupt()


def _interrupt() -> None:
    """Send Ctrl-C to the main thread, also where that waits in the system."""
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, signal.SIGINT)
    else:
        _thread.interrupt_main()
