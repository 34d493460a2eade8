"""From a graph of tables to coordinates: every table in its schema, parents before children.

```
tables -> layers within each schema -> schemas in layers -> places of boxes, ways of lines
```

A schema is laid out by itself, then as one block among the others, so that the boxes of schemas never overlap
and a line between two of them leaves the one and enters the other at its border.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from djupyter.render.arranging import Gaps, Point, Size, arrange
from djupyter.render.blocks import (
    Block,
    Place,
    blocks_of,
    moved,
    moved_place,
    oriented,
    pieces_of,
    side_by_side,
)
from djupyter.render.drawing import Box, Direction, Drawing, Line
from djupyter.render.layering import Edge, Engine

_PARALLEL = 6.0  # between two lines that go the same way
_AMONG = {"LR": Gaps(48, 22, 14), "TB": Gaps(44, 22, 14)}


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
    blocks, pairs, edges = blocks_of(drawing, engine)
    number = {schema: place for place, schema in enumerate(blocks)}
    whole = _among(list(blocks.values()), edges, drawing.direction, engine)
    return _joined(drawing, pairs, list(blocks.values()), whole, number)


def _among(
    blocks: Sequence[Block], edges: Sequence[Edge], direction: Direction, engine: Engine | None
) -> _Whole:
    sizes = [oriented(block.size, direction) for block in blocks]
    pieces = pieces_of(len(blocks), edges, set())
    parts, ways = [], {}
    for nodes in pieces:
        place = {node: now for now, node in enumerate(nodes)}
        inner = [(place[u], place[v]) for u, v in edges if u in place]
        parts.append(arrange([sizes[node] for node in nodes], inner, _AMONG[direction], engine))
    shifts, size = side_by_side([part.size for part in parts], direction, False)
    corners: dict[int, Point] = {}
    for nodes, part, shift in zip(pieces, parts, shifts, strict=True):
        for node, (a, c) in zip(nodes, part.centres, strict=True):
            x, y = oriented((a + shift[0], c + shift[1]), direction)
            width, height = blocks[node].size
            corners[node] = (x - width / 2, y - height / 2)
        for (u, v), way in part.ways.items():
            between = [oriented((a + shift[0], c + shift[1]), direction) for a, c in way]
            ways[nodes[u], nodes[v]] = between
    return _Whole(oriented(size, direction), corners, ways)


@dataclass(frozen=True, slots=True)
class _Whole:
    """All blocks: their upper left corners, and the ways between them, from border to border."""

    size: Size
    corners: Mapping[int, Point]
    ways: Mapping[Edge, list[Point]]


def _joined(
    drawing: Drawing,
    pairs: Sequence[tuple[Box, Box]],
    blocks: Sequence[Block],
    whole: _Whole,
    number: Mapping[str, int],
) -> Layout:
    boxes: dict[Box, Place] = {}
    groups: dict[str, Place] = {}
    for schema, block in number.items():
        corner = whole.corners[block]
        boxes |= {box: moved_place(place, corner) for box, place in blocks[block].boxes.items()}
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
    blocks: Sequence[Block],
    whole: _Whole,
    number: Mapping[str, int],
    direction: Direction,
) -> list[Point]:
    start, end = number[first.schema], number[last.schema]
    if first == last:
        return []
    if start == end:
        return moved(blocks[start].ways[first, last], whole.corners[start])
    out = moved(blocks[start].exits[first], whole.corners[start])
    into = moved(blocks[end].entries[last], whole.corners[end])
    between = whole.ways[start, end]
    # The way between blocks begins and ends in their middle; here it does where the line leaves and enters.
    if direction == "LR":
        ends = (between[1][0], out[-1][1]), (between[-2][0], into[0][1])
    else:
        ends = (out[-1][0], between[1][1]), (into[0][0], between[-2][1])
    return [*out, ends[0], *between[2:-2], ends[1], *into]
