"""Work that is asked for faster than it can be done: only the newest request is answered."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from djupyter.codecs.deadline import SECONDS, Deadline

Request = TypeVar("Request")
Result = TypeVar("Result")

# Threads that wait for a store which does not answer.
_STUCK = 4


class Newest(Generic[Request, Result]):
    """Does the newest of what is asked for in a thread of its own, each in bounded time.

    Parameters
    ----------
    work
        Returns the result of a request; looks at the deadline now and then.
    publish
        Takes a request with its result, or with the error; called in that thread.
    seconds
        What one may take.
    """

    def __init__(
        self,
        work: Callable[[Request, Deadline], Result],
        publish: Callable[[Request, Result | Exception], None],
        seconds: float = SECONDS,
    ) -> None:
        self._work, self._publish, self._seconds = work, publish, seconds
        self._lock = threading.Lock()
        self._wanted: list[Request] = []
        self._deadline: Deadline | None = None
        self._is_working = False
        self._alive = 0

    def ask(self, request: Request) -> None:
        """Ask for one more, and let go of what was asked for before; returns at once."""
        with self._lock:
            self._wanted = [request]
            if self._deadline is not None:
                self._deadline.cancel()
            if self._is_working:
                return
            self._is_working = True
        threading.Thread(target=self._run, daemon=True, name="djupyter-slices").start()

    def _run(self) -> None:
        while (request := self._next()) is not None:
            answer = self._answer(request[0])
            with self._lock:
                is_newest = not self._wanted
            if is_newest:
                self._publish(request[0], answer)

    def _next(self) -> list[Request] | None:
        with self._lock:
            if not self._wanted:
                self._is_working, self._deadline = False, None
                return None
            request, self._wanted = self._wanted, []
            self._deadline = Deadline(self._seconds)
            return request

    def _answer(self, request: Request) -> Result | Exception:
        deadline = self._deadline
        assert deadline is not None
        with self._lock:
            if self._alive >= _STUCK:
                return TimeoutError("the store has not answered what was asked before")
            self._alive += 1
        try:
            return deadline.run(lambda: self._counted(request, deadline))
        except Exception as error:  # the object may be anything; who asked is told
            return error

    def _counted(self, request: Request, deadline: Deadline) -> Result:
        try:
            return self._work(request, deadline)
        finally:
            with self._lock:
                self._alive -= 1
