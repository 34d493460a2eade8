"""`%dj_populate`: several tables in order, one picture that follows the work, and a cell that fails if keys did."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from IPython.display import DisplayHandle, display

from djupyter.errors import DataJointError
from djupyter.graph.dependencies import pipeline
from djupyter.notebook.shown import Shown
from djupyter.populate.events import Event, Failed, Finished, Planned
from djupyter.populate.tiers import AutoPopulate
from djupyter.render.listing import TableRow, progress_html, progress_text
from djupyter.render.source import error_html, error_text
from djupyter.table.table import Table

# Seconds between two pictures: the display must not slow the work.
_PAUSE = 0.2


def populate_tables(
    tables: Sequence[Table], restrictions: Sequence[object], *, max_calls: int | None = None
) -> None:
    """Compute the missing keys of tables, parents before children.

    An error in one key does not stop the others; it is shown below the bars.

    Parameters
    ----------
    tables
        Tables that fill themselves.
    restrictions
        Only keys that meet all of them.
    max_calls
        At most so many keys of each table.

    Raises
    ------
    DataJointError
        A table cannot fill itself, or keys failed.
    """
    bars = _Bars([_automatic(table) for table in _in_order(tables)])
    failed: list[tuple[str, dict[str, Any], BaseException]] = []
    for bar, table in enumerate(bars.tables):
        summary = table.populate(
            *restrictions,
            suppress_errors=True,
            return_exception_objects=True,
            max_calls=max_calls,
            listener=bars.listener(bar),
        )
        failed += [(table.name.class_name, key, error) for key, error in summary["error_list"]]
    bars.draw()
    for name, key, error in failed[:10]:
        title = f"{name} {key}"
        message = f"{type(error).__name__}: {error}"
        Shown(error_html(title, message), error_text(message, title)).show()
    if failed:
        raise DataJointError(
            f"{len(failed)} {'key' if len(failed) == 1 else 'keys'} failed; the others are computed. The first: "
            f"{failed[0][0]} for {failed[0][1]}, {type(failed[0][2]).__name__}: {failed[0][2]}"
        ) from failed[0][2]


class _Bars:
    """One bar for each table, drawn anew in the same place."""

    def __init__(self, tables: Sequence[AutoPopulate]) -> None:
        self.tables = tables
        self._rows = [_row(table) for table in tables]
        self._drawn = time.monotonic()
        self._handle: DisplayHandle = display(self._shown(), display_id=True)

    def listener(self, bar: int) -> Any:
        """Return what a table's populate tells of each key."""

        def listen(event: Event) -> None:
            row = self._rows[bar]
            if isinstance(event, Planned):
                # What is missing may have grown since the first picture: parents were computed meanwhile.
                row = replace(row, total=(row.done or 0) + event.keys)
            elif isinstance(event, Finished):
                row = replace(row, done=(row.done or 0) + 1)
            elif isinstance(event, Failed):
                row = replace(row, errors=row.errors + 1)
            self._rows[bar] = row
            if time.monotonic() - self._drawn > _PAUSE:
                self.draw()

        return listen

    def draw(self) -> None:
        """Show the bars as they are."""
        self._drawn = time.monotonic()
        self._handle.update(self._shown())

    def _shown(self) -> Shown:
        lines = [
            f"{row.name}  {progress_text(row.done or 0, row.errors, row.total or 0)}"
            for row in self._rows
        ]
        return Shown(progress_html(self._rows), "\n".join(lines))


def _row(table: AutoPopulate) -> TableRow:
    remaining, total = table.progress()
    return TableRow(table.name.class_name, table.name.tier, done=total - remaining, total=total)


def _automatic(table: Table) -> AutoPopulate:
    if not isinstance(table, AutoPopulate):
        raise DataJointError(
            f"{table.name.class_name} cannot be populated: only Imported and Computed tables whose class is "
            "in the notebook know how to compute their rows."
        )
    return table


def _in_order(tables: Sequence[Table]) -> list[Table]:
    schemas = {table.name.schema for table in tables}
    graph = pipeline(tables[0].connection.catalog.connected(*schemas))
    place = {name: i for i, name in enumerate(graph.in_order())}
    return sorted(tables, key=lambda table: place.get(table.name, 0))
