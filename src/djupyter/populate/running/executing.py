"""Making keys through any executor of `concurrent.futures`: of Python, of Dask, of IPython Parallel, of a cluster."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Mapping
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ThreadPoolExecutor,
    wait,
)
from typing import Any
from uuid import uuid4

from djupyter.errors import DataJointError
from djupyter.populate.jobs.deaths import Death, died, failed, is_cause
from djupyter.populate.jobs.log import JobLog, key_hash
from djupyter.populate.keys import made_keys
from djupyter.populate.making.performing import perform
from djupyter.populate.outcome import Key, Outcome
from djupyter.populate.patience import patiently
from djupyter.populate.running.runners import Task
from djupyter.populate.running.stages import Stage
from djupyter.populate.running.workers import outcomes_of, packed, work
from djupyter.sql.secrets import without_secrets

# Where neither the executor nor the user says how many keys it makes at a time.
_WORKERS = 16
# Seconds between two looks at whether there is more to begin.
_LOOK = 0.5
# Seconds without any news after which results are looked for in the database.
_QUIET = 30.0
# Seconds by which the clock of a worker, which dates its failures, may be behind.
_CLOCKS = 60.0


class Executing:
    """Makes keys through an executor.

    Parameters
    ----------
    executor
        Its processes, wherever they are, must be able to import djupyter and reach the database.
    begins, told
        Called before and after each key.
    workers
        How many keys it makes at a time; None asks the executor.
    """

    def __init__(
        self,
        executor: Executor,
        begins: Callable[[Stage, Key], None],
        told: Callable[[Stage, Outcome], None],
        workers: int | None = None,
    ) -> None:
        self._executor, self._begins, self._told = executor, begins, told
        self.workers = workers or _workers(executor)
        self._tables: dict[str, bytes] = {}
        self._busy: dict[Future[Any], Task] = {}
        self._begun: weakref.WeakKeyDictionary[Future[Any], float] = weakref.WeakKeyDictionary()
        # Keys that were with a worker when it died. Not every executor tells which of them it worked on, so each is
        # made alone, when all others are made.
        self._suspects: list[Task] = []
        self._is_trying = False
        self._news = time.monotonic()

    @property
    def has_room(self) -> bool:
        """Whether to give it more: a little more than it can work on, so that nobody waits for us."""
        return not self._is_trying and len(self._busy) < 2 * self.workers

    @property
    def is_idle(self) -> bool:
        """Whether it has nothing to do."""
        return not self._busy and not self._suspects

    def begin(self, task: Task) -> None:
        """Submit a task."""
        for key in task.keys:
            self._begins(task.stage, key)
        self._submit(task)

    def _submit(self, task: Task) -> None:
        stage = task.stage
        if isinstance(self._executor, ThreadPoolExecutor):  # which has the table and its connection
            call: Any = (perform, stage.table, task.keys, stage.orders)
        else:
            if stage.name not in self._tables:
                self._tables[stage.name] = packed(stage.table, stage.orders)
            # Dask takes two calls with the same arguments for one, and gives the result of the first.
            call = (work, self._tables[stage.name], task.keys, None, uuid4().hex)
        future = self._executor.submit(*call)
        self._busy[future], self._begun[future] = task, time.time()

    def wait(self) -> None:
        """Wait until a task has ended, or for a while: there may be more to begin.

        Raises
        ------
        DataJointError
            The executor is broken for good, as Python's is when one of its processes has died.
        """
        if not self._busy:
            self._is_trying = bool(self._suspects)
            self._submit(self._suspects.pop(0))
        done, _ = wait(self._busy, _LOOK, FIRST_COMPLETED)
        if done:
            self._news = time.monotonic()
        elif time.monotonic() - self._news > _QUIET:
            self._drop_lost()
            self._news = time.monotonic()
        for future in done:
            task = self._busy.pop(future)
            try:
                result = future.result()
            except BrokenExecutor as error:
                self._give_up([task, *self._busy.values()], error)
            except Exception as error:
                self._after_death(task, error)
            else:
                outcomes = outcomes_of(result) if isinstance(result, bytes) else result
                for outcome in outcomes:
                    self._told(task.stage, outcome)
        if not self._busy:
            self._is_trying = False

    def _drop_lost(self) -> None:
        """Stop waiting for tasks whose keys are made or have failed, but whose results were lost.

        Dask keeps a result with the worker until it is fetched. When the worker dies before, the future may never end
        (distributed 2026.8, `_cascade_future`: an error while it gathers is not passed on).
        """
        for future, task in list(self._busy.items()):
            table = task.stage.table
            since = self._begun[future] - _CLOCKS
            failures = JobLog(table.connection).failed_since(table.name, task.keys, since)
            made = made_keys(table, task.keys)
            if all(tuple(key.values()) in made or key_hash(key) in failures for key in task.keys):
                del self._busy[future]
                for key in self._unmade(task, made):
                    self._told(task.stage, _failed_before(key, failures[key_hash(key)]))

    def _after_death(self, task: Task, error: Exception) -> None:
        """Find out which key a worker died over; that one has failed."""
        for key in self._unmade(task, self._made(task)):
            if self._is_trying:
                self._died(task.stage, key, error)
            else:
                self._suspects.append(Task(task.stage, [key]))

    def _made(self, task: Task) -> set[tuple[Any, ...]]:
        return patiently(lambda: made_keys(task.stage.table, task.keys))

    def _unmade(self, task: Task, made: set[tuple[Any, ...]]) -> list[Key]:
        """Return those keys of a task that are not made, and tell of those that are."""
        for key in task.keys:
            if tuple(key.values()) in made:
                self._told(task.stage, Outcome(key, "made"))
        return [key for key in task.keys if tuple(key.values()) not in made]

    def _died(self, stage: Stage, key: Key, error: Exception) -> None:
        """Let a key have failed; its job is tried again later, by another call, unless it has cost many workers."""
        said = without_secrets(f"{type(error).__name__}: {error}", stage.table.connection)
        death = Death(f"{died(None)} The executor says: {said}", version=stage.orders.version)
        hold = stage.orders.hold
        is_final = is_cause(stage.table, key, death) or hold is None
        retry_in = None if is_final else stage.table.retry_delay
        self._told(stage, failed(hold, key, death, retry_in))

    def _give_up(self, tasks: list[Task], error: Exception) -> None:
        """Note what was in work when the executor broke, of each task the first key that is not made."""
        self._busy.clear()
        for suspect in self._suspects:
            self._told(suspect.stage, Outcome(suspect.keys[0], "left"))
        self._suspects.clear()
        for task in tasks:
            for number, key in enumerate(self._unmade(task, self._made(task))):
                if number == 0:
                    self._died(task.stage, key, error)
                else:
                    self._told(task.stage, Outcome(key, "left"))
        raise DataJointError(
            f"The executor can make no more keys, since one of its processes has died: {error} Populate again with a "
            "new executor; what was in work is noted in the jobs. With `processes=N` other keys go on."
        ) from error

    def close(self, *, now: bool) -> None:
        """Cancel what was not begun; the executor is its owner's to end."""
        for future in self._busy:
            future.cancel()


def _failed_before(key: Key, attempt: Mapping[str, Any]) -> Outcome:
    said = f"{attempt['error_class']}: {attempt['error_message']}"
    return Outcome(
        key,
        "failed",
        attempt["duration"],
        said,
        attempt["error_stack"] or "",
        DataJointError(said),
    )


def _workers(executor: Executor) -> int:
    for name in ("_max_workers", "max_workers"):
        found = getattr(executor, name, None)
        if isinstance(found, int) and found > 0:
            return found
    return _WORKERS
