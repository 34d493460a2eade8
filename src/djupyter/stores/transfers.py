"""Many transfers at once, in threads that Ctrl-C cannot leave behind.

```
give, give, ... -> queue -> threads -> gate -> task
finish: waits until all are done            stop: shuts the gate, and waits for those inside
```

Ctrl-C is raised between any two instructions of the main thread. What it shares with the others are therefore queues
and locks written in C: an interrupt inside the conditions of `threading`, and so inside `ThreadPoolExecutor`, may
leave a lock taken for good, or a thread at work of which nobody knows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread, current_thread, main_thread
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from djupyter.errors import DataJointError

T = TypeVar("T")
WORKERS = 8


def run_all(tasks: Sequence[Callable[[], T]], workers: int = WORKERS) -> list[T]:
    """Return the results of all tasks, in their order, run by so many threads.

    The first error, or Ctrl-C, cancels the tasks that have not begun; it is raised when those that run have
    ended, so that nothing is still being written afterwards.

    Examples
    --------
    >>> run_all([lambda: 1, lambda: 2])
    [1, 2]
    """
    if workers <= 1 or len(tasks) <= 1:
        return [task() for task in tasks]
    results: list[T | None] = [None] * len(tasks)

    def work(number: int, task: Callable[[], T]) -> None:
        results[number] = task()

    with Crew(min(workers, len(tasks)), "djupyter-transfer") as crew:
        for number, task in enumerate(tasks):
            crew.give(partial(work, number, task))
        crew.finish()
    return cast(list[T], results)


def shielded(task: Callable[[], T]) -> T:
    """Return the result of a task that Ctrl-C does not interrupt: it is raised when the task has ended.

    fsspec sends requests from a thread of its own, which goes on with one whose caller has gone away.

    Examples
    --------
    >>> shielded(lambda: 1)
    1
    """
    if current_thread() is not main_thread():
        return task()
    results: list[T] = []
    with Crew(1, "djupyter-transfer") as crew:
        crew.give(lambda: results.append(task()))
        crew.finish()
    return results[0]


class Gate:
    """Lets tasks run until it is shut; who shuts it waits for those that are inside."""

    def __init__(self) -> None:
        self._inside: dict[Any, None] = {}
        self._is_shut = False

    def run(self, task: Callable[[], T]) -> T:
        """Return the result of a task.

        Raises
        ------
        DataJointError
            It is shut.
        """
        latch = Lock()
        latch.acquire()
        try:
            # First this, then the look, and the other way round in `shut`: one of the two sees the other.
            self._inside[latch] = None
            if self._is_shut:
                raise DataJointError("Nothing more is written: the insert has failed.")
            return task()
        finally:
            self._inside.pop(latch, None)
            latch.release()

    def shut(self) -> None:
        """Let nothing more begin, and wait for what runs; Ctrl-C is raised afterwards."""
        interrupts: list[KeyboardInterrupt] = []
        self._is_shut = True
        while inside := list(self._inside):
            try:
                for latch in inside:
                    with latch:
                        pass
            except KeyboardInterrupt as interrupt:
                interrupts.append(interrupt)
        if interrupts:
            raise interrupts[0]


class Crew:
    """Threads that run what one thread gives them.

    Parameters
    ----------
    workers
        How many threads there are at most; they begin when they are needed.
    name
        What their names begin with.
    most
        How many tasks may be given that have not ended; more wait to be given. None for any number.

    Attributes
    ----------
    gate
        What all tasks pass.
    """

    def __init__(self, workers: int, name: str, most: int | None = None) -> None:
        self._workers, self._name, self._most = workers, name, most
        self.gate = Gate()
        self._tasks: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._ended: SimpleQueue[None] = SimpleQueue()
        self._outstanding = 0
        self._threads: list[Thread] = []
        self._errors: list[BaseException] = []

    def give(self, task: Callable[[], object]) -> None:
        """Have a task run.

        Raises
        ------
        BaseException
            What an earlier task raised.
        """
        try:
            self._raise_first()
            while self._most is not None and self._outstanding >= self._most:
                self._await_one()
            self._outstanding += 1
            self._tasks.put(task)
            if len(self._threads) < self._workers:
                self._begin_one()
        except BaseException:
            self.stop()
            raise

    def finish(self) -> None:
        """Wait until all tasks are done.

        Raises
        ------
        BaseException
            What the first of them raised that failed.
        """
        try:
            while self._outstanding:
                self._await_one()
        except BaseException:
            self.stop()
            raise
        self._dismiss()
        self._raise_first()

    def stop(self) -> None:
        """Let no task begin any more, and wait for those that run."""
        try:
            self.gate.shut()
        finally:
            self._dismiss()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.stop()

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            try:
                if not self._errors:
                    self.gate.run(task)
            except BaseException as error:
                self._errors.append(error)
            finally:
                del task  # it may hold the bytes of an object
                self._ended.put(None)

    def _begin_one(self) -> None:
        name = f"{self._name}_{len(self._threads)}"
        thread = Thread(target=self._work, name=name, daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            # Of Ctrl-C while a condition is entered, leaving it makes "release unlocked lock".
            if isinstance(error.__context__, KeyboardInterrupt):
                raise error.__context__ from None
            raise
        self._threads.append(thread)

    def _await_one(self) -> None:
        self._ended.get()
        self._outstanding -= 1

    def _dismiss(self) -> None:
        # Also for a thread that had begun when Ctrl-C came, before it was noted.
        for _ in range(self._workers if self._outstanding or self._threads else 0):
            self._tasks.put(None)
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def _raise_first(self) -> None:
        if self._errors:
            raise self._errors[0]
