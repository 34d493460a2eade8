"""Making some keys of a table, one after the other: what a worker does, in this process or in another one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from djupyter.errors import DuplicateError, LostConnectionError
from djupyter.populate.jobs.holding import Hold, LostJobError
from djupyter.populate.jobs.inputs import inputs_of
from djupyter.populate.jobs.log import Attempt, JobLog
from djupyter.populate.jobs.tracebacks import described
from djupyter.populate.making.limits import limited
from djupyter.populate.making.make import make_one
from djupyter.populate.making.stamping import stamp
from djupyter.populate.outcome import Key, Outcome
from djupyter.populate.patience import patiently

if TYPE_CHECKING:
    from djupyter.populate.tiers import AutoPopulate

_TAKEN_OVER = "Another worker took over, and has made the key already."


@dataclass(slots=True)
class Orders:
    """How keys are to be made; travels to other processes.

    Parameters
    ----------
    make_kwargs
        Further arguments of `make`.
    version
        Of the code, for the log.
    limit
        Seconds that a key may take.
    hold
        The right to the jobs of the keys; None where no jobs are reserved.
    stops_at_error
        Whether to leave the rest after an error.
    """

    make_kwargs: Mapping[str, Any] = field(default_factory=dict)
    version: str = ""
    limit: float | None = None
    hold: Hold | None = None
    stops_at_error: bool = False


def perform(
    table: AutoPopulate,
    keys: Sequence[Key],
    orders: Orders,
    *,
    stopped: Callable[[], bool] = lambda: False,
    begins: Callable[[Key], None] = lambda key: None,
    fails: Callable[[], None] = lambda: None,
    told: Callable[[Outcome], None] = lambda outcome: None,
) -> list[Outcome]:
    """Make keys, each in a transaction of its own, and return what became of each.

    Parameters
    ----------
    table
        Whose keys.
    keys
        Primary-key values.
    orders
        How.
    stopped
        Asked before each key; once true, the rest is left.
    begins, told
        Called before and after each key.
    fails
        Called when a key has failed, before that is noted: whoever watches the time limit must not take the wait for
        a database that is away for the work.

    Raises
    ------
    KeyboardInterrupt
        The key in work is undone; what became of those before was told.
    """
    __tracebackhide__ = True  # IPython then shows the user's frames only
    log = JobLog(table.connection)
    outcomes: list[Outcome] = []
    halted = False
    try:
        for key in keys:
            halted = halted or stopped()
            if halted:
                outcome = Outcome(key, "left")
            else:
                begins(key)
                outcome = _one(table, key, orders, log, fails)
                halted = orders.stops_at_error and outcome.status == "failed"
            outcomes.append(outcome)
            told(outcome)
    except BaseException:
        with suppress(LostConnectionError):  # who interrupts does not wait
            log.write()
        raise
    patiently(log.write, stopped=stopped)
    return outcomes


def _one(
    table: AutoPopulate, key: Key, orders: Orders, log: JobLog, fails: Callable[[], None]
) -> Outcome:
    """Make one key and note how it went."""
    __tracebackhide__ = True
    working = type(table)()
    working._allow_insert = True
    hold = orders.hold
    began, clock = time.time(), time.perf_counter()

    def closing() -> None:
        seconds = time.perf_counter() - clock
        stamp(working, key, began, seconds, orders.version)
        if hold is not None:
            hold.complete(key, seconds)

    try:
        with limited(orders.limit):
            making = make_one(working, key, orders.make_kwargs, closing)
    except LostJobError as error:
        fails()
        return _lost(table, key, str(error), orders, log, began, time.perf_counter() - clock)
    except (Exception, SystemExit) as error:
        seconds = time.perf_counter() - clock
        fails()
        if not (isinstance(error, DuplicateError) and key in table):
            return _failed(table, key, error, orders, log, began, seconds)
        if hold is None or patiently(lambda: hold.drop(key)):
            return Outcome(key, "there", seconds)  # somebody made it without reserving it
        return _lost(table, key, _TAKEN_OVER, orders, log, began, seconds)
    seconds = time.perf_counter() - clock
    inputs = inputs_of(working, key, making.fetched)
    log.note(Attempt(table.name, key, "success", began, seconds, orders.version, inputs))
    return Outcome(key, "made", seconds)


def _lost(
    table: AutoPopulate,
    key: Key,
    reason: str,
    orders: Orders,
    log: JobLog,
    began: float,
    seconds: float,
) -> Outcome:
    log.note(Attempt(table.name, key, "lost", began, seconds, orders.version, message=reason))
    return Outcome(key, "lost", seconds, reason)


def _failed(
    table: AutoPopulate,
    key: Key,
    error: BaseException,
    orders: Orders,
    log: JobLog,
    began: float,
    seconds: float,
) -> Outcome:
    name = type(table).__name__
    error.add_note(f"While computing {name} for the key {key}.")
    message, stack = described(error, table.connection)
    words = message.partition(": ")[2]
    attempt = Attempt(
        table.name,
        key,
        "error",
        began,
        seconds,
        orders.version,
        inputs_of(table, key),
        type(error).__name__,
        words,
        stack,
    )
    log.note(attempt)
    hold = orders.hold
    # Where no jobs are reserved nobody tries again by himself.
    retry_in = None if hold is None else patiently(lambda: _retry_in(table, key, log))
    # Where only the answer to a first attempt was lost, the job is no longer held: the outcome then is "lost", while
    # the error stands with the job.
    if hold is not None and not patiently(
        lambda: hold.fail(key, message, stack, seconds, retry_in)
    ):
        return Outcome(key, "lost", seconds, f"another worker took over before {message}")
    return Outcome(key, "failed", seconds, message, stack, error, retry_in)


def _retry_in(table: AutoPopulate, key: Key, log: JobLog) -> float | None:
    """Return after how many seconds a failed key is tried again: doubled with each attempt; None for never.

    Nor is it where no log is kept, by which attempts are counted.
    """
    most = table.max_attempts
    if most <= 1:
        return None
    failures = log.failures(table.name, key, "error")
    return (
        None
        if failures >= most or not log.is_kept(table.name.schema)
        else float(table.retry_delay * 2 ** (failures - 1))
    )
