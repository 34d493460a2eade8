"""Magics as a user meets them: Tab, a caret under what is wrong, a password that nobody sees."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

import djupyter as dj
from tests.journeys.conftest import SCREENSHOTS

# Kept for people to look at; git does not.
EXECUTE = "([command, options]) => window.jupyterapp.commands.execute(command, options)"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}

CELLS = [
    "%load_ext djupyter\nimport djupyter as dj\n%dj_schema lab",
    "%%dj_table Subject : Lookup\n# A mouse\nsubject_id : int32   # its ear tag\n---\n"
    "species = 'mouse' : varchar(30)\n===\n1, mouse\n2, rat\n3, mouse",
    "%%dj_table Session : Manual\n-> Subject\nsession : int16\n---\nsession_date : date\nnotes = '' : varchar(1000)",
    "Session.insert([(1, 1, '2026-01-01', ''), (2, 1, '2026-01-02', '')])",
    "%%dj_table Stat : Computed\n-> Session\n---\ntwice : int32",
    "%%dj_make Stat\nif key['subject_id'] == 2:\n    raise ValueError('no rats')\nself.insert1({**key, 'twice': 2})",
    "done = Stat.populate(reserve_jobs=True, suppress_errors=True)\n%dj_status",
    "%dj_tables",
    "%dj_describe Session",
    "%%dj_table Wrong : Manual\n-> Subject\n---\ndepth : flaot32   # recording depth",
    "%%dj_sql\nSELECT *\nFORM somewhere",
    "%%dj_table Subject : Lookup\n# A mouse\nsubject_id : int32   # its ear tag\n---\n"
    "species = 'mouse' : varchar(60)",
]


@pytest.fixture
def opened(lab: str, browser_page: Page, tmp_path: Path) -> Page:
    """A page with a notebook in which all cells have run."""
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in CELLS],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    for cell in book.cells:
        cell.metadata["tags"] = ["raises-exception"]  # the rest runs after an error
    nbformat.write(book, tmp_path / "notebooks" / "magics.ipynb")
    page = browser_page
    SCREENSHOTS.mkdir(exist_ok=True)
    page.goto(f"{lab}/tree/magics.ipynb?reset", timeout=120_000)
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=120_000)
    page.wait_for_function("window.jupyterapp.shell.currentWidget?.sessionContext?.isReady")
    page.evaluate(EXECUTE, ["notebook:run-all-cells", {}])
    page.locator("text=ChangedDefinitionError").first.wait_for(timeout=120_000)
    return page


def output_with(page: Page, text: str) -> Locator:
    return page.locator(".jp-OutputArea-output", has_text=text).first


def add_cell(page: Page, source: str) -> Locator:
    """Put a cell at the end and leave the cursor at the end of its text."""
    page.evaluate(EXECUTE, ["notebook:move-cursor-down", {}])
    page.locator(".jp-Notebook .jp-Cell").last.click()
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    editor = page.locator(".jp-Notebook .jp-Cell.jp-mod-active .cm-content")
    page.keyboard.insert_text(source)
    expect(editor).to_contain_text(source.splitlines()[-1].strip())
    return editor


def in_both_themes(page: Page, name: str) -> None:
    for theme, title in THEMES.items():
        page.evaluate(EXECUTE, ["apputils:change-theme", {"theme": title}])
        page.wait_for_function("theme => document.body.dataset.jpThemeName === theme", arg=title)
        page.screenshot(path=SCREENSHOTS / f"magics-{name}-{theme}.png")


def test_tab_offers_tables_after_an_arrow_and_attributes_in_a_condition(opened: Page) -> None:
    page = opened
    editor = add_cell(page, "%%dj_table Scan : Manual\n-> S")
    page.keyboard.press("Tab")
    popup = page.locator(".jp-Completer:visible")
    popup.wait_for()
    offered = [text.strip() for text in popup.locator(".jp-Completer-match").all_inner_texts()]
    assert {"Session", "Stat", "Subject"} <= set(offered)
    in_both_themes(page, "completion")
    editor.click()
    page.keyboard.press("Escape")
    page.keyboard.press("End")

    add_cell(page, 'Session & "ses')
    page.keyboard.press("Tab")
    popup.wait_for()
    expect(popup).to_contain_text("session_date")


def test_what_magics_show_is_readable_in_both_themes(opened: Page) -> None:
    page = opened
    error = output_with(page, "unknown type 'flaot32'")
    text = error.inner_text()
    line, caret = text.splitlines()[1:3]
    assert caret.index("^") == line.index("flaot32")
    assert "Did you mean float32?" in text
    assert "site-packages" not in text
    wrong = output_with(page, "SqlError")
    assert "3 | FORM somewhere" in wrong.inner_text()
    status = output_with(page, "remaining")
    assert "1 of 2, 1 error" in status.inner_text()
    assert status.locator("[role=progressbar]").count() == 1
    for name, shown in [
        ("status", status),
        ("error", error),
        ("changed", output_with(page, "--replace")),
    ]:
        shown.scroll_into_view_if_needed()
        in_both_themes(page, name)


def test_the_definition_is_copied_by_its_button(opened: Page) -> None:
    page = opened
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    described = page.locator(".jp-OutputArea-output", has=page.locator("button.dj-copy")).first
    described.locator("button.dj-copy").click()
    expect(described.locator("button.dj-copy")).to_have_text("copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "-> Subject" in copied
    assert "session_date" in copied
    # Where the page is neither local nor encrypted there is no clipboard.
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    described.locator("button.dj-copy").evaluate("button => { button.textContent = 'copy' }")
    described.locator("button.dj-copy").click()
    expect(described.locator("button.dj-copy")).to_have_text("copied")


@pytest.fixture
def account(servers: object) -> Iterator[tuple[str, str]]:
    """A URL of a server without its password, and the password."""
    url = servers.url("mariadb")
    secret, user = f"s3cret-{uuid4().hex}", f"u{uuid4().hex[:12]}"
    admin = dj.Connection(url)
    for place in ("'%'", "localhost", "'127.0.0.1'"):
        admin.query(f"CREATE USER {user}@{place} IDENTIFIED BY '{secret}'")
    yield re.sub(r"://[^@]*@", f"://{user}@", url), secret
    for place in ("'%'", "localhost", "'127.0.0.1'"):
        admin.query(f"DROP USER {user}@{place}")
    admin.close()


def test_a_password_is_typed_where_nobody_sees_it(
    opened: Page, account: tuple[str, str], tmp_path: Path
) -> None:
    page, (url, secret) = opened, account
    add_cell(page, f"%dj_connect {url}")
    page.keyboard.press("Shift+Enter")
    field = page.locator(".jp-Stdin-input")
    field.wait_for()
    assert field.get_attribute("type") == "password"
    field.press_sequentially(secret)
    in_both_themes(page, "password")
    field.press("Enter")
    output_with(page, " ms)").wait_for()
    assert secret not in page.content()
    page.evaluate(EXECUTE, ["docmanager:save", {}])
    page.wait_for_function("!window.jupyterapp.shell.currentWidget.context.model.dirty")
    for file in (tmp_path / "notebooks").glob("*.ipynb"):
        assert secret not in file.read_text(encoding="utf-8")
