"""Which row of a batch is to blame for what the database says of the whole, found after the fact in few queries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from djupyter.errors import DuplicateError, IntegrityError
from djupyter.heading.structure import TableStructure
from djupyter.query import statement
from djupyter.query.conditions import OneOf
from djupyter.query.restriction import Restriction
from djupyter.query.source import Source
from djupyter.table.encoding import place
from djupyter.table.rows import Batch

if TYPE_CHECKING:
    from djupyter.sql.connection import Connection

Values = tuple[object, ...]

# Keys of a query: every database takes so many, of any number of attributes.
_KEYS = 500


def with_double(
    error: DuplicateError, connection: Connection, structure: TableStructure, batch: Batch
) -> DuplicateError:
    """Return the error with the first row whose key or unique values are there twice."""
    key = [name for name in structure.heading.primary_key if name in batch.names]
    if error.in_key is not False:
        found = _first_double(connection, structure, batch, key)
        if found:
            return DuplicateError(
                f"{found} already. Nothing was inserted. Pass skip_duplicates=True to keep the old row, "
                "replace=True to take the new one."
            )
    for names in structure.unique:
        found = _first_double(connection, structure, batch, names)
        if found:
            return DuplicateError(
                f"{found} already, and the unique index ({', '.join(names)}) forbids a second one. "
                "Nothing was inserted."
            )
    return error


def with_orphan(
    error: IntegrityError, connection: Connection, structure: TableStructure, batch: Batch
) -> IntegrityError:
    """Return the error with the first row whose parent is missing."""
    for key in structure.foreign_keys:
        parent = connection.catalog.structure(key.parent)
        if parent is None or not set(key.names) <= set(batch.names):
            continue
        first = _first_of_each(batch, key.names)
        values = list(first)
        lacks = _lacking(connection, Source(parent), [there for _, there in key.attributes])
        found = _first(values, lacks)
        # Texts that the database takes for one another have one parent, and several look like too few.
        if found is not None and lacks([found]):
            return IntegrityError(
                f"{place(structure, batch, first[found])}: {_shown(key.names, found)} refers to a row of "
                f"{parent.name.class_name} that does not exist. Nothing was inserted. Insert the parent first."
            )
    return error


def _first_double(
    connection: Connection, structure: TableStructure, batch: Batch, names: Sequence[str]
) -> str:
    """Return, in words, the first row whose values of some attributes are there already; nothing if none are."""
    if not names or not set(names) <= set(batch.names):
        return ""
    first = _first_of_each(batch, names)
    source = Source(structure)
    known = _first(list(first), lambda part: _count(connection, source, names, part) > 0)
    again = _first_again(batch, names)
    rows = [(first[known], known)] if known is not None else []
    rows += [again] if again is not None else []
    if not rows:
        return ""
    row, values = min(rows, key=lambda item: item[0])
    return f"{place(structure, batch, row)}: there is a row with {_shown(names, values)}"


def _values(batch: Batch, names: Sequence[str]) -> list[Values]:
    columns = [batch.columns[batch.names.index(name)] for name in names]
    return list(zip(*columns, strict=True))


def _first_of_each(batch: Batch, names: Sequence[str]) -> dict[Values, int]:
    """Return the values of some attributes, each with the first row that has them; NULL is never the same."""
    first: dict[Values, int] = {}
    for row, values in enumerate(_values(batch, names)):
        if None not in values:
            first.setdefault(values, row)
    return first


def _first_again(batch: Batch, names: Sequence[str]) -> tuple[int, Values] | None:
    """Return the first row that has the values of one before it."""
    seen: set[Values] = set()
    for row, values in enumerate(_values(batch, names)):
        if values in seen:
            return row, values
        if None not in values:
            seen.add(values)
    return None


def _first(keys: Sequence[Values], holds: Callable[[Sequence[Values]], bool]) -> Values | None:
    """Return the first key to blame; `holds` tells whether there is one among some."""
    for start in range(0, len(keys), _KEYS):
        part = keys[start : start + _KEYS]
        if not holds(part):
            continue
        while len(part) > 1:
            half = part[: len(part) // 2]
            part = half if holds(half) else part[len(half) :]
        return part[0]
    return None


def _lacking(
    connection: Connection, parent: Source, names: Sequence[str]
) -> Callable[[Sequence[Values]], bool]:
    """Return what tells whether some keys have fewer parents than there are keys."""
    return lambda keys: _count(connection, parent, names, keys) < len(keys)


def _count(
    connection: Connection, source: Source, names: Sequence[str], keys: Sequence[Values]
) -> int:
    """Return how many rows of a table have one of the keys."""
    node = Restriction(source, OneOf(names, keys))
    prepared = statement.count(node, connection.backend)
    # The values come from a batch that was adapted already.
    ((found,),) = connection.fetch(prepared.text, prepared.parameters(node.values, lambda v: v))
    return int(found)


def _shown(names: Sequence[str], values: Values) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in zip(names, values, strict=True))
