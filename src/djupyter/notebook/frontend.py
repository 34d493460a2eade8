"""What lower layers show through widgets, by the name that the user calls; they reach it by `djupyter.frontend`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from djupyter.notebook.widgets.browse import Browser
    from djupyter.query.expression import Query


def browse(query: Query) -> Browser:
    """Return the live table of a query."""
    from djupyter.notebook.widgets.browse import Browser

    return Browser(query)
