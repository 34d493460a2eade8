"""The quickstart as a new user meets it: opened in JupyterLab in a real browser, run, looked at."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.journeys.conftest import EXECUTE, SCREENSHOTS


def test_the_quickstart_runs_in_jupyterlab(lab: str, browser_page: Page) -> None:
    page = browser_page
    SCREENSHOTS.mkdir(exist_ok=True)
    page.goto(f"{lab}/tree/00_quickstart.ipynb?reset", timeout=120_000)
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=120_000)
    page.wait_for_function("window.jupyterapp.shell.currentWidget?.sessionContext?.isReady")
    page.evaluate(EXECUTE, "notebook:clear-all-cell-outputs")
    page.evaluate(EXECUTE, "notebook:run-all-cells")

    # The error on purpose is the last output, in the user's own terms.
    error = page.locator("text=unknown type 'flaot32'")
    error.wait_for(timeout=120_000)
    text = error.locator("xpath=ancestor::*[contains(@class, 'jp-OutputArea-output')]").inner_text()
    assert "^^^^^^^" in text
    assert "Did you mean float32?" in text
    assert "site-packages" not in text
    error.scroll_into_view_if_needed()
    page.screenshot(path=SCREENSHOTS / "error.png")

    card = page.locator("[id='dj-table-imaging.Segmentation']")
    card.scroll_into_view_if_needed()
    assert card.is_visible()
    assert card.locator("img.dj-light").is_visible()
    page.screenshot(path=SCREENSHOTS / "card.png")

    result = page.locator("table:has-text('mean_area')").first
    result.scroll_into_view_if_needed()
    assert "galaxies" in result.inner_text()
    page.screenshot(path=SCREENSHOTS / "result.png")
