"""What lower layers show through widgets, by the name that the user calls; they reach it by `djupyter.frontend`."""

from __future__ import annotations

from typing import Any


def sliders(value: Any) -> str:
    """Return the mark of the place in its card where the sliders of an array go; nothing for what has none."""
    from djupyter.notebook.widgets.slices import live

    return live.mark(value)
