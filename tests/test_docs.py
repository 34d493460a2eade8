"""The documentation says what is true: its examples run, its errors are ours, its lists are complete."""

from __future__ import annotations

import doctest
import re
import runpy
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

import djupyter
from djupyter.cli import main
from djupyter.definition.native import NATIVE_TYPES
from djupyter.definition.parser import parse
from djupyter.definition.types import CORE_TYPES
from djupyter.errors import DefinitionError
from djupyter.notebook.extension import MAGICS
from djupyter.populate.events import Event
from djupyter.sql.language.function_forms import FUNCTION_NAMES

ROOT = Path(__file__).parents[1]
PAGES = sorted(p for p in (ROOT / "docs").rglob("*.md") if "_build" not in p.parts)
READ = [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "notebooks" / "README.md"]
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "python")], ids=name_of)
def test_examples_print_what_the_page_shows(page):
    source = "\n".join(blocks(page, "python"))
    example = doctest.DocTestParser().get_doctest(source, {}, name_of(page), str(page), 0)
    report: list[str] = []
    result = doctest.DocTestRunner(optionflags=OPTIONS).run(example, out=report.append)
    assert result.attempted
    assert not result.failed, "".join(report)


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "definition")], ids=name_of)
def test_definitions_on_the_pages_can_be_read(page):
    for text in blocks(page, "definition"):
        parse(text)


def test_wrong_definitions_on_the_pages_give_the_messages_shown_below_them():
    page = ROOT / "docs" / "reference" / "definition-language.md"
    wrong, messages = blocks(page, "definition-error"), blocks(page, "text")
    assert wrong
    for text, message in zip(wrong, messages, strict=True):
        with pytest.raises(DefinitionError) as caught:
            parse(text)
        assert str(caught.value) == message.rstrip("\n")


def test_every_type_is_on_the_page_of_the_definition_language():
    text = (ROOT / "docs" / "reference" / "definition-language.md").read_text(encoding="utf-8")
    written = {
        word for code in re.findall(r"`([^`\n]+)`", text) for word in re.findall(r"\w+", code)
    }
    native = {word for name in NATIVE_TYPES for word in name.split()}
    listed = (ROOT / "docs" / "reference" / "codecs.md").read_text(encoding="utf-8")
    codecs = set(re.findall(r"^\| `<(\w+)@?>`", listed, flags=re.MULTILINE))
    assert {"blob", "zarr"} <= codecs
    assert written >= set(CORE_TYPES) | native | codecs


@pytest.mark.parametrize("page", READ, ids=name_of)
def test_links_between_the_pages_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    for target in targets:
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_every_function_of_the_condition_language_is_listed():
    text = (ROOT / "docs" / "reference" / "conditions.md").read_text(encoding="utf-8")
    table = text.partition("## Functions")[2]
    rows = [line for line in table.splitlines() if line.startswith("| ") and "`" in line]
    assert sorted(re.findall(r"`(\w+)`", "".join(rows))) == sorted(FUNCTION_NAMES)


def test_every_magic_is_listed():
    text = (ROOT / "docs" / "reference" / "magics.md").read_text(encoding="utf-8")
    magics = {name for cls in MAGICS for kind in cls.magics.values() for name in kind}
    assert magics == set(re.findall(r"^\| `%+(dj_\w+)", text, flags=re.MULTILINE))


def test_every_public_name_is_listed():
    text = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    table = text.partition("## Queries")[0]
    assert set(djupyter.__all__) <= set(re.findall(r"`(\w+)`", table))


def test_every_public_name_has_a_place_on_a_page_of_the_reference():
    # `make docs` checks it of methods too, and that each place has a text.
    pages = (ROOT / "docs" / "reference" / "python").glob("*.md")
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    placed = set(re.findall(r"^\.\. (?:auto|py:)\w+:: djupyter\.(\w+)$", text, flags=re.MULTILINE))
    assert "\n.. automodule:: djupyter.errors\n   :members:\n" in text
    assert set(djupyter.__all__) <= placed | set(vars(djupyter.errors))


def test_every_setting_is_listed_with_its_type_default_and_variable():
    page = runpy.run_path(str(ROOT / "docs" / "site" / "settings_page.py"))
    text = page["PAGE"].read_text(encoding="utf-8")
    assert page["written"](text) == text, "run docs/site/settings_page.py"
    assert f"| {page['TO_FILL_IN']} |" not in text


def test_docstrings_are_translated_but_for_their_examples():
    translate = runpy.run_path(str(ROOT / "docs" / "site" / "docstrings.py"))["translate"]
    lines = ["`Row`s.", "", "| a | b |", "|---|---|", "| `c` | d |", "", "```", "| x", "```", ""]
    lines += [">>> query", "| `Row`s |", ""]
    translate(None, "", "", None, None, lines)
    assert [line for line in lines if line] == [
        r"`Row`\ s.",
        *(".. list-table::", "   :header-rows: 1"),
        *("   * - a", "     - b", "   * - `c`", "     - d"),
        *("::", "    | x"),
        *(">>> query", "| `Row`s |"),
    ]


def test_every_option_and_event_of_the_worker_is_listed():
    text = (ROOT / "docs" / "reference" / "command-line.md").read_text(encoding="utf-8")
    with pytest.raises(SystemExit), redirect_stdout(StringIO()) as shown:
        main(["worker", "--help"])
    options = set(re.findall(r"(--[a-z-]+)", shown.getvalue())) - {"--help"}
    assert options == set(re.findall(r"^\| `(--[a-z-]+)", text, flags=re.MULTILINE))
    source = (ROOT / "src" / "djupyter" / "populate" / "service" / "service.py").read_text(
        encoding="utf-8"
    )
    said = {kind.kind for kind in Event.__subclasses__()}
    said |= set(re.findall(r'say\(\s*"([a-z ]+)"', source)) | {"healthy", "unhealthy"}
    events = re.findall(
        r"^\| ((?:`[a-z ]+`(?:, )?)+) \|", text.partition("| event |")[2], flags=re.MULTILINE
    )
    assert said == set(re.findall(r"`([a-z ]+)`", "".join(events)))
