"""A graph of tables as plain data for a script that draws it: what the live diagram sends to the browser, once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from djupyter.render.characters import cut, text_width, visible
from djupyter.render.drawing import Box, Drawing, Line
from djupyter.render.layout import LONGEST, label
from djupyter.render.palette import PALETTES, kind_of

MOST = 100
"""Tables that are shown at first; more are unreadable, and begin as one node for each schema."""

_NOTE = 2000


def elements(drawing: Drawing, folded: Collection[Box] = ()) -> dict[str, Any]:
    """Return the tables, schemas and lines of a drawing, and the colours.

    Parameters
    ----------
    drawing
        A box for each table.
    folded
        Boxes that are shown together with others of their schema.

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
        "palettes": {theme: asdict(palette) for theme, palette in PALETTES.items()},
    }


def _width(text: str) -> float:
    return max(text_width(text) * 7.0 + 24, 64)


def _classes(line: Line) -> str:
    marks = {"dashed": not line.in_key, "thick": line.whole_key, "renamed": bool(line.renames)}
    return " ".join(["line", *(name for name, holds in marks.items() if holds)])
