"""A graph of tables in a web page: the picture, and Mermaid text for whoever wants to paste it elsewhere."""

from __future__ import annotations

from djupyter.render.drawing import Drawing
from djupyter.render.markup import Html, image, images, lines, muted, output, tag
from djupyter.render.mermaid import mermaid
from djupyter.render.svg import Picture, description

# Boxes beyond which a notebook holds the picture only once, in the light shade, on paper of its own.
_ONCE = 150


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
    >>> "data:image/svg+xml" in text, "flowchart LR" in text
    (True, True)
    """
    if not drawing.boxes:
        return output(muted("A diagram of no tables."))
    shown = tag(
        "div",
        _shades(drawing, picture or Picture(drawing)),
        class_="dj-scroll dj-picture",
        tabindex=0,
        role="region",
        aria_label="diagram of the pipeline",
    )
    return output(shown, _text(drawing), styles=("diagram",))


def _shades(drawing: Drawing, picture: Picture) -> Html:
    told = description(drawing)
    if len(drawing.boxes) > _ONCE:
        return image(picture.svg("light"), told)
    return images(picture.svg("light"), picture.svg("dark"), told)


def _text(drawing: Drawing) -> Html:
    text = tag("pre", tag("code", lines(mermaid(drawing))), class_="dj-code", tabindex=0)
    return tag("details", tag("summary", "Mermaid"), text, class_="dj-source")
