"""The panel of a populate in JupyterLab, in a real browser: Stop, Retry, the list of errors, what is saved.

`DJ_TEST_KERNEL` names another kernel than that of these tests, by its kernelspec.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.conftest import EXECUTE, KERNEL, SCREENSHOTS

RUN = """async number => {
    window.jupyterapp.shell.currentWidget.content.activeCellIndex = number;
    window.jupyterapp.commands.execute("notebook:run-cell");
}"""
WAIT = int(os.environ.get("WAIT", 60_000))

DECLARE = """
import time
from pathlib import Path
import djupyter as dj
import ipykernel
dj.load_ipython_extension()
lab = dj.Schema("lab")

@lab
class Mouse(dj.Manual):
    definition = "mouse : int32"

@lab
class Weight(dj.Computed):
    definition = "-> Mouse"
    def make(self, key):
        while not Path("go").exists():
            time.sleep(0.02)
        if key["mouse"] == 2 and not Path("mended").exists():
            raise ValueError("the scale <b>is</b> empty")
        self.insert1(key)

@lab
class Growth(dj.Computed):
    definition = "-> Weight"
    def make(self, key):
        self.insert1(key)

Mouse.insert([(number,) for number in range(1, 6)], skip_duplicates=True)
print("ipykernel", ipykernel.__version__)
"""


class Notebook:
    """A notebook of these tests, open in JupyterLab."""

    def __init__(self, page: Page, file: Path) -> None:
        self.page, self.file = page, file
        self.folder = file.parent

    def run(self, number: int) -> None:
        """Run a cell, without waiting for it."""
        self.page.evaluate(RUN, number)

    def run_all(self) -> None:
        """Run all cells, without waiting for them."""
        self.page.evaluate(
            "() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }"
        )

    def cell(self, number: int) -> Locator:
        """Return a cell."""
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(number)

    def touch(self, name: str) -> None:
        """Tell the makes something."""
        (self.folder / name).touch()

    def saved(self) -> list[dict[str, Any]]:
        """Save the notebook and return its cells."""
        self.page.evaluate(EXECUTE, "docmanager:save")
        cells: list[dict[str, Any]] = json.loads(self.file.read_text())["cells"]
        return cells

    def photograph(self, name: str) -> None:
        """Keep a picture in both themes."""
        SCREENSHOTS.mkdir(exist_ok=True)
        for theme in ("Dark", "Light"):
            self.page.evaluate(
                "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})",
                f"JupyterLab {theme}",
            )
            body = f"body[data-jp-theme-name='JupyterLab {theme}']"
            self.page.wait_for_selector(body, state="attached")
            expect(self.page.locator("#jupyterlab-splash")).to_have_count(0)
            self.page.screenshot(path=SCREENSHOTS / f"progress_{name}_{theme.lower()}.png")
        panel = self.page.locator(".jp-OutputArea-output:has(.dj-phase)").first
        panel.screenshot(path=SCREENSHOTS / f"progress_{name}.png")


@pytest.fixture
def opened(lab: str, browser_page: Page, tmp_path: Path) -> Callable[..., Notebook]:
    """Open a notebook with the tables declared, and some more cells."""

    def open_(*cells: str) -> Notebook:
        file = tmp_path / "notebooks" / "watch.ipynb"
        made = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in (DECLARE, *cells)],
            metadata={"kernelspec": {"name": KERNEL, "display_name": KERNEL}},
        )
        nbformat.write(made, file)
        page = browser_page
        page.goto(f"{lab}/tree/watch.ipynb?reset", timeout=120_000)
        page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=120_000)
        page.wait_for_function("window.jupyterapp.shell.currentWidget?.sessionContext?.isReady")
        notebook = Notebook(page, file)
        notebook.run(0)
        expect(notebook.cell(0)).to_contain_text("[1]:", timeout=WAIT)
        return notebook

    return open_


def phase(cell: Locator, title: str) -> None:
    expect(cell.locator(".dj-phase")).to_contain_text(title, timeout=WAIT)


def the_output(cell: dict[str, Any]) -> dict[str, Any]:
    """Return what the one output of a saved cell that is a panel holds."""
    (found,) = (
        each["data"]
        for each in cell["outputs"]
        if "dj-progress" in "".join(each.get("data", {}).get("text/html", ""))
    )
    data: dict[str, Any] = found
    return data


def test_a_populate_in_the_background_is_stopped_by_its_button_and_saved_as_it_ended(
    opened: Callable[..., Notebook],
) -> None:
    notebook = opened(
        "run = dj.populate(lab, background=True, suppress_errors=True)\nrun",
        "print('meanwhile', len(Mouse()), len(Weight()))",
        "print('made', len(Weight()), run.result()['Weight']['success_count'])",
    )
    notebook.run(1)
    panel = notebook.cell(1)
    phase(panel, "Populating")
    expect(panel).to_contain_text("mouse=1", timeout=WAIT)
    notebook.run(2)
    expect(notebook.cell(2)).to_contain_text("meanwhile 5 0", timeout=WAIT)
    notebook.photograph("running")

    panel.get_by_role("button", name="Stop").click()
    phase(panel, "Stopping")
    notebook.touch("go")
    phase(panel, "Stopped")
    notebook.run(3)
    expect(notebook.cell(3)).to_contain_text("made 1 1", timeout=WAIT)

    saved = the_output(notebook.saved()[1])
    assert set(saved) == {"text/html", "text/plain"}
    assert "Stopped: 1 done, 4 remain" in "".join(saved["text/plain"])

    panel.get_by_role("button", name="Continue").click()
    phase(panel, "Populated")
    notebook.photograph("background")
    saved = the_output(notebook.saved()[1])
    assert "8 done, 1 error" in "".join(saved["text/plain"])


def test_dj_populate_is_stopped_by_its_button_and_the_cells_below_do_not_run(
    opened: Callable[..., Notebook],
) -> None:
    notebook = opened("%dj_populate Weight Growth", "print('below')")
    notebook.run_all()
    panel = notebook.cell(1)
    expect(panel).to_contain_text("mouse=1", timeout=WAIT)
    panel.get_by_role("button", name="Stop").click()
    phase(panel, "Stopping")
    notebook.touch("go")
    phase(panel, "Stopped")
    expect(panel).to_contain_text("Stopped: 1 key made", timeout=WAIT)
    notebook.photograph("magic")
    cells = notebook.saved()
    assert "text/html" in the_output(cells[1])
    assert cells[2]["outputs"] == []


def test_an_awaited_populate_is_stopped_by_its_button(opened: Callable[..., Notebook]) -> None:
    notebook = opened(
        "done = await Weight.populate_async(display_progress=True)\nprint('made', done['success_count'])"
    )
    expect(notebook.cell(0)).to_contain_text("ipykernel", timeout=WAIT)
    if "ipykernel 6" in notebook.cell(0).inner_text():
        pytest.skip("ipykernel 6 hears of clicks when the cell has ended, also one that awaits")
    notebook.run(1)
    panel = notebook.cell(1)
    expect(panel).to_contain_text("mouse=1", timeout=WAIT)
    panel.get_by_role("button", name="Stop").click()
    phase(panel, "Stopping")
    notebook.touch("go")
    phase(panel, "Stopped")
    expect(panel).to_contain_text("made 1", timeout=WAIT)


def test_a_blocking_populate_is_interrupted_by_its_button(opened: Callable[..., Notebook]) -> None:
    notebook = opened(
        "Weight.populate(display_progress=True, reserve_jobs=True)", "Weight.jobs.progress()"
    )
    notebook.run(1)
    panel = notebook.cell(1)
    expect(panel).to_contain_text("mouse=1", timeout=WAIT)
    panel.get_by_role("button", name="Interrupt").click()
    phase(panel, "Interrupted")
    # The kernel refuses what comes before it has told of the error.
    expect(panel).to_contain_text("KeyboardInterrupt", timeout=WAIT)
    expect(notebook.page.get_by_text("| Idle")).to_be_visible(timeout=WAIT)
    notebook.run(2)
    expect(notebook.cell(2)).to_contain_text("'pending': 5, 'reserved': 0", timeout=WAIT)


def test_errors_are_listed_with_their_tracebacks_and_tried_again_by_a_button(
    opened: Callable[..., Notebook],
) -> None:
    notebook = opened("%dj_populate Weight Growth", "print('below')", "print(len(Growth()))")
    notebook.touch("go")
    notebook.run_all()
    panel = notebook.cell(1)
    phase(panel, "Populated")
    expect(panel).to_contain_text("1 key failed", timeout=WAIT)
    panel.get_by_text("1 error", exact=True).click()
    panel.locator(".dj-failure summary").click()
    expect(panel.locator(".dj-failure pre")).to_contain_text("raise ValueError", timeout=WAIT)
    assert panel.locator(".dj-failure b").count() == 0  # what a make says is text
    notebook.photograph("errors")
    assert notebook.saved()[2]["outputs"] == []

    notebook.touch("mended")
    panel.get_by_role("button", name="Retry errors").click()
    expect(panel.locator(".dj-caption")).to_contain_text("10 done", timeout=WAIT)
    expect(panel.locator(".dj-button")).to_have_count(0, timeout=WAIT)
    notebook.run(3)
    expect(notebook.cell(3)).to_contain_text("5", timeout=WAIT)
    assert "error" not in "".join(the_output(notebook.saved()[1])["text/plain"])
