"""The notebook that explores a pipeline, in Notebook 7: everything that lives in JupyterLab lives there too."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.journeys.conftest import SCREENSHOTS

WAIT = 120_000


def test_a_pipeline_is_explored_in_notebook_7(lab: str, browser_page: Page) -> None:
    page = browser_page
    page.goto(lab.replace("/lab", "/notebooks/05_explore.ipynb"), timeout=WAIT)
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=WAIT)
    page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']").wait_for(timeout=WAIT)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()

    # The table comes last, when all that it shows was computed in this kernel.
    table = page.locator(".dj-browse").first
    table.wait_for(timeout=WAIT)
    expect(table.locator(".dj-b-total")).to_contain_text("rows", timeout=WAIT)
    expect(table.locator(".dj-b-list .dj-b-row").first).to_contain_text("coins", timeout=WAIT)
    expect(page.locator(".dj-phase").first).to_contain_text("Populated", timeout=WAIT)

    diagram = page.locator(".dj-live.dj-ready").first
    diagram.wait_for(timeout=WAIT)
    diagram.scroll_into_view_if_needed()
    page.screenshot(path=SCREENSHOTS / "notebook-7-diagram.png")

    slider = page.get_by_label("position along axis 0").first
    slider.wait_for(timeout=WAIT)
    slider.scroll_into_view_if_needed()
    page.screenshot(path=SCREENSHOTS / "notebook-7-slider.png")
