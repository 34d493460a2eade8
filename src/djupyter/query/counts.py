"""How many rows many relations have, in as few statements as there can be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from djupyter.query import statement
from djupyter.query.node import Node

if TYPE_CHECKING:
    from djupyter.sql.connection import Connection

# Below what any database takes in one statement: columns of a result, and values.
_RELATIONS, _VALUES = 200, 10_000


def counts(connection: Connection, nodes: Sequence[Node]) -> list[int]:
    """Return the number of rows of each relation."""
    return [int(count) for count in _answers(connection, nodes, counted=True)]


def have_rows(connection: Connection, nodes: Sequence[Node]) -> list[bool]:
    """Return for each relation whether it has any rows."""
    return [bool(found) for found in _answers(connection, nodes, counted=False)]


def _answers(connection: Connection, nodes: Sequence[Node], *, counted: bool) -> Iterator[Any]:
    backend = connection.backend
    for batch in _batches(nodes):
        prepared = statement.several(batch, backend, counted=counted)
        values = [value for node in batch for value in node.values]
        (row,) = connection.fetch(prepared.text, prepared.parameters(values, backend.adapt))
        yield from row


def _batches(nodes: Sequence[Node]) -> Iterator[list[Node]]:
    batch: list[Node] = []
    values = 0
    for node in nodes:
        if batch and (len(batch) == _RELATIONS or values + len(node.values) > _VALUES):
            yield batch
            batch, values = [], 0
        batch.append(node)
        values += len(node.values)
    if batch:
        yield batch
