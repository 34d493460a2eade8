"""The table `~lineage` of a schema: where each attribute was first declared, noted for other programs.

We read it and keep it, but what it lacks follows from the foreign keys; see `heading.inheritance`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import sqlalchemy as sa

from djupyter.definition.names import TableName
from djupyter.heading.structure import TableStructure
from djupyter.sql.backends.base import Backend
from djupyter.sql.backends.differences.records import Statement
from djupyter.sql.names import LINEAGE

_COLUMNS = ("table_name", "attribute_name", "lineage")


def clear(name: TableName, backend: Backend) -> Statement:
    """Return the statement that removes the rows of a table."""
    lineage = _table(name.schema, backend)
    return backend.bound(sa.delete(lineage).where(lineage.c.table_name == name.table))


def note(structure: TableStructure, backend: Backend) -> Iterator[Statement]:
    """Yield the statements that replace the rows of a table."""
    yield clear(structure.name, backend)
    yield from _insert(structure, backend)


def rewrite(schema: str, structures: Iterable[TableStructure], backend: Backend) -> list[Statement]:
    """Return the statements that replace all rows of a schema.

    Parameters
    ----------
    schema
        The schema.
    structures
        Its tables.
    backend
        Writes the SQL.
    """
    return [
        backend.bound(sa.delete(_table(schema, backend))),
        *(statement for each in structures for statement in _insert(each, backend)),
    ]


def _insert(structure: TableStructure, backend: Backend) -> Iterator[Statement]:
    rows = [
        dict(zip(_COLUMNS, (structure.name.table, each.name, each.lineage), strict=True))
        for each in structure.attributes
        if each.lineage
    ]
    if rows:
        yield backend.bound(sa.insert(_table(structure.name.schema, backend)).values(rows))


def _table(schema: str, backend: Backend) -> sa.TableClause:
    return backend.table(TableName(schema, LINEAGE), _COLUMNS)
