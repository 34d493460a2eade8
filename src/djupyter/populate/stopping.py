"""How a worker is asked to stop: by a signal, with time to end the key in work."""

from __future__ import annotations

import _thread
import signal
import threading
from collections.abc import Callable
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
        self._timer: threading.Timer | None = None

    def __enter__(self) -> Self:
        self._before = {each: signal.signal(each, self._hear) for each in _SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        self._forget_grace()
        for each, handler in self._before.items():
            signal.signal(each, signal.SIG_DFL if handler is None else handler)

    def is_asked(self) -> bool:
        """Whether no more shall be begun."""
        return self.asked

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            self._forget_grace()
            raise KeyboardInterrupt
        self.asked = True
        self._timer = threading.Timer(self._grace, _interrupt)
        self._timer.daemon = True
        self._timer.start()
        self._told(signal.Signals(number).name)

    def _forget_grace(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _interrupt() -> None:
    """Send Ctrl-C to the main thread, also where that waits in the system."""
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, signal.SIGINT)
    else:
        _thread.interrupt_main()
