"""How values that are not ours show themselves in a notebook: Zarr arrays and groups, and large NumPy arrays."""

from __future__ import annotations

from typing import Any

from djupyter.codecs.array_card import array_card
from djupyter.codecs.shown import guarded
from djupyter.codecs.zarr_card import zarr_array_card, zarr_array_summary, zarr_group_card
from djupyter.render.object_card import object_html, object_text

# What is smaller is read more easily as numbers.
_LARGE = 1000


def register(shell: Any) -> None:
    """Add the formatters to a shell; packages that are not loaded are not imported for it."""
    html = shell.display_formatter.formatters["text/html"]
    html.for_type_by_name("zarr.core.array", "Array", _zarr_array)
    html.for_type_by_name("zarr.core.group", "Group", _zarr_group)
    html.for_type_by_name("numpy", "ndarray", _numpy_array)
    text = shell.display_formatter.formatters["text/plain"]
    text.for_type_by_name("zarr.core.array", "Array", _zarr_array_text)
    text.for_type_by_name("zarr.core.group", "Group", _zarr_group_text)


def _zarr_array(array: Any) -> str:
    return object_html(zarr_array_card(array))


def _zarr_group(group: Any) -> str:
    return object_html(zarr_group_card(group))


def _zarr_array_text(array: Any, printer: Any, cycle: bool) -> None:
    # The one of zarr has the address, but neither chunks nor codecs.
    printer.text(object_text(zarr_array_summary(array)))


def _zarr_group_text(group: Any, printer: Any, cycle: bool) -> None:
    printer.text(object_text(zarr_group_card(group)))


def _numpy_array(array: Any) -> str | None:
    # None leaves the text of NumPy.
    if array.size < _LARGE or array.dtype.kind not in "biufc":
        return None
    card = guarded(
        lambda: array_card("array", array.shape, array.dtype, array.__getitem__), "array", ()
    )
    return object_html(card)
