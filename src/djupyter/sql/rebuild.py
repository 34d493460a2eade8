"""Carrying out the alteration of tables: all of it or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Any

import sqlalchemy as sa

from djupyter.errors import DataJointError, IntegrityError
from djupyter.heading.alteration import Alteration
from djupyter.heading.spelling import as_written
from djupyter.heading.structure import TableStructure
from djupyter.sql import ddl
from djupyter.sql.alone import alone
from djupyter.sql.backends.base import Backend
from djupyter.sql.backends.differences.records import Statement, TableChange
from djupyter.sql.connection import Connection
from djupyter.sql.fitness import check_rows

Alterations = Sequence[Alteration]  # of the table and of those that follow it, parents first


def statements(connection: Connection, alterations: Alterations) -> list[Statement]:
    """Return the statements that an alteration takes, if the rows allow it; nothing is changed.

    Raises
    ------
    DataJointError
        Rows or other tables stand in the way.
    """
    check_rows(connection, alterations)
    return [*_changes(connection, alterations), *_notes(connection, alterations)]


def rebuild(connection: Connection, alterations: Alterations) -> None:
    """Alter tables, if their rows allow it.

    Parameters
    ----------
    connection
        Where the tables are.
    alterations
        What is to change: the table first, then those that follow it.

    Raises
    ------
    DataJointError
        A transaction is open, or rows or other tables stand in the way; nothing was changed. Where
        the database cannot undo a change of tables, an error names the statements it had carried out.
    """
    ddl.refuse_in_transaction(connection, f"{alterations[0].existing.name} cannot be altered")
    try:
        schemas = {a.existing.name.schema for a in alterations}
        with _guarding(connection, alterations), alone(connection, schemas):
            for alteration in alterations:
                _check_is_current(connection, alteration.existing)
            check_rows(connection, alterations)
            notes = _notes(connection, alterations)
            _carry_out(connection, _changes(connection, alterations), len(notes))
            with connection.transaction:
                for sql, params in notes:
                    connection.execute(sql, params)
            _check_references(connection, alterations)
    finally:
        connection.catalog.forget()


def _guarding(connection: Connection, alterations: Alterations) -> AbstractContextManager[object]:
    if not connection.backend.defines_in_transactions:
        return nullcontext()
    stack = ExitStack()
    if any(alteration.rebuilds for alteration in alterations):
        stack.enter_context(connection.unguarded())
    stack.enter_context(connection.transaction)
    return stack


def _carry_out(connection: Connection, statements: Sequence[Statement], more: int) -> None:
    done: list[str] = []
    try:
        for sql, params in statements:
            connection.execute(sql, params)
            done.append(sql)
    except DataJointError as error:
        if done and not connection.backend.defines_in_transactions:
            raise type(error)(_told(error, done, len(statements) + more)) from error
        raise


def _told(error: DataJointError, done: Sequence[str], count: int) -> str:
    carried_out = "".join(f"\n  {sql}" for sql in done)
    return (
        f"{error} This was statement {len(done) + 1} of {count}. No row is lost; the ones before it "
        f"were carried out and stay: {carried_out}\nRemove the cause, then alter again: it goes on from there."
    )


def _change(alteration: Alteration, backend: Backend) -> TableChange:
    return TableChange(
        alteration,
        ddl.to_table(alteration.existing, backend),
        ddl.to_table(alteration.wanted, backend),
        ddl.create_table(alteration.wanted, backend),
        new_values(alteration, backend),
    )


def new_values(alteration: Alteration, backend: Backend) -> dict[str, sa.ColumnElement[Any]]:
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


def _changes(connection: Connection, alterations: Alterations) -> list[Statement]:
    """Return what changes the tables, and creates what notes are kept in: no part of a transaction."""
    backend = connection.backend
    changes = [_change(alteration, backend) for alteration in alterations]
    return [*_places_of_notes(connection, alterations), *backend.alter(connection.fetch, changes)]


def _places_of_notes(connection: Connection, alterations: Alterations) -> list[Statement]:
    schemas = dict.fromkeys(alteration.wanted.name.schema for alteration in alterations)
    return [(s, ()) for schema in schemas for s in connection.backend.prepare_notes(schema)]


def _notes(connection: Connection, alterations: Alterations) -> list[Statement]:
    backend = connection.backend
    notes: list[Statement] = []
    for alteration in alterations:
        if alteration.moves:
            notes += ddl.forget_notes(alteration.existing.name, backend)
        notes += ddl.notes(alteration.wanted, backend)
    places = _places_of_notes(connection, alterations)
    return [statement for statement in notes if statement not in places]


def _check_is_current(connection: Connection, existing: TableStructure) -> None:
    catalog, name = connection.catalog, existing.name
    catalog.forget(name.schema)
    now = catalog.structures(name.schema).get(name.table)
    if now is None or _facts(as_written(now, existing)) != _facts(existing):
        raise DataJointError(
            f"{existing.name.class_name} was not altered: it was changed by someone else meanwhile. "
            "Look at it again with describe(), then repeat."
        )


def _facts(structure: TableStructure) -> tuple[object, ...]:
    """Return what another process may have changed; how a default is spelled is none of it."""
    attributes = [(a.name, a.type_text, a.nullable, a.in_key) for a in structure.attributes]
    return structure.comment, attributes, set(structure.foreign_keys), set(structure.indexes)


def _check_references(connection: Connection, alterations: Alterations) -> None:
    if not any(alteration.rebuilds for alteration in alterations):
        return
    root = alterations[0]
    children = [child for child, _ in connection.catalog.children(root.existing.name)]
    names = [a.wanted.name for a in alterations]
    moved = {a.existing.name for a in alterations if a.moves}
    for name in dict.fromkeys((*names, *(child for child in children if child not in moved))):
        if connection.backend.has_broken_keys(connection.fetch, name):
            raise IntegrityError(
                f"{root.existing.name.class_name} was not altered: rows of {name.class_name} would refer "
                "to rows that are not there. Delete them, then repeat."
            )
