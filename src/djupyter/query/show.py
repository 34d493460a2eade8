"""What a query shows of itself: a bounded preview, never a whole column of large values.

One statement fetches the first rows, one more counts no further than a bound. Of blobs only the first bytes
travel.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from djupyter.codecs.chain import column_type_of
from djupyter.codecs.registry import get_codec
from djupyter.heading.attribute import Attribute
from djupyter.query import fetch, statement
from djupyter.query.node import Node
from djupyter.query.restriction import chain
from djupyter.query.source import Source
from djupyter.query.top import Top, has_order, limited
from djupyter.render.preview import Preview, PreviewColumn, Summary

if TYPE_CHECKING:
    from djupyter.query.expression import Query
    from djupyter.sql.connection import Connection

# Enough to know any blob's kind, dtype and shape.
PREFIX_BYTES = 512
COUNT_BOUND = 100_000
_DRAWN = 500  # numbers of an array that is drawn beside its summary
_OPAQUE = {"bytes", "blob", "tinyblob", "mediumblob", "longblob"}


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
    whole = query.node
    attributes = list(whole.heading.values())
    rows = shown_rows(query.connection, _first(whole, limit + 1))
    shown = rows[:limit]
    total: int | None = None
    bounded = False
    if count:
        total, bounded = bounded_count(query) if len(rows) > limit else (len(rows), False)
    base, _ = chain(whole)
    source = base if isinstance(base, Source) else None
    key_first = sorted(range(len(attributes)), key=lambda place: not attributes[place].in_key)
    return Preview(
        title=title,
        tier=source.structure.name.tier if source else None,
        comment=source.structure.comment if source else "",
        columns=tuple(_head(attributes[place]) for place in key_first),
        rows=tuple(tuple(row[place] for place in key_first) for row in shown),
        more=len(rows) > limit,
        total=total,
        bounded=bounded,
    )


def shown_rows(connection: Connection, node: Node) -> list[list[object]]:
    """Return all rows of a relation as a repr shows them: of blobs only the first bytes travel.

    Parameters
    ----------
    connection
        Where the relation is.
    node
        The relation.

    Returns
    -------
    list
        Values in the order of the heading: plain Python values, None for NULL, `Summary` for what is not shown.
    """
    backend, attributes = connection.backend, list(node.heading.values())
    opaque = [attribute.name for attribute in attributes if _is_opaque(attribute)]
    prepared = statement.preview(node, backend, opaque, PREFIX_BYTES)
    rows = connection.fetch(prepared.text, prepared.parameters(node.values, backend.adapt))
    return [_row(row, attributes, opaque, backend) for row in rows]


def _head(attribute: Attribute) -> PreviewColumn:
    return PreviewColumn(attribute.name, attribute.type_text, attribute.in_key, attribute.comment)


def _first(node: Node, limit: int) -> Node:
    """Return the first rows in the query's own order, by key where it has none."""
    return limited(node, Top(limit, None if has_order(node) else node.heading.primary_key))


def bounded_count(query: Query) -> tuple[int, bool]:
    """Return the number of rows, counted up to a bound, and whether there are more."""
    node, backend = query.node, query.connection.backend
    prepared = statement.count(node, backend, COUNT_BOUND + 1)
    ((total,),) = query.connection.fetch(
        prepared.text, prepared.parameters(node.values, backend.adapt)
    )
    return min(total, COUNT_BOUND), total > COUNT_BOUND


def _is_opaque(attribute: Attribute) -> bool:
    """Whether a column holds bytes, of which only the first travel."""
    return attribute.type is not None and column_type_of(attribute.type).name in _OPAQUE


def _row(
    row: Sequence[Any], attributes: Sequence[Attribute], opaque: Sequence[str], backend: Any
) -> list[object]:
    values = iter(row)
    shown: list[object] = []
    for attribute in attributes:
        value = next(values)
        if attribute.name in opaque:
            size = next(values)
            shown.append(None if size is None else _opaque(attribute, value, size))
        else:
            shown.append(None if value is None else _plain(attribute, value, backend))
    return shown


def _opaque(attribute: Attribute, prefix: bytes, size: int) -> Summary:
    is_whole = size <= PREFIX_BYTES and attribute.is_codec
    trace = _trace(attribute, bytes(prefix)) if is_whole else ()
    return Summary(_summary(attribute, prefix, size), size, trace)


def _trace(attribute: Attribute, stored: bytes) -> tuple[float, ...]:
    """Return the numbers of a short array that travelled whole, to be drawn: it costs no further look at the database.

    Objects in stores have no picture here: each would take a trip to its store, as many as there are rows.
    """
    if attribute.type is None or attribute.type.name != "blob":
        return ()
    try:
        value = get_codec("blob").decode(stored)
        if not isinstance(value, np.ndarray) or value.ndim != 1:
            return ()
        if value.dtype.kind not in "iuf" or not 2 <= len(value) <= _DRAWN:
            return ()
        numbers = value.astype(float)
    except Exception:  # damaged: the summary says what it is
        return ()
    return tuple(numbers.tolist()) if bool(np.isfinite(numbers).all()) else ()


def _summary(attribute: Attribute, prefix: bytes, size: int) -> str:
    if not attribute.is_codec or attribute.type is None:
        return f"bytes {size}"
    # A codec is someone else's code, and may not even be installed: the table can still be looked at.
    try:
        return get_codec(attribute.type.name).summarize(bytes(prefix), size)
    except Exception:
        return attribute.type_text


def _plain(attribute: Attribute, value: Any, backend: Any) -> object:
    if attribute.is_codec and attribute.type is not None:
        if column_type_of(attribute.type).name == "json":
            return _described(attribute, value)
        return Summary(f"{attribute.type_text} {value}")
    if attribute.is_json:
        return Summary(str(value))
    decode = fetch.decoder(attribute, backend)
    try:
        return decode(value) if decode else value
    except (ValueError, ArithmeticError):
        # Written by another program, past the checks of this one.
        return value


def _described(attribute: Attribute, stored: Any) -> Summary:
    """Return what the object of a value is, as far as the row says."""
    assert attribute.type is not None, "a codec attribute has a type"
    # A codec is someone else's code, and the row may hold anything.
    try:
        document = json.loads(stored)
        if isinstance(document, dict) and "path" in document:
            size = document.get("size")
            text = get_codec(attribute.type.name).summarize_document(document)
            return Summary(text, size if isinstance(size, int) else None)
    except Exception:
        pass
    return Summary(attribute.type_text)
