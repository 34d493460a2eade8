"""How values that are not ours show themselves in a notebook: Zarr arrays and groups, and large NumPy arrays."""

from __future__ import annotations

from typing import Any

from djupyter.codecs.array_card import in_memory_card
from djupyter.codecs.shown import bundle
from djupyter.codecs.zarr_card import zarr_array_card, zarr_group_card

# What is smaller is read more easily as numbers.
_LARGE = 1000


def register(shell: Any) -> None:
    """Add the formatters to a shell; packages that are not loaded are not imported for it."""
    bundles = shell.display_formatter.mimebundle_formatter
    bundles.for_type_by_name("zarr.core.array", "Array", _zarr_array)
    bundles.for_type_by_name("zarr.core.group", "Group", _zarr_group)
    bundles.for_type_by_name("numpy", "ndarray", _numpy_array)


def _zarr_array(array: Any, include: Any = None, exclude: Any = None) -> dict[str, Any]:
    return bundle(zarr_array_card(array), array)


def _zarr_group(group: Any, include: Any = None, exclude: Any = None) -> dict[str, Any]:
    return bundle(zarr_group_card(group))


def _numpy_array(array: Any, include: Any = None, exclude: Any = None) -> dict[str, Any] | None:
    # None leaves the text of NumPy.
    if array.size < _LARGE or array.dtype.kind not in "biufc":
        return None
    # The text of NumPy is what people know.
    return {"text/html": bundle(in_memory_card(array), array)["text/html"]}
