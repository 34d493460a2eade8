"""Diagrams in JupyterLab in a real browser: the picture, the live view, and what is left of them without a kernel."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page

from tests.journeys.conftest import EXECUTE, SCREENSHOTS

PIPELINE = '''
import djupyter as dj
dj.config["safemode"] = False
lab, imaging = dj.Schema("lab"), dj.Schema("imaging")
@lab
class Subject(dj.Manual):
    definition = """
    # A mouse <b>of the lab</b>
    subject : int32  # its number
    ---
    sex : enum('F', 'M')
    """
@lab
class Rig(dj.Lookup):
    definition = "rig : varchar(16)"
    contents = [("two-photon",), ("widefield",)]
@lab
class Session(dj.Manual):
    definition = """
    -> Subject
    session : int32
    ---
    -> [nullable] Rig
    """
@imaging
class Scan(dj.Imported):
    definition = "-> Session"
    def make(self, key):
        self.insert1(key)
@imaging
class Segmentation(dj.Computed):
    definition = "-> Scan\\n---\\ncells : int32"
    class Cell(dj.Part):
        definition = "-> master\\ncell : int32"
    def make(self, key):
        self.insert1({**key, "cells": 2})
        self.Cell.insert([{**key, "cell": n} for n in range(2)])
@imaging
class Pair(dj.Computed):
    definition = """
    -> Segmentation
    -> Segmentation.proj(other="session")
    """
    def make(self, key):
        self.insert1(key)
Subject.insert([(1, "F"), (2, "M")])
Session.insert([(1, n, None) for n in range(8)])
Scan.populate(max_calls=3)
'''
SHOWN = "dj.Diagram(lab) + dj.Diagram(imaging)"
# The graph of cytoscape behind the canvas that is on the screen.
GRAPH = """async use => {
  const box = document.querySelector('.dj-live.dj-ready');
  const canvas = box.querySelector('.custom-widget');
  return (new Function('cy', 'return ' + use))(canvas._cyreg.cy);
}"""


@pytest.fixture
def opened(lab: str, browser_page: Page, tmp_path: Path) -> Iterator[Any]:
    """Opens a notebook of some cells and runs it; returns the page."""

    def opened(*cells: str) -> Page:
        write(tmp_path / "notebooks" / "diagram.ipynb", cells)
        page = browser_page
        page.goto(f"{lab}/tree/diagram.ipynb?reset", timeout=120_000)
        page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=120_000)
        page.wait_for_function("window.jupyterapp.shell.currentWidget?.sessionContext?.isReady")
        page.evaluate(EXECUTE, "notebook:run-all-cells")
        return page

    SCREENSHOTS.mkdir(exist_ok=True)
    yield opened


def write(path: Path, cells: tuple[str, ...]) -> None:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {
        "cells": [
            {"cell_type": "code", "execution_count": None, "id": f"c{n}", "metadata": {}, "outputs": [], "source": cell}
            for n, cell in enumerate(cells)
        ],
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }  # fmt: skip
    path.write_text(json.dumps(notebook))


def ready(page: Page) -> Locator:
    live = page.locator(".dj-live.dj-ready")
    live.wait_for(timeout=120_000)
    live.scroll_into_view_if_needed()
    return live


def graph(page: Page, use: str) -> Any:
    return page.evaluate(GRAPH, use)


def click(page: Page, live: Locator, label: str) -> None:
    """Click the box with a label, where it is on the screen."""
    at = graph(page, f"cy.nodes().filter(n => n.data('text').startsWith('{label}'))[0].renderedPosition()")
    live.locator(".custom-widget").click(position=at)


def test_a_diagram_is_a_live_view_with_cards_search_and_groups(opened: Any) -> None:
    page = opened(PIPELINE, SHOWN)
    live = ready(page)
    assert not page.locator(".dj-picture").is_visible()
    page.wait_for_function(f"({GRAPH})(\"cy.nodes().filter(n => n.data('text') === 'Scan\\\\n3 / 8').length\").then(n => n === 1)")
    page.screenshot(path=SCREENSHOTS / "diagram.png")
