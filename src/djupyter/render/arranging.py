"""Rectangles joined by edges, arranged in layers, and the ways of the edges between them.

Everything is measured *along* the direction of the edges and *across* it, so that left-to-right and top-down are one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from djupyter.render.layering import Edge, Engine, layers
from djupyter.render.placing import placed

Point = tuple[float, float]
Size = tuple[float, float]


@dataclass(slots=True)
class Arranged:
    """Where things are; the first layer begins at 0.

    Parameters
    ----------
    size
        How far all of it reaches.
    centres
        The middle of each rectangle.
    ways
        For each edge, where it goes: from the border of one rectangle to that of the other.
    entries, exits
        For rectangles with edges from or to outside, the way from the first border, or to the last one.
    """

    size: Size
    centres: list[Point]
    ways: dict[Edge, list[Point]] = field(default_factory=dict)
    entries: dict[int, list[Point]] = field(default_factory=dict)
    exits: dict[int, list[Point]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gaps:
    """Distances: between layers, between neighbours in a layer, and the room of a line between them."""

    along: float
    across: float
    line: float


def arrange(
    sizes: Sequence[Size],
    edges: Sequence[Edge],
    gaps: Gaps,
    engine: Engine | None = None,
    entered: Collection[int] = (),
    left: Collection[int] = (),
) -> Arranged:
    """Arrange rectangles in layers.

    Parameters
    ----------
    sizes
        (along, across) of each.
    edges
        Pairs of rectangles; no cycles, no repetitions.
    gaps
        The distances.
    engine
        What finds the layers.
    entered, left
        Rectangles that edges from outside lead to, and from which edges lead outside.
    """
    count = len(sizes)
    source, sink = count, count + 1
    gates: list[Edge] = []
    if entered or left:
        # One node before all, one after all: edges to and from outside then have room on their way like others.
        heads, tails = {v for _, v in edges}, {u for u, _ in edges}
        gates += [(source, node) for node in range(count) if node in entered or node not in heads]
        gates += [(node, sink) for node in range(count) if node in left or node not in tails]
    total = count + 2 if gates else count
    found = layers(total, [*edges, *gates], engine)
    shown = {
        bend
        for (u, v), bends in found.bends.items()
        for bend in bends
        if (u != source or v in entered) and (v != sink or u in left)
    }
    room = {
        node: sizes[node][1] + gaps.across if node < count else gaps.line * (node in shown)
        for rank in found.ranks
        for node in rank
    }
    links = [
        link
        for (u, v), bends in found.bends.items()
        for link in zip((u, *bends), (*bends, v), strict=True)
    ]
    across = placed(found.ranks, links, room)
    spans = _spans(found.ranks, sizes, gaps.along)
    return _Ways(sizes, across, found.ranks, spans, gaps).arranged(
        found.bends, source, entered, left
    )


def _spans(ranks: Sequence[Sequence[int]], sizes: Sequence[Size], gap: float) -> list[Point]:
    """Return where each layer begins and ends; those of the gates take no room."""
    spans, start = [], 0.0
    for rank in ranks:
        widths = [sizes[node][0] for node in rank if node < len(sizes)]
        end = start + max(widths, default=0.0)
        spans.append((start, end))
        start = end + gap * bool(widths)
    return spans


class _Ways:
    """The ways of edges between placed rectangles."""

    def __init__(
        self,
        sizes: Sequence[Size],
        across: dict[int, float],
        ranks: Sequence[Sequence[int]],
        spans: Sequence[Point],
        gaps: Gaps,
    ) -> None:
        self._sizes, self._across, self._spans = sizes, across, spans
        self._layer = {node: place for place, rank in enumerate(ranks) for node in rank}
        # Half a gap is left at the borders.
        self._shift = gaps.across / 2

    def arranged(
        self,
        bends: Mapping[Edge, tuple[int, ...]],
        source: int,
        entered: Collection[int],
        left: Collection[int],
    ) -> Arranged:
        count = len(self._sizes)
        occupied = [span for span in self._spans if span[1] > span[0]]
        end = max((last for _, last in occupied), default=0.0)
        reach = [self._across[node] + self._sizes[node][1] / 2 for node in range(count)]
        reach += [self._across[node] for node in self._layer if node >= count + 2]
        size = (end, max(reach, default=0.0) - self._shift)
        done = Arranged(size, [self._centre(node) for node in range(count)])
        for (u, v), between in bends.items():
            way = [point for bend in between for point in self._through(bend)]
            if u == source:
                if v in entered:
                    whole = [*way, *self._into(v)]
                    done.entries[v] = [(0.0, whole[0][1]), *whole]
            elif v == source + 1 and v >= count:
                if u in left:
                    whole = [*self._out_of(u), *way]
                    done.exits[u] = [*whole, (end, whole[-1][1])]
            else:
                done.ways[u, v] = [*self._out_of(u), *way, *self._into(v)]
        return done

    def _centre(self, node: int) -> Point:
        start, end = self._spans[self._layer[node]]
        return (start + end) / 2, self._across[node] - self._shift

    def _through(self, bend: int) -> list[Point]:
        start, end = self._spans[self._layer[bend]]
        place = self._across[bend] - self._shift
        return [(start, place), (end, place)]

    def _out_of(self, node: int) -> list[Point]:
        along, across = self._centre(node)
        return [
            (along + self._sizes[node][0] / 2, across),
            (self._spans[self._layer[node]][1], across),
        ]

    def _into(self, node: int) -> list[Point]:
        along, across = self._centre(node)
        return [
            (self._spans[self._layer[node]][0], across),
            (along - self._sizes[node][0] / 2, across),
        ]
