"""Rows of a query on another connection, in batches; what codecs have stored goes over as it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from djupyter.codecs.base import Context
from djupyter.codecs.chain import column_type_of
from djupyter.heading.attribute import Attribute
from djupyter.heading.structure import TableStructure
from djupyter.query.expression import Query
from djupyter.query.fetch import plan
from djupyter.table.encoding import Stored
from djupyter.table.rows import Batch


def copied(
    query: Query, structure: TableStructure, names: Sequence[str], size: int
) -> Iterator[Batch]:
    """Yield the rows of a query as batches for a table.

    Parameters
    ----------
    query
        The rows.
    structure
        The table they are for.
    names
        The attributes that go over.
    size
        Rows of a batch, at most.
    """
    node, connection = query.node, query.connection
    planned = plan(node, connection.backend, names)
    parameters = planned.statement.parameters(node.values, connection.backend.adapt)
    kept = {
        place
        for place in planned.codecs
        if _is_kept(planned.attributes[place], structure.heading[planned.names[place]])
    }
    reads = replace(planned, codecs=tuple(place for place in planned.codecs if place not in kept))
    context: Context = {"config": connection.settings, "stores": connection.stores}
    first = 0
    for rows in connection.stream(planned.statement.text, parameters, size):
        values = reads.columns(rows, context).values
        columns = [_stored(v) if place in kept else v for place, v in enumerate(values)]
        yield Batch(planned.names, tuple(columns), len(rows), first)
        first += len(rows)


def _is_kept(source: Attribute, target: Attribute) -> bool:
    """Whether what one attribute has stored is what the other one would store."""
    if source.type is None or target.type is None or source.type.text != target.type.text:
        return False
    return source.type.store is None and column_type_of(source.type).text == "bytes"


def _stored(column: Sequence[Any]) -> list[Stored | None]:
    return [None if value is None else Stored(bytes(value)) for value in column]
