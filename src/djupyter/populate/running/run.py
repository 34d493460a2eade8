"""Populating: keys of one table or many, given to whoever makes them until nothing is left to be made.

```
Stage (a table) --take--> Task --Runner--> Outcome --> events, summary; rows made give the stages below new keys
```
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from djupyter.errors import DataJointError, LostConnectionError
from djupyter.graph.dependencies import pipeline
from djupyter.populate.events import (
    Event,
    Failed,
    Finished,
    Listener,
    Lost,
    Planned,
    Started,
    Waiting,
)
from djupyter.populate.events import Summary as SummaryEvent
from djupyter.populate.jobs.claims import Claims
from djupyter.populate.jobs.job import Job
from djupyter.populate.jobs.leases import Lease
from djupyter.populate.jobs.version import code_version
from djupyter.populate.making.make import check_makes
from djupyter.populate.making.performing import Orders
from djupyter.populate.outcome import Key, Outcome
from djupyter.populate.patience import PATIENCE, patiently
from djupyter.populate.progress import displayed
from djupyter.populate.running.runners import InProcess, Runner, Task
from djupyter.populate.running.stages import Claimed, Listed, Source, Stage

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from djupyter.populate.tiers import AutoPopulate


T = TypeVar("T")


class Summary(TypedDict):
    """What a populate did to a table."""

    success_count: int
    error_list: list[tuple[Key, Any]]


@dataclass(frozen=True, slots=True)
class Options:
    """How tables are populated; each is explained at `AutoPopulate.populate`."""

    suppress_errors: bool = False
    return_exception_objects: bool = False
    reserve_jobs: bool = False
    max_calls: int | None = None
    display_progress: bool = False
    processes: int = 1
    make_kwargs: Mapping[str, Any] = field(default_factory=dict)
    priority: int | None = None
    refresh: bool | None = None
    executor: Executor | None = None
    time_limit: float | None = None
    memory_limit: int | None = None
    listener: Listener | None = None
    stop: Callable[[], bool] = lambda: False
    # Seconds to wait for a database that is away, and a file to touch while the lease is renewed.
    patience: float = PATIENCE
    health_file: str | None = None

    @property
    def is_alone(self) -> bool:
        """Whether keys are made in this process."""
        return self.processes == 1 and self.executor is None and self.memory_limit is None


def populate(
    tables: Sequence[AutoPopulate], restrictions: Sequence[object], options: Options
) -> list[Summary]:
    """Make the missing keys of some tables, which are given parents first.

    Raises
    ------
    DataJointError
        A table is restricted or does not say how its rows are made, a transaction is open, or an option is wrong.
    Exception
        The first error of a make, unless errors are suppressed.
    """
    __tracebackhide__ = True  # IPython then shows the user's frames only
    check(tables, options)
    with ExitStack() as ending:
        if options.display_progress:
            named = [
                (name, table.name.tier)
                for name, table in zip(names_of(tables), tables, strict=True)
            ]
            shown = displayed(named, options.listener, options.stop)
            options = replace(options, listener=ending.enter_context(shown))
        run = _Run(options, ending)
        run.stages = _stages(tables, restrictions, options, run, ending)
        run.to_the_end()
    return [run.summary(stage) for stage in run.stages]


class _Run:
    """One call of populate: its stages, who works, and what came of it."""

    def __init__(self, options: Options, ending: ExitStack) -> None:
        self.options = options
        self.stages: list[Stage] = []
        self.lease: Lease | None = None
        self._ending = ending
        self._start = time.monotonic()
        self._errors: dict[str, list[tuple[Key, Any]]] = {}
        self._lost = 0
        self._first: BaseException | None = None
        self._listeners: list[Listener] = [each for each in (options.listener,) if each]

    def to_the_end(self) -> None:
        """Give keys to whoever makes them, until there are none."""
        __tracebackhide__ = True
        runner = self._runner()
        try:
            while self._give(runner) or not runner.is_idle:
                runner.wait()
                self._rests()
        except BaseException:
            runner.close(now=True)
            raise
        runner.close(now=False)
        failed = sum(map(len, self._errors.values()))
        made = sum(stage.made for stage in self.stages)
        seconds = time.monotonic() - self._start
        self.tell(SummaryEvent(self._title(), made, failed, self._lost, seconds))
        if self._first is not None:
            raise self._first

    def _runner(self) -> Runner:
        options = self.options
        if options.is_alone:
            return InProcess(self._is_stopped, self._begins, self._rests, self.hear)
        if options.executor is not None:
            from djupyter.populate.running.executing import Executing

            workers = options.processes if options.processes > 1 else None
            return Executing(options.executor, self._begins, self.hear, workers)
        from djupyter.populate.running.lanes import Lanes

        return Lanes(
            options.processes,
            self.stages,
            self._is_stopped,
            self._begins,
            self.hear,
            options.memory_limit,
        )

    def _is_stopped(self) -> bool:
        return self._first is not None or self.options.stop()

    def _give(self, runner: Runner) -> bool:
        """Give tasks to a runner while it has room; return whether it got any."""
        gave = False
        while runner.has_room and not self._is_stopped():
            task = self._next(runner)
            if task is None:
                break
            runner.begin(task)
            gave = True
        return gave

    def _next(self, runner: Runner) -> Task | None:
        """Return some keys to make: those of the last table that has any, so that results come early."""
        for stage in reversed(self.stages):
            if stage.may_look:
                self._look(stage)
            if keys := self._take(stage, runner):
                return Task(stage, keys)
        if runner.is_idle:  # nothing more will change by itself, so it is worth looking at once
            for stage in reversed(self.stages):
                if stage.is_outdated and self._look(stage) and (keys := self._take(stage, runner)):
                    return Task(stage, keys)
        return None

    def _look(self, stage: Stage) -> int:
        found = self._patiently(stage, stage.look)
        if planned := stage.plan(found):
            self.tell(Planned(stage.name, planned))
        return found

    def _take(self, stage: Stage, runner: Runner) -> list[Key]:
        return self._patiently(stage, lambda: stage.take(runner.workers))

    def _patiently(self, stage: Stage, work: Callable[[], T]) -> T:
        """Do something again while the database is away."""
        return patiently(
            work,
            self.options.patience,
            stopped=self._is_stopped,
            told=lambda error, pause: self.tell(Waiting(stage.name, pause, str(error))),
        )

    # -- what happens -------------------------------------------------------------------------------

    def tell(self, event: Event) -> None:
        """Let all listeners hear of an event."""
        for listen in self._listeners:
            listen(event)

    def _begins(self, stage: Stage, key: Key) -> None:
        # Of keys in other processes their own parent takes care, which knows when each is begun.
        if self.lease is not None and self.options.is_alone:
            self.lease.works_on(str(stage.table.name), key, stage.orders.limit)
        self.tell(Started(stage.name, key))

    def _rests(self) -> None:
        """Tell the guardian that no key is in work, lest it takes the search for others for a key that is late."""
        if self.lease is not None and self.options.is_alone:
            self.lease.works_on("", None, None)

    def hear(self, stage: Stage, outcome: Outcome) -> None:
        """Note what became of a key."""
        if outcome.status == "left":
            self._patiently(stage, lambda: stage.give_back([outcome.key]))
            return
        stage.source.ended(outcome.key, is_again=outcome.retry_in is not None)
        stage.took(outcome.seconds)
        if outcome.status in ("made", "there"):
            is_new = outcome.status == "made"
            stage.made += is_new
            self.tell(Finished(stage.name, outcome.key, outcome.seconds, is_new))
        elif outcome.status == "lost":
            self._lost += 1
            self.tell(Lost(stage.name, outcome.key, outcome.error))
        else:
            self._fail(stage, outcome)

    def _fail(self, stage: Stage, outcome: Outcome) -> None:
        if outcome.retry_in is not None:
            stage.expect()
        else:
            error = outcome.exception if self.options.return_exception_objects else outcome.error
            self._errors.setdefault(stage.name, []).append((outcome.key, error))
        self.tell(
            Failed(
                stage.name,
                outcome.key,
                outcome.seconds,
                outcome.error,
                outcome.traceback,
                outcome.retry_in,
            )
        )
        is_final = isinstance(outcome.exception, SystemExit)
        if (is_final or not self.options.suppress_errors) and self._first is None:
            self._first = outcome.exception or DataJointError(outcome.error)

    def summary(self, stage: Stage) -> Summary:
        """Return what was done to a table."""
        return {"success_count": stage.made, "error_list": self._errors.get(stage.name, [])}

    def _title(self) -> str:
        return self.stages[0].name if len(self.stages) == 1 else f"{len(self.stages)} tables"


def check(tables: Sequence[AutoPopulate], options: Options) -> None:
    """Refuse what cannot be populated.

    Raises
    ------
    DataJointError
        A table is restricted or does not say how its rows are made, a transaction is open, or an option is wrong.
    """
    for table in tables:
        _check(table)
        check_makes(table)
    _check_options(options)


def names_of(tables: Sequence[AutoPopulate]) -> list[str]:
    """Return what tables are called in events and summaries: their classes, with the schema where two are namesakes."""
    classes = [table.name.class_name for table in tables]
    return [
        name if classes.count(name) == 1 else f"{table.name.schema}.{name}"
        for name, table in zip(classes, tables, strict=True)
    ]


def _stages(
    tables: Sequence[AutoPopulate],
    restrictions: Sequence[object],
    options: Options,
    run: _Run,
    ending: ExitStack,
) -> list[Stage]:
    above = _above(tables)
    names = dict(zip((table.name for table in tables), names_of(tables), strict=True))
    stages: dict[Any, Stage] = {}
    for table in tables:
        settings = table.connection.settings
        version = code_version(type(table), settings["jobs.version_method"])
        orders = Orders(
            options.make_kwargs,
            version,
            options.time_limit,
            stops_at_error=not options.suppress_errors,
        )
        source: Source = Listed(table, restrictions)
        if options.reserve_jobs:
            if run.lease is None:
                run.lease = ending.enter_context(
                    Lease(table.connection, settings["jobs.lease"], version, options.health_file)
                )
            job = Job(table)
            job.ensure()
            claims = Claims(job, run.lease, restrictions, options.priority)
            ending.callback(_give_back, claims)
            orders.hold = claims.hold
            refreshes = (
                settings["jobs.auto_refresh"] if options.refresh is None else options.refresh
            )
            source = Claimed(claims, restrictions, refreshes=bool(refreshes))
        parents = [stages[name] for name in above.get(table.name, ()) if name in stages]
        stages[table.name] = Stage(
            table, source, orders, options.max_calls, parents, name=names[table.name]
        )
    return list(stages.values())


def _give_back(claims: Claims) -> None:
    # Where the database is away, the end of the lease does it.
    with suppress(LostConnectionError):
        claims.give_back()


def _above(tables: Sequence[AutoPopulate]) -> Mapping[Any, Iterable[Any]]:
    """Return for each table which of the others it depends on; one table needs no look at the graph."""
    if len(tables) < 2:
        return {}
    schemas = {table.name.schema for table in tables}
    graph = pipeline(tables[0].connection.catalog.connected(*schemas))
    return {table.name: graph.ancestors(table.name) for table in tables}


def _check_options(options: Options) -> None:
    if options.max_calls is not None and options.max_calls < 0:
        raise DataJointError(f"max_calls must not be negative, but is {options.max_calls}.")
    if options.processes < 1:
        raise DataJointError(f"processes must be at least 1, but is {options.processes}.")
    for name in ("time_limit", "memory_limit"):
        limit = getattr(options, name)
        if limit is not None and limit <= 0:
            raise DataJointError(
                f"{name} must be more than 0, but is {limit}. Pass None for no limit."
            )
    if options.memory_limit is not None and options.executor is not None:
        raise DataJointError(
            "memory_limit is for processes of our own. How much memory those of an executor may have, "
            "tell the executor."
        )


def _check(table: AutoPopulate) -> None:
    if table.is_restricted:
        raise DataJointError(
            "Cannot call populate on a restricted table. Pass the restriction as an argument: "
            f"{type(table).__name__}.populate(restriction)."
        )
    if table.connection.in_transaction:
        raise DataJointError(
            "Populate cannot be called during a transaction: every key has its own."
        )
