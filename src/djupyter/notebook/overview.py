"""How many rows tables have and how far they are computed: one statement for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from djupyter.definition.names import TableName
from djupyter.errors import DataJointError
from djupyter.graph.dependencies import pipeline
from djupyter.heading.structure import TableStructure
from djupyter.populate.jobs.tables import jobs_name
from djupyter.populate.keys import chosen_keys, default_key_source, missing_keys
from djupyter.populate.tiers import AutoPopulate
from djupyter.query.counts import counts
from djupyter.query.expression import Query
from djupyter.query.node import Node
from djupyter.query.show import COUNT_BOUND
from djupyter.query.source import Source
from djupyter.query.top import Top, limited
from djupyter.render.listing import TableRow
from djupyter.sql.connection import Connection
from djupyter.sql.reflect import Schemas
from djupyter.table.table import FreeTable, Table

AUTOMATIC = ("Imported", "Computed")
Classes = Mapping[TableName, type[Table]]


@dataclass(slots=True)
class _Line:
    """A line of a list while its numbers are still to be counted."""

    row: TableRow
    nodes: dict[str, Node] = field(default_factory=dict)

    def filled(self, found: Mapping[str, int]) -> TableRow:
        """Return the line with its numbers."""
        row = self.row
        if "rows" in found:
            rows = found["rows"]
            row = replace(row, rows=min(rows, COUNT_BOUND), rows_bounded=rows > COUNT_BOUND)
        if "total" in found:
            total = found["total"]
            row = replace(row, total=total, done=total - found["remaining"])
        return replace(row, errors=found.get("errors", 0))


def rows_of(
    tables: Iterable[TableStructure],
    classes: Classes,
    connection: Connection,
    sizes: Mapping[str, int] | None = None,
) -> list[TableRow]:
    """Return a line for each table: its rows, and how far it is computed.

    Parameters
    ----------
    tables
        In the order of the list.
    classes
        The classes that are known; others are looked at by name alone.
    connection
        Where the tables are.
    sizes
        Bytes that tables take on disk, by the names of the database, as far as it tells.
    """
    lines = []
    for structure in tables:
        name = structure.name
        line = _Line(
            TableRow(
                name.class_name,
                name.tier,
                columns=len(structure.heading),
                comment=structure.comment,
                size=(sizes or {}).get(name.table),
            ),
            {"rows": limited(Source(structure), Top(COUNT_BOUND + 1))},
        )
        _add_progress(line, structure, classes, connection)
        lines.append(line)
    return _counted(lines, connection)


def status_of(loaded: Schemas, classes: Classes, connection: Connection) -> list[TableRow]:
    """Return a line for each table that fills itself: keys done, keys in all, and those that failed.

    Parameters
    ----------
    loaded
        Tables by their schemas, those of jobs among them.
    classes
        The classes that are known; of the others the key source is taken to be the default one.
    connection
        Where the tables are.
    """
    graph = pipeline(loaded)
    filling = [graph.structures[name] for name in graph.in_order() if name.tier in AUTOMATIC]
    several = len({structure.name.schema for structure in filling}) > 1
    lines = []
    for structure in filling:
        name = structure.name
        shown = f"{name.schema}.{name.class_name}" if several else name.class_name
        line = _Line(TableRow(shown, name.tier))
        _add_progress(line, structure, classes, connection)
        jobs = loaded[name.schema].get(jobs_name(name).table)
        if jobs is not None and line.nodes:
            line.nodes["errors"] = (Query(connection, Source(jobs)) & {"status": "error"}).node
        lines.append(line)
    return _counted(lines, connection)


def _add_progress(
    line: _Line, structure: TableStructure, classes: Classes, connection: Connection
) -> None:
    if structure.name.tier not in AUTOMATIC:
        return
    cls = classes.get(structure.name)
    table = cls() if cls else FreeTable(connection, structure.name)
    # The key source is the user's code, which may raise anything: its table says so, and the others are shown.
    try:
        if isinstance(table, AutoPopulate):
            line.nodes["total"] = chosen_keys(table, ()).node
            line.nodes["remaining"] = missing_keys(table, ()).node
        elif any(structure.is_primary(key) for key in structure.foreign_keys):
            keys = default_key_source(table)
            line.nodes["total"] = keys.node
            line.nodes["remaining"] = (keys - table.proj()).node
    except Exception as error:
        line.nodes.pop("total", None)
        line.row = replace(line.row, comment=f"{type(error).__name__}: {error}")


def _counted(lines: Sequence[_Line], connection: Connection) -> list[TableRow]:
    try:
        return _together(lines, connection)
    except DataJointError:
        # One of them cannot be counted: each by itself then, so that it takes no other down.
        return [_alone(line, connection) for line in lines]


def _together(lines: Sequence[_Line], connection: Connection) -> list[TableRow]:
    numbers = iter(counts(connection, [node for line in lines for node in line.nodes.values()]))
    return [line.filled({what: next(numbers) for what in line.nodes}) for line in lines]


def _alone(line: _Line, connection: Connection) -> TableRow:
    try:
        (row,) = _together([line], connection)
    except DataJointError as error:
        return replace(line.row, comment=f"{type(error).__name__}: {error}")
    return row
