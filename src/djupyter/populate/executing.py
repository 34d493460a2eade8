"""Making keys through any executor of `concurrent.futures`: of Python, of Dask, of IPython Parallel, of a cluster."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from typing import Any

from djupyter.populate.deaths import died, failed, is_cause
from djupyter.populate.make import Key
from djupyter.populate.performing import Outcome
from djupyter.populate.runners import Task
from djupyter.populate.stages import Stage
from djupyter.populate.workers import packed, work

# Where an executor does not say how many keys it makes at a time.
_WORKERS = 16
# Seconds between two looks at whether there is more to begin.
_LOOK = 0.5


class Executing:
    """Makes keys through an executor.

    Parameters
    ----------
    executor
        Its processes, wherever they are, must be able to import djupyter and reach the database.
    begins, told
        Called before and after each key.
    """

    def __init__(
        self,
        executor: Executor,
        begins: Callable[[Stage, Key], None],
        told: Callable[[Stage, Outcome], None],
    ) -> None:
        self._executor, self._begins, self._told = executor, begins, told
        self.workers = _workers(executor)
        self._tables: dict[str, bytes] = {}
        self._busy: dict[Future[Any], Task] = {}

    @property
    def has_room(self) -> bool:
        """Whether to give it more: a little more than it can work on, so that nobody waits for us."""
        return len(self._busy) < 2 * self.workers

    @property
    def is_idle(self) -> bool:
        """Whether it has nothing to do."""
        return not self._busy

    def begin(self, task: Task) -> None:
        """Submit a task."""
        stage = task.stage
        if stage.name not in self._tables:
            self._tables[stage.name] = packed(stage.table, stage.orders)
        for key in task.keys:
            self._begins(stage, key)
        future = self._executor.submit(work, self._tables[stage.name], task.keys)
        self._busy[future] = task

    def wait(self) -> None:
        """Wait until a task has ended, or for a while: there may be more to begin."""
        done, _ = wait(self._busy, _LOOK, FIRST_COMPLETED)
        for future in done:
            task = self._busy.pop(future)
            try:
                outcomes = future.result()
            except Exception as error:
                self._after_death(task, error)
                continue
            for outcome in outcomes:
                self._told(task.stage, outcome)

    def _after_death(self, task: Task, error: Exception) -> None:
        """Find out which key a worker died over by making each by itself; the error is one of the executor."""
        if len(task.keys) > 1:
            for key in task.keys:
                self._again(Task(task.stage, [key]), error)
            return
        (key,) = task.keys
        if is_cause(task.stage.table, key, _message(error)):
            self._fail(task.stage, key, error)
        else:
            self._again(task, error)

    def _again(self, task: Task, error: Exception) -> None:
        try:
            self.begin(task)
        except RuntimeError:  # the executor is broken for good, as Python's is after a death
            for key in task.keys:
                self._fail(task.stage, key, error)

    def _fail(self, stage: Stage, key: Key, error: Exception) -> None:
        self._told(stage, failed(stage.orders.hold, key, _message(error)))

    def close(self, *, now: bool) -> None:
        """Cancel what was not begun; the executor is its owner's to end."""
        for future in self._busy:
            future.cancel()


def _message(error: Exception) -> str:
    return f"{died(None)} The executor says: {type(error).__name__}: {error}"


def _workers(executor: Executor) -> int:
    for name in ("_max_workers", "max_workers"):
        found = getattr(executor, name, None)
        if isinstance(found, int) and found > 0:
            return found
    return _WORKERS
