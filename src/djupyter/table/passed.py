"""Objects that were staged for rows that `skip_duplicates` has passed over: nothing will ever refer to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from djupyter.heading.structure import TableStructure
from djupyter.query import statement
from djupyter.query.conditions import OneOf
from djupyter.query.restriction import Restriction
from djupyter.query.source import Source
from djupyter.stores.staging import Staging
from djupyter.table.references import ObjectAttribute, Reference, object_attributes
from djupyter.table.rows import Batch

if TYPE_CHECKING:
    from djupyter.sql.connection import Connection

_KEYS = 500  # of a query


def give_up_passed_over(
    connection: Connection, structure: TableStructure, batch: Batch, staging: Staging
) -> None:
    """Have the objects removed with the commit that were staged for rows which are not in the table.

    Parameters
    ----------
    connection
        The database, after the insert.
    structure
        The table.
    batch
        The rows as they were sent.
    staging
        What wrote their objects.
    """
    names = structure.heading.primary_key
    attributes = [
        each
        for each in object_attributes(connection, [structure])
        if each.attribute.name in batch.names and not each.is_of_user
    ]
    if not attributes or not set(names) <= set(batch.names):
        return  # the database made the keys, which were there in no row
    columns = dict(zip(batch.names, batch.columns, strict=True))
    keys = list(dict.fromkeys(zip(*(columns[name] for name in names), strict=True)))
    kept: set[Reference] = set()
    found = 0
    for rows in _rows(connection, structure, attributes, keys):
        found += len(rows)
        kept |= _references(attributes, zip(*rows, strict=True))
    # A key that the database takes for another one, or does not find again: garbage collection is not in doubt.
    if found == len(keys):
        sent = _references(attributes, (columns[each.attribute.name] for each in attributes))
        staging.give_up(path for path, _ in sent - kept)


def _rows(
    connection: Connection,
    structure: TableStructure,
    attributes: Sequence[ObjectAttribute],
    keys: Sequence[tuple[Any, ...]],
) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the documents of the rows with some keys, as the driver gives them."""
    for start in range(0, len(keys), _KEYS):
        condition = OneOf(structure.heading.primary_key, keys[start : start + _KEYS])
        node = Restriction(Source(structure), condition)
        wanted = [each.attribute.name for each in attributes]
        prepared = statement.rows(node, connection.backend, wanted)
        # The values come from a batch that was adapted already.
        parameters = prepared.parameters(node.values, lambda value: value)
        yield connection.fetch(prepared.text, parameters)


def _references(attributes: Sequence[ObjectAttribute], columns: Any) -> set[Reference]:
    return {
        reference
        for each, column in zip(attributes, columns, strict=True)
        for reference in each.references(column)
    }
