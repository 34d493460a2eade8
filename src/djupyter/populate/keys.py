"""What is left to do: the keys of the source that the target does not have yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from djupyter.errors import DataJointError
from djupyter.heading.structure import ForeignKey
from djupyter.query.algebra import instance
from djupyter.query.conditions import AndList
from djupyter.query.expression import Query
from djupyter.query.projection import Plan, Projection
from djupyter.query.source import Source
from djupyter.table.table import Table

if TYPE_CHECKING:
    from djupyter.populate.tiers import AutoPopulate


def default_key_source(table: Table) -> Query:
    """Return the join of the parents in the primary key, each reduced to its key under the names used here.

    Raises
    ------
    DataJointError
        No foreign key lies in the primary key.
    """
    structure = table.structure
    keys = [key for key in structure.foreign_keys if structure.is_primary(key)]
    if not keys:
        raise DataJointError(
            f"{table.name} cannot be populated: a table must have dependencies from its primary key for "
            "auto-populate to work. Add `-> Parent` above the `---`."
        )
    source = _parent_keys(table, keys[0])
    for key in keys[1:]:
        source = source * _parent_keys(table, key)
    return source


def chosen_keys(table: AutoPopulate, restrictions: Sequence[object]) -> Query:
    """Return the keys of the source that meet the restrictions.

    Raises
    ------
    DataJointError
        The key source is not a query, or lacks what the target's key needs.
    """
    source = instance(table.key_source)
    if not isinstance(source, Query):
        raise DataJointError(
            f"Invalid key_source value of {type(table).__name__}: it must be a query, not {type(source).__name__}."
        )
    missing = [name for name in source.primary_key if name not in table.heading]
    if missing:
        raise DataJointError(
            f"The key source of {type(table).__name__} has key attributes that the table lacks: "
            f"{', '.join(missing)}. Add them to the table, or project them away with dj.U(...) & source."
        )
    return Query.__and__(source, AndList(restrictions)).proj()


def missing_keys(table: AutoPopulate, restrictions: Sequence[object]) -> Query:
    """Return the keys that are still to be computed."""
    return chosen_keys(table, restrictions) - table.proj()


def made_keys(table: Table, keys: Sequence[Mapping[str, Any]]) -> set[tuple[Any, ...]]:
    """Return the values of those of some keys that a table has, each by one row or more.

    Parameters
    ----------
    table
        Whose keys; it may order their attributes in another way, and have more in its key.
    keys
        At least one; all have the same attributes, whose order is that of the values.
    """
    names = tuple(keys[0])
    rows = (table & list(keys)).proj(*names).to_dicts()
    return {tuple(row[name] for name in names) for row in rows}


def _parent_keys(table: Table, key: ForeignKey) -> Query:
    parent: Any = table.connection.catalog.structure(key.parent)
    if parent is None:
        raise DataJointError(f"{key.parent}, which {table.name} refers to, is not in the database.")
    return Query(table.connection, Projection(Source(parent), Plan((), dict(key.renames), {}, {})))
