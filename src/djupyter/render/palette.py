"""The colours and font of diagrams, for every picture of them: SVG, PNG, Mermaid's and Graphviz's texts, the widget.

Written out rather than as CSS variables: programs that show or convert SVG know those seldom.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from djupyter.render.drawing import Box

Theme = Literal["light", "dark"]

FONT = "system-ui,-apple-system,'Segoe UI',sans-serif"


@dataclass(frozen=True, slots=True)
class Ink:
    """How a kind of box is painted."""

    fill: str
    stroke: str
    text: str


@dataclass(frozen=True, slots=True)
class Palette:
    """All colours of a picture.

    Parameters
    ----------
    boxes
        By kind of box: a tier, `Other` or `Collapsed`.
    paper
        What lies behind.
    group, border
        The box around the tables of a schema.
    line, renamed
        Foreign keys.
    soft
        Words in the background: names of schemas, the legend.
    """

    boxes: Mapping[str, Ink]
    paper: str
    group: str
    border: str
    line: str
    renamed: str
    soft: str


PALETTES: Mapping[Theme, Palette] = {
    "light": Palette(
        {
            "Manual": Ink("#e6f2e9", "#1a7f37", "#14652b"),
            "Lookup": Ink("#eeeff1", "#767d87", "#4d545d"),
            "Imported": Ink("#e6edfa", "#1f5fc4", "#194e9f"),
            "Computed": Ink("#fae8e5", "#b42318", "#93190f"),
            "Part": Ink("#ffffff", "#a9aeb6", "#4d545d"),
            "Other": Ink("#fdf8df", "#ab9b34", "#6b6015"),
            "Collapsed": Ink("#e9ebef", "#767d87", "#343a42"),
        },
        paper="#ffffff",
        group="#f6f7f9",
        border="#d3d7dd",
        line="#7b828c",
        renamed="#c2610c",
        soft="#5f6670",
    ),
    "dark": Palette(
        {
            "Manual": Ink("#1d3426", "#63c984", "#8fe0a9"),
            "Lookup": Ink("#2f3339", "#8b929c", "#c3c9d1"),
            "Imported": Ink("#1f2e4a", "#86b5ff", "#b0ceff"),
            "Computed": Ink("#44211e", "#ff9286", "#ffb8b0"),
            "Part": Ink("#17191c", "#6d747e", "#c3c9d1"),
            "Other": Ink("#363115", "#cdbb4b", "#e6d97f"),
            "Collapsed": Ink("#33383f", "#8b929c", "#e4e7eb"),
        },
        paper="#111315",
        group="#1b1e22",
        border="#3a4048",
        line="#8b929c",
        renamed="#f0ad5a",
        soft="#aab1bb",
    ),
}

ROUND = frozenset({"Imported", "Computed"})
"""Tiers that fill themselves; their boxes are rounded."""


def kind_of(box: Box) -> str:
    """Return the kind of a box, by which it is painted.

    >>> kind_of(Box("lab", "Subject", "Manual")), kind_of(Box("lab", "")), kind_of(Box("lab", "t"))
    ('Manual', 'Collapsed', 'Other')
    """
    return "Collapsed" if box.is_collapsed else (box.tier or "Other")
