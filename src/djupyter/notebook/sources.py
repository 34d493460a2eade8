"""Where Python finds the source of code that a magic has compiled: in its cell, under the cell's file name."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Mapping
from typing import Any


def filename_of(namespace: Mapping[str, Any], otherwise: str) -> str:
    """Return the file name of the cell that is running.

    Parameters
    ----------
    namespace
        The user's names: the globals of the cell.
    otherwise
        What to return where no cell runs.
    """
    frame = sys._getframe()
    while frame.f_back is not None and frame.f_globals is not namespace:
        frame = frame.f_back
    return frame.f_code.co_filename if frame.f_globals is namespace else otherwise


def keep(filename: str, source: str) -> None:
    """Let a file name stand for a text, as the user wrote it.

    IPython keeps what it runs, in which the cell of a magic is a single call.
    """
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
