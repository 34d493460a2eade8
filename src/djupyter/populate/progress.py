"""How far a populate is, shown while it runs: bars in a terminal, a panel with buttons in a notebook."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, Protocol

from djupyter.frontend import frontend, in_notebook
from djupyter.populate.events import Event, Failed, Finished, Listener, Lost, Planned
from djupyter.populate.watching import Watch

# Who works, and so what stops it: the cell itself; a thread for which the cell waits, or awaits; a thread alone.
Form = Literal["blocking", "waiting", "awaited", "background"]


class Display(Protocol):
    """Shows how far a populate is."""

    listeners: Sequence[Listener]  # by which it learns it

    def show(self) -> None:
        """Appear where the user is now."""

    def begin(self) -> None:
        """Follow the work."""

    def end(self) -> None:
        """Show how it ended."""


def display_of(
    watch: Watch,
    form: Form,
    stop: Callable[[], None] = lambda: None,
    retry: Callable[[], None] | None = None,
) -> Display:
    """Return what shows the progress here.

    Parameters
    ----------
    watch
        Knows it.
    form
        Who works.
    stop, retry
        What the buttons do.
    """
    if not in_notebook():
        return Bars(watch)
    display: Display = frontend("progress_panel")(watch, form, stop, retry)
    return display


@contextmanager
def displayed(
    tables: Sequence[tuple[str, str | None]], listener: Listener | None, stop: Callable[[], bool]
) -> Iterator[Listener]:
    """Show, within the block, what the listener that it gives hears.

    Parameters
    ----------
    tables
        Names and tiers.
    listener
        Hears it too.
    stop
        Says whether the work was stopped.
    """
    watch = Watch(tables)
    display = display_of(watch, "blocking")

    display.show()
    display.begin()
    try:
        yield all_of([*display.listeners, *([listener] if listener is not None else ())])
    except BaseException as error:
        watch.ends(error)
        raise
    else:
        if stop():
            watch.stops()
        watch.ends()
    finally:
        display.end()


def all_of(listeners: Sequence[Listener]) -> Listener:
    """Return a listener that lets others hear, one after the other; a single one as it is, which is quicker."""
    if len(listeners) == 1:
        return listeners[0]

    def hear(event: Event) -> None:
        for listen in listeners:
            listen(event)

    return hear


class Bars:
    """A tqdm bar for each table, in the terminal or in the output of a cell.

    Parameters
    ----------
    watch
        Hears of all that is shown.
    """

    def __init__(self, watch: Watch) -> None:
        self.listeners: Sequence[Listener] = (watch, self.hear)
        self._bars: dict[str, Any] = {}
        self._errors: dict[str, int] = {}

    def hear(self, event: Event) -> None:
        """Advance the bar of the event's table."""
        if isinstance(event, Planned):
            bar = self._bar(event.table)
            bar.total = (bar.total or 0) + event.keys
            bar.refresh()
        elif isinstance(event, Finished | Failed | Lost):
            bar = self._bar(event.table)
            if isinstance(event, Failed):
                self._errors[event.table] = self._errors.get(event.table, 0) + 1
                bar.set_postfix(errors=self._errors[event.table], refresh=False)
            bar.update()

    def _bar(self, table: str) -> Any:
        if table not in self._bars:
            from tqdm import tqdm

            self._bars[table] = tqdm(total=0, desc=table, unit="key", position=len(self._bars))
        return self._bars[table]

    def show(self) -> None:
        """Do nothing: bars appear with what they show."""

    def begin(self) -> None:
        """Begin anew."""
        self._bars, self._errors = {}, {}

    def end(self) -> None:
        """Leave the bars as they are."""
        for bar in self._bars.values():
            bar.close()
