"""Rows of a query on another connection, in batches; what codecs have stored goes over as it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from djupyter.codecs.base import Context
from djupyter.codecs.chain import chain_of, column_type_of
from djupyter.codecs.hash import HashCodec
from djupyter.errors import DataJointError
from djupyter.heading.attribute import Attribute
from djupyter.heading.heading import Heading
from djupyter.heading.structure import TableStructure
from djupyter.query.expression import Query
from djupyter.query.fetch import plan
from djupyter.table.packing import Stored
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
    partly = {
        place: rest
        for place in planned.codecs
        if (rest := _rest(planned.attributes[place], structure.heading[planned.names[place]]))
        is not None
    }
    reads = replace(planned, partly=partly)
    context: Context = {"config": connection.settings, "stores": connection.stores}
    first = 0
    for rows in connection.stream(planned.statement.text, parameters, size):
        values = reads.columns(rows, context).values
        columns = [_stored(v, partly.get(place)) for place, v in enumerate(values)]
        yield Batch(planned.names, tuple(columns), len(rows), first)
        first += len(rows)


def check_copied(source: Heading, structure: TableStructure, names: Sequence[str]) -> None:
    """Refuse to copy, within a database, what one codec has stored to where another one would read it.

    Raises
    ------
    DataJointError
        An attribute has another codec, or keeps its values in a store and not in the row.
    """
    for name in names:
        given, wanted = source[name].type, structure.heading[name].type
        if given is None or wanted is None or "codec" not in (given.kind, wanted.kind):
            continue
        if (given.kind, given.name, given.in_store) != (wanted.kind, wanted.name, wanted.in_store):
            raise DataJointError(
                f"Attribute `{name}` is {given.text} in the query and {wanted.text} in "
                f"{structure.name.class_name}: what the one has stored is nothing to the other. Insert the values: "
                "insert(query.to_dicts())."
            )


def _rest(source: Attribute, target: Attribute) -> int | None:
    """Return how many codecs of both attributes, the last ones, have to decode and encode again; None for all."""
    if source.type is None or target.type is None or source.type.name != target.type.name:
        return None
    if source.type.text == target.type.text and column_type_of(source.type).text == "bytes":
        return 0
    chains = [chain_of(each) for each in (source.type, target.type) if each.in_store]
    is_content = [isinstance(chain.codecs[-1], HashCodec) for chain in chains]
    return 1 if is_content == [True, True] else None


def _stored(column: Sequence[Any], rest: int | None) -> Sequence[Any]:
    if rest is None:
        return column
    return [None if value is None else Stored(value, rest) for value in column]
