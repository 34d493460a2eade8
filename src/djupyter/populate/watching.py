"""What is known of a populate from its events: a function from what was known before and events to what is known now.

```
events -> advance(progress, events, now) -> Progress -> text, HTML, widget
```
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

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
from djupyter.render.progress import SHOWN_FAILURES, Failure, Progress, TableProgress, not_begun

# A rate is that of so many of the last stretches of so many seconds.
_MARKS, _STRETCH = 30, 1.0
# Events that are kept at most before they are added up.
_MOST = 1000


def advance(progress: Progress, events: Iterable[Event], now: float) -> Progress:
    """Return how far a populate is after some events.

    Parameters
    ----------
    progress
        How far it was.
    events
        What happened, the first first.
    now
        When the last of it happened, in seconds of any clock.

    Examples
    --------
    >>> key = {"n": 1}
    >>> happened = [Planned("Stat", 2), Started("Stat", key), Finished("Stat", key, 0.5)]
    >>> advance(not_begun([("Stat", "Computed")]), happened, 1.0)
    <Progress running: 1 done, 1 remain>
    """
    tallies = {table.name: _Tally(table) for table in progress.tables}
    failures, trouble = list(progress.failures), progress.trouble
    for event in events:
        tally = tallies.get(event.table)
        if tally is None:  # what is said of all tables
            continue
        trouble = ""
        match event:
            case Started():
                tally.working[tuple(event.key.values())] = event.key
            case Finished():
                tally.done += 1
                tally.working.pop(tuple(event.key.values()), None)
            case Planned():
                tally.planned += event.keys
            case Lost():
                tally.elsewhere += 1
                tally.working.pop(tuple(event.key.values()), None)
            case Failed():
                tally.working.pop(tuple(event.key.values()), None)
                if event.retry_in is None:  # otherwise it is still to be made
                    tally.errors += 1
                    failures.append(Failure(event.table, event.key, event.error, event.traceback))
            case Waiting():
                trouble = f"{event.table}: {event.error} Asked again in {event.seconds:g} s."
    return replace(
        progress,
        tables=tuple(tally.table(progress.noted) for tally in tallies.values()),
        noted=now,
        failures=tuple(failures[:SHOWN_FAILURES]),
        trouble=trouble,
    )


class _Tally:
    """The counts of a table while events are added up: quicker than a new record for each."""

    __slots__ = ("_before", "done", "elsewhere", "errors", "planned", "working")

    def __init__(self, before: TableProgress) -> None:
        self._before = before
        self.planned, self.done = before.planned, before.done
        self.errors, self.elsewhere = before.errors, before.elsewhere
        self.working = dict(before.working)

    def table(self, noted: float) -> TableProgress:
        """Return what is known now; what was known before is that of an earlier time."""
        marks = self._before.marks
        if not marks or noted - marks[-1][0] >= _STRETCH:
            marks = (*marks[-_MARKS:], (noted, self._before.ended))
        return replace(
            self._before,
            planned=self.planned,
            done=self.done,
            errors=self.errors,
            elsewhere=self.elsewhere,
            working=self.working,
            marks=marks,
        )


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
    return Progress(tables, started=now, noted=now)


class Watch:
    """A listener that knows how far a populate is.

    Events are only kept when they come, and added up when somebody looks, because keys may be made by the thousand in
    a second.

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
        self._events: deque[Event] = deque()
        self._known = not_begun(tables, clock())
        # The quickest listener there is; for those who look at the progress every now and then.
        self.keep: Listener = self._events.append

    def __call__(self, event: Event) -> None:
        """Take note of an event, whether anybody ever looks or not."""
        self._events.append(event)
        if len(self._events) >= _MOST:
            self._becomes(lambda progress: progress)

    @property
    def progress(self) -> Progress:
        """How far it is."""
        return self._becomes(lambda progress: progress) if self._events else self._known

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

    def _becomes(self, change: Callable[[Progress], Progress]) -> Progress:
        with self._lock:
            happened = [self._events.popleft() for _ in range(len(self._events))]
            known = advance(self._known, happened, self._clock()) if happened else self._known
            self._known = change(known)
            return self._known
