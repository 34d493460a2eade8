"""Changing a table that is there, keeping what is in it."""

from __future__ import annotations

from dataclasses import replace

from djupyter.errors import DataJointError
from djupyter.heading.structure import TableStructure
from djupyter.sql import ddl
from djupyter.sql.connection import Connection


def alter(connection: Connection, existing: TableStructure, wanted: TableStructure) -> str:
    """Change a table to what is wanted, and return a short sentence of what was done.

    Parameters
    ----------
    connection
        Where the table is.
    existing
        The table as it is.
    wanted
        The table as it is to be.

    Raises
    ------
    DataJointError
        The change is not safe; nothing was changed.
    """
    if _without_comments(existing) != _without_comments(wanted):
        raise DataJointError(
            f"{wanted.name.class_name} can only get other comments. Use `--replace` to declare it anew."
        )
    connection.ddl(ddl.notes(wanted, connection.backend))
    return "altered: comments"


def _without_comments(structure: TableStructure) -> TableStructure:
    attributes = tuple(replace(attribute, comment="") for attribute in structure.attributes)
    return replace(structure, comment="", attributes=attributes)
