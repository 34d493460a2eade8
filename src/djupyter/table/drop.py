"""Dropping tables and everything that depends on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from djupyter.definition.names import TableName
from djupyter.errors import DataJointError
from djupyter.query.expression import Query
from djupyter.query.source import Source
from djupyter.sql import ddl
from djupyter.table.prompt import confirmed

if TYPE_CHECKING:
    from djupyter.sql.connection import Connection
    from djupyter.table.table import Table


def drop(table: Table, *, prompt: bool | None, part_integrity: str) -> None:
    """Drop a table and its descendants; see `Table.drop`."""
    if part_integrity not in ("enforce", "ignore"):
        raise ValueError(
            f"part_integrity must be enforce or ignore to drop, not {part_integrity!r}."
        )
    if table.is_restricted:
        raise DataJointError("A restricted table cannot be dropped. Call drop on the table itself.")
    graph = table._graph()
    going = graph.descendants(table.name)
    for name in going:
        master = name.master
        if part_integrity == "enforce" and master is not None and master not in going:
            raise DataJointError(
                f"Attempt to drop part table {name.class_name} before its master {master.class_name}. "
                f"Drop {master.class_name} first."
            )
    ask = bool(table.connection.settings["safemode"]) if prompt is None else prompt
    if ask:
        print("The following tables would be dropped with all their rows:")
        for name in going:
            print(
                f"  {len(Query(table.connection, Source(graph.structures[name]))):>9,}  {name.class_name}  ({name.schema})"
            )
        if not confirmed("Proceed?"):
            return
    drop_tables(table.connection, going[::-1])


def drop_tables(connection: Connection, names: Sequence[TableName]) -> None:
    """Drop tables, children first."""
    for name in names:
        ddl.drop(connection, name)
