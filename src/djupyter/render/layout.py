"""From a graph of tables to coordinates: every table in its schema, parents before children.

```
tables -> layers within each schema -> schemas in layers -> places of boxes, ways of lines
```

A schema is laid out by itself, then as one block among the others, so that the boxes of schemas never overlap
and a line between two of them leaves the one and enters the other at its border.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from djupyter.render.arranging import Arranged, Gaps, Point, Size, arrange
from djupyter.render.characters import cut, text_width, visible
from djupyter.render.drawing import Box, Direction, Drawing, Line
from djupyter.render.layering import Edge, Engine, forward
from djupyter.render.packing import packed

HEIGHT = 26.0
LONGEST = 40
"""Places of a label that are shown; longer ones are cut."""

_CHAR, _MARGIN = 7.0, 11.0
_PAD, _HEAD = 12.0, 20.0  # around the tables of a schema, and for its name
_PARALLEL = 6.0  # between two lines that go the same way
_WITHIN = {"LR": Gaps(44, 10, 9), "TB": Gaps(34, 14, 9)}
_AMONG = {"LR": Gaps(48, 22, 14), "TB": Gaps(44, 22, 14)}
_APART = 22.0


@dataclass(frozen=True, slots=True)
class Place:
    """A rectangle: its upper left corner and its size, in pixels."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything of a drawing is.

    Parameters
    ----------
    size
        (width, height) of all of it.
    boxes
        The place of each box.
    groups
        The place of the box around the tables of a schema, by its name; collapsed ones have none.
    lines
        Each line and the points it passes; between two of them it is straight or an S.
    direction
        As in the drawing.
    """

    size: Size
    boxes: Mapping[Box, Place]
    groups: Mapping[str, Place]
    lines: Sequence[tuple[Line, tuple[Point, ...]]]
    direction: Direction


def label(box: Box) -> str:
    """Return what is written on a box, in one line, cut where it is too long."""
    return cut(visible(box.label), LONGEST)


def layout(drawing: Drawing, engine: Engine | None = None) -> Layout:
    """Return where the boxes and lines of a drawing are.

    Parameters
    ----------
    drawing
        What to draw.
    engine
        What finds the layers; None takes the best that is installed.

    Examples
    --------
    >>> subject, scan = Box("lab", "Subject", "Manual"), Box("lab", "Scan", "Imported")
    >>> found = layout(Drawing((subject, scan), (Line(subject, scan),)))
    >>> found.boxes[subject].x < found.boxes[scan].x
    True
    """
    members: dict[str, list[Box]] = {}
    for box in drawing.boxes:
        members.setdefault(box.schema, []).append(box)
    schemas = list(members)
    number = {schema: place for place, schema in enumerate(schemas)}
    ends = [(line.parent, line.child) for line in drawing.lines]
    outer = [(number[u.schema], number[v.schema]) for u, v in ends if u.schema != v.schema]
    edges, turned = forward(len(schemas), outer)
    # From here on pairs lead forward; those that were turned round are drawn the other way in the end.
    pairs = [(v, u) if (number[u.schema], number[v.schema]) in turned else (u, v) for u, v in ends]
    blocks = [_block(members[schema], pairs, drawing.direction, engine) for schema in schemas]
    whole = _among(blocks, edges, drawing.direction, engine)
    return _joined(drawing, pairs, blocks, whole, number)


@dataclass(slots=True)
class _Block:
    """A schema: places and ways within it, in pixels from its upper left corner."""

    size: Size
    boxes: dict[Box, Place]
    ways: dict[tuple[Box, Box], list[Point]] = field(default_factory=dict)
    entries: dict[Box, list[Point]] = field(default_factory=dict)
    exits: dict[Box, list[Point]] = field(default_factory=dict)
    is_group: bool = True


def _size(box: Box) -> Size:
    return text_width(label(box)) * _CHAR + 2 * _MARGIN, HEIGHT


def _turned(point: Point, direction: Direction) -> Point:
    """Return (along, across) as (x, y), and the other way round."""
    return point if direction == "LR" else (point[1], point[0])


def _block(
    boxes: Sequence[Box],
    pairs: Sequence[tuple[Box, Box]],
    direction: Direction,
    engine: Engine | None,
) -> _Block:
    number = {box: place for place, box in enumerate(boxes)}
    inner = [(number[u], number[v]) for u, v in pairs if u in number and v in number]
    edges, turned = forward(len(boxes), inner)
    entered = {number[v] for u, v in pairs if v in number and u not in number}
    left = {number[u] for u, v in pairs if u in number and v not in number}
    pieces = _pieces(len(boxes), edges, entered | left)
    sizes = [_turned(_size(box), direction) for box in boxes]
    block = _Block((0.0, 0.0), {})
    parts = []
    for nodes in pieces:
        place = {node: now for now, node in enumerate(nodes)}
        found = arrange(
            [sizes[node] for node in nodes],
            [(place[u], place[v]) for u, v in edges if u in place],
            _WITHIN[direction],
            engine,
            [place[node] for node in nodes if node in entered],
            [place[node] for node in nodes if node in left],
        )
        parts.append(found)
    is_tied = bool(entered or left)
    shifts, size = _packed([part.size for part in parts], direction, is_tied)
    for nodes, part, shift in zip(pieces, parts, shifts, strict=True):
        _add(block, [boxes[node] for node in nodes], part, shift, direction, size)
    for u, v in turned:
        block.ways[boxes[u], boxes[v]] = block.ways[boxes[v], boxes[u]][::-1]
    block.size = _turned(size, direction)
    return _framed(block, boxes[0].schema, direction)


def _pieces(count: int, edges: Iterable[Edge], outside: set[int]) -> list[list[int]]:
    """Return the nodes that hang together, those joined with the outside first, then the largest."""
    import networkx

    graph: networkx.Graph[int] = networkx.Graph()
    graph.add_nodes_from(range(count))
    graph.add_edges_from(edges)
    tied = sorted(outside)
    graph.add_edges_from(pairwise(tied))
    found = [sorted(each) for each in networkx.connected_components(graph)]
    return sorted(found, key=lambda each: (not outside & {*each}, -len(each), each[0]))


def _packed(
    sizes: Sequence[Size], direction: Direction, first_is_tied: bool
) -> tuple[list[Point], Size]:
    """Return where pieces begin, along and across; one with ways to outside has no other before or behind it."""
    alone = sizes[:1] if first_is_tied else []
    rest = [_turned(size, direction) for size in sizes[len(alone) :]]
    places, (width, height) = packed(rest, _APART, alone[0][0] if alone else 0.0)
    along, across = _turned((width, height), direction)
    if not alone:
        return [_turned(place, direction) for place in places], (along, across)
    start = alone[0][1] + _APART
    shifts = [(0.0, 0.0)]
    shifts += [(a, c + start) for a, c in (_turned(place, direction) for place in places)]
    return shifts, (max(alone[0][0], along), start + across if rest else alone[0][1])


def _add(
    block: _Block,
    boxes: Sequence[Box],
    part: Arranged,
    shift: Point,
    direction: Direction,
    size: Size,
) -> None:
    def moved(way: Iterable[Point]) -> list[Point]:
        return [_turned((a + shift[0], c + shift[1]), direction) for a, c in way]

    for box, (x, y) in zip(boxes, moved(part.centres), strict=True):
        width, height = _size(box)
        block.boxes[box] = Place(x - width / 2, y - height / 2, width, height)
    block.ways |= {(boxes[u], boxes[v]): moved(way) for (u, v), way in part.ways.items()}
    block.entries |= {boxes[node]: moved(way) for node, way in part.entries.items()}
    block.exits |= {
        boxes[node]: moved([*way, (size[0], way[-1][1])]) for node, way in part.exits.items()
    }


def _framed(block: _Block, schema: str, direction: Direction) -> _Block:
    """Return a block with room for the box of its schema and its name."""
    if all(box.is_collapsed for box in block.boxes):
        return replace(block, is_group=False)
    width, height = block.size
    named = min(text_width(schema), LONGEST) * _CHAR
    size = (max(width, named) + 2 * _PAD, height + 2 * _PAD + _HEAD)
    shift = (size[0] / 2 - width / 2, _PAD + _HEAD)
    framed = _Block(size, {box: _at(place, shift) for box, place in block.boxes.items()})
    framed.ways = {pair: _moved(way, shift) for pair, way in block.ways.items()}
    # To the border of the schema's box.
    for box, way in block.entries.items():
        inner = _moved(way, shift)
        edge = (0.0, inner[0][1]) if direction == "LR" else (inner[0][0], 0.0)
        framed.entries[box] = [edge, *inner]
    for box, way in block.exits.items():
        inner = _moved(way, shift)
        edge = (size[0], inner[-1][1]) if direction == "LR" else (inner[-1][0], size[1])
        framed.exits[box] = [*inner, edge]
    return framed


def _at(place: Place, shift: Point) -> Place:
    return replace(place, x=place.x + shift[0], y=place.y + shift[1])


def _moved(way: Iterable[Point], shift: Point) -> list[Point]:
    return [(x + shift[0], y + shift[1]) for x, y in way]


def _among(
    blocks: Sequence[_Block], edges: Sequence[Edge], direction: Direction, engine: Engine | None
) -> _Whole:
    sizes = [_turned(block.size, direction) for block in blocks]
    pieces = _pieces(len(blocks), edges, set())
    parts, ways = [], {}
    for nodes in pieces:
        place = {node: now for now, node in enumerate(nodes)}
        inner = [(place[u], place[v]) for u, v in edges if u in place]
        parts.append(arrange([sizes[node] for node in nodes], inner, _AMONG[direction], engine))
    shifts, size = _packed([part.size for part in parts], direction, False)
    corners: dict[int, Point] = {}
    for nodes, part, shift in zip(pieces, parts, shifts, strict=True):
        for node, (a, c) in zip(nodes, part.centres, strict=True):
            x, y = _turned((a + shift[0], c + shift[1]), direction)
            width, height = blocks[node].size
            corners[node] = (x - width / 2, y - height / 2)
        for (u, v), way in part.ways.items():
            between = [_turned((a + shift[0], c + shift[1]), direction) for a, c in way]
            ways[nodes[u], nodes[v]] = between
    return _Whole(_turned(size, direction), corners, ways)


@dataclass(frozen=True, slots=True)
class _Whole:
    """All blocks: their upper left corners, and the ways between them, from border to border."""

    size: Size
    corners: Mapping[int, Point]
    ways: Mapping[Edge, list[Point]]


def _joined(
    drawing: Drawing,
    pairs: Sequence[tuple[Box, Box]],
    blocks: Sequence[_Block],
    whole: _Whole,
    number: Mapping[str, int],
) -> Layout:
    boxes: dict[Box, Place] = {}
    groups: dict[str, Place] = {}
    for schema, block in number.items():
        corner = whole.corners[block]
        boxes |= {box: _at(place, corner) for box, place in blocks[block].boxes.items()}
        if blocks[block].is_group:
            groups[schema] = Place(*corner, *blocks[block].size)
    together = Counter(frozenset(pair) for pair in pairs)
    drawn: Counter[frozenset[Box]] = Counter()
    lines = []
    for line, (first, last) in zip(drawing.lines, pairs, strict=True):
        pair = frozenset((first, last))
        aside = (drawn[pair] - (together[pair] - 1) / 2) * _PARALLEL
        drawn[pair] += 1
        way = _way(first, last, blocks, whole, number, drawing.direction)
        points = [(x, y + aside) if drawing.direction == "LR" else (x + aside, y) for x, y in way]
        lines.append((line, tuple(points if first == line.parent else points[::-1])))
    return Layout(whole.size, boxes, groups, lines, drawing.direction)


def _way(
    first: Box,
    last: Box,
    blocks: Sequence[_Block],
    whole: _Whole,
    number: Mapping[str, int],
    direction: Direction,
) -> list[Point]:
    start, end = number[first.schema], number[last.schema]
    if first == last:
        return []
    if start == end:
        return _moved(blocks[start].ways[first, last], whole.corners[start])
    out = _moved(blocks[start].exits[first], whole.corners[start])
    into = _moved(blocks[end].entries[last], whole.corners[end])
    between = whole.ways[start, end]
    # The way between blocks begins and ends in their middle; here it does where the line leaves and enters.
    if direction == "LR":
        ends = (between[1][0], out[-1][1]), (between[-2][0], into[0][1])
    else:
        ends = (out[-1][0], between[1][1]), (into[0][0], between[-2][1])
    return [*out, ends[0], *between[2:-2], ends[1], *into]
