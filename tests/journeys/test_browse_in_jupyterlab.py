"""The live table in JupyterLab, in a real browser: scroll to the far end, sort, filter, look at a row, copy.

`DJ_TEST_KERNEL` names another kernel than that of these tests, by its kernelspec.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.conftest import EXECUTE, KERNEL, SCREENSHOTS

THEME = """async name => {
    await window.jupyterapp.commands.execute("apputils:change-theme", { theme: name });
}"""
WAIT = 60_000
SESSIONS, TRIALS = 2_000, 50

DECLARE = """
import numpy as np
import djupyter as dj
dj.load_ipython_extension()
lab = dj.Schema("lab")

@lab
class Trial(dj.Manual):
    definition = '''
    # One go of a mouse on the wheel
    mouse : int32          # ear tag
    trial : int16
    ---
    day : date
    weight = null : float64  # grams
    sex : enum('F', 'M')
    notes : varchar(200)
    trace = null : <blob>
    '''
"""
FILL = f"""
Trial.insert1((0, 0, "2026-01-01", 20.0, "F", "first", np.sin(np.arange(500) / 20)))
connection = lab.connection
((trace,),) = connection.fetch('SELECT trace FROM "lab.trial"')
connection.execute('DELETE FROM "lab.trial"')
connection.execute('''
    INSERT INTO "lab.trial" WITH RECURSIVE n(i) AS (
        SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {SESSIONS * TRIALS - 1})
    SELECT i / {TRIALS}, i % {TRIALS}, date('2024-01-01', (i / 200) || ' days'),
        CASE WHEN i % 11 = 0 THEN NULL ELSE 15 + (i * 7919 % 1000) / 100.0 END,
        CASE WHEN i % 3 THEN 'F' ELSE 'M' END,
        CASE i % 4 WHEN 0 THEN '<script>alert(1)</script>' WHEN 1 THEN '' ELSE 'note ' || i END,
        CASE WHEN i % 20 = 0 THEN ? END FROM n''', (trace,))
"""
FAR = ["heavy = Trial & 'weight > 15'", "Trial.browse()"]

Open = Callable[..., Locator]


@pytest.fixture
def open_table(lab: str, browser_page: Page, tmp_path: Path) -> Iterator[Open]:
    """Run cells in a new notebook; the live table that the last one shows."""
    page = browser_page
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: (wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))

    def opened(*sources: str) -> Locator:
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source.strip()) for source in sources],
            metadata={"kernelspec": {"name": KERNEL, "display_name": KERNEL}},
        )
        nbformat.write(notebook, tmp_path / "notebooks" / "browse.ipynb")
        page.goto(f"{lab}/tree/browse.ipynb?reset", timeout=120_000)
        page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=120_000)
        page.wait_for_function("window.jupyterapp.shell.currentWidget?.sessionContext?.isReady")
        page.evaluate(EXECUTE, "notebook:run-all-cells")
        table = page.locator(".dj-browse")
        table.wait_for(timeout=WAIT)
        return table

    yield opened
    assert wrong == []


def cells(table: Locator, place: int = 0) -> list[str]:
    """Return the texts of a row that is in the page."""
    return table.locator(".dj-b-list .dj-b-row").nth(place).locator(".dj-b-cell").all_inner_texts()


def photograph(page: Page, name: str) -> None:
    """Keep a picture in both themes."""
    SCREENSHOTS.mkdir(exist_ok=True)
    for theme in ("Dark", "Light"):
        page.evaluate(THEME, f"JupyterLab {theme}")
        page.wait_for_selector(f"body[data-jp-theme-name='JupyterLab {theme}']", state="attached")
        expect(page.locator("#jupyterlab-splash")).to_have_count(0)
        page.locator(".dj-browse").scroll_into_view_if_needed()
        page.screenshot(path=SCREENSHOTS / f"browse_{name}_{theme.lower()}.png")
    page.locator(".dj-browse").screenshot(path=SCREENSHOTS / f"browse_{name}.png")


def test_the_far_end_is_reached_rows_are_sorted_filtered_looked_at_and_copied(
    open_table: Open, browser_page: Page
) -> None:
    page = browser_page
    table = open_table(DECLARE, FILL, *FAR)
    expect(table.locator(".dj-b-total")).to_have_text("100,000 rows", timeout=WAIT)
    assert cells(table)[:2] == ["0", "0"]
    photograph(page, "open")

    # Dragged: any place, then the end.
    track = table.locator(".dj-b-track")
    box = track.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 7, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + 7, box["y"] + box["height"] * 0.7, steps=5)
    expect(table.locator(".dj-b-place")).to_contain_text(re.compile(r"rows [67]\d,\d\d\d to"))
    page.mouse.move(box["x"] + 7, box["y"] + box["height"] + 9, steps=5)
    page.mouse.up()
    expect(table.locator(".dj-b-place")).to_contain_text("to 100,000")
    assert cells(table, -1)[:2] == [str(SESSIONS - 1), str(TRIALS - 1)]
    # Back over the edges of what is in the page, by the wheel.
    table.locator(".dj-b-body").hover()
    for _ in range(12):
        page.mouse.wheel(0, -600)
    expect(table.locator(".dj-b-place")).not_to_contain_text("to 100,000")

    # A row, by the keyboard, with the array that it holds.
    table.locator(".dj-b-body").focus()
    page.keyboard.press("Home")
    expect(table.locator(".dj-b-place")).to_contain_text("rows 1 to")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    aside = table.locator(".dj-b-aside")
    expect(aside).to_contain_text("<script>alert(1)</script>")
    expect(aside.locator(".dj-b-card")).to_contain_text("500")
    expect(aside.locator(".dj-b-card :is(svg, img)")).to_be_visible()
    assert aside.locator("script").count() == 0
    photograph(page, "row")
    page.keyboard.press("Escape")
    expect(aside).to_be_hidden()

    # Sorted by what has no index, the heaviest first.
    weight = table.get_by_role("button", name="weight", exact=True)
    weight.click()
    expect(table.locator('[aria-sort="ascending"]')).to_have_count(1, timeout=WAIT)
    expect(table.locator(".dj-b-cell.dj-null").first).to_be_visible(timeout=WAIT)
    table.locator('[aria-sort="ascending"] .dj-b-sort').click()
    expect(table.locator(".dj-b-code")).to_contain_text("weight desc", timeout=WAIT)
    assert cells(table)[3] == "24.99"

    # Filtered; what cannot be read says so and leaves the rows alone.
    table.get_by_label("filter sex").fill("x")
    expect(table.locator(".dj-b-status")).to_contain_text("Write one of F, M", timeout=WAIT)
    table.get_by_label("filter sex").fill("M")
    table.get_by_label("filter mouse").fill("3..5")
    table.get_by_label("filter mouse").press("Enter")
    expect(table.locator(".dj-b-total")).to_have_text("50 rows", timeout=WAIT)
    expect(table.locator(".dj-b-status")).to_have_text("")
    photograph(page, "filtered")
    text = table.locator(".dj-b-code").inner_text()
    assert text == (
        "Trial & {'sex': 'M'} & 'mouse between 3 and 5' & dj.Top(None, 'weight desc, mouse, trial')"
    ) or set(text.split(" & ")[1:3]) == {"{'sex': 'M'}", "'mouse between 3 and 5'"}
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    table.get_by_role("button", name="Copy as Python").click()
    expect(table.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == text

    # The values of a column; a bar is a filter.
    table.get_by_role("button", name="Clear").click()
    expect(table.locator(".dj-b-total")).to_have_text("100,000 rows", timeout=WAIT)
    table.get_by_label("values of weight").click()
    expect(aside.locator(".dj-b-bar-row")).to_have_count(25, timeout=WAIT)
    photograph(page, "values")
    aside.locator(".dj-b-bar-row", has_text="NULL").click()
    expect(table.locator(".dj-b-total")).to_have_text("9,091 rows", timeout=WAIT)
    assert table.get_by_label("filter weight").input_value() == "null"


def test_a_saved_notebook_has_the_static_table(
    open_table: Open, browser_page: Page, tmp_path: Path
) -> None:
    table = open_table(DECLARE, FILL, *FAR)
    expect(table).to_be_visible()
    browser_page.evaluate(EXECUTE, "docmanager:save")
    notebook = nbformat.read(tmp_path / "notebooks" / "browse.ipynb", as_version=4)
    data = notebook.cells[-1].outputs[0]["data"]
    assert "application/vnd.jupyter.widget-view+json" in data
    assert "(Total: 100000)" in data["text/plain"]
    assert "<table" in data["text/html"]
    assert "<script" not in data["text/html"]
    assert "&lt;script" in data["text/html"]


@pytest.mark.parametrize(("name", "width", "zoom"), [("narrow", 300, 1.0), ("zoomed", 380, 2.0)])
def test_it_is_usable_in_a_narrow_column_and_at_twice_the_size(
    open_table: Open, browser_page: Page, name: str, width: int, zoom: float
) -> None:
    page = browser_page
    table = open_table(DECLARE, FILL, *FAR)
    page.add_style_tag(content=f".dj-browse {{ max-width: {width}px; zoom: {zoom}; }}")
    table.locator(".dj-b-list .dj-b-row").nth(1).click()
    aside = table.locator(".dj-b-aside")
    expect(aside).to_contain_text("day")
    # Nothing sticks out of the column.
    assert table.evaluate("el => el.scrollWidth <= el.clientWidth + 1")
    photograph(page, name)
    # The measured height of a row follows the zoom: the end is reached.
    table.locator(".dj-b-body").focus()
    page.keyboard.press("End")
    expect(table.locator(".dj-b-place")).to_contain_text("to 100,000", timeout=WAIT)


def test_hostile_data_does_nothing_and_keeps_the_layout(
    open_table: Open, browser_page: Page
) -> None:
    page = browser_page
    table = open_table(HOSTILE, "Evil().preview(3)", "Evil()", "Evil.browse()")
    static = page.locator(".jp-OutputArea-output .dj-table").first
    expect(static).to_be_visible()
    rows = table.locator(".dj-b-list .dj-b-row")
    expect(rows).to_have_count(len(EVIL) + 1)
    heights = {round(row.bounding_box()["height"]) for row in rows.all()}  # type: ignore[index]
    assert len(heights) == 1
    for place in range(len(EVIL) + 1):
        rows.nth(place).click()
        expect(table.locator(".dj-b-value").first).to_have_text(str(place))
    table.get_by_label("values of text").click()
    expect(table.locator(".dj-b-bar-row")).to_have_count(12)
    output = page.locator(".jp-OutputArea-output").last
    assert output.evaluate("el => el.scrollWidth <= el.clientWidth + 1")
    assert page.evaluate("window.hacked") is None
    assert (
        page.locator(".jp-OutputArea-output :is(script, iframe, object, embed, form)").count() == 0
    )
    assert page.locator('.jp-OutputArea-output [src="x"]').count() == 0
    photograph(page, "hostile")
    static.scroll_into_view_if_needed()
    page.screenshot(path=SCREENSHOTS / "hostile_static.png")


EVIL = [
    "<script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    '"><svg onload=window.hacked=1>',
    "'; window.hacked = 1; //",
    "</td></tr></table></div><h1>out</h1>",
    "</style><style>* { display: none }</style>",
    "</textarea><iframe src=javascript:window.hacked=1>",
    "{{constructor.constructor('window.hacked=1')()}} ${window.hacked=1} `x`",
    "\u202egnp.exe\u202c \u2066abc\u2069 \u200f",
    "a\u0301" * 50 + "\u0489" * 500,
    "line\nbreak\ttab\r\x00null\x1b[31mred",
    "javascript:window.hacked=1",
    "&lt;b&gt; &amp;amp; &#60;script&#62;",
    " " * 200 + "blanks",
]
HOSTILE = f"""
import djupyter as dj
dj.load_ipython_extension()
EVIL = {EVIL!r} + ["<b>" + "x" * 1_000_000]
evil = dj.Schema("evil")

@evil
class Evil(dj.Manual):
    definition = '''
    # <script>window.hacked = 1</script> "quotes" 'and' <img src=x onerror=window.hacked=1>
    id : int32   # "><script>window.hacked = 1</script>
    ---
    text : longtext  # </th><img src=x onerror='window.hacked = 1'>
    document : json
    choice = null : enum('<script>window.hacked = 1</script>', '"><svg onload=window.hacked=1>')
    value : <blob>
    '''

import warnings
warnings.simplefilter("ignore")
CHOICE = "<script>window.hacked = 1</script>"
for n, text in enumerate(EVIL):
    text = text.replace("\\0", "")
    Evil.insert1((n, text, {{text[:999]: text[:999]}}, None if n % 2 else CHOICE, {{text[:99]: [text[:999]]}}))
"""
