"""The tables of a schema laid out by themselves: one block of the picture, with gates for lines to other schemas."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from djupyter.render.arranging import Arranged, Gaps, Point, Size, arrange
from djupyter.render.characters import cut, text_width, visible
from djupyter.render.drawing import Box, Direction, Drawing
from djupyter.render.layering import Edge, Engine, forward
from djupyter.render.packing import packed

SizeOf = Callable[[Box], Size]

HEIGHT = 26.0
LONGEST = 40
"""Places of a label that are shown; longer ones are cut."""

_CHAR, _MARGIN = 7.0, 11.0
_PAD, _HEAD = 12.0, 20.0  # around the tables of a schema, and for its name
_WITHIN = {"LR": Gaps(44, 10, 9), "TB": Gaps(34, 14, 9)}
_APART = 22.0


@dataclass(frozen=True, slots=True)
class Place:
    """A rectangle: its upper left corner and its size, in pixels."""

    x: float
    y: float
    width: float
    height: float


def label(box: Box) -> str:
    """Return what is written on a box, in one line, cut where it is too long."""
    return cut(visible(box.label), LONGEST)


@dataclass(slots=True)
class Block:
    """A schema: places and ways within it, in pixels from its upper left corner.

    Parameters
    ----------
    size
        Width and height, those of the box around its tables included.
    boxes
        The place of each box.
    ways
        The way between two boxes that a line joins, the first one the parent.
    entries, exits
        The way from the border to a box that lines from elsewhere lead to, and from a box to the border.
    is_group
        Whether there is a box around its tables.
    """

    size: Size
    boxes: dict[Box, Place]
    ways: dict[tuple[Box, Box], list[Point]] = field(default_factory=dict)
    entries: dict[Box, list[Point]] = field(default_factory=dict)
    exits: dict[Box, list[Point]] = field(default_factory=dict)
    is_group: bool = True


def size_of(box: Box) -> Size:
    """Return width and height of a box with its label in one line."""
    return text_width(label(box)) * _CHAR + 2 * _MARGIN, HEIGHT


def oriented(point: Point, direction: Direction) -> Point:
    """Return (along, across) as (x, y), and the other way round."""
    return point if direction == "LR" else (point[1], point[0])


def blocks_of(
    drawing: Drawing, engine: Engine | None = None, size: SizeOf = size_of
) -> tuple[dict[str, Block], list[tuple[Box, Box]], list[Edge]]:
    """Return the block of each schema; which boxes each line joins, and which blocks, all of them leading forward.

    Lines within a cycle, which only other tools can declare, are turned round for it.

    Parameters
    ----------
    drawing
        What to draw.
    engine
        What finds the layers.
    size
        Width and height of each box.
    """
    members: dict[str, list[Box]] = {}
    for box in drawing.boxes:
        members.setdefault(box.schema, []).append(box)
    number = {schema: place for place, schema in enumerate(members)}
    ends = [(line.parent, line.child) for line in drawing.lines]
    outer = [(number[u.schema], number[v.schema]) for u, v in ends if u.schema != v.schema]
    edges, turned = forward(len(members), outer)
    pairs = [(v, u) if (number[u.schema], number[v.schema]) in turned else (u, v) for u, v in ends]
    blocks = {
        schema: _block(boxes, pairs, drawing.direction, engine, size)
        for schema, boxes in members.items()
    }
    return blocks, pairs, edges


def _block(
    boxes: Sequence[Box],
    pairs: Sequence[tuple[Box, Box]],
    direction: Direction,
    engine: Engine | None,
    size_of: SizeOf,
) -> Block:
    number = {box: place for place, box in enumerate(boxes)}
    inner = [(number[u], number[v]) for u, v in pairs if u in number and v in number]
    edges, turned = forward(len(boxes), inner)
    entered = {number[v] for u, v in pairs if v in number and u not in number}
    left = {number[u] for u, v in pairs if u in number and v not in number}
    pieces = pieces_of(len(boxes), edges, entered | left)
    sizes = [oriented(size_of(box), direction) for box in boxes]
    block = Block((0.0, 0.0), {})
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
    shifts, size = side_by_side([part.size for part in parts], direction, is_tied)
    for nodes, part, shift in zip(pieces, parts, shifts, strict=True):
        _add(block, [boxes[node] for node in nodes], part, shift, direction, size, size_of)
    for u, v in turned:
        block.ways[boxes[u], boxes[v]] = block.ways[boxes[v], boxes[u]][::-1]
    block.size = oriented(size, direction)
    return _framed(block, boxes[0].schema, direction)


def pieces_of(count: int, edges: Iterable[Edge], outside: set[int]) -> list[list[int]]:
    """Return the nodes that hang together, those joined with the outside first, then the largest."""
    import networkx

    graph: networkx.Graph[int] = networkx.Graph()
    graph.add_nodes_from(range(count))
    graph.add_edges_from(edges)
    tied = sorted(outside)
    graph.add_edges_from(pairwise(tied))
    found = [sorted(each) for each in networkx.connected_components(graph)]
    return sorted(found, key=lambda each: (not outside & {*each}, -len(each), each[0]))


def side_by_side(
    sizes: Sequence[Size], direction: Direction, first_is_tied: bool
) -> tuple[list[Point], Size]:
    """Return where pieces begin, along and across; one with ways to outside has no other before or behind it."""
    alone = sizes[:1] if first_is_tied else []
    rest = [oriented(size, direction) for size in sizes[len(alone) :]]
    places, (width, height) = packed(rest, _APART, alone[0][0] if alone else 0.0)
    along, across = oriented((width, height), direction)
    if not alone:
        return [oriented(place, direction) for place in places], (along, across)
    start = alone[0][1] + _APART
    shifts = [(0.0, 0.0)]
    shifts += [(a, c + start) for a, c in (oriented(place, direction) for place in places)]
    return shifts, (max(alone[0][0], along), start + across if rest else alone[0][1])


def _add(
    block: Block,
    boxes: Sequence[Box],
    part: Arranged,
    shift: Point,
    direction: Direction,
    size: Size,
    size_of: SizeOf,
) -> None:
    def shifted(way: Iterable[Point]) -> list[Point]:
        return [oriented((a + shift[0], c + shift[1]), direction) for a, c in way]

    for box, (x, y) in zip(boxes, shifted(part.centres), strict=True):
        width, height = size_of(box)
        block.boxes[box] = Place(x - width / 2, y - height / 2, width, height)
    block.ways |= {(boxes[u], boxes[v]): shifted(way) for (u, v), way in part.ways.items()}
    block.entries |= {boxes[node]: shifted(way) for node, way in part.entries.items()}
    block.exits |= {
        boxes[node]: shifted([*way, (size[0], way[-1][1])]) for node, way in part.exits.items()
    }


def _framed(block: Block, schema: str, direction: Direction) -> Block:
    """Return a block with room for the box of its schema and its name."""
    if all(box.is_collapsed for box in block.boxes):
        return replace(block, is_group=False)
    width, height = block.size
    named = min(text_width(schema), LONGEST) * _CHAR
    size = (max(width, named) + 2 * _PAD, height + 2 * _PAD + _HEAD)
    shift = (size[0] / 2 - width / 2, _PAD + _HEAD)
    framed = Block(size, {box: moved_place(place, shift) for box, place in block.boxes.items()})
    framed.ways = {pair: moved(way, shift) for pair, way in block.ways.items()}
    # To the border of the schema's box.
    for box, way in block.entries.items():
        inner = moved(way, shift)
        edge = (0.0, inner[0][1]) if direction == "LR" else (inner[0][0], 0.0)
        framed.entries[box] = [edge, *inner]
    for box, way in block.exits.items():
        inner = moved(way, shift)
        edge = (size[0], inner[-1][1]) if direction == "LR" else (inner[-1][0], size[1])
        framed.exits[box] = [*inner, edge]
    return framed


def moved_place(place: Place, shift: Point) -> Place:
    """Return a rectangle somewhere else."""
    return replace(place, x=place.x + shift[0], y=place.y + shift[1])


def moved(way: Iterable[Point], shift: Point) -> list[Point]:
    """Return a way somewhere else."""
    return [(x + shift[0], y + shift[1]) for x, y in way]
