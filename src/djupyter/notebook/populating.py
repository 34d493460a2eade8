"""`%dj_populate`: several tables in order, a panel that follows the work, and a cell that fails if keys did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from djupyter.errors import DataJointError
from djupyter.frontend import in_notebook
from djupyter.notebook.shown import Shown
from djupyter.populate.background import Populating
from djupyter.populate.pipeline import populate_beside
from djupyter.render.progress_panel import key_text, progress_panel, progress_summary
from djupyter.render.text import count_text
from djupyter.table.table import Table


def populate_tables(
    tables: Sequence[Table],
    restrictions: Sequence[object],
    *,
    max_calls: int | None = None,
    processes: int = 1,
    background: bool = False,
) -> Populating[Any]:
    """Compute the missing keys of tables, parents before children.

    Keys are made in a thread. The cell waits for it, as what stands below needs the rows, and fails when keys did
    or when it was stopped. Waiting leaves the interrupt of the kernel free to mean what the Stop button does: the key
    in work is ended. A second one undoes it.

    Parameters
    ----------
    tables
        Tables that fill themselves.
    restrictions
        Only keys that meet all of them.
    max_calls
        At most so many keys of each table.
    processes
        Make keys in so many processes.
    background
        Do not wait.

    Raises
    ------
    DataJointError
        A table cannot fill itself, keys failed, or it was stopped.
    """
    run = populate_beside(
        *tables,
        restrictions=restrictions,
        form="background" if background else "waiting",
        suppress_errors=True,
        return_exception_objects=True,
        max_calls=max_calls,
        processes=processes,
        display_progress=True,
    )
    if background:
        return run
    _wait(run)
    if not in_notebook():
        progress = run.progress
        shown = Shown(progress_panel(progress, 0.0), progress_summary(progress, 0.0))
        shown.show()
    _check(run)
    return run


def _wait(run: Populating[Any]) -> None:
    try:
        run.wait()
    except KeyboardInterrupt:
        run.stop()
        try:
            run.wait()
        except KeyboardInterrupt:
            run.interrupt()
            raise


def _check(run: Populating[dict[str, Any]]) -> None:
    """Raise what makes the cell fail."""
    failed: list[tuple[str, Any, BaseException]] = [
        (name, key, error)
        for name, summary in run.result().items()
        for key, error in summary["error_list"]
    ]
    progress = run.progress
    if failed:
        name, key, error = failed[0]
        raise DataJointError(
            f"{count_text(len(failed), unit='key')} failed; the others are computed. The first: "
            f"{name} for {key_text(key)}, {type(error).__name__}: {error}"
        ) from error
    if progress.phase == "stopped":
        raise DataJointError(
            f"Stopped: {count_text(progress.done, unit='key')} made, {progress.remaining:,} left. "
            "Run the cell again to go on."
        )
