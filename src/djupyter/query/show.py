"""What a query shows of itself: a bounded preview, never a whole column of large values.

One statement fetches the first rows, one more counts no further than a bound. Of blobs only the first bytes
travel.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from djupyter.codecs.registry import get_codec
from djupyter.errors import DataJointError
from djupyter.heading.attribute import Attribute
from djupyter.query import fetch, statement
from djupyter.query.node import Node
from djupyter.query.source import Source
from djupyter.query.top import Limited, Top, limited
from djupyter.render.preview import Preview, PreviewColumn, Summary

if TYPE_CHECKING:
    from djupyter.query.expression import Query

# Enough to know any blob's kind, dtype and shape.
PREFIX_BYTES = 512
COUNT_BOUND = 100_000


def preview(query: Query, limit: int, *, title: str = "", count: bool = True) -> Preview:
    """Return the first rows of a query as plain data.

    Parameters
    ----------
    query
        What to show.
    limit
        How many rows at most.
    title
        Name in the caption.
    count
        Whether to say how many rows there are.
    """
    node = _first(query.node, limit + 1)
    backend = query.connection.backend
    opaque = [name for name, a in query.heading.items() if _is_opaque(a)]
    prepared = statement.preview(node, backend, opaque, PREFIX_BYTES)
    rows = query.connection.fetch(prepared.text, prepared.parameters(node.values, backend.adapt))
    source = query.node if isinstance(query.node, Source) else None
    shown = [_row(row, list(query.heading.values()), opaque, backend) for row in rows[:limit]]
    total: int | None = None
    bounded = False
    if count:
        total, bounded = bounded_count(query) if len(rows) > limit else (len(rows), False)
    order = sorted(
        range(len(query.heading)), key=lambda i: not list(query.heading.values())[i].in_key
    )
    attributes = list(query.heading.values())
    return Preview(
        title=title,
        tier=source.structure.name.tier if source else None,
        comment=source.structure.comment if source else "",
        columns=tuple(
            PreviewColumn(a.name, a.type_text, a.in_key, a.comment)
            for a in (attributes[i] for i in order)
        ),
        rows=tuple(tuple(row[i] for i in order) for row in shown),
        more=len(rows) > limit,
        total=total,
        bounded=bounded,
    )


def _first(node: Node, limit: int) -> Node:
    """Return the first rows in the query's own order, by key where it has none."""
    order = None if isinstance(node, Limited) else [n for n in node.heading.primary_key]
    return limited(node, Top(limit, order))


def bounded_count(query: Query) -> tuple[int, bool]:
    """Return the number of rows, counted up to a bound, and whether there are more."""
    backend = query.connection.backend
    prepared = statement.count(query.node, backend, COUNT_BOUND + 1)
    ((total,),) = query.connection.fetch(
        prepared.text, prepared.parameters(query.node.values, backend.adapt)
    )
    return min(total, COUNT_BOUND), total > COUNT_BOUND


def _is_opaque(attribute: Attribute) -> bool:
    return attribute.type is not None and (
        (attribute.is_codec and not attribute.type.in_store)
        or attribute.type.name in ("bytes", "blob", "tinyblob", "mediumblob", "longblob")
    )


def _row(
    row: Sequence[Any], attributes: Sequence[Attribute], opaque: Sequence[str], backend: Any
) -> list[object]:
    values = iter(row)
    shown: list[object] = []
    for attribute in attributes:
        value = next(values)
        if attribute.name in opaque:
            size = next(values)
            shown.append(None if size is None else Summary(_summary(attribute, value, size)))
        else:
            shown.append(None if value is None else _plain(attribute, value, backend))
    return shown


def _summary(attribute: Attribute, prefix: bytes, size: int) -> str:
    if not attribute.is_codec or attribute.type is None:
        return f"bytes {size}"
    try:
        return get_codec(attribute.type.name).summarize(bytes(prefix), size)
    except DataJointError:
        # A codec that is not installed here: the table can still be looked at.
        return attribute.type_text


def _plain(attribute: Attribute, value: Any, backend: Any) -> object:
    if attribute.is_codec:
        stored = json.loads(value) if isinstance(value, str) else value
        path = stored.get("path", "") if isinstance(stored, dict) else ""
        return Summary(f"{attribute.type_text} {path}".strip())
    if attribute.is_json:
        return Summary(str(value))
    (decode,) = fetch.decoders({attribute.name: attribute}, [attribute.name], backend)  # type: ignore[arg-type]
    return decode(value) if decode else value
