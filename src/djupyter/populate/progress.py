"""How far a populate is, as bars in a terminal."""

from __future__ import annotations

from typing import Any

from djupyter.populate.events import Event, Failed, Finished, Lost, Planned


class Bar:
    """A listener that shows a tqdm bar for each table, in the terminal or in the output of a cell."""

    def __init__(self) -> None:
        self._bars: dict[str, Any] = {}
        self._errors: dict[str, int] = {}

    def __call__(self, event: Event) -> None:
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

    def close(self) -> None:
        """Leave the bars as they are."""
        for bar in self._bars.values():
            bar.close()
