"""Processes of our own that make keys: each a pool of one, so that the death of one is known and harms no other."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from pathlib import Path
from platform import node as host_name
from tempfile import TemporaryDirectory
from typing import Any

from djupyter.populate.jobs.deaths import Death, died, failed, is_cause
from djupyter.populate.outcome import Key, Outcome
from djupyter.populate.running.runners import Task
from djupyter.populate.running.stages import Stage
from djupyter.populate.running.workers import outcomes_of, packed, prepare, read_journal, work

# Seconds between two looks at who is late, and beyond the limit for a key to end by itself.
_LOOK, _GRACE = 0.5, 4.0


class Lanes:
    """Makes keys in several processes.

    Parameters
    ----------
    count
        How many.
    stages
        The tables, which travel to them.
    stopped
        Asked whether what is not begun shall be left.
    begins, told
        Called before and after each key.
    memory
        Bytes that each process may have.

    Raises
    ------
    DataJointError
        The database is in the memory of this process.
    """

    def __init__(
        self,
        count: int,
        stages: Sequence[Stage],
        stopped: Callable[[], bool],
        begins: Callable[[Stage, Key], None],
        told: Callable[[Stage, Outcome], None],
        memory: int | None = None,
    ) -> None:
        self.workers = count
        self._stopped, self._begins, self._told = stopped, begins, told
        self._tables = {stage.name: packed(stage.table, stage.orders) for stage in stages}
        self._folder = TemporaryDirectory(prefix="djupyter-")
        self._idle = [_Lane(Path(self._folder.name) / f"{n}.journal", memory) for n in range(count)]
        self._busy: dict[Future[Any], tuple[_Lane, Task]] = {}

    @property
    def has_room(self) -> bool:
        """Whether a process is free."""
        return bool(self._idle)

    @property
    def is_idle(self) -> bool:
        """Whether all are free."""
        return not self._busy

    def begin(self, task: Task) -> None:
        """Give a task to a free process."""
        lane = self._idle.pop()
        for key in task.keys:
            self._begins(task.stage, key)
        future = lane.submit(self._tables[task.stage.name], task)
        self._busy[future] = lane, task

    def wait(self) -> None:
        """Wait until a process has ended its task, or died over it, or for a while: there may be more to begin."""
        done, _ = wait(self._busy, _LOOK, FIRST_COMPLETED)
        for lane, task in list(self._busy.values()):
            limit = task.stage.orders.limit
            if limit is not None and lane.seconds_in_work() > limit + _GRACE:
                lane.is_late = True
                lane.kill()
        for future in done:
            lane, task = self._busy.pop(future)
            self._idle.append(lane)
            for outcome in self._outcomes(future, lane, task):
                self._told(task.stage, outcome)

    def _outcomes(self, future: Future[Any], lane: _Lane, task: Task) -> list[Outcome]:
        try:
            return outcomes_of(future.result())
        except BrokenProcessPool:
            return self._after_death(lane, task)

    def _after_death(self, lane: _Lane, task: Task) -> list[Outcome]:
        """Return what became of the keys of a process that died."""
        outcomes, begun = read_journal(str(lane.journal), task.keys)
        limit = task.stage.orders.limit if lane.is_late else None
        seconds, version = lane.seconds_in_work(), task.stage.orders.version
        death = Death(died(limit), seconds, version, host_name(), lane.pid)
        lane.restart()
        rest = task.keys[len(outcomes) :]
        if begun and rest:
            key = rest.pop(0)
            outcomes.append(
                self._outcome_of_death(task.stage, key, death, is_late=limit is not None)
            )
        return [*outcomes, *(Outcome(key, "left") for key in rest)]

    def _outcome_of_death(self, stage: Stage, key: Key, death: Death, *, is_late: bool) -> Outcome:
        if not is_cause(stage.table, key, death) and not is_late:
            return Outcome(key, "left")
        return failed(stage.orders.hold, key, death)

    def close(self, *, now: bool) -> None:
        """End all processes."""
        for lane in [*self._idle, *(lane for lane, _ in self._busy.values())]:
            if now:
                lane.kill()
            lane.end()
        self._folder.cleanup()


@contextmanager
def _may_start_processes() -> Iterator[None]:
    """Start processes also in a daemon, as the workers of Dask are: Python refuses, as it could not end them; we do."""
    config: dict[str, Any] = multiprocessing.current_process()._config  # type: ignore[attr-defined]
    before = config.pop("daemon", None)
    try:
        yield
    finally:
        if before is not None:
            config["daemon"] = before


class _Lane:
    """One process, started when it is first needed."""

    def __init__(self, journal: Path, memory: int | None) -> None:
        self.journal, self._memory = journal, memory
        self.is_late = False
        self.pid = 0
        self._pool: Any = None

    def submit(self, table: bytes, task: Task) -> Future[Any]:
        """Let the process make the keys of a task."""
        self.journal.write_bytes(b"")
        try:
            return self._submitted(table, task)
        except BrokenProcessPool:  # it was killed while it had nothing to do
            self.restart()
            return self._submitted(table, task)

    def _submitted(self, table: bytes, task: Task) -> Future[Any]:
        if self._pool is None:
            # loky starts processes that are not forks, so that threads and connections of this one do no harm.
            from loky.process_executor import ProcessPoolExecutor

            self._pool = ProcessPoolExecutor(1, initializer=prepare, initargs=(self._memory,))
        with _may_start_processes():
            future: Future[Any] = self._pool.submit(work, table, task.keys, str(self.journal))
        self.pid = next(iter(self._pool._processes), 0)
        return future

    def seconds_in_work(self) -> float:
        """Return for how long the key in work has been: since the journal was last written; 0 where there is none."""
        state = self.journal.stat()
        return max(0.0, time.time() - state.st_mtime) if state.st_size else 0.0

    def kill(self) -> None:
        """End the process at once, and those it has started, whatever they do."""
        if self._pool is not None:
            from loky.backend.utils import kill_process_tree

            for process in list(self._pool._processes.values()):
                with suppress(Exception):
                    kill_process_tree(process)

    def end(self) -> None:
        """End the process when it has nothing to do."""
        if self._pool is not None:
            self._pool.shutdown(wait=True)
            self._pool = None

    def restart(self) -> None:
        """Let another process, if one is needed, take the place of one that died."""
        if self._pool is not None:
            self._pool.shutdown(wait=False)
        self._pool, self.is_late = None, False
