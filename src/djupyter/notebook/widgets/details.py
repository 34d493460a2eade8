"""All values of one row: plain ones as text, objects as the cards that they show of themselves.

An object is loaded only if it is small enough, or shows itself by reading a bounded part. What is sent to the browser
as markup was made by our own cards, in which every value is escaped.
"""

from __future__ import annotations

import json
import pprint
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from djupyter.codecs.array_card import in_memory_card
from djupyter.codecs.zarr_card import zarr_array_card, zarr_group_card
from djupyter.errors import DataJointError
from djupyter.heading.attribute import Attribute
from djupyter.query.expression import Query
from djupyter.query.show import shown_rows
from djupyter.render.characters import visible
from djupyter.render.object_card import bytes_text, object_html
from djupyter.render.preview import Summary
from djupyter.render.values import shown

_LONGEST = 10_000  # characters of a value
# What is fetched as something that reads when it is asked to.
_LAZY = {"object", "npy", "zarr", "parquet", "filepath"}
# What writes a file when it is fetched.
_WRITING = {"attach"}


def plain_values(row: Query) -> list[dict[str, Any]] | None:
    """Return the attributes of a row with their values as text; None where the row is gone.

    Objects, and documents, have only what the row says of them.
    """
    rows = shown_rows(row.connection, row.node)
    if not rows:
        return None
    found = []
    for attribute, value in zip(row.heading.values(), rows[0], strict=True):
        look = shown(value)
        found.append(
            {
                "name": attribute.name,
                "type": attribute.type_text,
                "key": attribute.in_key,
                "comment": visible(attribute.comment),
                "kind": look.kind,
                "text": _long(attribute, value) or look.full or look.text,
                "opaque": value is not None and attribute.is_codec,
            }
        )
    return found


def _long(attribute: Attribute, value: object) -> str:
    if attribute.is_json and value is not None:
        try:
            text = json.dumps(json.loads(str(value)), indent=2, ensure_ascii=False)
        except ValueError:
            text = str(value)
        return _lines(text)
    return _lines(value) if isinstance(value, str) and value else ""


def _lines(text: str) -> str:
    cut = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return "\n".join(visible(line.expandtabs(4), None) for line in cut.split("\n"))


def opaque_values(row: Query, check: Callable[[], None]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name of each attribute with a codec, and what its value shows: `html` or `text`, perhaps `failed`."""
    (stored,) = shown_rows(row.connection, row.node) or [[]]
    budget = int(row.connection.settings["display.preview_bytes"])
    for attribute, value in zip(row.heading.values(), stored, strict=False):
        if not attribute.is_codec or value is None:
            continue
        check()
        yield attribute.name, _value(row, attribute, value, budget)


def _value(row: Query, attribute: Attribute, stored: object, budget: int) -> dict[str, Any]:
    assert attribute.type is not None, "a codec attribute has a type"
    size = stored.size if isinstance(stored, Summary) else None
    if attribute.type.name in _WRITING:
        return {"text": "Fetching it writes the file; it is not shown here."}
    if size is None and attribute.type.name not in _LAZY:
        return {"text": str(stored)}
    if size is not None and size > budget and attribute.type.name not in _LAZY:
        return {
            "text": f"{bytes_text(size)} are not loaded; "
            f"`(query & key).fetch1({attribute.name!r})` does."
        }
    try:
        return _shown(row.fetch1(attribute.name))
    # A codec is someone else's code, and the row may hold anything.
    except Exception as error:
        if isinstance(error, DataJointError):
            return {"text": visible(str(error), 2000), "failed": True}
        return {"text": visible(f"{type(error).__name__}: {error}", 2000), "failed": True}


def _shown(value: Any) -> dict[str, Any]:
    own = type(value).__module__.partition(".")[0]
    if own == "djupyter" and hasattr(value, "_repr_html_"):
        return {"html": value._repr_html_()}
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufc" and value.ndim:
        return {"html": object_html(in_memory_card(value))}
    if own == "zarr":
        make = zarr_array_card if hasattr(value, "shape") else zarr_group_card
        return {"html": object_html(make(value))}
    return {"text": _lines(pprint.pformat(_bounded(value), width=60, compact=True))}


def _bounded(value: Any, depth: int = 3) -> Any:
    """Return a value of which no container has more than some members."""
    if depth == 0 and isinstance(value, dict | list | tuple | set):
        return f"{type(value).__name__} of {len(value)}"
    if isinstance(value, dict):
        members = list(value.items())[:50]
        more = {"…": f"{len(value) - 50} more"} if len(value) > 50 else {}
        return {key: _bounded(item, depth - 1) for key, item in members} | more
    if type(value) in (list, tuple):
        more_items = [f"… {len(value) - 50} more"] if len(value) > 50 else []
        return type(value)([*(_bounded(item, depth - 1) for item in value[:50]), *more_items])
    return value[:_LONGEST] if isinstance(value, str | bytes) else value
