"""Where a lower layer asks for what only a notebook has: a live table, a progress panel.

Layers import downwards only. What a query or a table offers but shows through widgets is a function of
`notebook.frontend`, which is imported when it is asked for, and so only where Jupyter is.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from djupyter.errors import DataJointError


def frontend(function: str) -> Any:
    """Return a function of `notebook.frontend`.

    Parameters
    ----------
    function
        Its name, which is also what the user called.

    Raises
    ------
    DataJointError
        The packages that draw widgets are not installed.
    """
    try:
        module = import_module("djupyter.notebook.frontend")
    except ModuleNotFoundError as error:
        raise DataJointError(
            f"`{function}` shows itself in a notebook and needs the package {error.name}: "
            f"`pip install {error.name}`."
        ) from error
    return getattr(module, function)


def in_notebook() -> bool:
    """Return whether this code runs in a Jupyter kernel, whose frontend can show widgets."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None
