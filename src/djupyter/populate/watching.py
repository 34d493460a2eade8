"""What is known of a populate from its events: a function from what was known before and an event to what is known now.

```
Event -> advance(progress, event, now) -> Progress -> text, HTML, widget
```
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from djupyter.populate.events import (
    Event,
    Failed,
    Finished,
    Key,
    Lost,
    Planned,
    Started,
    Waiting,
)
from djupyter.render.progress import (
    SHOWN_FAILURES,
    Failure,
    Progress,
    TableProgress,
    not_begun,
)

# A rate is that of so many of the last stretches of so many seconds.
_MARKS, _STRETCH = 30, 1.0


def advance(progress: Progress, event: Event, now: float) -> Progress:
    """Return how far a populate is after an event.

    Parameters
    ----------
    progress
        How far it was.
    event
        What happened.
    now
        When, in seconds of any clock.

    Examples
    --------
    >>> progress = not_begun([("Stat", "Computed")])
    >>> for event in [Planned("Stat", 2), Started("Stat", {"n": 1}), Finished("Stat", {"n": 1}, 0.5)]:
    ...     progress = advance(progress, event, 1.0)
    >>> progress
    <Progress running: 1 done, 1 remain>
    """
    if isinstance(event, Waiting):
        return replace(
            progress, trouble=f"{event.table}: {event.error} Asked again in {event.seconds:g} s."
        )
    for place, table in enumerate(progress.tables):
        if table.name == event.table:
            changed = _advanced(table, event, now)
            tables = (*progress.tables[:place], changed, *progress.tables[place + 1 :])
            return Progress(
                tables,
                progress.phase,
                progress.started,
                progress.ended,
                _failures(progress.failures, event),
                "",
            )
    return progress


def _advanced(table: TableProgress, event: Event, now: float) -> TableProgress:
    planned, done, errors, elsewhere = table.planned, table.done, table.errors, table.elsewhere
    working = table.working
    if isinstance(event, Planned):
        planned += event.keys
    elif isinstance(event, Started):
        working = {**working, _name(event.key): event.key}
    elif isinstance(event, Finished):
        done, working = done + 1, _without(working, event.key)
    elif isinstance(event, Lost):
        elsewhere, working = elsewhere + 1, _without(working, event.key)
    elif isinstance(event, Failed):
        # A key that is tried again by itself is still to be made.
        errors += event.retry_in is None
        working = _without(working, event.key)
    marks = table.marks
    if not marks or now - marks[-1][0] >= _STRETCH:
        marks = (*marks[-_MARKS:], (now, table.ended))
    return TableProgress(table.name, table.tier, planned, done, errors, elsewhere, working, marks)


def _failures(failures: tuple[Failure, ...], event: Event) -> tuple[Failure, ...]:
    is_failure = isinstance(event, Failed) and event.retry_in is None
    if not is_failure or len(failures) >= SHOWN_FAILURES:
        return failures
    assert isinstance(event, Failed), "it was asked"
    return (*failures, Failure(event.table, event.key, event.error, event.traceback))


def _name(key: Key) -> tuple[Any, ...]:
    return tuple(key.values())


def _without(working: Mapping[tuple[Any, ...], Key], key: Key) -> Mapping[tuple[Any, ...], Key]:
    name = _name(key)
    if len(working) == 1 and name in working:
        return {}
    return {each: value for each, value in working.items() if each != name}


def stopping(progress: Progress) -> Progress:
    """Return the progress of a populate that was asked to stop."""
    return replace(progress, phase="stopping") if progress.phase == "running" else progress


def ended(progress: Progress, error: BaseException | None, now: float) -> Progress:
    """Return the progress of a populate that has ended, by an error or of itself.

    >>> ended(not_begun([("Stat", "Computed")]), None, 2.0).phase
    'done'
    """
    done = replace(progress, tables=tuple(map(_at_rest, progress.tables)), ended=now, trouble="")
    if isinstance(error, KeyboardInterrupt):
        return replace(done, phase="interrupted")
    if error is not None:
        # The error of a key stands with its key.
        trouble = "" if progress.failures else f"{type(error).__name__}: {error}"
        return replace(done, phase="failed", trouble=trouble)
    if progress.phase == "stopping" and progress.remaining:
        return replace(done, phase="stopped")
    return replace(done, phase="done", tables=tuple(map(_all_given, done.tables)))


def _at_rest(table: TableProgress) -> TableProgress:
    return replace(table, working={})


def _all_given(table: TableProgress) -> TableProgress:
    # Nothing was left to be taken: what this worker has not made, others have.
    return replace(table, planned=table.ended)


def begun_again(progress: Progress, now: float) -> Progress:
    """Return the progress of a populate whose failed keys are tried again: they will be planned anew."""
    tables = tuple(
        replace(table, planned=table.done + table.elsewhere, errors=0, working={}, marks=())
        for table in progress.tables
    )
    return Progress(tables, started=now)


class Watch:
    """A listener that knows how far a populate is, and lets a display know that something has changed.

    Parameters
    ----------
    tables
        Names and tiers.
    clock
        Tells the time.
    """

    def __init__(
        self,
        tables: Sequence[tuple[str, str | None]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._lock = threading.Lock()  # the button is another thread than the work
        self.progress = not_begun(tables, clock())
        self.told: Callable[[], None] = lambda: None

    def __call__(self, event: Event) -> None:
        """Take note of an event."""
        now = self._clock()
        with self._lock:
            self.progress = advance(self.progress, event, now)
        self.told()

    def stops(self) -> None:
        """Take note that the populate was asked to stop."""
        self._becomes(stopping)

    def ends(self, error: BaseException | None = None) -> None:
        """Take note that the populate has ended."""
        self._becomes(lambda progress: ended(progress, error, self._clock()))

    def begins_again(self) -> None:
        """Take note that failed keys are tried again."""
        self._becomes(lambda progress: begun_again(progress, self._clock()))

    def now(self) -> float:
        """Return the time by which the progress is told."""
        return self._clock()

    def _becomes(self, change: Callable[[Progress], Progress]) -> None:
        with self._lock:
            self.progress = change(self.progress)
        self.told()
