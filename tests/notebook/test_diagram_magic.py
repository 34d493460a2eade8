"""%dj_diagram: what is named, and how far around it."""

from __future__ import annotations

import pytest

from tests.notebook.conftest import Notebook


@pytest.fixture
def pipeline(lab: Notebook) -> Notebook:
    lab.run("%%dj_table Session : Manual\n-> Subject\nsession : int32\n")
    lab.run("%%dj_table Rig : Lookup\nrig : varchar(8)\n")
    lab.run(
        "%%dj_table scans.Scan : Imported\n-> Session\n---\n-> Rig\ndef make(self, key): pass\n"
    )
    return lab


def tables(notebook: Notebook, line: str) -> list[str]:
    """The tables that the text of a diagram lists."""
    shown = notebook.run(f"%dj_diagram {line}")
    assert "data:image/svg+xml" in shown.html
    return [each.split()[0] for each in shown.plain.splitlines()[1:]]


EVERYTHING = ["lab.Rig", "lab.Subject", "lab.Session", "scans.Scan"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", EVERYTHING),
        ("lab", EVERYTHING[:3]),
        ("Session", ["lab.Session"]),
        ("Session +1", ["lab.Session", "scans.Scan"]),
        ("Session -1", ["lab.Subject", "lab.Session"]),
        ("Scan -99", EVERYTHING),
        ("lab.Subject +1 Rig", EVERYTHING[:3]),
        ("scans.Scan -1 +0", ["lab.Rig", "lab.Session", "scans.Scan"]),
    ],
)
def test_tables_and_schemas_are_shown_with_levels_around_them(
    pipeline: Notebook, line: str, expected: list[str]
) -> None:
    assert sorted(tables(pipeline, line)) == sorted(expected)


def test_variables_are_shown(pipeline: Notebook) -> None:
    pipeline.run("chosen = dj.Diagram(Session) + 1")
    assert tables(pipeline, "chosen") == ["lab.Session", "scans.Scan"]


def test_tables_without_a_class_are_found_in_any_schema(pipeline: Notebook) -> None:
    pipeline.run("del Scan")
    assert tables(pipeline, "Scan") == ["scans.Scan"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Sesion", "Did you mean `Session`"),
        ("+1", "levels of what"),
        ("+1 Session", "stands before"),
        ("lab.Nothing", "no table and no schema `lab.Nothing`"),
    ],
)
def test_mistakes_are_told_in_a_sentence(pipeline: Notebook, line: str, message: str) -> None:
    assert message in str(pipeline.run(f"%dj_diagram {line}", fails=True).error)


def test_namesakes_ask_for_the_schema(pipeline: Notebook) -> None:
    pipeline.run("%%dj_table scans.Rig : Manual\nrig : int32\n")
    pipeline.run("del Rig")
    assert "lab.Rig, scans.Rig" in str(pipeline.run("%dj_diagram Rig", fails=True).error)


def test_there_is_nothing_to_show_in_an_empty_database(notebook: Notebook) -> None:
    assert "no tables yet" in str(notebook.run("%dj_diagram", fails=True).error)


def test_a_diagram_shows_itself_without_the_magic_and_without_widgets(pipeline: Notebook) -> None:
    diagram = pipeline.run("shown = dj.Diagram(Session) + 1") and pipeline["shown"]
    bundle, _ = pipeline.shell.display_formatter.format(diagram)
    # Not even here, where no kernel runs, is the picture left out.
    assert set(bundle) == {"text/html", "image/svg+xml", "text/plain"}
    assert "flowchart LR" in bundle["text/html"]
    assert bundle["image/svg+xml"].startswith("<svg")
