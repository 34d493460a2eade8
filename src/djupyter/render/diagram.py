"""A graph of tables in a web page: the picture, and Mermaid text for whoever wants to paste it elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from djupyter.render.drawing import Box, Drawing
from djupyter.render.layout import Layout
from djupyter.render.markup import Html, lines, muted, output, tag
from djupyter.render.mermaid import mermaid
from djupyter.render.svg import svg


def diagram_html(
    drawing: Drawing, *, placed: Layout | None = None, badges: Mapping[Box, str] | None = None
) -> str:
    """Return a drawing as HTML.

    Parameters
    ----------
    drawing
        What to draw.
    placed
        Its layout, where it is known already.
    badges
        A few characters for some boxes.

    Examples
    --------
    >>> text = diagram_html(Drawing((Box("lab", "Subject", "Manual"),), ()))
    >>> "<svg" in text, "flowchart LR" in text
    (True, True)
    """
    if not drawing.boxes:
        return output(muted("A diagram of no tables."))
    return output(picture_html(drawing, placed, badges), _text(drawing), styles=("diagram",))


def picture_html(
    drawing: Drawing, placed: Layout | None = None, badges: Mapping[Box, str] | None = None
) -> Html:
    """Return the picture alone, in a frame that scrolls."""
    picture = svg(drawing, badges=badges, placed=placed)
    name = "diagram of the pipeline"
    return tag(
        "div", picture, class_="dj-scroll dj-picture", tabindex=0, role="region", aria_label=name
    )


def _text(drawing: Drawing) -> Html:
    text = tag("pre", tag("code", lines(mermaid(drawing))), class_="dj-code", tabindex=0)
    return tag("details", tag("summary", "Mermaid"), text, class_="dj-source")
