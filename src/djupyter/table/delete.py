"""Deleting rows and everything that depends on them: planned, shown, then done, leaves first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from djupyter.definition.names import TableName
from djupyter.errors import DataJointError
from djupyter.graph.cascade import any_of, cascade, matches, tables_in, visible, walk
from djupyter.graph.dependencies import Dependencies
from djupyter.heading.structure import ForeignKey, TableStructure
from djupyter.query import statement
from djupyter.query.conditions import Constant, Negation, OneOf
from djupyter.query.expression import Query
from djupyter.query.node import Node
from djupyter.query.restriction import Restriction
from djupyter.query.source import Source
from djupyter.table.prompt import confirmed

if TYPE_CHECKING:
    from djupyter.sql.connection import Connection
    from djupyter.table.table import Table

_INTEGRITY = ("enforce", "ignore", "cascade")
# Keys in one statement: below the number of parameters that any database takes.
_KEY_VALUES = 10_000


def delete(table: Table, *, prompt: bool | None, part_integrity: str) -> int:
    """Delete the rows of a table with their consequences; see `Table.delete`."""
    if part_integrity not in _INTEGRITY:
        raise ValueError(
            f"part_integrity must be one of {', '.join(_INTEGRITY)}, not {part_integrity!r}."
        )
    connection = table.connection
    ask = bool(connection.settings["safemode"]) if prompt is None else prompt
    if ask and connection.in_transaction:
        raise DataJointError(
            "Delete cannot use a transaction within an ongoing transaction, because it asks first. "
            "Pass prompt=False to delete within it."
        )
    _refuse_vacuous(table)
    # Nothing is locked while a person thinks.
    expected = _expected(table, part_integrity) if ask else None
    if expected is not None and not (expected.total() and _agreed(expected)):
        return 0
    with connection.transaction:
        # Planned under the lock: another process may declare or drop a dependent table meanwhile.
        graph = table._graph()
        done = _carried_out(connection, graph, _roots(connection, graph, table, part_integrity))
        if expected is not None and done != expected:
            raise DataJointError(
                "Nothing was deleted: the rows have changed since they were counted. "
                "Delete again to see what would go now."
            )
    return done[table.name]


def delete_rows(connection: Connection, structure: TableStructure, node: Node) -> int:
    """Delete the rows of one table and return how many there were."""
    backend = connection.backend
    target = backend.table(structure.name, list(structure.by_name))
    condition = statement.condition(node, backend, target)
    prepared = statement.compiled(target.delete().where(condition), backend)
    return connection.execute(prepared.text, prepared.parameters(node.values, backend.adapt))


def _refuse_vacuous(table: Table) -> None:
    """Refuse a mapping none of whose keys is an attribute: it would delete everything."""
    for item in walk(table.node):
        if isinstance(item, Constant) and item.ignored:
            raise DataJointError(
                f"The restriction by {', '.join(item.ignored)} names no attribute and so restricts nothing; "
                f"more rows of {table.name.class_name} would be deleted than you mean. "
                f"Its attributes: {', '.join(table.heading.names)}. To delete every row, delete the unrestricted table."
            )


# Planning


def _roots(
    connection: Connection, graph: Dependencies, table: Table, part_integrity: str
) -> dict[TableName, Node]:
    """Return the rows that are deleted for their own sake: the table's, and masters of parts that go."""
    roots: dict[TableName, Node] = {table.name: table.node}
    if part_integrity == "ignore":
        return roots
    while orphan := _part_without_master(connection, graph, cascade(graph, roots)):
        part, key, rows = orphan
        master = graph.structures[key.parent]
        if part_integrity == "enforce":
            raise DataJointError(
                f"Attempt to delete part table {part.name.class_name} before its master {master.name.class_name}. "
                f'Delete from {master.name.class_name} first, or pass part_integrity="cascade" to delete the '
                'masters too, or "ignore" to delete only the parts.'
            )
        going = matches(rows, [(there, here) for here, there in visible(part, key)])
        already = roots.get(master.name)
        if already is not None:
            own = [(name, name) for name in master.heading.primary_key]
            going = any_of([going, matches(already, own)])
        roots[master.name] = Restriction(Source(master), going)
    return roots


def _part_without_master(
    connection: Connection, graph: Dependencies, affected: Mapping[TableName, Node]
) -> tuple[TableStructure, ForeignKey, Node] | None:
    """Return part rows that would go while their master's row stays, and how they refer to it."""
    for name, rows in affected.items():
        structure = graph.structures[name]
        key = next((key for key in structure.foreign_keys if key.parent == name.master), None)
        if key is None or key.parent not in graph.structures:
            continue
        master = affected.get(key.parent)
        if master is not None:
            rows = Restriction(rows, Negation(matches(master, visible(structure, key))))
        if Query(connection, rows):
            return structure, key, rows
    return None


# Doing


def _carried_out(
    connection: Connection, graph: Dependencies, roots: Mapping[TableName, Node]
) -> Counter[TableName]:
    done: Counter[TableName] = Counter()
    for portion in list(_portions(connection, graph, roots)):
        affected = cascade(graph, portion)
        for name in reversed(affected):
            done[name] += delete_rows(connection, graph.structures[name], affected[name])
    return done


def _portions(
    connection: Connection, graph: Dependencies, roots: Mapping[TableName, Node]
) -> Iterator[dict[TableName, Node]]:
    """Yield what to delete, one after the other.

    A root whose condition looks at rows that go before its own (of its descendants) is fixed by the keys
    that it has now.
    """
    affected = cascade(graph, roots)
    if not any(tables_in(node) & (affected.keys() - {name}) for name, node in roots.items()):
        yield dict(roots)
        return
    for name, node in roots.items():
        query, source = Query(connection, node), Source(graph.structures[name])
        key = tuple(query.primary_key)
        if not key:
            yield {name: Restriction(source, Constant(bool(query)))}
            continue
        found = query.keys()
        keys = [tuple(row[each] for each in key) for row in found]
        size = max(1, _KEY_VALUES // len(key))
        for start in range(0, len(keys), size):
            yield {name: Restriction(source, OneOf(key, keys[start : start + size]))}


def _expected(table: Table, part_integrity: str) -> Counter[TableName]:
    graph = table._graph()
    affected = cascade(graph, _roots(table.connection, graph, table, part_integrity))
    return Counter({name: len(Query(table.connection, node)) for name, node in affected.items()})


def _agreed(counts: Mapping[TableName, int]) -> bool:
    print("The following rows would be deleted:")
    for name, count in counts.items():
        if count:
            print(f"  {count:>9,}  {name.class_name}  ({name.schema})")
    return confirmed("Commit deletes?")
