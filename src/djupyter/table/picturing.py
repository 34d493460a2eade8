"""The pictures of a diagram: in a notebook, as a file, as text for other programs."""

from __future__ import annotations

import os
from collections.abc import Collection
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from djupyter.errors import DataJointError
from djupyter.frontend import frontend, in_notebook
from djupyter.render.diagram import diagram_html
from djupyter.render.dot import dot
from djupyter.render.drawing import Drawing
from djupyter.render.mermaid import mermaid
from djupyter.render.png import png
from djupyter.render.svg import Picture, Shades, svg

if TYPE_CHECKING:
    import numpy

    from djupyter.render.palette import Theme

_FORMATS = {"svg": "svg", "png": "png", "mmd": "mermaid", "mermaid": "mermaid"}


class Svg:
    """A picture that a notebook shows.

    Parameters
    ----------
    data
        The text of the SVG.
    """

    def __init__(self, data: str) -> None:
        self.data = data

    def _repr_svg_(self) -> str:
        return self.data


class Pictures:
    """What a diagram can be drawn as; `Diagram` says which tables it has."""

    def drawing(self, *, notes: bool = False) -> Drawing:
        """Return the boxes and lines to draw, as plain data."""
        raise NotImplementedError

    @property
    def _theme(self) -> Shades:
        raise NotImplementedError

    def make_mermaid(self) -> str:
        """Return the diagram as Mermaid text, for documents and pages that draw it.

        Boxes show the tier, thick lines foreign keys that are all of the child's key, dotted ones those
        outside it.
        """
        return mermaid(self.drawing())

    def make_dot(self, theme: str | None = None) -> str:
        """Return the diagram as text for Graphviz.

        Parameters
        ----------
        theme
            `light` or `dark`; None takes the setting `display.diagram_theme`, whose `auto` is light here.

        Raises
        ------
        DataJointError
            There is no such theme.
        """
        return dot(self.drawing(), self._fixed(theme))

    def svg_string(self) -> str:
        """Return the diagram as the text of an SVG, complete in itself.

        Its colours are those of the setting `display.diagram_theme`; `auto` follows the system of the reader.
        """
        return str(svg(self.drawing(notes=True), self._theme))

    def make_svg(self) -> Svg:
        """Return the diagram as an SVG that a notebook shows; its text is `.data`."""
        return Svg(self.svg_string())

    def make_png(self) -> BytesIO:
        """Return the diagram as PNG.

        Raises
        ------
        DataJointError
            matplotlib, which paints it, is not installed.
        """
        return BytesIO(png(self.drawing(), self._fixed(None)))

    def make_image(self) -> numpy.ndarray[Any, Any]:
        """Return the diagram as an array of shape (height, width, 4) of uint8.

        Raises
        ------
        DataJointError
            matplotlib, which paints it, is not installed.
        """
        import numpy
        from PIL import Image

        return numpy.asarray(Image.open(self.make_png()).convert("RGBA"))

    def draw(self) -> None:
        """Show the diagram as an image of matplotlib, as `matplotlib.pyplot` shows any.

        Raises
        ------
        DataJointError
            matplotlib is not installed.
        """
        image = self.make_image()
        from matplotlib import pyplot

        figure = pyplot.figure(figsize=(image.shape[1] / 200, image.shape[0] / 200))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.imshow(image)
        axes.axis("off")
        pyplot.show()

    def save(self, filename: str | os.PathLike[str], format: str | None = None) -> None:
        """Write the diagram into a file.

        Parameters
        ----------
        filename
            Where to.
        format
            `svg`, `png` (needs matplotlib), or `mermaid`, also called `mmd`; None takes what the name ends in.

        Raises
        ------
        DataJointError
            There is no such format, the name does not tell one, or matplotlib is missing.
        """
        path = Path(filename)
        wanted = path.suffix[1:] if format is None else format
        known = _FORMATS.get(wanted.lower())
        if known is None:
            problem = (
                f"Could not infer format from filename {path.name!r}."
                if format is None
                else f"Unsupported file format {format!r}."
            )
            raise DataJointError(f"{problem} A diagram is saved as svg, png, mmd or mermaid.")
        if known == "png":
            path.write_bytes(self.make_png().getvalue())
        else:
            text = self.svg_string() if known == "svg" else self.make_mermaid()
            path.write_text(text + "\n", encoding="utf-8")

    def _fixed(self, theme: str | None) -> Theme:
        wanted = self._theme if theme is None else theme
        if wanted not in ("auto", "light", "dark"):
            raise DataJointError(f"A diagram is light or dark, not {wanted!r}.")
        return "light" if wanted == "auto" else cast("Theme", wanted)

    # -- in a notebook ------------------------------------------------------------------------------

    def _repr_svg_(self) -> str:
        return self.svg_string()

    def _repr_html_(self) -> str:
        return diagram_html(self.drawing(notes=True))

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, Any]:
        drawing = self.drawing(notes=True)
        picture = Picture(drawing)
        return {
            "text/html": diagram_html(drawing, picture),
            # For pages that show no SVG inside HTML, such as those of code hosts.
            "image/svg+xml": str(picture.svg(self._theme)),
            "text/plain": repr(self),
        }

    def _ipython_display_(self) -> None:
        # Two outputs, picture first: one output with both would show neither once the notebook is opened again
        # without its kernel, because JupyterLab then finds the widget and not its model.
        if not in_notebook() or not len(self.drawing().boxes):
            raise NotImplementedError  # IPython then shows what is static
        frontend("show_diagram")(self, self._repr_mimebundle_())
