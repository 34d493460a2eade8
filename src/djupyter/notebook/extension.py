"""What `%load_ext djupyter` does: register magics, completion and previews. Nothing connects before it is needed."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from IPython.core.getipython import get_ipython

from djupyter.errors import DataJointError
from djupyter.notebook import completion, formatters
from djupyter.notebook.change_magics import ChangeMagics
from djupyter.notebook.connecting import masked
from djupyter.notebook.diagram_magic import DiagramMagics
from djupyter.notebook.magics import DjMagics
from djupyter.notebook.module_magic import ModuleMagics
from djupyter.notebook.place import Place
from djupyter.notebook.sql_magic import SqlMagics

MAGICS = (DjMagics, DiagramMagics, ChangeMagics, SqlMagics, ModuleMagics)


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
    place = getattr(before, "place", None) or _place(shell)
    for magics in MAGICS:
        shell.register_magics(magics(shell, place))
    formatters.register(shell)


def _place(shell: Any) -> Place:
    """Return what the magics share, which notes the cells that have run and those that will."""
    place = Place()
    place.ran += map(masked, shell.history_manager.input_hist_parsed[1:])

    def note(result: Any) -> None:
        with suppress(SyntaxError):  # such a cell has not run
            place.ran.append(masked(shell.transform_cell(result.info.raw_cell or "")))

    shell.events.register("post_run_cell", note)
    completion.register(shell, place)
    return place
