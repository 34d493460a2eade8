"""Notebooks are tests: outputs tagged `nbval-check-output` are compared, by their text.

The HTML says the same and carries the stylesheet: a change of a colour should not fail a notebook.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path) -> Generator[None, Any, Any]:
    """Leave HTML out of what nbval compares."""
    collected = yield
    for notebook in collected or ():
        if hasattr(notebook, "skip_compare"):
            notebook.skip_compare += ("text/html",)
    return collected
