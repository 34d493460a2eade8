"""A graph of tables in a web page: the picture, and Mermaid text for whoever wants to paste it elsewhere."""

from __future__ import annotations

from djupyter.render.drawing import Drawing
from djupyter.render.markup import Html, lines, muted, output, tag
from djupyter.render.mermaid import mermaid
from djupyter.render.svg import Picture


def diagram_html(drawing: Drawing, picture: Picture | None = None) -> str:
    """Return a drawing as HTML.

    Parameters
    ----------
    drawing
        What to draw.
    picture
        How it looks, where it is drawn already.

    Examples
    --------
    >>> from djupyter.render.drawing import Box
    >>> text = diagram_html(Drawing((Box("lab", "Subject", "Manual"),), ()))
    >>> "<svg" in text, "flowchart LR" in text
    (True, True)
    """
    if not drawing.boxes:
        return output(muted("A diagram of no tables."))
    shown = tag(
        "div",
        (picture or Picture(drawing)).svg(),
        class_="dj-scroll dj-picture",
        tabindex=0,
        role="region",
        aria_label="diagram of the pipeline",
    )
    return output(shown, _text(drawing), styles=("diagram",))


def _text(drawing: Drawing) -> Html:
    text = tag("pre", tag("code", lines(mermaid(drawing))), class_="dj-code", tabindex=0)
    return tag("details", tag("summary", "Mermaid"), text, class_="dj-source")
