"""A graph of tables as Mermaid text, which GitHub, JupyterLab and many documentation tools draw.

Rectangles are entered by hand, rounded boxes fill themselves; a line is thick where the foreign key is all
of the child's key, solid where it is part of it, dotted where it is not in the key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count

from djupyter.render.characters import visible
from djupyter.render.drawing import Box, Drawing, Line

_CLASSES = {
    "Manual": "fill:#e8f0e9,stroke:#3e7a52,color:#28513a",
    "Lookup": "fill:#f0f0f1,stroke:#808285,color:#5a5c5f",
    "Imported": "fill:#e0f4fc,stroke:#00a0df,color:#00537a",
    "Computed": "fill:#ffede5,stroke:#ff5113,color:#b23200",
    "Part": "fill:#ffffff,stroke:#b9bbbe,color:#55585c",
    "Collapsed": "fill:#edeef0,stroke:#808890,color:#404040",
    "Other": "fill:#fffde7,stroke:#c9bc5b,color:#6b6420",
}
_ROUND = {"Imported", "Computed"}


def mermaid(drawing: Drawing) -> str:
    """Return the text of a flowchart, one subgraph for each schema.

    Examples
    --------
    >>> from djupyter.render.drawing import Box, Line
    >>> subject, scan = Box("lab", "Subject", "Manual"), Box("lab", "Scan", "Imported")
    >>> print(mermaid(Drawing((subject, scan), (Line(subject, scan, whole_key=True),))))
    flowchart LR
        classDef manual fill:#e8f0e9,stroke:#3e7a52,color:#28513a
        classDef imported fill:#e0f4fc,stroke:#00a0df,color:#00537a
        subgraph lab["lab"]
            lab_Subject["Subject"]:::manual
            lab_Scan("Scan"):::imported
        end
        lab_Subject ==> lab_Scan
    """
    names = _identifiers(drawing)
    lines = [f"flowchart {drawing.direction}", *_classes(drawing)]
    for schema in dict.fromkeys(box.schema for box in drawing.boxes):
        lines.append(f"    subgraph {names[schema]}[{_text(schema)}]")
        lines += [
            f"        {_node(box, names[box])}" for box in drawing.boxes if box.schema == schema
        ]
        lines.append("    end")
    lines += [
        f"    {names[line.parent]} {_arrow(line)} {names[line.child]}" for line in drawing.lines
    ]
    return "\n".join(lines)


def _classes(drawing: Drawing) -> Iterator[str]:
    used = {_kind(box) for box in drawing.boxes}
    for kind, style in _CLASSES.items():
        if kind in used:
            yield f"    classDef {kind.lower()} {style}"


def _kind(box: Box) -> str:
    return "Collapsed" if box.is_collapsed else (box.tier or "Other")


def _node(box: Box, name: str) -> str:
    kind = _kind(box)
    number = f"{box.tables} table{'' if box.tables == 1 else 's'}"
    text = _text(number if box.is_collapsed else box.name)
    shape = f"({text})" if kind in _ROUND else f"[[{text}]]" if box.is_collapsed else f"[{text}]"
    return f"{name}{shape}:::{kind.lower()}"


def _arrow(line: Line) -> str:
    arrow = "==>" if line.whole_key else "-->" if line.in_key else "-.->"
    renames = ", ".join(f"{here} = {there}" for here, there in line.renames)
    return f"{arrow}|{_text(renames)}|" if renames else arrow


def _text(text: str) -> str:
    return '"' + visible(text).replace("#", "#35;").replace('"', "#quot;") + '"'


def _identifiers(drawing: Drawing) -> dict[Box | str, str]:
    """Return a different word for every schema and box."""
    schemas = dict.fromkeys(box.schema for box in drawing.boxes)
    wanted: dict[Box | str, str] = {schema: schema for schema in schemas}
    wanted |= {box: f"{box.schema}_{box.name or 'tables'}" for box in drawing.boxes}
    names: dict[Box | str, str] = {}
    taken: set[str] = set()
    for item, text in wanted.items():
        plain = re.sub(r"\W", "_", text, flags=re.ASCII)
        # `end` means something else in Mermaid.
        plain = plain if plain[:1].isalpha() and plain != "end" else f"s_{plain}"
        words = (plain if n == 1 else f"{plain}_{n}" for n in count(1))
        names[item] = next(word for word in words if word not in taken)
        taken.add(names[item])
    return names
