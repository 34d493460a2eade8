"""Work for a database that is done beside the kernel's main thread, one piece after the other, the newest first of all.

A widget's callback only hands work over. The thread that does it has a database session of its own, so that nothing
the user has open is touched. It ends when there is nothing to do for a while, and starts anew.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from djupyter.errors import DataJointError
from djupyter.sql.connection import Connection

# Seconds between two times that a statement is told to end.
_PATIENCE = (0.02, 0.1, 0.5, 1.0, 2.0, 5.0)
_IDLE = 20.0  # seconds without work after which the thread ends, and its session with it


class StoppedError(Exception):
    """The work is not wanted any more."""


class Errand:
    """A piece of work while it is waiting or being done.

    Parameters
    ----------
    work
        Does it; it is given the errand, whose `check` it calls between statements.
    failed
        Is told what went wrong.
    seconds
        How long it may take.
    """

    def __init__(
        self, work: Callable[[Errand], None], failed: Callable[[str], None], seconds: float
    ) -> None:
        self._work, self._failed, self.seconds = work, failed, seconds
        self._stopped, self._ended = threading.Event(), threading.Event()
        self._stop: Callable[[], None] | None = None
        self._lock = threading.Lock()
        self._reason = ""

    def check(self) -> None:
        """Raise an error if the work is not wanted any more.

        Raises
        ------
        StoppedError
            It is not.
        """
        if self._stopped.is_set():
            raise StoppedError(self._reason)

    def pause(self, seconds: float) -> None:
        """Leave the database alone for some time, and check."""
        self._stopped.wait(seconds)
        self.check()

    def stop(self, reason: str = "") -> None:
        """End the work, from any thread: the statement that it runs, and what would come after.

        The caller does not wait: some servers must be told by a connection of its own.
        """
        with self._lock:
            if self._stopped.is_set():
                return
            self._reason = reason
            self._stopped.set()
        threading.Thread(target=self._insist, name="browse stop", daemon=True).start()

    def _insist(self) -> None:
        # A statement that has not begun yet does not hear it.
        for seconds in _PATIENCE:
            with self._lock:
                if self._stop is not None:
                    self._stop()
            if self._ended.wait(seconds):
                return

    def run(self, connection: Connection) -> None:
        """Do the work in this thread."""
        timer = threading.Timer(
            self.seconds, lambda: self.stop(f"It took longer than {self.seconds:.0f} s.")
        )
        timer.daemon = True
        timer.start()
        try:
            stop = connection.stopper()
            with self._lock:
                self._stop = stop
            self.check()
            self._work(self)
            self.check()  # MySQL's sleep, for one, does not say that it was woken
        # The border to whatever codecs and drivers raise: it is told, and the thread lives on.
        except BaseException as error:
            self._tell(error)
        finally:
            timer.cancel()
            with self._lock:
                self._stop = None
            self._ended.set()

    def _tell(self, error: BaseException) -> None:
        if self._stopped.is_set():
            # Nobody waits for what was replaced by something newer.
            if self._reason:
                self._failed(self._reason)
        elif isinstance(error, DataJointError):
            self._failed(str(error))
        else:
            self._failed(f"{type(error).__name__}: {error}")


class Errands:
    """A line of work for one thread, in which newer work takes the place of older.

    Parameters
    ----------
    connection
        Where the work is done.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._changed = threading.Condition()
        self._waiting: deque[Errand] = deque()
        self._running: Errand | None = None
        self._thread: threading.Thread | None = None

    def do(
        self,
        work: Callable[[Errand], None],
        failed: Callable[[str], None],
        *,
        seconds: float = 30.0,
        replaces: bool = True,
    ) -> None:
        """Hand over work; the caller does not wait.

        Parameters
        ----------
        work, failed, seconds
            As for `Errand`.
        replaces
            Whether what waits or runs is not wanted any more.
        """
        if replaces:
            self.stop()
        with self._changed:
            self._waiting.append(Errand(work, failed, seconds))
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="browse", daemon=True)
                self._thread.start()
            self._changed.notify()

    def stop(self, reason: str = "") -> None:
        """End what runs, and forget what waits."""
        with self._changed:
            self._waiting.clear()
            running = self._running
        if running is not None:
            running.stop(reason)

    def _serve(self) -> None:
        while (errand := self._next()) is not None:
            errand.run(self._connection)
            with self._changed:
                self._running = None

    def _next(self) -> Errand | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting, timeout=_IDLE)
            if not self._waiting:
                self._thread = None
                return None
            self._running = self._waiting.popleft()
            return self._running
