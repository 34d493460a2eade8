"""A graph of tables as text for Graphviz, for those who have it and want its pictures."""

from __future__ import annotations

from collections.abc import Iterator

from djupyter.render.blocks import label
from djupyter.render.characters import visible
from djupyter.render.drawing import Box, Drawing, Line
from djupyter.render.palette import PALETTES, ROUND, Palette, Theme, kind_of


def dot(drawing: Drawing, theme: Theme = "light") -> str:
    """Return a drawing in the language of Graphviz, one cluster for each schema.

    Examples
    --------
    >>> subject, scan = Box("lab", "Subject", "Manual"), Box("lab", "Scan", "Imported")
    >>> print(dot(Drawing((subject, scan), (Line(subject, scan, in_key=False),))))
    digraph {
        rankdir=LR; bgcolor="#ffffff";
        node [fontname="sans-serif", fontsize=11, shape=box, style=filled, height=0.3];
        edge [color="#7b828c", arrowsize=0.6];
        subgraph cluster_0 {
            label="lab"; fontname="sans-serif"; fontcolor="#5f6670"; color="#d3d7dd"; bgcolor="#f6f7f9"; style=rounded;
            n0 [label="Subject", fillcolor="#e6f2e9", color="#1a7f37", fontcolor="#14652b"];
            n1 [label="Scan", fillcolor="#e6edfa", color="#1f5fc4", fontcolor="#194e9f", style="filled,rounded"];
        }
        n0 -> n1 [style=dashed];
    }
    """
    palette = PALETTES[theme]
    names = {box: f"n{place}" for place, box in enumerate(drawing.boxes)}
    lines = [
        f'    rankdir={drawing.direction}; bgcolor="{palette.paper}";',
        '    node [fontname="sans-serif", fontsize=11, shape=box, style=filled, height=0.3];',
        f'    edge [color="{palette.line}", arrowsize=0.6];',
    ]
    for place, schema in enumerate(dict.fromkeys(box.schema for box in drawing.boxes)):
        lines += [f"    subgraph cluster_{place} {{", f"        {_cluster(schema, palette)}"]
        lines += [
            f"        {names[box]} [{_box(box, palette)}];"
            for box in drawing.boxes
            if box.schema == schema
        ]
        lines.append("    }")
    for line in drawing.lines:
        said = ", ".join(_line(line, palette))
        ends = f"{names[line.parent]} -> {names[line.child]}"
        lines.append(f"    {ends} [{said}];" if said else f"    {ends};")
    return "\n".join(["digraph {", *lines, "}"])


def _cluster(schema: str, palette: Palette) -> str:
    return (
        f'label={_quoted(schema)}; fontname="sans-serif"; fontcolor="{palette.soft}"; '
        f'color="{palette.border}"; bgcolor="{palette.group}"; style=rounded;'
    )


def _box(box: Box, palette: Palette) -> str:
    kind = kind_of(box)
    ink = palette.boxes[kind]
    said = f'fillcolor="{ink.fill}", color="{ink.stroke}", fontcolor="{ink.text}"'
    shape = ', style="filled,rounded"' if kind in ROUND else ", peripheries=2" * box.is_collapsed
    return f"label={_quoted(label(box))}, {said}{shape}"


def _line(line: Line, palette: Palette) -> Iterator[str]:
    if not line.in_key:
        yield "style=dashed"
    if line.whole_key:
        yield "penwidth=2.5"
    if line.renames:
        yield f'color="{palette.renamed}"'
        yield f"tooltip={_quoted(line.words)}"


def _quoted(text: str) -> str:
    return '"' + visible(text).replace("\\", "\\\\").replace('"', '\\"') + '"'
