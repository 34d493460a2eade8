"""Contenders take turns, so that whatever else the machine does meets all of them."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter
from typing import Any, Literal

from benchmarks.places import Place
from benchmarks.tables import Sizes

Contender = Literal["djupyter", "driver", "datajoint"]
Act = Callable[[], object]


@dataclass(frozen=True)
class Aims:
    """What is asked of djupyter, as ratios of times; None where nothing is.

    Parameters
    ----------
    driver
        Times the bare driver, at most.
    datajoint
        Times datajoint, at most, by backend.
    statements
        Statements that djupyter may send, at most.
    """

    driver: float | None = None
    datajoint: Mapping[str, float] = field(default_factory=dict)
    statements: int | None = None


@dataclass(frozen=True)
class Contest:
    """What is measured on one backend.

    Parameters
    ----------
    acts
        What each contender does. One that returns a float times itself, in a process of its own: seconds.
    reset
        Undoes what an act did; not timed.
    statements
        How many statements each contender sends, where that was counted.
    """

    acts: Mapping[Contender, Act]
    reset: Act = lambda: None
    statements: Mapping[Contender, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Workload:
    """One row of the report.

    Parameters
    ----------
    name
        As in the report.
    prepare
        Makes the tables and yields the contest.
    aims
        What is asked.
    per
        Which of the sizes tells how often one act does its work; times are given for each.
    backends
        Where it makes sense.
    alone
        Names of places where datajoint cannot take part.
    """

    name: str
    prepare: Callable[[Place, Sizes], AbstractContextManager[Contest]]
    aims: Aims = Aims()
    per: Literal["", "small", "build"] = ""
    backends: tuple[str, ...] = ("sqlite", "mysql", "postgresql")
    alone: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """Medians in seconds, and statements where they were counted."""

    workload: Workload
    place: str
    backend: str
    seconds: Mapping[Contender, float]
    statements: Mapping[Contender, int]

    def ratio(self, other: Contender) -> float | None:
        """Return how many times as long djupyter takes as another."""
        if other not in self.seconds:
            return None
        return self.seconds["djupyter"] / self.seconds[other]

    @property
    def verdict(self) -> str:
        """`pass`, `MISS`, or nothing where no aim could be judged."""
        aims = self.workload.aims
        limits: list[tuple[Any, Any]] = [
            (self.ratio("driver"), aims.driver),
            (self.ratio("datajoint"), aims.datajoint.get(self.backend)),
            (self.statements.get("djupyter"), aims.statements),
        ]
        judged = [found <= limit for found, limit in limits if found is not None and limit]
        return ("pass" if all(judged) else "MISS") if judged else ""


@contextmanager
def _forgotten() -> Iterator[None]:
    """Let the collector of garbage not look at what was there before: it would take longer than what is measured."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def measure(workload: Workload, place: Place, sizes: Sizes) -> Outcome:
    """Return the medians of a workload on one backend; the first round only warms up."""
    times: dict[Contender, list[float]] = {}
    with workload.prepare(place, sizes) as contest, _forgotten():
        for round_, (contender, act) in _turns(contest, sizes.repeats + 1):
            gc.collect()
            start = perf_counter()
            found = act()
            seconds = perf_counter() - start
            contest.reset()
            if round_ or not sizes.repeats:
                own = isinstance(found, float)
                times.setdefault(contender, []).append(found if own else seconds)
        count = getattr(sizes, workload.per) if workload.per else 1
        medians = {contender: median(each) / count for contender, each in times.items()}
        return Outcome(workload, place.name, place.backend, medians, contest.statements)


def _turns(contest: Contest, rounds: int) -> Iterator[tuple[int, tuple[Contender, Act]]]:
    pairs = list(contest.acts.items())
    for round_ in range(rounds):
        # Each goes first in turn: what one leaves in the caches of the server meets the next.
        shift = round_ % len(pairs)
        yield from ((round_, pair) for pair in pairs[shift:] + pairs[:shift])
