"""What `%load_ext djupyter` does: register magics and previews. Nothing connects before it is needed."""

from __future__ import annotations

from typing import Any

from IPython.core.getipython import get_ipython

from djupyter.errors import DataJointError
from djupyter.notebook import formatters
from djupyter.notebook.diagram_magic import DiagramMagics
from djupyter.notebook.magics import DjMagics


def load(shell: Any = None) -> None:
    """Register the magics and previews with a shell, the running one when None.

    Raises
    ------
    DataJointError
        No IPython is running.
    """
    shell = shell or get_ipython()
    if shell is None:
        raise DataJointError(
            "The magics need IPython or Jupyter; in a plain script use the classes."
        )
    shell.register_magics(DjMagics, DiagramMagics)
    formatters.register(shell)
