"""What lower layers show through widgets, by the name that the user calls; they reach it by `djupyter.frontend`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from IPython.display import display

from djupyter.table.diagram import Diagram

if TYPE_CHECKING:
    from djupyter.notebook.widgets.browse import Browser
    from djupyter.notebook.widgets.progress import Panel
    from djupyter.populate.progress import Form
    from djupyter.populate.watching import Watch
    from djupyter.query.expression import Query


def sliders(value: Any) -> str:
    """Return the mark of the place in its card where the sliders of an array go; nothing for what has none."""
    from djupyter.notebook.widgets.slices import live

    return live.mark(value)


def show_diagram(diagram: Diagram, static: Mapping[str, object]) -> None:
    """Display a diagram in a notebook: its picture, and the live view that takes its place where there is a kernel.

    Parameters
    ----------
    diagram
        What to show.
    static
        The picture and its text, by MIME type.
    """
    display(dict(static), raw=True)
    try:
        from djupyter.notebook.widgets.diagram import diagram_widget
    except ModuleNotFoundError:  # no widgets here: what is static remains
        return
    view = diagram_widget(diagram)._repr_mimebundle_()
    # Where there are no widgets the picture says it all.
    view.pop("text/plain", None)
    display(view, raw=True)


def browse(query: Query) -> Browser:
    """Return the live table of a query."""
    from djupyter.notebook.widgets.browse import Browser

    return Browser(query)


def progress_panel(
    watch: Watch, form: Form, stop: Callable[[], None], retry: Callable[[], None] | None
) -> Panel:
    """Return the panel that follows a populate; the parameters are those of `Panel`."""
    from djupyter.notebook.widgets.progress import Panel

    return Panel(watch, form, stop, retry)
