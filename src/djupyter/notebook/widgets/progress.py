"""The panel that follows a populate: bars, errors, and buttons that stop it and try again.

While it runs the output of the cell holds the widget and, beside it, the same as HTML and text. At the end only those
are left, so that a saved notebook shows them everywhere. Where keys failed, the widget, which no output shows any
more, puts its button into that HTML for as long as the page and the kernel live.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.resources import files
from typing import Any, ClassVar
from uuid import uuid4

import anywidget
import traitlets
from IPython.core.getipython import get_ipython
from IPython.display import display, update_display

from djupyter.populate.events import Listener
from djupyter.populate.progress import Form
from djupyter.populate.watching import Watch
from djupyter.render.markup import stylesheet
from djupyter.render.progress_panel import panel, progress_panel, progress_summary, shown_failures

# Seconds between two pictures, and between two while nothing happens: time passes. Errors are long, and travel less
# often.
_PAUSE, _TICK, _ERRORS = 0.2, 1.0, 1.0
# How many times as long as a picture takes the pause after it is at least, so that it slows the work by one percent.
_SHARE = 100
_FOLDER = files("djupyter.notebook.widgets")


def _css() -> str:
    shared = stylesheet("base", "table", "listing", "progress")
    own = (_FOLDER / "progress.css").read_text("utf-8")
    return shared.removeprefix("<style>").removesuffix("</style>") + own


class ProgressWidget(anywidget.AnyWidget):
    """What the browser knows of a populate; it sends the clicks."""

    _esm: ClassVar = (_FOLDER / "progress.js").read_text("utf-8")
    _css: ClassVar = _css()
    panel = traitlets.Dict().tag(sync=True)
    failures: Any = traitlets.List().tag(sync=True)
    form = traitlets.Unicode().tag(sync=True)
    retries = traitlets.Bool().tag(sync=True)
    mark = traitlets.Unicode().tag(sync=True)


class Panel:
    """Shows how far a populate is, in one output or several.

    Parameters
    ----------
    watch
        Knows it.
    form
        Who works.
    stop, retry
        What the buttons do. They are called in any thread, and return at once.
    """

    def __init__(
        self,
        watch: Watch,
        form: Form,
        stop: Callable[[], None],
        retry: Callable[[], None] | None,
    ) -> None:
        self._watch, self._stop, self._retry = watch, stop, retry
        self._mark = f"dj-run-{uuid4().hex}"
        self._widget = ProgressWidget(
            panel=panel(watch.progress, watch.now()),
            failures=[],
            form=form,
            retries=retry is not None,
            mark=self._mark,
        )
        self._widget.on_msg(self._hear_click)
        self._cells: dict[str, str] = {}  # by the request that a cell is, the display in it
        self.listeners: Sequence[Listener] = (watch.keep,)
        self._over = threading.Event()
        self._painter: threading.Thread | None = None
        self._errors_sent = (0, 0.0)
        self._is_live = watch.progress.is_running

    def show(self) -> None:
        """Appear below the cell that runs, once."""
        cell = _cell()
        if cell not in self._cells:
            self._cells[cell] = uuid4().hex
            display(self._bundle(), raw=True, display_id=self._cells[cell])

    def begin(self) -> None:
        """Follow the work."""
        self._over.clear()
        if not self._is_live:
            self._is_live = True
            self._widget.form = "background"  # no cell waits for a second attempt
            self._paint()
            self._update()
        run = (
            contextvars.copy_context().run
        )  # by which the kernel knows to which cell messages belong
        self._painter = threading.Thread(
            target=run, args=(self._paint_on,), name="progress", daemon=True
        )
        self._painter.start()

    def end(self) -> None:
        """Show how it ended, and leave that in the notebook."""
        self._over.set()
        if self._painter is not None:
            self._painter.join()
        self._is_live = False
        self._errors_sent = (-1, 0.0)
        with suppress(Exception):  # nobody may be there any more; the work is done all the same
            self._paint()
            self._update()

    def _paint_on(self) -> None:
        shown, painted, cost = None, 0.0, 0.0
        while not self._over.wait(max(_PAUSE, min(_TICK, _SHARE * cost))):
            start, progress = time.monotonic(), self._watch.progress
            if progress is not shown or start - painted >= _TICK:
                with suppress(Exception):  # a picture that fails must not harm the work
                    self._paint()
                shown, painted = progress, time.monotonic()
                cost = painted - start

    def _paint(self) -> None:
        progress = self._watch.progress
        count, sent = self._errors_sent
        listed, now = len(progress.failures), time.monotonic()
        with self._widget.hold_sync():
            self._widget.panel = panel(progress, self._watch.now())
            if listed != count and (now - sent >= _ERRORS or not progress.is_running):
                self._errors_sent = (listed, now)
                self._widget.failures = shown_failures(progress)

    def _update(self) -> None:
        bundle = self._bundle()
        for place in self._cells.values():
            update_display(bundle, raw=True, display_id=place)

    def _bundle(self) -> dict[str, Any]:
        """Return what an output holds."""
        progress, now = self._watch.progress, self._watch.now()
        may_retry = self._retry is not None and not progress.is_running
        is_whole = progress.phase == "done" and not progress.errors
        mark = self._mark if may_retry and not is_whole else ""
        bundle: dict[str, Any] = {
            "text/plain": progress_summary(progress, now),
            "text/html": progress_panel(progress, now, mark),
        }
        if self._is_live:
            bundle["application/vnd.jupyter.widget-view+json"] = {
                "version_major": 2,
                "version_minor": 0,
                "model_id": self._widget.model_id,
            }
        return bundle

    def _hear_click(self, _: object, content: dict[str, Any], __: object) -> None:
        if content.get("do") == "stop":
            self._stop()
        elif content.get("do") == "retry" and self._retry is not None:
            self._retry()


def _cell() -> str:
    """Return what tells the cell that runs from all others."""
    parent: dict[str, Any] = getattr(get_ipython(), "get_parent", dict)()
    return str(parent.get("header", {}).get("msg_id", ""))
