"""How far a populate is, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from djupyter.render.text import count_text

SHOWN_FAILURES = 100
Phase = Literal["running", "stopping", "done", "stopped", "interrupted", "failed"]


@dataclass(frozen=True, slots=True)
class Failure:
    """A key that failed.

    Parameters
    ----------
    table
        The name of its class.
    key
        Primary-key values.
    error
        `Class: message`.
    traceback
        The whole traceback.
    """

    table: str
    key: Mapping[str, Any]
    error: str
    traceback: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class TableProgress:
    """How far a table is.

    Parameters
    ----------
    name, tier
        The table.
    planned
        How many keys were found that were to be made.
    done, errors, elsewhere
        How many of them are there now, have failed, and were left to other workers.
    working
        The keys in work, by their values; those begun first come first.
    marks
        A few (time, keys ended until then), the last ones, by which the rate is told.
    """

    name: str
    tier: str | None = None
    planned: int = 0
    done: int = 0
    errors: int = 0
    elsewhere: int = 0
    working: Mapping[tuple[Any, ...], Mapping[str, Any]] = field(default_factory=dict)
    marks: tuple[tuple[float, int], ...] = ()

    @property
    def ended(self) -> int:
        """How many keys need no more work."""
        return self.done + self.errors + self.elsewhere

    @property
    def remaining(self) -> int:
        """How many keys are still to be made."""
        return max(self.planned - self.ended, 0)

    def rate(self, now: float) -> float | None:
        """Return how many keys are ended in a second; None while that cannot be told."""
        if not self.marks or now <= self.marks[0][0] or self.ended <= self.marks[0][1]:
            return None
        return (self.ended - self.marks[0][1]) / (now - self.marks[0][0])


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a populate is.

    Parameters
    ----------
    tables
        In the order in which they depend on each other.
    phase
        Whether it runs, or how it has ended.
    started, ended
        When, by the same clock as all times here.
    failures
        The first keys that failed.
    trouble
        Why it waits or has failed, apart from the errors of keys.
    noted
        When the last events were noted.
    """

    tables: tuple[TableProgress, ...]
    phase: Phase = "running"
    started: float = 0.0
    ended: float | None = None
    failures: tuple[Failure, ...] = ()
    trouble: str = ""
    noted: float = 0.0

    @property
    def is_running(self) -> bool:
        """Whether keys are being made."""
        return self.phase in ("running", "stopping")

    @property
    def done(self) -> int:
        """Keys made."""
        return sum(table.done for table in self.tables)

    @property
    def errors(self) -> int:
        """Keys that failed."""
        return sum(table.errors for table in self.tables)

    @property
    def remaining(self) -> int:
        """Keys still to be made."""
        return sum(table.remaining for table in self.tables)

    def __repr__(self) -> str:
        return f"<Progress {self.phase}: {counted(self)}>"


def not_begun(tables: Sequence[tuple[str, str | None]], started: float = 0.0) -> Progress:
    """Return the progress of tables, named with their tiers, before anything is done.

    >>> not_begun([("Stat", "Computed")])
    <Progress running: 0 done>
    """
    return Progress(
        tuple(TableProgress(name, tier) for name, tier in tables), started=started, noted=started
    )


def counted(progress: Progress) -> str:
    """Return the counts of all tables in words."""
    told = [f"{progress.done:,} done"]
    told += [count_text(progress.errors, unit="error")] if progress.errors else []
    elsewhere = sum(table.elsewhere for table in progress.tables)
    told += [f"{elsewhere:,} made elsewhere"] if elsewhere else []
    told += [f"{progress.remaining:,} remain"] if progress.remaining else []
    return ", ".join(told)
