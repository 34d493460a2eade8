"""How rows of one table are related to rows of another: over foreign keys, directly or through tables between.

A foreign key often carries the whole key of an ancestor along. The rows are then matched with the
ancestor itself, so that conditions do not grow with the length of the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from djupyter.heading.structure import ForeignKey, TableStructure
from djupyter.query.conditions import AllOf, AnyOf, Condition, Matches
from djupyter.query.node import Node
from djupyter.query.restriction import Restriction, chain
from djupyter.query.source import Source


@dataclass(frozen=True, slots=True)
class Route:
    """A row is reached when a row of `node` has the same values; pairs are (name here, name there)."""

    node: Node
    pairs: tuple[tuple[str, str], ...]

    def condition(self) -> Condition:
        """Return the condition that a row is reached this way."""
        return matches(self.node, self.pairs)


def own_route(node: Node) -> Route:
    """Return the route from the rows of a table to themselves."""
    return Route(node, tuple((name, name) for name in node.heading.primary_key))


def down(key: ForeignKey, route: Route, child: TableStructure) -> Route | None:
    """Return the route on to the rows that refer to reached ones.

    Parameters
    ----------
    key
        The foreign key of the child.
    route
        How its parent is reached, by the parent's whole key.
    child
        The table to reach next.

    Returns
    -------
    Route or None
        None where the foreign key does not carry the whole route.
    """
    here_of = {there: here for here, there in visible(child, key)}
    if not all(name in here_of for name, _ in route.pairs):
        return None
    if child.is_nullable(key) and len(route.pairs) < len(here_of):
        # With one of its attributes NULL the foreign key refers to nothing, whatever the others say.
        return None
    return Route(route.node, tuple((here_of[name], there) for name, there in route.pairs))


def up(key: ForeignKey, route: Route, child: TableStructure) -> Route | None:
    """Return the route on to the rows that reached ones refer to; None where it is not carried."""
    there_of = dict(route.pairs)
    pairs = visible(child, key)
    if not all(here in there_of for here, _ in pairs):
        return None
    left_out = there_of.keys() - {here for here, _ in pairs}
    if any(route.node.heading[there_of[name]].nullable for name in left_out):
        # A NULL in what is left out: the row that the route begins with may not reach the child at all.
        return None
    return Route(route.node, tuple((parent, there_of[here]) for here, parent in pairs))


def matches(related: Node, pairs: Iterable[tuple[str, str]]) -> Condition:
    """Return the condition that a related row exists, by pairs (name here, name there)."""
    pairs = tuple(pairs)
    return Matches(related, [here for here, _ in pairs], there=[there for _, there in pairs])


def reached(structure: TableStructure, conditions: Iterable[Condition]) -> Node:
    """Return the rows of a table that meet one of several conditions."""
    return Restriction(Source(structure), any_of(conditions))


def is_one_of(node: Node) -> Condition:
    """Return the condition that a row of a table is among some rows of it."""
    base, conditions = chain(node)
    return all_of(conditions) if isinstance(base, Source) else own_route(node).condition()


def any_of(conditions: Iterable[Condition]) -> Condition:
    """Return the condition that one of several holds."""
    alternatives = list(conditions)
    return alternatives[0] if len(alternatives) == 1 else AnyOf(alternatives)


def all_of(conditions: Iterable[Condition]) -> Condition:
    """Return the condition that all of several hold."""
    needed = list(conditions)
    return needed[0] if len(needed) == 1 else AllOf(needed)


def visible(child: TableStructure, key: ForeignKey) -> tuple[tuple[str, str], ...]:
    """Return the pairs of a foreign key without the hidden key of a singleton, which has one row at most."""
    return tuple(pair for pair in key.attributes if pair[0] in child.heading)


def distinct(routes: Iterator[Route]) -> tuple[Route, ...]:
    """Return the routes without repetitions, in order."""
    return tuple(dict.fromkeys(routes))
