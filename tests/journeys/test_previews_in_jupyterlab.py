"""Previews of objects in JupyterLab, in a real browser: each kind is seen, nothing of it runs, sliders work."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.conftest import EXECUTE, SCREENSHOTS

THEME = """name => window.jupyterapp.commands.execute("apputils:change-theme", {theme: name})"""
WAIT = 60_000  # milliseconds; a kernel of a loaded machine starts slowly
HOSTILE = "<script>window.wasRun = 1</script><img src=x onerror='window.wasRun = 1'>"

MAKE = f"""
import csv, io, json, wave
from pathlib import Path
import h5py, numpy as np, pandas as pd, zarr
from PIL import Image
import djupyter as dj
%load_ext djupyter

dj.config["stores"] = {{"default": "raw", "raw": {{"protocol": "file", "location": "raw"}}}}
Path("raw").mkdir(); Path("made").mkdir()
y, x = np.mgrid[0:200, 0:300]
stack = np.stack([np.hypot(x - 150, y - 100) < 8 * n + 8 for n in range(12)]).astype("uint16") * (x + y)

Image.fromarray((np.dstack([x, y, 255 - y]) % 256).astype("uint8")).save("made/photo.png")
with wave.open("made/tone.wav", "wb") as sound:
    sound.setparams((1, 2, 8000, 0, "NONE", ""))
    sound.writeframes((np.sin(np.arange(8000) / 5) * 20000).astype("<i2").tobytes())
Path("made/clip.webm").write_bytes(bytes(2000))
Path("made/notes.md").write_text("# Notes\\nThe mouse {HOSTILE} slept.")
Path("made/page.html").write_text("{HOSTILE}")
Path("made/drawing.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg' onload='window.wasRun = 1'/>")
Path("made/meta.json").write_text(json.dumps({{"rig": 2, "probes": [{{"depth": 1200}}, {{"depth": 800}}]}}))
rates = pd.DataFrame({{"t": np.arange(50) / 10, "rate": np.arange(50) ** 2, "note": "{HOSTILE}"}})
rates.to_csv("made/rates.csv", index=False)
with h5py.File("made/session.h5", "w") as file:
    file.attrs["experimenter"] = "{HOSTILE}"
    zeros = np.zeros((1000, 32), "int16")
    raw = file.create_dataset("probes/a/raw", data=zeros, chunks=(100, 32), compression="gzip")
    raw.attrs["unit"] = "uV"
    file["probes/loop"] = file["/"]
folder = Path("made/run"); (folder / "day1").mkdir(parents=True)
(folder / "day1" / "a.txt").write_text("a" * 3000); (folder / "readme.txt").write_text("hello")
np.save("made/stack.npy", stack)

lab = dj.Schema("lab")

@lab
class File(dj.Manual):
    definition = \"\"\"
    name : varchar(40)
    ---
    file : <object@raw>
    \"\"\"

@lab
class Data(dj.Manual):
    definition = \"\"\"
    data_id : int32
    ---
    stack : <zarr@raw>
    copy  : <npy@raw>
    trace : <npy@raw>
    frame : <parquet@raw>
    group : <zarr@raw>
    note  : <attach>
    \"\"\"

for path in sorted(Path("made").iterdir()):
    File.insert1((path.name, str(path)))
group = zarr.create_group({{}})
group.attrs["lab"] = "{HOSTILE}"
group.create_group("imaging").create_array("frames", shape=(9, 64, 64), chunks=(1, 64, 64), dtype="u2")
trace = np.cumsum(np.random.default_rng(0).normal(size=5000))
frame, chunked = pd.DataFrame({{"a": range(30)}}), zarr.array(stack, chunks=(1, 100, 100))
Data.insert1((1, chunked, stack, trace, frame, group, "made/notes.md"))
"""
ATTRIBUTES = ("stack", "copy", "trace", "frame", "group", "note")
FILES = {
    "photo.png": ".dj-photo",
    "tone.wav": "audio[src^='data:audio/wav']",
    "clip.webm": "video[src^='data:video/webm']",
    "notes.md": "pre:has-text('# Notes')",
    "page.html": "pre:has-text('script')",
    "drawing.svg": "pre:has-text('onload')",
    "meta.json": "pre:has-text('\"probes\"')",
    "rates.csv": "th:has-text('rate')",
    "session.h5": "summary:has-text('probes/')",
    "run": "summary:has-text('day1/')",
    "stack.npy": "img.dj-picture",
}


def write_notebook(path: Path) -> None:
    cells = [MAKE, *(f'(File & {{"name": "{name}"}}).fetch1("file")' for name in FILES)]
    cells += [*(f'Data.fetch1("{name}")' for name in ATTRIBUTES), "stack"]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells], metadata={"kernelspec": kernel}
    )
    nbformat.write(notebook, path)


@pytest.fixture
def page(lab: str, browser_page: Page, tmp_path: Path) -> Page:
    """A notebook that shows each kind, run."""
    write_notebook(tmp_path / "notebooks" / "previews.ipynb")
    SCREENSHOTS.mkdir(exist_ok=True)
    browser_page.goto(f"{lab}/tree/previews.ipynb?reset", timeout=WAIT)
    browser_page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=WAIT)
    ready = "window.jupyterapp.shell.currentWidget?.sessionContext?.isReady"
    browser_page.wait_for_function(ready, timeout=WAIT)
    browser_page.evaluate(EXECUTE, "notebook:run-all-cells")
    output(browser_page, len(FILES) + len(ATTRIBUTES) + 1).wait_for(timeout=WAIT)
    return browser_page


def output(page: Page, number: int) -> Locator:
    return page.locator(".jp-Notebook .jp-CodeCell").nth(number).locator(".dj-out")


def move(card: Locator, axis: int, place: int) -> None:
    """Move a slider, and wait for the picture that it brings."""
    picture = card.locator("img.dj-picture")
    before = picture.get_attribute("src") or ""
    slide(card, axis, place)
    expect(picture).not_to_have_attribute("src", before, timeout=WAIT)


def slide(card: Locator, axis: int, place: int) -> None:
    slider = card.get_by_label(f"position along axis {axis}")
    slider.evaluate(
        "(input, place) => { input.value = place; input.dispatchEvent(new Event('input')); }", place
    )


def test_each_kind_of_object_is_seen_in_light_and_dark(page: Page) -> None:
    for number, seen in enumerate(FILES.values(), 1):
        expect(output(page, number).locator(seen).first).to_be_visible(timeout=WAIT)
    assert page.locator(".dj-failed").count() == 0
    first = len(FILES) + 1
    stack, copy, trace, frame, group, note = (output(page, first + n) for n in range(6))
    for card in (stack, copy, output(page, first + 6)):
        expect(card.locator("img.dj-picture")).to_be_visible()
        expect(card.get_by_label("position along axis 0")).to_be_visible(timeout=WAIT)
        expect(card.get_by_label("position along axis 1")).to_be_hidden()
    expect(stack.locator("img.dj-grid")).to_be_visible()
    expect(trace.locator("img.dj-trace")).to_be_visible()
    expect(frame.locator(".dj-rows th")).to_be_visible()
    expect(group.locator("summary:has-text('imaging/')")).to_be_visible()
    expect(note.locator("pre")).to_be_visible()
    assert page.evaluate("window.wasRun") is None
    for theme in ("Light", "Dark"):
        page.evaluate(THEME, f"JupyterLab {theme}")
        page.wait_for_function(
            f"document.body.dataset.jpThemeLight === '{theme == 'Light'}'.toLowerCase()"
        )
        for number in range(1, first + 7):
            output(page, number).scroll_into_view_if_needed()
            if number % 3 == 2 or number == first or number > first + 4:
                page.screenshot(path=SCREENSHOTS / f"preview-{theme.lower()}-{number:02}.png")


def test_a_slider_moves_the_picture_and_axes_can_be_chosen(page: Page) -> None:
    for number in (len(FILES), len(FILES) + 1, len(FILES) + 2, len(FILES) + 7):
        card = output(page, number)
        card.get_by_label("position along axis 0").wait_for(timeout=WAIT)
        move(card, 0, 7)
        expect(card.locator(".dj-slices-status")).to_contain_text("[7, 0:200, 0:300]")
        card.screenshot(path=SCREENSHOTS / "slider.png")
        move(card, 0, 0)
        expect(card.locator(".dj-slices-status")).to_contain_text("[0, 0:200, 0:300]")
        card.get_by_label("down").select_option("0")
        expect(card.locator(".dj-slices-status")).to_contain_text(
            "[0:12, 100, 0:300]", timeout=WAIT
        )
        expect(card.get_by_label("position along axis 1")).to_be_visible()
        expect(card.get_by_label("position along axis 0")).to_be_hidden()
    page.screenshot(path=SCREENSHOTS / "preview-slider.png")
    # Notebooks take cells that are out of sight out of the page, and put them back.
    card.evaluate("""element => {
        const parent = element.parentNode;
        element.remove();
        setTimeout(() => parent.append(element), 200);
    }""")
    card.get_by_label("down").wait_for()
    before = card.locator("img.dj-picture").get_attribute("src") or ""
    slider = card.get_by_label("position along axis 1")
    slider.focus()
    expect(slider).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(card.locator("img.dj-picture")).not_to_have_attribute("src", before, timeout=WAIT)
    expect(card.locator(".dj-slices-status")).to_contain_text("[0:12, 101, 0:300]")


def test_sliders_say_that_their_kernel_is_gone(page: Page) -> None:
    card = output(page, len(FILES) + 1)
    card.get_by_label("position along axis 0").wait_for(timeout=WAIT)
    move(card, 0, 11)
    page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    slide(card, 0, 3)
    expect(card.locator(".dj-slices-status")).to_contain_text("busy or gone", timeout=WAIT)


def test_sliders_work_in_notebook_7(lab: str, browser_page: Page, tmp_path: Path) -> None:
    write_notebook(tmp_path / "notebooks" / "previews.ipynb")
    browser_page.goto(lab.replace("/lab", "/notebooks/previews.ipynb"), timeout=WAIT)
    browser_page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=WAIT)
    idle = ".jp-Notebook-ExecutionIndicator[data-status='idle']"
    browser_page.locator(idle).wait_for(timeout=WAIT)
    browser_page.get_by_role("menuitem", name="Run", exact=True).click()
    browser_page.get_by_text("Run All Cells", exact=True).click()
    card = output(browser_page, len(FILES) + 1)
    card.get_by_label("position along axis 0").wait_for(timeout=WAIT)
    move(card, 0, 7)
    expect(card.locator(".dj-slices-status")).to_contain_text("[7, 0:200, 0:300]")


def test_what_is_saved_shows_the_middle_without_a_kernel(page: Page, tmp_path: Path) -> None:
    output(page, len(FILES) + 1).get_by_label("position along axis 0").wait_for(timeout=WAIT)
    page.evaluate(EXECUTE, "docmanager:save")
    file = tmp_path / "notebooks" / "previews.ipynb"
    page.wait_for_function("!window.jupyterapp.shell.currentWidget.context.model.dirty")
    saved = nbformat.read(file, as_version=4)
    (bundle,) = (each.data for each in saved.cells[len(FILES) + 1].outputs)
    assert set(bundle) == {"text/html", "text/plain"}
    assert "data:image/png" in bundle["text/html"]
    assert "<input" not in bundle["text/html"]
    assert "Shown: [6, 0:200, 0:300]" in bundle["text/plain"]
    # The sliders go with the kernel, the middle plane stays.
    page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    page.reload()
    card = output(page, len(FILES) + 1)
    card.locator("img.dj-picture").wait_for(timeout=WAIT)
