"""Statements that change rows, for one table and a set of attributes; values are always bound."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

import sqlalchemy as sa

from djupyter.heading.structure import TableStructure
from djupyter.sql.backends.base import Backend

Conflict = Literal["error", "skip", "replace"]


@lru_cache(maxsize=512)
def insert(
    structure: TableStructure, names: tuple[str, ...], conflict: Conflict, backend: Backend
) -> str:
    """Return the INSERT of one row, its placeholders in the order of `names`.

    Parameters
    ----------
    structure
        The table.
    names
        The attributes given, in the order of the table; the others get their defaults.
    conflict
        When the primary key is there already: fail, `skip` the new row, or let it `replace` the old one.
    backend
        Writes the SQL.
    """
    _check_order(structure, names)
    table = backend.table(structure.name, structure.by_name)
    statement = backend.insert(table)
    if not names:
        return _text(sa.insert(sa.table(table.name, schema=table.schema)), backend)
    statement = statement.values(
        {n: backend.given(structure, n, sa.bindparam(f"v{i}")) for i, n in enumerate(names)}
    )
    if conflict != "error":
        statement = backend.on_conflict(statement, structure, conflict)
    return _text(statement, backend)


def insert_from(
    structure: TableStructure,
    names: Sequence[str],
    select: sa.Select[Any],
    conflict: Conflict,
    backend: Backend,
) -> sa.Insert:
    """Return the INSERT of the rows of a query."""
    table = backend.table(structure.name, structure.by_name)
    if conflict == "error":
        return backend.insert(table).from_select(list(names), select)
    # SQLite reads ON CONFLICT after a bare FROM as the condition of a join.
    select = select.where(sa.literal_column("1") == sa.literal_column("1"))
    statement = backend.insert(table).from_select(list(names), select)
    return backend.on_conflict(statement, structure, conflict)


@lru_cache(maxsize=512)
def update(
    structure: TableStructure, changed: tuple[str, ...], key: tuple[str, ...], backend: Backend
) -> str:
    """Return the UPDATE of one row: placeholders for the new values, then for the key."""
    _check_order(structure, changed)
    table = backend.relation(structure)
    statement = table.update().where(
        *(table.c[n] == sa.bindparam(f"k{i}", type_=sa.types.NullType()) for i, n in enumerate(key))
    )
    return _text(
        statement.values({n: sa.bindparam(f"v{i}") for i, n in enumerate(changed)}), backend
    )


def _check_order(structure: TableStructure, names: Sequence[str]) -> None:
    # SQLAlchemy writes values in the order of the table, whatever the order in which they are given.
    assert list(names) == [name for name in structure.by_name if name in names], (
        "names in table order"
    )


def _text(statement: Any, backend: Backend) -> str:
    return str(statement.compile(dialect=backend.dialect))
