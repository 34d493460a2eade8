"""How a deletion travels along foreign keys: which rows of which tables go with the rows of one table.

Pure: from a graph and a restricted relation to a relation for each table that loses rows. A row goes when
any of its parents goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from djupyter.definition.names import TableName
from djupyter.graph.dependencies import Dependencies
from djupyter.heading.structure import ForeignKey, TableStructure
from djupyter.query.conditions import AnyOf, Condition, Matches
from djupyter.query.node import Node
from djupyter.query.projection import Plan, Projection
from djupyter.query.restriction import Restriction
from djupyter.query.source import Source


@dataclass(frozen=True, slots=True)
class _Reason:
    """A row goes when a row of `node` has the same values; pairs are (name here, name there).

    The pairs hold the whole primary key of the node. As long as foreign keys carry that key along, tables
    far down are matched with the root itself, so that conditions do not grow with the depth of the pipeline.
    """

    node: Node
    pairs: tuple[tuple[str, str], ...]

    def condition(self) -> Condition:
        """Return the condition on the rows of the table that has this reason."""
        return matches(self.node, self.pairs)


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
    reasons: dict[TableName, tuple[_Reason, ...]] = {}
    reached = {name for root in roots for name in graph.descendants(root)}
    for name in graph.in_order():
        if name not in reached:
            continue
        structure = graph.structures[name]
        found = dict.fromkeys(_own_reason(roots, name))
        if not isinstance(roots.get(name), Source):
            found |= dict.fromkeys(_inherited(structure, reasons, affected))
        reasons[name] = tuple(found)
        affected[name] = (
            roots[name]
            if name in roots and len(found) == 1
            else Restriction(Source(structure), any_of(each.condition() for each in found))
        )
    return affected


def matches(parent: Node, pairs: Iterable[tuple[str, str]]) -> Condition:
    """Return the condition that a row refers to a row of a relation, by pairs (name here, name there)."""
    pairs = tuple(pairs)
    renamed = {here: there for here, there in pairs if here != there}
    projected = Projection(parent, Plan((), renamed, {}, {})) if renamed else parent
    return Matches(projected, [here for here, _ in pairs])


def any_of(conditions: Iterable[Condition]) -> Condition:
    """Return the condition that one of several holds."""
    alternatives = list(conditions)
    return alternatives[0] if len(alternatives) == 1 else AnyOf(alternatives)


def walk(node: Node) -> Iterator[Node | Condition]:
    """Yield every relation and every condition that a relation is made from, itself first."""
    pending: list[object] = [node]
    while pending:
        item = pending.pop()
        if isinstance(item, Node | Condition):
            yield item
            pending += [getattr(item, slot, None) for slot in type(item).__slots__]
        elif isinstance(item, tuple | list):
            pending += item


def tables_in(node: Node) -> set[TableName]:
    """Return the tables that a relation is made from, those in its conditions included."""
    return {item.structure.name for item in walk(node) if isinstance(item, Source)}


def visible(child: TableStructure, key: ForeignKey) -> tuple[tuple[str, str], ...]:
    """Return the pairs of a foreign key without the hidden key of a singleton, which has one row at most."""
    return tuple(pair for pair in key.attributes if pair[0] in child.heading)


def _own_reason(roots: Mapping[TableName, Node], name: TableName) -> Iterator[_Reason]:
    if name in roots:
        node = roots[name]
        yield _Reason(node, tuple((key, key) for key in node.heading.primary_key))


def _inherited(
    child: TableStructure,
    reasons: Mapping[TableName, tuple[_Reason, ...]],
    affected: Mapping[TableName, Node],
) -> Iterator[_Reason]:
    for key in child.foreign_keys:
        for reason in reasons.get(key.parent, ()):
            yield _through(key, reason, child) or _Reason(affected[key.parent], visible(child, key))


def _through(key: ForeignKey, reason: _Reason, child: TableStructure) -> _Reason | None:
    """Return the reason in the child's names; None where the foreign key does not carry all of them."""
    here_of = {there: here for here, there in visible(child, key)}
    if not all(name in here_of for name, _ in reason.pairs):
        return None
    if child.is_nullable(key) and len(reason.pairs) < len(here_of):
        # With one of its attributes NULL the foreign key refers to nothing, whatever the others say.
        return None
    return _Reason(reason.node, tuple((here_of[name], there) for name, there in reason.pairs))
