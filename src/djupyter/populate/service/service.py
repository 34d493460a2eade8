"""A worker without a notebook: it makes keys of a pipeline until none is left, or for ever, and can be stopped.

| exit status | means                                                                                  |
|-------------|----------------------------------------------------------------------------------------|
| 0           | all is done that was to be done, or a signal asked to stop and nothing was interrupted  |
| 1           | some keys have failed, or a table could not be asked for its keys                       |
| 2           | the command cannot be understood, the module not imported, or the health file not touched |
| 3           | no database answers                                                                     |
| 130         | a key was interrupted: the grace period was over, or a second signal came               |
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import TypeVar

from djupyter.errors import DataJointError, LostConnectionError, nearest
from djupyter.populate.events import Event, Failed, Started
from djupyter.populate.patience import PATIENCE, patiently, wait
from djupyter.populate.pipeline import in_order, tables_of
from djupyter.populate.running import run
from djupyter.populate.running.run import Options
from djupyter.populate.service.health import Health
from djupyter.populate.service.stopping import Stopping
from djupyter.populate.service.worklog import WorkLog
from djupyter.populate.tiers import AutoPopulate

T = TypeVar("T")
DONE, FAILED, UNUSABLE, UNREACHABLE, INTERRUPTED = 0, 1, 2, 3, 130


@dataclass(frozen=True, slots=True)
class Plan:
    """What a worker is to do.

    Parameters
    ----------
    loop
        Whether to go on for ever.
    idle
        Seconds after which to look again when nothing is left.
    processes
        How many make keys.
    restrict
        A condition that keys must meet.
    priority
        Only jobs of this priority or a lower number.
    max_calls
        At most so many keys of each table.
    time_limit
        Seconds that a key may take.
    memory
        Bytes that each process may have.
    grace
        Seconds that a key in work gets when the worker is asked to stop.
    health_file
        A file to touch while all is well.
    """

    loop: bool = False
    idle: float = 30.0
    processes: int = 1
    restrict: str | None = None
    priority: int | None = None
    max_calls: int | None = None
    time_limit: float | None = None
    memory: int | None = None
    grace: float = 30.0
    health_file: str | None = None


def load(module: str, names: Sequence[str] = ()) -> list[AutoPopulate]:
    """Return the tables of a module that make themselves, parents first.

    Parameters
    ----------
    module
        Its name; found from the working directory too.
    names
        Only these tables, by the names of their classes.

    Raises
    ------
    ImportError
        There is no such module.
    DataJointError
        It has no such table.
    """
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    tables = in_order(tables_of(importlib.import_module(module)))
    known = {table.name.class_name for table in tables}
    for name in names:
        if name not in known:
            raise DataJointError(
                f"{module} has no table `{name}` that can be populated. {nearest(name, known)} "
                f"There are: {', '.join(sorted(known))}."
            )
    return [table for table in tables if not names or table.name.class_name in names]


def serve(find: Callable[[], Sequence[AutoPopulate]], plan: Plan, log: WorkLog) -> int:
    """Make keys as planned, and return the exit status.

    Parameters
    ----------
    find
        Returns the tables, parents first; asked again while the database is away.
    plan
        What to do.
    log
        Where to tell of it.
    """
    with Stopping(
        plan.grace, lambda name: log.say("stopping", signal=name, grace=plan.grace)
    ) as stopping:
        try:
            status = _Service(plan, log, stopping).work(find)
        except KeyboardInterrupt:
            log.say("interrupted")
            status = INTERRUPTED
        log.say("end", status=status)
        return status


class _Service:
    """One worker."""

    def __init__(self, plan: Plan, log: WorkLog, stopping: Stopping) -> None:
        self._plan, self._log, self._stopping = plan, log, stopping
        self._patience = inf if plan.loop else PATIENCE
        self._failed = self._attempts_failed = 0  # keys that nobody tries again by himself, and any
        self._is_working = False

    def work(self, find: Callable[[], Sequence[AutoPopulate]]) -> int:
        """Find the tables and make keys, until there are none or the worker is asked to stop."""
        try:
            tables = self._patiently(find, self._patience if self._plan.loop else 0)
        except LostConnectionError as error:
            return DONE if self._stopping.asked else self._gives_up(error, UNREACHABLE)
        except (Exception, SystemExit) as error:
            return self._gives_up(error, UNUSABLE)
        names = run.names_of(tables)
        self._log.say("begin", tables=names, pid=os.getpid(), processes=self._plan.processes)
        connection, file = tables[0].connection, self._plan.health_file
        try:
            if file is not None:
                Path(file).touch()
        except OSError as error:
            return self._gives_up(error, UNUSABLE)
        with Health(connection, self._log.say, lambda: self._is_working, file):
            try:
                return self._until_done(tables)
            except LostConnectionError as error:
                return DONE if self._stopping.asked else self._gives_up(error, UNREACHABLE)

    def _until_done(self, tables: Sequence[AutoPopulate]) -> int:
        plan, stopped = self._plan, self._stopping.is_asked
        while True:
            before = self._attempts_failed
            try:
                self._patiently(lambda: self._populate(tables), self._patience)
            except LostConnectionError:
                raise
            except (
                Exception,
                SystemExit,
            ) as error:  # of a key source, for example; it may be mended
                if isinstance(error, SystemExit) and self._attempts_failed > before:
                    if not stopped():
                        continue  # it was a make, whose key has failed; others may be left
                    return DONE
                self._failed += 1
                self._log.say("broken", error=_said(error), traceback=traceback.format_exc())
            if stopped():
                return DONE
            if not plan.loop:
                return FAILED if self._failed else DONE
            self._log.say("idle", seconds=plan.idle)
            wait(plan.idle, stopped)
            if stopped():
                return DONE

    def _populate(self, tables: Sequence[AutoPopulate]) -> None:
        plan = self._plan
        options = Options(
            suppress_errors=True,
            reserve_jobs=True,
            max_calls=plan.max_calls,
            processes=plan.processes,
            priority=plan.priority,
            time_limit=plan.time_limit,
            memory_limit=plan.memory,
            listener=self._hear,
            stop=self._stopping.is_asked,
            patience=self._patience,
            health_file=plan.health_file,
        )
        try:
            run.populate(tables, () if plan.restrict is None else (plan.restrict,), options)
        finally:
            self._is_working = False

    def _hear(self, event: Event) -> None:
        if isinstance(event, Started):
            self._is_working = True
        if isinstance(event, Failed):
            self._attempts_failed += 1
            self._failed += event.retry_in is None
        self._log.hear(event)

    def _patiently(self, work: Callable[[], T], seconds: float) -> T:
        return patiently(
            work,
            seconds,
            stopped=self._stopping.is_asked,
            told=lambda error, pause: self._log.say("waiting", seconds=pause, error=_said(error)),
        )

    def _gives_up(self, error: BaseException, status: int) -> int:
        stack = "".join(traceback.format_exception(error))
        self._log.say("gives up", error=_said(error), traceback=stack)
        return status


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
