"""What a deletion takes: the rows it begins with, the masters of parts that would go alone, in which portions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from djupyter.definition.names import TableName
from djupyter.errors import DataJointError
from djupyter.graph.cascade import Rows, cascade, connected, trace
from djupyter.graph.dependencies import Dependencies
from djupyter.graph.routes import all_of, is_one_of, reached
from djupyter.heading.structure import ForeignKey, TableStructure
from djupyter.query.conditions import Condition, Constant, Negation, OneOf
from djupyter.query.counts import have_rows
from djupyter.query.expression import Query
from djupyter.query.node import Node
from djupyter.query.restriction import Restriction, chain
from djupyter.query.source import Source
from djupyter.sql.connection import Connection

INTEGRITY = ("enforce", "ignore", "cascade")
# Keys in one statement: below the number of parameters that any database takes.
_KEY_VALUES = 10_000


@dataclass(frozen=True, slots=True)
class Deletion:
    """A planned deletion.

    Parameters
    ----------
    graph
        All tables.
    roots
        Rows that are deleted for their own sake: those asked for, and masters of parts that go.
    rows
        All rows that go, by table, parents first.
    """

    graph: Dependencies
    roots: Rows
    rows: Rows


def planned(
    connection: Connection,
    graph: Dependencies,
    name: TableName,
    node: Node,
    part_integrity: str,
) -> Deletion:
    """Return what goes when some rows of a table go.

    Parameters
    ----------
    connection
        Where the tables are.
    graph
        All tables.
    name, node
        The table and its rows.
    part_integrity
        When a part row would go while its master's row stays: `enforce` refuses, `ignore` allows,
        `cascade` takes the masters too.

    Raises
    ------
    ValueError
        There is no such `part_integrity`.
    DataJointError
        A part row would go while its master's row stays.
    """
    if part_integrity not in INTEGRITY:
        raise ValueError(
            f"part_integrity must be one of {', '.join(INTEGRITY)}, not {part_integrity!r}."
        )
    roots: Rows = {name: node}
    rows = cascade(graph, roots)
    while part_integrity != "ignore":
        orphans, with_masters = _parts_without_masters(connection, graph, rows)
        if not orphans:
            if part_integrity == "enforce":
                rows = {**rows, **with_masters}
            break
        if part_integrity == "enforce":
            raise _before_master(next(iter(orphans)))
        for master, conditions in _masters(graph, orphans).items():
            own = [is_one_of(roots[master])] if master in roots else []
            roots[master] = reached(graph.structures[master], [*own, *conditions])
        rows = cascade(graph, roots)
    return Deletion(graph, roots, rows)


def _parts_without_masters(
    connection: Connection, graph: Dependencies, rows: Rows
) -> tuple[Rows, Rows]:
    """Return the part rows that would go while their master's row stays, by table, and the others.

    The others are a condition of their own: of the part rows that another program adds before the deletion, none
    goes without its master either; the foreign keys then refuse the deletion.
    """
    alone: Rows = {}
    others: Rows = {}
    for name, node in rows.items():
        master = name.master
        family = _family(graph, master) if master is not None else None
        if master is None or family is None or name not in family.descendants(master):
            continue
        if master not in rows:
            alone[name], others[name] = node, Restriction(node, Constant(False))
            continue
        taken = connected(family, name, master, rows[master])
        assert taken is not None, "a part that refers to its master is connected with it"
        alone[name] = Restriction(node, Negation(taken))
        if not _is_all_that_restricts(taken, node):
            others[name] = Restriction(node, taken)
    found = have_rows(connection, list(alone.values()))
    orphans = {name: alone[name] for name, some in zip(alone, found, strict=True) if some}
    return orphans, others


def _is_all_that_restricts(condition: Condition, node: Node) -> bool:
    base, conditions = chain(node)
    own = all_of(conditions)
    is_same = (own.shape, own.values) == (condition.shape, condition.values)
    return isinstance(base, Source) and is_same


def _family(graph: Dependencies, master: TableName) -> Dependencies:
    """Return a master and its parts, each with only the foreign key that makes it a part."""
    structures = graph.structures
    members = [s for s in structures.values() if s.name.master == master]
    family = {part.name: replace(part, foreign_keys=_membership(part, master)) for part in members}
    return Dependencies({master: structures.get(master, TableStructure(master, "", ())), **family})


def _membership(part: TableStructure, master: TableName) -> tuple[ForeignKey, ...]:
    """Return the foreign key to the master, or to another part of it.

    Of several, the others are ordinary references: that of a link between two masters belongs to one.
    """

    def rank(key: ForeignKey) -> tuple[object, ...]:
        return key.parent != master, not part.is_primary(key), len(key.renames), key.names

    keys = [key for key in part.foreign_keys if master in (key.parent, key.parent.master)]
    return tuple(sorted(keys, key=rank)[:1])


def _masters(graph: Dependencies, parts: Rows) -> dict[TableName, list[Condition]]:
    """Return the conditions on the master rows of part rows, by master."""
    found: dict[TableName, list[Condition]] = {}
    for name, node in parts.items():
        master = name.master
        assert master is not None, "a part has a master"
        reached = trace(_family(graph, master), {name: node})[master]
        found.setdefault(master, []).append(is_one_of(reached))
    return found


def _before_master(part: TableName) -> DataJointError:
    assert part.master is not None, "a part has a master"
    master = part.master.class_name
    return DataJointError(
        f"Attempt to delete part table {part.class_name} before its master {master}. "
        f'Delete from {master} first, or pass part_integrity="cascade" to delete the '
        'masters too, or "ignore" to delete only the parts.'
    )


def portions(connection: Connection, plan: Deletion) -> Iterator[Rows]:
    """Yield the rows to delete, by table and parents first, one portion after the other.

    One portion, unless the condition of a root looks at rows that go, its own table's included: they
    would not all be there any more, and MySQL refuses it. The root is then fixed by the keys that it
    has now.
    """
    if not any(_tables_looked_at(node) & plan.rows.keys() for node in plan.roots.values()):
        yield plan.rows
        return
    for name, node in plan.roots.items():
        for fixed in fixed_by_keys(connection, node, Source(plan.graph.structures[name])):
            yield cascade(plan.graph, {name: fixed})


def looks_at_itself(node: Node, name: TableName) -> bool:
    """Whether the condition on the rows of a table looks at the table."""
    return name in _tables_looked_at(node)


def fixed_by_keys(connection: Connection, node: Node, source: Source) -> Iterator[Node]:
    """Yield portions of the rows of a table, given by the keys that they have now."""
    query = Query(connection, node)
    key = tuple(query.primary_key)
    if not key:
        yield Restriction(source, Constant(bool(query)))
        return
    found = query.keys()
    keys = [tuple(row[each] for each in key) for row in found]
    size = max(1, _KEY_VALUES // len(key))
    for start in range(0, len(keys), size):
        yield Restriction(source, OneOf(key, keys[start : start + size]))


def _tables_looked_at(node: Node) -> set[TableName]:
    """Return the tables in the conditions on the rows of a table; of other relations, all."""
    base, conditions = chain(node)
    return tables_in(conditions if isinstance(base, Source) else [node])


def tables_in(items: Sequence[Node | Condition]) -> set[TableName]:
    """Return the tables that relations and conditions are made from."""
    return {each.structure.name for each in walk(items) if isinstance(each, Source)}


def walk(items: Sequence[Node | Condition]) -> Iterator[Node | Condition]:
    """Yield every relation and every condition that others are made from, themselves first."""
    pending: list[object] = list(items)
    while pending:
        item = pending.pop()
        if isinstance(item, Node | Condition):
            yield item
            pending += [getattr(item, slot, None) for slot in type(item).__slots__]
        elif isinstance(item, tuple | list):
            pending += item
