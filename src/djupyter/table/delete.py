"""Deleting rows and everything that depends on them: planned, shown, then done, leaves first."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING

from djupyter.definition.names import TableName
from djupyter.errors import DataJointError
from djupyter.graph.cascade import cascade, restricted_sources
from djupyter.graph.dependencies import Dependencies, pipeline
from djupyter.heading.structure import TableStructure
from djupyter.query import statement
from djupyter.query.conditions import Constant, Matches, Negation, OneOf
from djupyter.query.expression import Query
from djupyter.query.node import Node
from djupyter.query.restriction import Restriction
from djupyter.query.source import Source
from djupyter.table.prompt import confirmed

if TYPE_CHECKING:
    from djupyter.sql.connection import Connection
    from djupyter.table.table import Table

_INTEGRITY = ("enforce", "ignore", "cascade")


def delete(table: Table, *, transaction: bool, prompt: bool | None, part_integrity: str) -> int:
    """Delete the rows of a table with their consequences; see `Table.delete`."""
    if part_integrity not in _INTEGRITY:
        raise ValueError(
            f"part_integrity must be one of {', '.join(_INTEGRITY)}, not {part_integrity!r}."
        )
    connection = table.connection
    ask = bool(connection.settings["safemode"]) if prompt is None else prompt
    if ask and connection.in_transaction:
        raise DataJointError(
            "Delete cannot use a transaction within an ongoing transaction. Pass prompt=False to delete within it."
        )
    _refuse_vacuous(table)
    graph = pipeline(connection.catalog.load_all())
    affected = _planned(connection, graph, table, part_integrity)
    counts = {name: len(Query(connection, node)) for name, node in affected.items()}
    if ask and not (sum(counts.values()) and _agreed(counts)):
        return 0
    with connection.transaction if transaction else nullcontext():
        for name in reversed(affected):
            if counts[name]:
                counts[name] = delete_rows(connection, graph.structures[name], affected[name])
    return counts[table.name]


def delete_rows(connection: Connection, structure: TableStructure, node: Node) -> int:
    """Delete the rows of one table and return how many there were."""
    backend = connection.backend
    target = backend.table(structure.name, list(structure.by_name))
    condition = statement.condition(node, backend, target)
    prepared = statement.compiled(target.delete().where(condition), backend)
    return connection.execute(prepared.text, prepared.parameters(node.values, backend.adapt))


def _refuse_vacuous(table: Table) -> None:
    """Refuse a mapping none of whose keys is an attribute: it would delete everything."""
    node: Node | None = table.node
    while isinstance(node, Restriction):
        condition = node.condition
        if isinstance(condition, Constant) and condition.ignored:
            raise DataJointError(
                f"The restriction by {', '.join(condition.ignored)} names no attribute of "
                f"{table.name.class_name} and so restricts nothing; deleting would remove every row. "
                f"Its attributes: {', '.join(table.heading.names)}. To delete every row, delete the unrestricted table."
            )
        node = node.operand


def _planned(
    connection: Connection, graph: Dependencies, table: Table, part_integrity: str
) -> dict[TableName, Node]:
    roots: dict[TableName, Node] = {table.name: table.node}
    affected = cascade(graph, roots)
    if restricted_sources(table.node) & (affected.keys() - {table.name}):
        # Its condition looks at rows that are deleted before its own: fix now which rows are meant.
        roots[table.name] = _listed(connection, graph.structures[table.name], table.node)
        affected = cascade(graph, roots)
    if part_integrity == "ignore":
        return affected
    while orphans := _parts_without_master(connection, graph, affected):
        name, part = next(iter(orphans.items()))
        master = name.master
        assert master is not None, "a part has a master"
        if part_integrity == "enforce":
            raise DataJointError(
                f"Attempt to delete part table {name.class_name} before its master {master.class_name}. "
                f'Delete from {master.class_name} first, or pass part_integrity="cascade" to delete the '
                'masters too, or "ignore" to delete only the parts.'
            )
        structure = graph.structures[master]
        going = Restriction(Source(structure), Matches(part, structure.heading.primary_key))
        roots[master] = _listed(connection, structure, going, already=roots.get(master))
        affected = cascade(graph, roots)
    return affected


def _parts_without_master(
    connection: Connection, graph: Dependencies, affected: Mapping[TableName, Node]
) -> dict[TableName, Node]:
    """Return the part rows that would go while their master stays."""
    left: dict[TableName, Node] = {}
    for name, node in affected.items():
        master = name.master
        if master is None or master not in graph.structures:
            continue
        key = graph.structures[master].heading.primary_key
        rest = node
        if master in affected:
            rest = Restriction(node, Negation(Matches(affected[master], key)))
        if Query(connection, rest):
            left[name] = rest
    return left


def _listed(
    connection: Connection, structure: TableStructure, node: Node, already: Node | None = None
) -> Node:
    """Return the rows of a table by their keys as they are now, whatever is deleted later."""
    key = structure.heading.primary_key
    keys = Query(connection, node).keys()
    if already is not None:
        keys += Query(connection, already).keys()
    if not key or not keys:
        return Restriction(Source(structure), Constant(bool(keys)))
    return Restriction(Source(structure), OneOf(key, [[row[name] for name in key] for row in keys]))


def _agreed(counts: Mapping[TableName, int]) -> bool:
    print("The following rows would be deleted:")
    for name, count in counts.items():
        if count:
            print(f"  {count:>9,}  {name.class_name}  ({name.schema})")
    return confirmed("Commit deletes?")
