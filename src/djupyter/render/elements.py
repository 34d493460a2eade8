"""A graph of tables as plain data for a script that draws it: what the live diagram sends to the browser, once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from djupyter.render.arranging import Point, Size
from djupyter.render.blocks import LONGEST, Block, blocks_of, label
from djupyter.render.characters import cut, text_width, visible
from djupyter.render.drawing import Box, Direction, Drawing, Line
from djupyter.render.palette import PALETTES, kind_of

MOST = 100
"""Tables that are shown at first; more are unreadable, and begin as one node for each schema."""

_NOTE = 2000


def elements(
    drawing: Drawing, folded: Collection[Box] = (), made: Drawing | None = None
) -> dict[str, Any]:
    """Return the tables, schemas and lines of a drawing, where they are within their schemas, and the colours.

    Parameters
    ----------
    drawing
        A box for each table.
    folded
        Boxes that are shown together with others of their schema at first.
    made
        What is shown at first, where some are.

    Examples
    --------
    >>> subject, scan = Box("lab", "Subject", "Manual"), Box("lab", "Scan", "Imported")
    >>> found = elements(Drawing((subject, scan), (Line(subject, scan),)))
    >>> [table["name"] for table in found["tables"]], found["lines"][0]["classes"]
    (['lab.Subject', 'lab.Scan'], 'line')
    """
    schemas = {
        schema: f"s{n}" for n, schema in enumerate(dict.fromkeys(b.schema for b in drawing.boxes))
    }
    tables = {box: f"t{place}" for place, box in enumerate(drawing.boxes)}
    return {
        "direction": drawing.direction,
        "closed": len(drawing.boxes) - len(folded) > MOST,
        "tables": [
            {
                "id": name,
                "schema": schemas[box.schema],
                "name": visible(box.full_name, 200),
                "label": label(box),
                "kind": kind_of(box),
                "tier": box.tier or "table",
                "note": "\n".join(visible(line) for line in box.note[:_NOTE].splitlines()),
                "folded": box in folded,
                "width": _width(label(box)),
            }
            for box, name in tables.items()
        ],
        "schemas": [
            {
                "id": name,
                "label": cut(visible(schema), LONGEST),
                "width": _width(cut(visible(schema), LONGEST)),
            }
            for schema, name in schemas.items()
        ],
        "lines": [
            {
                "parent": tables[line.parent],
                "child": tables[line.child],
                "classes": _classes(line),
                "words": visible(f"{line.parent.name} → {line.child.name}: {line.words}"),
            }
            for line in drawing.lines
        ],
        "blocks": _both_ways(drawing, tables, schemas),
        "made": _both_ways(made, tables, schemas) if made and folded else None,
        "palettes": {theme: asdict(palette) for theme, palette in PALETTES.items()},
    }


def _both_ways(
    drawing: Drawing, tables: Mapping[Box, str], schemas: Mapping[str, str]
) -> dict[str, Any]:
    """Return for each direction and schema where its tables are, and the ways of lines within it and to its border."""
    name = {box: tables.get(box, f"{schemas[box.schema]}/all") for box in drawing.boxes}
    directions: tuple[Direction, ...] = ("LR", "TB")
    return {
        direction: {
            schemas[schema]: _block(block, name)
            for schema, block in blocks_of(replace(drawing, direction=direction), size=_size)[
                0
            ].items()
        }
        for direction in directions
    }


def _block(block: Block, name: Mapping[Box, str]) -> dict[str, Any]:
    return {
        "size": [round(side, 1) for side in block.size],
        "boxes": {
            name[box]: _points([(place.x + place.width / 2, place.y + place.height / 2)])[0]
            for box, place in block.boxes.items()
        },
        "ways": {f"{name[u]}>{name[v]}": _points(way) for (u, v), way in block.ways.items()},
        "entries": {name[box]: _points(way) for box, way in block.entries.items()},
        "exits": {name[box]: _points(way) for box, way in block.exits.items()},
    }


def _points(way: Sequence[Point]) -> list[list[float]]:
    return [[round(x, 1), round(y, 1)] for x, y in way]


def _size(box: Box) -> Size:
    if box.is_collapsed:
        return max(_width(cut(visible(box.schema), LONGEST)), 90.0), 42.0
    return _width(label(box)), 36.0


def _width(text: str) -> float:
    return max(text_width(text) * 7.0 + 24, 64)


def _classes(line: Line) -> str:
    marks = {"dashed": not line.in_key, "thick": line.whole_key, "renamed": bool(line.renames)}
    return " ".join(["line", *(name for name, holds in marks.items() if holds)])
