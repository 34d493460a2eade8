"""Carrying out the alteration of a table: all of it or nothing."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import sqlalchemy as sa

from djupyter.errors import DataJointError, IntegrityError
from djupyter.heading.alteration import Alteration
from djupyter.heading.structure import TableStructure
from djupyter.sql import ddl
from djupyter.sql.backends.base import Backend, Statement
from djupyter.sql.connection import Connection
from djupyter.sql.fitness import check_rows
from djupyter.sql.reflect import assembled


def rebuild(connection: Connection, alteration: Alteration) -> None:
    """Alter a table, if its rows allow it.

    Parameters
    ----------
    connection
        Where the table is.
    alteration
        What is to change.

    Raises
    ------
    DataJointError
        A transaction is open, or rows or other tables stand in the way; nothing was changed.
    """
    name = alteration.existing.name
    ddl.refuse_in_transaction(connection, f"{name} cannot be altered")
    guard = connection.unguarded() if alteration.rebuilds else nullcontext()
    try:
        with guard, connection.transaction:
            _check_is_current(connection, alteration.existing)
            check_rows(connection, alteration)
            for sql, params in _statements(connection, alteration):
                connection.execute(sql, params)
            if alteration.rebuilds:
                _check_references(connection, alteration.existing)
    finally:
        connection.catalog.forget()


def _statements(connection: Connection, alteration: Alteration) -> list[Statement]:
    backend, wanted = connection.backend, alteration.wanted
    statements: list[Statement] = []
    if alteration.rebuilds:
        create = ddl.create_table(wanted, backend)
        values = _values(alteration, backend)
        statements += backend.rebuild(connection.fetch, wanted, create, values)
    elif alteration.reindexes:
        indexes = ddl.create_indexes(alteration.existing, wanted, backend)
        statements += [(sql, ()) for sql in indexes]
    return [*statements, *ddl.notes(wanted, backend)]


def _values(alteration: Alteration, backend: Backend) -> dict[str, sa.ColumnElement[Any]]:
    """Return what each attribute gets from the old rows."""
    table = backend.table(alteration.existing.name, alteration.existing.by_name)
    values: dict[str, sa.ColumnElement[Any]] = {}
    for old, new in alteration.kept:
        column = table.c[old.name]
        values[new.name] = column
        if old.type_text != new.type_text and old.type and new.type:
            # Without a conversion there are only NULLs, as the rows were checked.
            found = backend.conversion(column, old.type, new.type)
            values[new.name] = found.value if found else column
    return values


def _check_is_current(connection: Connection, existing: TableStructure) -> None:
    schema = existing.name.schema
    tables = map(assembled, connection.backend.read_tables(connection.fetch, [schema]))
    now = next((table for table in tables if table.name == existing.name), None)
    if now != existing:
        connection.catalog.forget()
        raise DataJointError(
            f"{existing.name.class_name} was not altered: it was changed by someone else meanwhile. "
            "Look at it again with describe(), then repeat."
        )


def _check_references(connection: Connection, existing: TableStructure) -> None:
    children = [child for child, _ in connection.catalog.children(existing.name)]
    for name in dict.fromkeys((existing.name, *children)):
        if connection.backend.has_broken_keys(connection.fetch, name):
            raise IntegrityError(
                f"{existing.name.class_name} was not altered: rows of {name.class_name} would refer to "
                "rows that are not there. Delete them, then repeat."
            )
