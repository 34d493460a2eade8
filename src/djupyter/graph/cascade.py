"""How a deletion travels along foreign keys: which rows of which tables go with the rows of one table.

Pure: from a graph and a restricted relation to a relation for each table that loses rows. A row goes when
any of its parents goes.
"""

from __future__ import annotations

from collections.abc import Mapping

from djupyter.definition.names import TableName
from djupyter.graph.dependencies import Dependencies
from djupyter.heading.structure import ForeignKey, TableStructure
from djupyter.query.conditions import AnyOf, Condition, Matches
from djupyter.query.node import Node
from djupyter.query.projection import Plan, Projection
from djupyter.query.restriction import Restriction
from djupyter.query.source import Source


def cascade(graph: Dependencies, roots: Mapping[TableName, Node]) -> dict[TableName, Node]:
    """Return the rows that go, for every table that may lose some, parents before children.

    Parameters
    ----------
    graph
        All tables that could refer to the roots, in whatever schema.
    roots
        For each table from which rows are deleted, which ones.
    """
    affected: dict[TableName, Node] = {}
    reached = {name for root in roots for name in graph.descendants(root)}
    for name in graph.in_order():
        if name not in reached:
            continue
        structure = graph.structures[name]
        if name in roots and isinstance(roots[name], Source):
            affected[name] = roots[name]
            continue
        reasons = [
            _matches(affected[key.parent], structure, key)
            for key in structure.foreign_keys
            if key.parent in affected
        ]
        if name in roots:
            reasons.insert(0, Matches(roots[name], roots[name].heading.primary_key))
        if name in roots and len(reasons) == 1:
            affected[name] = roots[name]
        elif reasons:
            affected[name] = Restriction(Source(structure), _any(reasons))
    return affected


def restricted_sources(node: Node) -> set[TableName]:
    """Return the tables that a relation is made from, those in its conditions included."""
    found: set[TableName] = set()
    pending: list[object] = [node]
    while pending:
        item = pending.pop()
        if isinstance(item, Source):
            found.add(item.structure.name)
        elif isinstance(item, Node | Condition):
            pending += [getattr(item, slot, None) for slot in type(item).__slots__]
        elif isinstance(item, tuple):
            pending += item
    return found


def _matches(parent: Node, child: TableStructure, key: ForeignKey) -> Condition:
    renamed = {here: there for here, there in key.attributes if here != there}
    projected = Projection(parent, Plan((), renamed, {}, {})) if renamed else parent
    # The hidden key of a singleton matches whenever there is a row at all.
    return Matches(projected, [here for here, _ in key.attributes if here in child.heading])


def _any(reasons: list[Condition]) -> Condition:
    return reasons[0] if len(reasons) == 1 else AnyOf(reasons)
