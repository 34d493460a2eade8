"""What a diagram is drawn as: formats, files, errors, and exactly the tables it has."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

import djupyter as dj
from djupyter.settings import Settings
from tests.conftest import Database
from tests.pipelines import many, university
from tests.statements import statements


@pytest.fixture
def uni(schema: dj.Schema) -> SimpleNamespace:
    return university.declare(schema)


@pytest.fixture
def small() -> dj.Diagram:
    """A diagram of two tables in memory: nothing here depends on the database."""
    schema = dj.Schema("lab", connection=dj.Connection("sqlite://"))
    schema(type("Subject", (dj.Manual,), {"definition": "# A mouse\nsubject : int32"}))
    names = {}
    schema.make_classes(names)
    schema(type("Scan", (dj.Imported,), {"definition": "-> Subject"}), context=names)
    return dj.Diagram(schema)


def drawn(diagram: dj.Diagram) -> set[str]:
    """The names on the boxes of the picture."""
    root = ElementTree.fromstring(diagram.svg_string())
    names = (each.get("data-table", "") for each in root.iter())
    return {name.partition(".")[2] or "(schema)" for name in names if name}


def test_a_picture_has_exactly_the_tables_of_the_algebra(
    uni: SimpleNamespace, schema: dj.Schema
) -> None:
    student, course, whole = dj.Diagram(uni.Student), dj.Diagram(uni.Course), dj.Diagram(schema)
    assert drawn(student) == {"Student"}
    assert drawn(student + 1) == {"Student", "StudentMajor", "Enroll"}
    assert drawn(dj.Diagram(uni.Enroll) - 1) == {"Enroll", "Student", "Section"}
    assert drawn(student + course) == {"Student", "Course"}
    assert drawn((student + 9) - uni.Grade) == {"Student", "StudentMajor", "Enroll"}
    assert drawn((student + 9) * (dj.Diagram(uni.Grade) - 9)) == {"Student", "Enroll", "Grade"}
    assert drawn(dj.Diagram(uni.Section).add_parts()) == {"Section", "Section.Meeting"}
    assert drawn(whole.collapse()) == {"(schema)"}
    # What one of them draws by itself is drawn by itself, whichever comes first.
    for both in (whole.collapse() + uni.Student, student + whole.collapse()):
        assert drawn(both) == {"(schema)", "Student"}
        assert {"Student"} < drawn(both + whole)
    assert drawn((whole.collapse() + student) + whole) == drawn(whole)


def test_pictures_are_made_from_what_is_known(
    uni: SimpleNamespace, schema: dj.Schema, db: Database
) -> None:
    with statements(db.connection) as seen:
        diagram = dj.Diagram.from_sequence([schema, uni.Student])
        few = len(seen)
        (
            diagram.svg_string(),
            diagram.make_mermaid(),
            diagram.make_dot(),
            diagram._repr_mimebundle_(),
        )
        list(diagram + 1)
    # However many tables there are; SQLite asks beside it whether anything has changed.
    asked = [each for each in seen if not each.startswith("PRAGMA")]
    assert few <= 12
    assert len(asked) <= 12


def test_500_tables_take_as_many_statements_as_one(tmp_path: Path) -> None:
    numbers = []
    for tables in (5, 500):
        path = tmp_path / f"{tables}.db"
        with dj.Connection(f"sqlite:///{path}") as connection:
            many.declare(connection, tables, schemas=5)
        with dj.Connection(f"sqlite:///{path}") as connection, statements(connection) as seen:
            schemas = [dj.Schema(f"many{place}", connection=connection) for place in range(5)]
            start = len(seen)
            diagram = dj.Diagram.from_sequence(schemas)
            text = diagram.svg_string()
            numbers.append(len(seen) - start)
        assert text.count("data-table=") == len(diagram) == tables
        assert len(text) < 5000 + 1000 * tables
    assert numbers[0] == numbers[1] <= 10


def test_a_diagram_is_saved_by_what_its_name_ends_in(small: dj.Diagram, tmp_path: Path) -> None:
    small.save(tmp_path / "a.svg")
    assert ElementTree.parse(tmp_path / "a.svg").getroot().tag.endswith("svg")
    small.save(str(tmp_path / "a.mmd"))
    assert (tmp_path / "a.mmd").read_text().startswith("flowchart LR\n")
    small.save(tmp_path / "noted", format="mermaid")
    assert (tmp_path / "noted").read_text() == small.make_mermaid() + "\n"
    pytest.importorskip("matplotlib", reason="paints the PNG; comes with the extra lab")
    small.save(tmp_path / "A.PNG")
    assert (tmp_path / "A.PNG").read_bytes().startswith(b"\x89PNG")
    image = small.make_image()
    assert image.shape[2] == 4
    assert image.dtype == "uint8"


def test_formats_that_there_are_not_are_refused_in_datajoints_words(
    small: dj.Diagram, tmp_path: Path
) -> None:
    with pytest.raises(dj.DataJointError, match="Could not infer format from filename 'diagram'"):
        small.save(tmp_path / "diagram")
    with pytest.raises(dj.DataJointError, match=r"Could not infer format from filename 'a\.jpg'"):
        small.save(tmp_path / "a.jpg")
    with pytest.raises(dj.DataJointError, match="Unsupported file format 'pdf'"):
        small.save(tmp_path / "a.svg", format="pdf")
    assert list(tmp_path.iterdir()) == []


def test_a_png_without_matplotlib_says_what_is_missing(
    small: dj.Diagram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(dj.DataJointError, match="pip install matplotlib"):
        small.make_png()


def test_texts_and_pictures_have_the_types_of_datajoints_api(small: dj.Diagram) -> None:
    assert small.make_svg().data == small.svg_string() == small._repr_svg_()
    assert small.make_dot().startswith("digraph {")
    assert "#111315" in small.make_dot(theme="dark")
    with pytest.raises(dj.DataJointError, match="light or dark"):
        small.make_dot(theme="pink")
    assert "%23 A mouse" in small._repr_html_()


def test_settings_turn_and_colour_the_picture() -> None:
    settings = Settings(display={"diagram_direction": "TB", "diagram_theme": "dark"})
    schema = dj.Schema("lab", connection=dj.Connection("sqlite://", settings=settings))
    schema(type("Subject", (dj.Manual,), {"definition": "subject : int32"}))
    diagram = dj.Diagram(schema)
    assert diagram.make_mermaid().startswith("flowchart TB")
    assert "rankdir=TB" in diagram.make_dot()
    assert "#1d3426" in diagram.svg_string()
    assert "#e6f2e9" not in diagram.svg_string()


def test_draw_shows_an_image_of_matplotlib(
    small: dj.Diagram, monkeypatch: pytest.MonkeyPatch
) -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot", reason="comes with the extra lab")
    pyplot.switch_backend("agg")
    shown = []
    monkeypatch.setattr(pyplot, "show", lambda: shown.append(pyplot.gcf()))
    small.draw()
    assert len(shown[0].axes[0].images) == 1
    pyplot.close(shown[0])
