"""Changing a table that is there, keeping what is in it."""

from __future__ import annotations

from djupyter.definition.names import TableName
from djupyter.heading.alteration import Alteration, plan
from djupyter.heading.structure import TableStructure
from djupyter.sql import ddl
from djupyter.sql.connection import Connection
from djupyter.sql.rebuild import rebuild
from djupyter.table.cycles import refuse_cycles
from djupyter.table.prompt import confirmed


def alter(
    connection: Connection,
    existing: TableStructure,
    wanted: TableStructure,
    *,
    prompt: bool = False,
) -> str:
    """Make a table what a definition declares, and return a short sentence of what was done.

    Rows stay, and so do the tables that refer to it. An attribute whose comment begins with `{old}` is
    the attribute `old` under a new name.

    Parameters
    ----------
    connection
        Where the table is.
    existing
        The table as the database has it.
    wanted
        The table as its definition declares it.
    prompt
        Show what would be done and ask first.

    Raises
    ------
    DataJointError
        A transaction is open, or something would be lost: the message says what and how to go about it.
        Nothing was changed.
    InvalidValueError
        A value does not fit the new type of its attribute.
    DuplicateError
        A new unique index would hold a value twice.
    DependencyCycle
        A new foreign key would close a cycle.
    """
    ddl.refuse_in_transaction(connection, f"{wanted.name} cannot be altered")
    alteration = plan(existing, wanted)
    if not alteration.steps:
        return alteration.told()
    if alteration.changes_foreign_keys:
        refuse_cycles(connection, alteration.wanted)
    if prompt:
        print(described(alteration))
        if not confirmed("Proceed?"):
            return "not altered"
    rebuild(connection, alteration)
    return alteration.told()


def described(alteration: Alteration) -> str:
    """Return the plan of an alteration, one step in each line.

    >>> from djupyter.definition.names import TableName
    >>> structure = TableStructure(TableName("lab", "mouse"), "", ())
    >>> print(described(plan(structure, TableStructure(structure.name, "Mice", ()))))
    Mouse in schema `lab` would be altered:
      change comments
    """
    name: TableName = alteration.existing.name
    title = f"{name.class_name} in schema `{name.schema}` would be altered:"
    return "\n".join([title, *(f"  {step}" for step in alteration.steps)])
