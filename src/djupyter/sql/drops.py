"""What drops tables, and what to say when the database holds them back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from graphlib import CycleError, TopologicalSorter

from djupyter.definition.names import TableName
from djupyter.errors import DataJointError, IntegrityError
from djupyter.sql import lineage
from djupyter.sql.backends.differences.records import Statement
from djupyter.sql.connection import Connection
from djupyter.sql.names import LINEAGE


def planned(connection: Connection, names: Collection[TableName]) -> list[Statement]:
    """Return the statements that drop tables with what is noted of them, children before parents.

    Raises
    ------
    DataJointError
        A table that stays refers to one of them.
    """
    loaded = connection.catalog.connected(*{name.schema for name in names}) if names else {}
    tables = {each.name: each for found in loaded.values() for each in found.values()}
    refers: dict[TableName, set[TableName]] = {}
    for each in tables.values():
        for key in each.foreign_keys:
            refers.setdefault(key.parent, set()).add(each.name)
    children_first: dict[TableName, set[TableName]] = {}
    for name in names:
        children = refers.get(name, set()) - {name}
        others = sorted(children.difference(names))
        if others:
            raise DataJointError(
                f"{name} cannot be dropped: {', '.join(map(str, others))} refer to it. "
                "Drop them first."
            )
        children_first[name] = children
    try:
        order = [*TopologicalSorter(children_first).static_order()]
    except CycleError as cycle:
        names_on_way = " → ".join(map(str, cycle.args[1]))
        raise DataJointError(
            f"These tables refer to each other and cannot be dropped one after the other: {names_on_way}. "
            "Remove one of the foreign keys between them first, with the database's own ALTER TABLE."
        ) from None
    backend = connection.backend
    dropped = [tables[name] for name in order if name in tables]
    statements = [*backend.drop_tables(order), *backend.after_drop(dropped)]
    return [*((sql, ()) for sql in statements), *_forgotten(connection, order)]


def _forgotten(connection: Connection, names: Sequence[TableName]) -> list[Statement]:
    """Return the statements that remove the notes of tables; nothing is created to be emptied."""
    backend = connection.backend
    noted = {
        schema
        for schema in {name.schema for name in names}
        if backend.table_exists(connection.fetch, TableName(schema, LINEAGE))
    }
    cleared = [lineage.clear(name, backend) for name in names if name.schema in noted]
    return [*cleared, *(sql for name in names for sql in backend.unannotate(name))]


def held(connection: Connection, names: Sequence[TableName]) -> IntegrityError:
    """Return the error for tables that the database would not drop, though none that is visible refers to them."""
    backend = connection.backend
    gone: list[TableName] = []
    if not backend.defines_in_transactions:
        gone = [name for name in names if not backend.table_exists(connection.fetch, name)]
    left = ", ".join(str(name) for name in names if name not in gone)
    done = (
        f"Dropped with their rows: {', '.join(map(str, gone))}." if gone else "Nothing was dropped."
    )
    return IntegrityError(
        f"{left} cannot be dropped: a table that this user may not see refers to one of them. {done}",
        "Let an administrator find that table and drop it first.",
    )
