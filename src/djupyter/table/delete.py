"""Deleting rows and everything that depends on them: planned, shown, then done, leaves first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from djupyter.definition.names import TableName
from djupyter.errors import DataJointError, IntegrityError
from djupyter.heading.structure import TableStructure
from djupyter.query import statement
from djupyter.query.conditions import Constant
from djupyter.query.counts import counts
from djupyter.query.expression import Query
from djupyter.query.node import Node
from djupyter.query.source import Source
from djupyter.table import planning
from djupyter.table.freeing import freeing
from djupyter.table.planning import Deletion
from djupyter.table.prompt import confirmed

if TYPE_CHECKING:
    from djupyter.sql.connection import Connection
    from djupyter.table.table import Table


def delete(table: Table, *, prompt: bool | None, part_integrity: str, collect: bool = False) -> int:
    """Delete the rows of a table with their consequences; see `Table.delete`."""
    connection = table.connection
    ask = bool(connection.settings["safemode"]) if prompt is None else prompt
    if ask and connection.in_transaction:
        raise DataJointError(
            "Delete cannot use a transaction within an ongoing transaction, because it asks first. "
            "Pass prompt=False to delete within it."
        )
    # Nothing is locked while a person thinks.
    expected = preview(table, part_integrity=part_integrity) if ask else None
    if expected is not None and not (expected.total() and _agreed(expected)):
        return 0
    with connection.transaction, connection.as_one():
        # Planned under the lock: another process may declare or drop a dependent table meanwhile.
        plan = _planned(table, part_integrity)
        if collect:
            connection.at_end(freeing(connection, plan.graph.structures, plan.rows))
        try:
            done = _carried_out(connection, plan)
        except IntegrityError as error:
            raise _held(table.name) from error
        if expected is not None and done != expected:
            raise DataJointError(
                "Nothing was deleted: the rows have changed since they were counted. "
                "Delete again to see what would go now."
            )
    return done[table.name]


def _held(name: TableName) -> IntegrityError:
    return IntegrityError(
        f"Nothing was deleted: rows that cannot be followed from {name} refer to rows that would go. They are in "
        "a table that this user may not see, or their foreign key closes a cycle of tables.",
        "Delete those first, or let an administrator do it.",
    )


def preview(table: Table, *, part_integrity: str) -> Counter[TableName]:
    """Return how many rows of which tables a deletion would take, parents first."""
    rows = _planned(table, part_integrity).rows
    return Counter(dict(zip(rows, counts(table.connection, list(rows.values())), strict=True)))


def delete_quick(table: Table) -> int:
    """Delete the rows of one table and return how many there were."""
    connection, structure, node = table.connection, table.structure, table.node
    _ask_hooks(connection, {table.name: node})
    if not planning.looks_at_itself(node, table.name):
        return _delete_rows(connection, structure, node)
    with connection.transaction, connection.as_one():
        fixed = list(planning.fixed_by_keys(connection, node, Source(structure)))
        return sum(_delete_rows(connection, structure, each) for each in fixed)


def _planned(table: Table, part_integrity: str) -> Deletion:
    _refuse_vacuous(table)
    connection, graph = table.connection, table._graph()
    plan = planning.planned(connection, graph, table.name, table.node, part_integrity)
    _ask_hooks(connection, plan.rows)
    return plan


def _ask_hooks(connection: Connection, rows: Mapping[TableName, Node]) -> None:
    if connection.before_delete:
        doomed = {str(name): Query(connection, node) for name, node in rows.items()}
        for hook in connection.before_delete:
            hook(doomed)


def _refuse_vacuous(table: Table) -> None:
    """Refuse a mapping none of whose keys is an attribute: it would delete everything."""
    for item in planning.walk([table.node]):
        if isinstance(item, Constant) and item.ignored:
            raise DataJointError(
                f"The restriction by {', '.join(item.ignored)} names no attribute and so restricts nothing; "
                f"more rows of {table.name.class_name} would be deleted than you mean. "
                f"Its attributes: {', '.join(table.heading.names)}. To delete every row, delete the unrestricted table."
            )


def _carried_out(connection: Connection, plan: Deletion) -> Counter[TableName]:
    done: Counter[TableName] = Counter()
    for rows in list(planning.portions(connection, plan)):
        for name in reversed(rows):
            done[name] += _delete_rows(connection, plan.graph.structures[name], rows[name])
    return done


def _delete_rows(connection: Connection, structure: TableStructure, node: Node) -> int:
    backend = connection.backend
    target = backend.relation(structure)
    condition = statement.condition(node, backend, target)
    prepared = statement.compiled(backend.delete(target, condition), backend)
    return connection.execute(prepared.text, prepared.parameters(node.values, backend.adapt))


def _agreed(expected: Mapping[TableName, int]) -> bool:
    print("The following rows would be deleted:")
    for name, count in expected.items():
        if count:
            print(f"  {count:>9,}  {name.class_name}  ({name.schema})")
    return confirmed("Commit deletes?")
