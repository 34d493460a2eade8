"""Diagrams in JupyterLab in a real browser: the picture, the live view, and what is left of them without a kernel."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page

from tests.journeys.conftest import EXECUTE, ROOT, SCREENSHOTS

PIPELINE = '''
import time
from pathlib import Path
import djupyter as dj
dj.config["safemode"] = False
lab, imaging = dj.Schema("lab"), dj.Schema("imaging")
@lab
class Subject(dj.Manual):
    definition = """
    # A mouse <img src=x onerror='window.pwned = 1'>
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
        while key["session"] == 5 and not Path("go").exists():
            time.sleep(0.05)
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
def opened(lab: str, browser_page: Page, tmp_path: Path) -> Callable[..., Page]:
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
    return opened


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
    at = graph(
        page, f"cy.nodes().filter(n => n.data('text').startsWith('{label}'))[0].renderedPosition()"
    )
    live.locator(".custom-widget").click(position=at)


def wait_for(page: Page, use: str) -> None:
    """Wait until something holds of the graph."""
    page.wait_for_function(f"() => ({GRAPH})({json.dumps(use)})", timeout=60_000)


def text_of(label: str) -> str:
    return (
        f"cy.nodes().filter(n => n.data('text').startsWith('{label}')).map(n => n.data('text'))[0]"
    )


def dark(page: Page, on: bool) -> None:
    theme = "JupyterLab Dark" if on else "JupyterLab Light"
    page.evaluate(
        "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", theme
    )
    page.locator(f"body[data-jp-theme-light={str(not on).lower()}]").wait_for(state="attached")


def test_a_diagram_is_live_and_its_picture_stays(
    opened: Callable[..., Page], tmp_path: Path
) -> None:
    page = opened(PIPELINE, SHOWN)
    live = ready(page)
    picture = page.locator(".dj-picture")
    assert not picture.is_visible()
    wait_for(page, f"{text_of('Scan')} === 'Scan\\n3 / 8'")
    live.screenshot(path=SCREENSHOTS / "diagram.png")

    # A definition where the mouse is, as text; a card below after a click, ancestors and descendants told apart.
    at = graph(
        page, "cy.nodes().filter(n => n.data('text').startsWith('Subject'))[0].renderedPosition()"
    )
    live.locator(".custom-widget").hover(position=at)
    tip = live.locator(".dj-tip")
    tip.wait_for()
    assert "# A mouse <img src=x onerror=" in tip.inner_text()
    live.get_by_label("What a click highlights").select_option("ancestors")
    click(page, live, "Segmentation\\n")
    card = live.locator("[id='dj-table-imaging.Segmentation']")
    card.wait_for()
    faded = graph(page, "cy.nodes('.faded').map(n => n.data('text').split('\\n')[0])")
    assert sorted(faded) == ["Pair", "Segmentation.Cell"]
    live.screenshot(path=SCREENSHOTS / "diagram-card.png")
    dark(page, True)
    wait_for(page, "cy.nodes('.group')[0].style('background-color') === 'rgb(27,30,34)'")
    live.screenshot(path=SCREENSHOTS / "diagram-dark.png")

    # What is hostile in a definition is text wherever it is shown.
    click(page, live, "Subject\\n")
    live.locator("[id='dj-table-lab.Subject']").wait_for()
    assert "onerror" in live.inner_text()
    assert page.evaluate("window.pwned") is None

    # Schemas close and open; a search opens what it needs.
    page.mouse.move(0, 0)
    live.get_by_role("button", name="Collapse").click()
    assert graph(page, "cy.nodes().length") == 2
    assert graph(page, "cy.edges().length") == 1
    live.screenshot(path=SCREENSHOTS / "diagram-collapsed.png")
    live.get_by_label("Find a table").fill("pair")
    live.get_by_label("Find a table").press("Enter")
    live.locator("[id='dj-table-imaging.Pair']").wait_for()
    assert graph(page, "cy.nodes('.chosen').map(n => n.data('text').split('\\n')[0])") == ["Pair"]
    assert graph(page, "cy.nodes('.all').length") == 1
    live.get_by_role("button", name="Picture").click()
    picture.wait_for()
    picture.screenshot(path=SCREENSHOTS / "diagram-picture-dark.png")
    dark(page, False)
    picture.screenshot(path=SCREENSHOTS / "diagram-picture.png")
    with page.expect_download() as download:
        live.get_by_role("button", name="SVG").click()
    assert "<svg" in Path(download.value.path()).read_text()

    # Counted anew while something populates, also while the kernel can do nothing else.
    live.get_by_role("button", name="Expand").click()
    page.evaluate(EXECUTE, "notebook:insert-cell-below")
    page.keyboard.press("Enter")
    page.keyboard.insert_text("Scan.populate()")
    page.keyboard.press("Shift+Enter")
    wait_for(page, f"{text_of('Scan')} === 'Scan\\n5 / 8'")
    (tmp_path / "notebooks" / "go").touch()
    wait_for(page, f"{text_of('Scan')} === 'Scan\\n8 / 8'")

    # Without its kernel the notebook has the picture.
    page.evaluate(EXECUTE, "docmanager:save")
    page.evaluate("window.jupyterapp.serviceManager.sessions.shutdownAll()")
    page.evaluate("window.onbeforeunload = null")
    page.reload()
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=120_000)
    picture.wait_for()
    page.wait_for_timeout(4000)
    page.screenshot(path=SCREENSHOTS / "diagram-reopened.png")
    assert not page.get_by_text("Error displaying widget").is_visible()


def test_500_tables_begin_as_their_schemas(opened: Callable[..., Page]) -> None:
    declare = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "import djupyter as dj\n"
        "from tests.pipelines import many\n"
        "%load_ext djupyter\n"
        "_ = many.declare(dj.conn())"
    )
    page = opened(declare, "%dj_diagram")
    live = ready(page)
    assert graph(page, "cy.nodes('.all').length") == 10
    assert graph(page, "cy.nodes().length") == 10
    live.screenshot(path=SCREENSHOTS / "diagram-500.png")
    click(page, live, "many3")
    wait_for(page, "cy.nodes('.table').length === 50")
    wait_for(page, "cy.nodes('.table').every(n => n.data('text').includes('0'))")
    live.screenshot(path=SCREENSHOTS / "diagram-500-one-open.png")
    # The box of a schema closes it again.
    at = graph(
        page,
        "(box => ({x: box.x1 + 20, y: box.y1 + 6}))(cy.nodes('.group')[0].renderedBoundingBox())",
    )
    live.locator(".custom-widget").click(position=at)
    wait_for(page, "cy.nodes('.table').length === 0")
    live.get_by_label("Find a table").fill("table4")
    live.get_by_text("111 found").wait_for()
    live.get_by_label("Find a table").press("Enter")
    live.get_by_text("1 of 111").wait_for()
    live.get_by_role("button", name="Expand").click()
    wait_for(page, "cy.nodes('.table').length === 500")
    live.screenshot(path=SCREENSHOTS / "diagram-500-open.png")
