"""What `%load_ext djupyter` does: register magics, completion and previews. Nothing connects before it is needed."""

from __future__ import annotations

from typing import Any

from IPython.core.getipython import get_ipython

from djupyter.errors import DataJointError
from djupyter.notebook import formatters
from djupyter.notebook.change_magics import ChangeMagics
from djupyter.notebook.magics import DjMagics
from djupyter.notebook.place import Place
from djupyter.notebook.sql_magic import SqlMagics

_MAGICS = (DjMagics, ChangeMagics, SqlMagics)


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
    # Loaded once more, the magics still know where the notebook is.
    before = shell.magics_manager.registry.get(DjMagics.__name__)
    place = getattr(before, "place", None) or Place()
    for magics in _MAGICS:
        shell.register_magics(magics(shell, place))
    formatters.register(shell)
