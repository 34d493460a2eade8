"""`%dj_populate`: several tables in order, one picture that follows the work, and a cell that fails if keys did."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from IPython.display import DisplayHandle, display

from djupyter.errors import DataJointError
from djupyter.notebook.shown import Shown
from djupyter.populate.events import Event, Failed, Finished, Planned
from djupyter.populate.pipeline import in_order, populate, tables_of
from djupyter.populate.run import names_of
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
    bars = _Bars(in_order(tables_of(*tables)))
    summaries = populate(
        *bars.tables,
        restrictions=restrictions,
        suppress_errors=True,
        return_exception_objects=True,
        max_calls=max_calls,
        listener=bars.hear,
    )
    failed: list[tuple[str, dict[str, Any], BaseException]] = [
        (name, key, error)
        for name, summary in summaries.items()
        for key, error in summary["error_list"]
    ]
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
        self._rows = {
            name: _row(name, table) for name, table in zip(names_of(tables), tables, strict=True)
        }
        self._planned: set[str] = set()
        self._drawn = time.monotonic()
        self._handle: DisplayHandle = display(self._shown(), display_id=True)

    def hear(self, event: Event) -> None:
        """Take note of what happened to a key."""
        row = self._rows.get(event.table)
        if row is None:  # what is said of all tables
            return
        if isinstance(event, Planned):
            # What is missing may have grown since the first picture: parents were computed meanwhile.
            before = row.total if event.table in self._planned else row.done
            self._planned.add(event.table)
            row = replace(row, total=(before or 0) + event.keys)
        elif isinstance(event, Finished):
            row = replace(row, done=(row.done or 0) + 1)
        elif isinstance(event, Failed):
            row = replace(row, errors=row.errors + 1)
        self._rows[event.table] = row
        if time.monotonic() - self._drawn > _PAUSE:
            self.draw()

    def draw(self) -> None:
        """Show the bars as they are."""
        self._drawn = time.monotonic()
        self._handle.update(self._shown())

    def _shown(self) -> Shown:
        rows = list(self._rows.values())
        lines = [
            f"{row.name}  {progress_text(row.done or 0, row.errors, row.total or 0)}"
            for row in rows
        ]
        return Shown(progress_html(rows), "\n".join(lines))


def _row(name: str, table: AutoPopulate) -> TableRow:
    remaining, total = table.progress()
    return TableRow(name, table.name.tier, done=total - remaining, total=total)
