"""Layers of a graph: every edge leads to a later layer, and few of them cross.

An edge that passes layers gets a bend in each, so that it has room there. Two engines do it: fast-sugiyama
where it is installed, a plain one on networkx elsewhere.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

Edge = tuple[int, int]
Engine = Literal["fast-sugiyama", "plain"]

_SWEEPS = 6


@dataclass(frozen=True, slots=True)
class Layers:
    """The layers of a graph.

    Parameters
    ----------
    ranks
        Nodes of each layer, in order; numbers from the count of nodes on are bends.
    bends
        The bends of each edge, none where it passes no layer.
    """

    ranks: list[list[int]]
    bends: Mapping[Edge, tuple[int, ...]]


def layers(count: int, edges: Sequence[Edge], engine: Engine | None = None) -> Layers:
    """Return the layers of a graph without cycles.

    Parameters
    ----------
    count
        How many nodes, called 0, 1, ...
    edges
        Pairs (before, after), each once.
    engine
        Which one; None takes the better one where it is installed.

    Examples
    --------
    >>> found = layers(3, [(0, 1), (1, 2), (0, 2)], "plain")
    >>> found.ranks[0], len(found.ranks[1]), found.bends[0, 2]
    ([0], 2, (3,))
    """
    if not edges:
        return Layers([list(range(count))], {})
    fast = _fast() if engine != "plain" else None
    return _with_fast(fast, count, edges) if fast is not None else _plain(count, edges)


def forward(count: int, edges: Iterable[Edge]) -> tuple[list[Edge], set[Edge]]:
    """Return edges without cycles, each once, and which of the given ones were turned round for it.

    >>> forward(2, [(0, 1), (1, 0), (0, 0)])
    ([(0, 1)], {(1, 0)})
    """
    import networkx

    unique = [edge for edge in dict.fromkeys(edges) if edge[0] != edge[1]]
    graph: networkx.DiGraph[int] = networkx.DiGraph()
    graph.add_nodes_from(range(count))
    graph.add_edges_from(unique)
    knot = {
        node: number
        for number, each in enumerate(networkx.strongly_connected_components(graph))
        for node in each
    }
    turned = {(u, v) for u, v in unique if knot[u] == knot[v] and u > v}
    straight = ((v, u) if (u, v) in turned else (u, v) for u, v in unique)
    return list(dict.fromkeys(straight)), turned


def _fast() -> Any:
    """Return the function of fast-sugiyama; None where it has no wheel or is not wanted."""
    try:
        from fast_sugiyama import from_edges
    except ImportError:
        return None
    return from_edges


def _with_fast(fast: Any, count: int, edges: Sequence[Edge]) -> Layers:
    # Dense numbers, so that those it gives to bends are none of ours.
    used = sorted({node for edge in edges for node in edge})
    number = {node: place for place, node in enumerate(used)}
    found = fast(
        [(number[u], number[v]) for u, v in edges],
        vertex_spacing=10,
        dummy_vertices=True,
        check_layout=False,
    )
    ranks: list[list[int]] = []
    bends: dict[Edge, tuple[int, ...]] = {}
    free = count
    for positions, _, _, links in found:
        name: dict[int, int] = {}
        for node, _ in sorted(positions):
            name[node] = used[node] if node < len(used) else free
            free += node >= len(used)
        heights = sorted({y for _, (_, y) in positions}, reverse=True)
        layer = {y: place for place, y in enumerate(heights)}
        ranks += [[] for _ in range(len(heights) - len(ranks))]
        for node, (_, y) in sorted(positions, key=lambda each: each[1][0]):
            ranks[layer[y]].append(name[node])
        bends |= _chains([(name[u], name[v]) for u, v in links], count)
    alone = set(range(count)) - set(used)
    ranks[0] += sorted(alone)
    return Layers(ranks, bends)


def _chains(links: Iterable[Edge], count: int) -> dict[Edge, tuple[int, ...]]:
    """Return the bends of each edge, from the links between nodes and bends."""
    onward = {u: v for u, v in links if u >= count}
    chains: dict[Edge, tuple[int, ...]] = {}
    for start, following in links:
        if start >= count:
            continue
        passed = []
        while following >= count:
            passed.append(following)
            following = onward[following]
        chains[start, following] = tuple(passed)
    return chains


def _plain(count: int, edges: Sequence[Edge]) -> Layers:
    """Longest-path layers, then barycentre sweeps: Sugiyama, Tagawa and Toda (1981), IEEE Trans. SMC 11(2)."""
    layer = _longest_paths(count, edges)
    ranks: list[list[int]] = [[] for _ in range(max(layer) + 1)]
    for node in range(count):
        ranks[layer[node]].append(node)
    bends: dict[Edge, tuple[int, ...]] = {}
    links: list[Edge] = []
    free = count
    for u, v in edges:
        chain = tuple(range(free, free + layer[v] - layer[u] - 1))
        free += len(chain)
        for place, bend in enumerate(chain, layer[u] + 1):
            ranks[place].append(bend)
        bends[u, v] = chain
        whole = (u, *chain, v)
        links += pairwise(whole)
    return Layers(_untangled(ranks, links, free), bends)


def _longest_paths(count: int, edges: Sequence[Edge]) -> list[int]:
    import networkx

    graph: networkx.DiGraph[int] = networkx.DiGraph()
    graph.add_nodes_from(range(count))
    graph.add_edges_from(edges)
    order = list(networkx.topological_sort(graph))
    layer = [0] * count
    for node in order:
        layer[node] = max((layer[each] + 1 for each in graph.pred[node]), default=0)
    for node in reversed(order):
        # What nothing leads to stands right before the first that it leads to.
        if not graph.pred[node] and graph.succ[node]:
            layer[node] = min(layer[each] for each in graph.succ[node]) - 1
    return layer


def _untangled(ranks: list[list[int]], links: Sequence[Edge], count: int) -> list[list[int]]:
    before: list[list[int]] = [[] for _ in range(count)]
    after: list[list[int]] = [[] for _ in range(count)]
    for u, v in links:
        before[v].append(u)
        after[u].append(v)
    best, fewest = ranks, _crossings(ranks, after)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        ranks = _swept(ranks, before if down else after, down)
        crossings = _crossings(ranks, after)
        if crossings < fewest:
            best, fewest = ranks, crossings
    return best


def _swept(ranks: list[list[int]], near: list[list[int]], down: bool) -> list[list[int]]:
    """Order each layer by the mean place of its neighbours in the one before."""
    ordered: list[list[int]] = []
    place: dict[int, int] = {}
    for rank in ranks if down else reversed(ranks):
        weight = {
            node: sum(place[each] for each in near[node]) / len(near[node])
            if near[node]
            else float(now)
            for now, node in enumerate(rank)
        }
        ordered.append(sorted(rank, key=weight.__getitem__))
        place |= {node: now for now, node in enumerate(ordered[-1])}
    return ordered if down else ordered[::-1]


def _crossings(ranks: list[list[int]], after: list[list[int]]) -> int:
    crossings = 0
    for rank, following in pairwise(ranks):
        place = {node: now for now, node in enumerate(following)}
        seen: list[int] = []
        for node in rank:
            ends = [place[each] for each in after[node]]
            crossings += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return crossings
