"""Dropping tables and everything that depends on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from djupyter.definition.names import TableName
from djupyter.errors import DataJointError
from djupyter.graph.dependencies import Dependencies
from djupyter.query.counts import counts
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
    name = table.structure.name
    graph = table._graph()
    going = graph.descendants(name)
    _check_masters(going if part_integrity == "enforce" else [])
    ask = bool(table.connection.settings["safemode"]) if prompt is None else prompt
    if ask and not _agreed(table.connection, graph, going):
        return
    ddl.drop(table.connection, *going)


def _check_masters(going: Sequence[TableName]) -> None:
    for name in going:
        if name.master is not None and name.master not in going:
            raise DataJointError(
                f"Attempt to drop part table {name.class_name} before its master {name.master.class_name}. "
                f"Drop {name.master.class_name} first."
            )


def dropped_with(table: Table) -> list[tuple[TableName, int]]:
    """Return the tables that go when a table is dropped, itself first, with the number of their rows.

    Raises
    ------
    DataJointError
        It is a part, which goes with its master.
    """
    graph = table._graph()
    going = graph.descendants(table.structure.name)
    _check_masters(going)
    return _counted(table.connection, graph, going)


def _counted(
    connection: Connection, graph: Dependencies, going: Sequence[TableName]
) -> list[tuple[TableName, int]]:
    rows = counts(connection, [Source(graph.structures[name]) for name in going])
    return list(zip(going, rows, strict=True))


def _agreed(connection: Connection, graph: Dependencies, going: Sequence[TableName]) -> bool:
    print("The following tables would be dropped with all their rows:")
    for name, count in _counted(connection, graph, going):
        print(f"  {count:>9,}  {name.class_name}  ({name.schema})")
    return confirmed("Proceed?")
