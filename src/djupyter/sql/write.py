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
) -> tuple[str, tuple[str, ...]]:
    """Return the UPDATE of one row, and of which attribute each placeholder takes the value.

    A text of the key is there twice where the column compares in another way than its characters.
    """
    table = backend.relation(structure)
    places = {f"v{i}": name for i, name in enumerate(changed)}
    keys = {f"k{i}": name for i, name in enumerate(key)}
    statement = table.update().where(
        *(table.c[n] == sa.bindparam(k, type_=sa.types.NullType()) for k, n in keys.items())
    )
    values: dict[str, Any] = {name: sa.bindparam(place) for place, name in places.items()}
    compiled = statement.values(values).compile(dialect=backend.dialect)
    places |= keys
    return str(compiled), tuple(places[place] for place in compiled.positiontup or ())


@lru_cache(maxsize=512)
def delete(
    structure: TableStructure, names: tuple[str, ...], backend: Backend
) -> tuple[str, tuple[str, ...]]:
    """Return the DELETE of the rows that have given values, and of which attribute each placeholder takes one."""
    table = backend.relation(structure)
    places = {f"k{i}": name for i, name in enumerate(names)}
    compiled = (
        sa.delete(table)
        .where(
            *(table.c[n] == sa.bindparam(k, type_=sa.types.NullType()) for k, n in places.items())
        )
        .compile(dialect=backend.dialect)
    )
    return str(compiled), tuple(places[place] for place in compiled.positiontup or ())


def _check_order(structure: TableStructure, names: Sequence[str]) -> None:
    # SQLAlchemy writes values in the order of the table, whatever the order in which they are given.
    assert list(names) == [name for name in structure.by_name if name in names], (
        "names in table order"
    )


def _text(statement: Any, backend: Backend) -> str:
    return str(statement.compile(dialect=backend.dialect))
