"""UPDATE and INSERT by a query: of all its rows, or of the first ones that nobody else is changing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from djupyter.heading.structure import TableStructure
from djupyter.query import statement
from djupyter.query.node import Node
from djupyter.query.select import Element, Lowering
from djupyter.query.statement import Statement
from djupyter.sql import write
from djupyter.sql.backends.base import Backend

# What an attribute is set to: an expression of the database, or a value to bind.
Change = Element | object


def update(
    node: Node, structure: TableStructure, backend: Backend, changes: Mapping[str, Change]
) -> tuple[Statement, list[object]]:
    """Return the UPDATE of the rows of a restricted table, and all its values.

    Parameters
    ----------
    node
        The table, restricted.
    structure
        Its structure, hidden attributes included.
    backend
        Writes the statement.
    changes
        What attributes get.
    """
    table = backend.relation(structure)
    values = list(node.values)
    set_to = _set(changes, values)
    where = statement.condition(node, backend, table)
    return statement.compiled(sa.update(table).values(set_to).where(where), backend), values


def take(
    node: Node,
    structure: TableStructure,
    backend: Backend,
    changes: Mapping[str, Change],
    returned: Sequence[str],
) -> tuple[Statement, list[object]]:
    """Return one UPDATE of the rows of an ordered and limited table that no other program has locked.

    What others are taking at this moment is passed over rather than waited for, so that many may take at once and
    none takes what another has. Where the database can, the statement returns what it took.

    Parameters
    ----------
    node
        The table, restricted, ordered and limited.
    structure, backend, changes
        As for `update`.
    returned
        Attributes to return, where `backend.returns_updated`.
    """
    values = list(node.values)
    lowering = Lowering(backend)
    table = backend.relation(structure)
    key = structure.full_key
    lowered = node.lower(lowering)
    chosen = lowered.statement([lowered.columns[name].label(name) for name in key])
    chosen = chosen.with_for_update(skip_locked=True)
    # A planner may carry out a subquery more than once, which would take more; this one it must not. MySQL refuses
    # to read the table that it writes, but for a subquery in a subquery.
    taken: Any = chosen.cte("taken").prefix_with("MATERIALIZED", dialect="postgresql")
    if backend.name != "postgresql":
        taken = chosen.subquery("taken")
    own = sa.tuple_(*(table.c[name] for name in key)) if len(key) > 1 else table.c[key[0]]
    clause: Any = sa.update(table).values(_set(changes, values))
    clause = clause.where(own.in_(sa.select(*(taken.c[name] for name in key))))
    if backend.returns_updated:
        clause = clause.returning(*(table.c[name] for name in returned))
    return statement.compiled(clause, backend), values


def fill(
    node: Node, structure: TableStructure, backend: Backend, given: Mapping[str, Change]
) -> tuple[Statement, list[object]]:
    """Return the INSERT of a row for each row of a query whose key is not there yet, and all its values.

    Parameters
    ----------
    node
        The query; its attributes are some of the table's.
    structure, backend
        The table that gets the rows.
    given
        What further attributes get, the same in each row.
    """
    values = list(node.values)
    lowering = Lowering(backend)
    selection = node.lower(lowering).flat(lowering)
    constants = _set(given, values)
    names = [name for name in structure.by_name if name in selection.columns or name in constants]
    columns = [
        backend.held(constants[name], structure.by_name[name], structure)
        if name in constants
        else selection.columns[name]
        for name in names
    ]
    select = selection.statement(
        [column.label(name) for name, column in zip(names, columns, strict=True)]
    )
    clause = write.insert_from(structure, names, select, "skip", backend)
    return statement.compiled(clause, backend), values


def _set(changes: Mapping[str, Change], values: list[object]) -> dict[str, Element]:
    """Return the elements to set, and append the values that they bind."""
    elements: dict[str, Element] = {}
    for name, change in changes.items():
        if isinstance(change, sa.ColumnElement):
            elements[name] = change
        else:
            elements[name] = sa.bindparam(f"p{len(values)}", type_=sa.types.NullType())
            values.append(change)
    return elements
