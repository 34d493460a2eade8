"""How a choice of rows travels along foreign keys: down to what depends on them, up to what they depend on.

Pure: from a graph and chosen rows of some tables to a relation for each table that is reached.

| function   | travels | a row is reached when                            | serves                |
|------------|---------|--------------------------------------------------|-----------------------|
| `cascade`  | down    | any row that it refers to is                     | delete                |
| `restrict` | down    | all references to tables that are reached say so | subsets of a pipeline |
| `trace`    | up      | any row that refers to it is                     | provenance            |
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence

from djupyter.definition.names import TableName
from djupyter.graph.dependencies import Dependencies
from djupyter.graph.routes import (
    Route,
    all_of,
    distinct,
    down,
    is_one_of,
    own_route,
    reached,
    up,
    visible,
)
from djupyter.heading.structure import TableStructure
from djupyter.query.conditions import Condition
from djupyter.query.node import Node
from djupyter.query.restriction import Restriction, chain
from djupyter.query.source import Source

Rows = dict[TableName, Node]


def cascade(
    graph: Dependencies,
    roots: Mapping[TableName, Node],
    within: Container[TableName] | None = None,
) -> Rows:
    """Return the rows that depend on some rows, for every table that may have any, parents first.

    References that close a cycle, which only other tools can declare, are not followed.

    Parameters
    ----------
    graph
        All tables that could refer to the roots, in whatever schema.
    roots
        The rows to begin with, for each table.
    within
        Reach only these tables; all when None.
    """
    rows: Rows = {}
    routes: dict[TableName, tuple[Route, ...]] = {}
    for name in _below(graph, roots, within):
        structure, own = graph.structures[name], roots.get(name)
        # Of a table that goes whole nothing more can go.
        found = () if isinstance(own, Source) else distinct(_from_parents(structure, routes, rows))
        if own is None:
            rows[name], routes[name] = reached(structure, (r.condition() for r in found)), found
        elif not found:
            rows[name], routes[name] = own, (own_route(own),)
        else:
            conditions = [is_one_of(own), *(route.condition() for route in found)]
            rows[name], routes[name] = reached(structure, conditions), (own_route(own), *found)
    return rows


def restrict(graph: Dependencies, roots: Mapping[TableName, Sequence[Node]]) -> Rows:
    """Return the rows that depend on none but chosen rows, for every table below, parents first.

    Parameters
    ----------
    graph
        All tables.
    roots
        For each table, choices that must all hold.
    """
    rows: Rows = {}
    routes: dict[TableName, tuple[Route, ...]] = {}
    for name in _below(graph, roots, None):
        structure, own = graph.structures[name], roots.get(name, ())
        found = distinct(_from_parents(structure, routes, rows))
        base: Node = own[0] if own else Source(structure)
        needed = [is_one_of(each) for each in own[1:]] + [route.condition() for route in found]
        rows[name] = Restriction(base, all_of(needed)) if needed else base
        routes[name] = (*map(own_route, own), *found)
    return rows


def trace(
    graph: Dependencies,
    seeds: Mapping[TableName, Node],
    within: Container[TableName] | None = None,
) -> Rows:
    """Return the rows that some rows depend on, for every table that may have any, parents first.

    References that close a cycle are not followed.

    Parameters
    ----------
    graph
        All tables that the seeds may refer to.
    seeds
        The rows to begin with, for each table.
    within
        Reach only these tables; all when None.
    """
    rows: Rows = {}
    routes: dict[TableName, dict[Route, None]] = {}
    wanted = {name for seed in seeds for name in graph.ancestors(seed)}
    for name in reversed(graph.in_order()):
        if name not in wanted or not (within is None or name in within):
            continue
        structure = graph.structures[name]
        conditions = [is_one_of(seeds[name])] if name in seeds else []
        conditions += [route.condition() for route in routes.get(name, ())]
        if not conditions:
            continue  # reached only by closing a cycle
        alone = name in seeds and len(conditions) == 1
        rows[name] = seeds[name] if alone else reached(structure, conditions)
        for parent, route in _to_parents(
            structure, routes.get(name, ()), rows[name], name in seeds
        ):
            routes.setdefault(parent, {})[route] = None
    return {name: rows[name] for name in graph.in_order() if name in rows}


def connected(
    graph: Dependencies, name: TableName, other: TableName, rows: Node
) -> Condition | None:
    """Return the condition that a row of a table is connected with some rows of an ancestor or descendant.

    Connected by any route: a chain of foreign keys none of which is NULL.

    Parameters
    ----------
    graph
        All tables.
    name
        The table whose rows are judged.
    other, rows
        The other table and its rows.

    Returns
    -------
    Condition or None
        None when neither table depends on the other.
    """
    if name == other:
        return is_one_of(rows)
    for spread, route in ((cascade, (other, name)), (trace, (name, other))):
        found = spread(graph, {other: rows}, graph.between(*route)).get(name)
        if found is not None:
            return all_of(chain(found)[1])
    return None


def _below(
    graph: Dependencies, roots: Mapping[TableName, object], within: Container[TableName] | None
) -> Iterator[TableName]:
    """Yield the tables that a choice of rows can reach downwards, in order, once it has."""
    reached: set[TableName] = set()
    for name in graph.in_order():
        parents = {key.parent for key in graph.structures[name].foreign_keys}
        allowed = within is None or name in within
        if allowed and (name in roots or parents & reached):
            reached.add(name)
            yield name


def _from_parents(
    child: TableStructure, routes: Mapping[TableName, tuple[Route, ...]], rows: Rows
) -> Iterator[Route]:
    for key in child.foreign_keys:
        for route in routes.get(key.parent, ()):
            yield down(key, route, child) or Route(rows[key.parent], visible(child, key))


def _to_parents(
    child: TableStructure, routes: Mapping[Route, None] | tuple[()], rows: Node, is_seed: bool
) -> Iterator[tuple[TableName, Route]]:
    for key in child.foreign_keys:
        direct = Route(rows, tuple((parent, here) for here, parent in visible(child, key)))
        if is_seed:
            yield key.parent, direct
            continue
        for route in routes:
            yield key.parent, up(key, route, child) or direct
