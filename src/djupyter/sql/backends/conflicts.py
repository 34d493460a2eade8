"""ON CONFLICT, which SQLite and PostgreSQL have in common."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert as PostgreSQLInsert
from sqlalchemy.dialects.sqlite import Insert as SQLiteInsert

from djupyter.heading.structure import TableStructure


def on_conflict(
    statement: SQLiteInsert | PostgreSQLInsert, structure: TableStructure, conflict: str
) -> sa.Insert:
    """Return an INSERT that skips or replaces a row whose primary key is there already.

    A replaced row keeps its identity, so that rows referring to it stay; attributes that are
    not given get their defaults, which `excluded` holds.
    """
    key = list(structure.full_key)
    others = {n: statement.excluded[n] for n in structure.by_name if n not in key}
    if conflict == "skip" or not others:
        return statement.on_conflict_do_nothing(index_elements=key)
    return statement.on_conflict_do_update(index_elements=key, set_=others)
