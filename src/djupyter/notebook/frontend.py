"""What lower layers show through widgets, by the name that the user calls; they reach it by `djupyter.frontend`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from djupyter.notebook.widgets.progress import Panel
    from djupyter.populate.progress import Form
    from djupyter.populate.watching import Watch


def progress_panel(
    watch: Watch, form: Form, stop: Callable[[], None], retry: Callable[[], None] | None
) -> Panel:
    """Return the panel that follows a populate; the parameters are those of `Panel`."""
    from djupyter.notebook.widgets.progress import Panel

    return Panel(watch, form, stop, retry)
