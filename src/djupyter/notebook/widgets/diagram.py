"""The live diagram: the graph in the browser, counted anew while something changes, a table's card on a click.

```
browser --messages--> queue --> one thread, a session of its own --traits--> browser
```

The thread begins with the first message of a browser, so never where nobody looks, and ends when nothing happens.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import traitlets
from ipycytoscape import CytoscapeWidget
from ipywidgets import HTML, VBox

from djupyter.definition.names import TableName
from djupyter.graph.dependencies import pipeline
from djupyter.heading.structure import TableStructure
from djupyter.notebook.badges import Badge, badges
from djupyter.notebook.cards import card
from djupyter.render.card import card_html
from djupyter.render.elements import elements
from djupyter.render.source import error_html
from djupyter.sql.connection import Connection
from djupyter.table.diagram import Diagram
from djupyter.table.table import FreeTable

# Seconds between two counts while numbers change, and while they do not; and how many times as long as counting
# took is rested at least, so that it never takes more than a twentieth of the time.
_SOON, _LATER, _REST = 0.5, 2.0, 20
# Seconds that a count may take; the key source of a table is someone's query.
_TOO_LONG = 5.0
# Seconds without a change and without a sign of life of a browser, after which nobody counts any more.
_PATIENCE = 300.0


_HERE = Path(__file__).parent
_SCRIPTS = ("diagram_places", "diagram_colours", "diagram")


class Panel(anywidget.AnyWidget):
    """The script in the browser, and what it is told."""

    # One script to the browser; each file builds upon those before it.
    _esm: ClassVar = "\n".join((_HERE / f"{name}.js").read_text("utf-8") for name in _SCRIPTS)
    _css: ClassVar = (_HERE / "diagram.css").read_text("utf-8")

    graph = traitlets.Dict().tag(sync=True)
    badges = traitlets.Dict().tag(sync=True)
    canvas = traitlets.Unicode().tag(sync=True)


def diagram_widget(diagram: Diagram) -> VBox:
    """Return a diagram as a live widget.

    Parameters
    ----------
    diagram
        What to show; its tables are known by now, so that nothing is asked of the database.
    """
    drawing, folded = diagram._unfolded()
    canvas = CytoscapeWidget(
        user_zooming_enabled=False, cytoscape_layout={"name": "preset"}, cytoscape_style=[]
    )
    panel = Panel(graph=elements(drawing, folded, diagram.drawing()), canvas=canvas.model_id)
    shown = HTML()
    box = VBox([panel, canvas, shown])
    box.add_class("dj-live")
    follower = Follower(diagram, panel, shown)
    panel.on_msg(lambda _, content, __: follower.hear(content))
    panel.observe(lambda _: follower.end(), "comm")  # which closing takes away
    return box


class Follower:
    """Counts rows and makes cards for one widget, in a thread of its own.

    Parameters
    ----------
    diagram
        What the widget shows.
    panel, shown
        Where counts and cards go.
    """

    def __init__(self, diagram: Diagram, panel: Panel, shown: HTML) -> None:
        self._connection: Connection = diagram._connection
        self._names: Mapping[str, TableName] = {
            f"t{place}": name for place, name in enumerate(diagram._shown)
        }
        self._panel, self._card = panel, shown
        self._heard: queue.SimpleQueue[Mapping[str, Any]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._is_running = self._has_ended = False
        self._counts_keys = True
        self._visible: Sequence[str] = ()
        self._last: dict[str, Badge] = {}

    def hear(self, message: Mapping[str, Any]) -> None:
        """Take a message of the browser; called by whatever thread the kernel likes, so it only takes note."""
        with self._lock:
            self._heard.put(message)
            if not self._is_running:
                self._is_running = True
                threading.Thread(target=self._follow, name="djupyter diagram", daemon=True).start()

    def end(self) -> None:
        """Count no more; the widget was closed."""
        self._has_ended = True
        self._heard.put({})  # wakes whoever waits

    def _follow(self) -> None:
        pause, quiet_since = 0.0, time.monotonic()
        while not self._is_over(quiet_since):
            try:
                message = self._heard.get(timeout=max(pause, 0.001))
            except queue.Empty:
                start = time.monotonic()
                has_changed = self._count()
                pause = max(_SOON if has_changed else _LATER, _REST * (time.monotonic() - start))
                quiet_since = time.monotonic() if has_changed else quiet_since
            else:
                quiet_since = time.monotonic()
                self._answer(message)
                # What has come into view is counted at once.
                pause = 0.0 if message.get("kind") == "visible" else pause

    def _is_over(self, quiet_since: float) -> bool:
        """Whether the thread ends, which then begins anew with the next message."""
        with self._lock:
            is_over = self._has_ended or (
                time.monotonic() - quiet_since > _PATIENCE and self._heard.empty()
            )
            self._is_running = not is_over
            return is_over

    def _answer(self, message: Mapping[str, Any]) -> None:
        if message.get("kind") == "visible":
            wanted = message.get("tables") or ()
            self._visible = [each for each in wanted if each in self._names]
        elif message.get("kind") == "chosen":
            name = self._names.get(message.get("table") or "")
            self._card.value = "" if name is None else self._card_of(name)

    def _card_of(self, name: TableName) -> str:
        # The border to the browser: whatever is wrong with the table or the database is shown there.
        try:
            connection = self._connection
            graph = pipeline(connection.catalog.connected(name.schema))
            return card_html(card(FreeTable(connection, name), graph))
        except Exception as error:
            return error_html(f"{name.class_name}", f"{type(error).__name__}: {error}")

    def _count(self) -> bool:
        """Count what is visible, tell the browser what is new, and return whether anything is."""
        # The same border: tables may be dropped, the database may be away; the last numbers stay.
        try:
            names = [self._names[each] for each in self._visible]
            structures = self._connection.catalog.structures
            there = {schema: structures(schema) for schema in {name.schema for name in names}}
            known = [there[n.schema][n.table] for n in names if n.table in there[n.schema]]
            counted = self._counted(known) if known else {}
        except Exception:
            return False
        new = {each: counted[name] for each, name in self._names.items() if name in counted}
        if new == self._last:
            return False
        self._last = new
        self._panel.badges = {
            each: {"text": badge.text, "part": badge.part} for each, badge in new.items()
        }
        return True

    def _counted(self, tables: Sequence[TableStructure]) -> dict[TableName, Badge]:
        """Count with keys, as long as that does not take too long; then rows alone, now and later."""
        if self._counts_keys:
            timer = threading.Timer(_TOO_LONG, self._connection.stopper())
            timer.daemon = True
            timer.start()
            try:
                return badges(self._connection, tables)
            except KeyboardInterrupt:  # what a statement raises that is stopped
                self._counts_keys = False
            finally:
                timer.cancel()
        return badges(self._connection, tables, keys=False)
