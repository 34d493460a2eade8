"""The live table: a widget whose answers come from `browsing`, and which carries what the query itself shows."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from IPython.core.getipython import get_ipython

from djupyter.definition.names import TableName
from djupyter.errors import DataJointError
from djupyter.notebook.widgets.browsing import Browsing
from djupyter.query.anatomy import tables
from djupyter.query.expression import Query
from djupyter.query.restriction import chain
from djupyter.query.source import Source
from djupyter.query.spelling import spelled

_HERE = Path(__file__).parent
_PARTS = ("browse_markup.js", "browse_frame.js", "browse_rows.js", "browse.js")
_STYLES = files("djupyter.render") / "static" / "base.css"


class Browser(anywidget.AnyWidget):
    """A live table of a query: scroll to any place, sort, filter, count values, look at a row's objects.

    Parameters
    ----------
    query
        What to browse.

    Raises
    ------
    DataJointError
        The key has no order.
    """

    # A module of its own for each would have to be found by the browser, which may be offline.
    _esm = "\n".join((_HERE / name).read_text("utf-8") for name in _PARTS)
    _css = _STYLES.read_text("utf-8") + (_HERE / "browse.css").read_text("utf-8")
    # What is shown at first, so that nothing need be asked for it.
    opened = traitlets.Dict().tag(sync=True)

    def __init__(self, query: Query) -> None:
        self._query = query
        base, _ = chain(query.node)
        source = base if isinstance(base, Source) else None
        title = source.structure.name.class_name if source else _joined(query)
        tier = source.structure.name.tier if source else None
        self._browsing = Browsing(query, _python(query), title, tier, self._answer)
        super().__init__(opened=self._browsing.opened())
        self.on_msg(self._hear)

    def _hear(self, _: object, content: object, buffers: object) -> None:
        # In the kernel's main thread, or in one of its own: only hand over.
        if isinstance(content, dict):
            self._browsing.handle(content)

    def _answer(self, message: dict[str, Any]) -> None:
        if self.comm is not None:
            self.send(message)

    def close(self) -> None:
        """End what is being read, and take the table off the screen."""
        self._browsing.close()
        super().close()

    def __repr__(self) -> str:
        return repr(self._query)

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        bundle = super()._repr_mimebundle_(**options)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        static = {"text/plain": repr(self._query), "text/html": self._query._repr_html_()}
        return {**data, **static}, dict(metadata)


def _joined(query: Query) -> str:
    return " * ".join(name.class_name for name in tables(query.node)[:4])


def _python(query: Query) -> str:
    """Return the Python text of a query: what it is made of, or the variable that holds it."""
    known = _known()
    unknown: list[TableName] = []

    def name_of(table: TableName) -> str:
        for name, value in known.items():
            if isinstance(value, type) and _is_table(value, table):
                return name
        unknown.append(table)
        return table.class_name

    text = spelled(query.node, name_of)
    variable = next((name for name, value in known.items() if value is query), None)
    if variable and (unknown or text is None):
        return variable
    return text or "query"


def _is_table(value: type, table: TableName) -> bool:
    # Of classes without a schema the name cannot be asked for.
    try:
        return bool(getattr(value, "_schema", None)) and value().name == table
    except (DataJointError, TypeError, AttributeError):
        return False


def _known() -> Mapping[str, Any]:
    """Return the user's variables, as far as they have names to be used."""
    shell = get_ipython()
    spaces = dict(shell.user_ns) if shell is not None else {}
    return {name: value for name, value in spaces.items() if not name.startswith("_")}
