"""An output with an HTML and a text form."""

from __future__ import annotations

from dataclasses import dataclass

from IPython.display import display


@dataclass(frozen=True, slots=True)
class Shown:
    """What a magic displays.

    Parameters
    ----------
    html, text
        The same, for a notebook and for a terminal.
    """

    html: str
    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.html

    def show(self) -> None:
        """Display it below the cell."""
        display(self)
