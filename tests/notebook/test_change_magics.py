"""`%dj_alter` and `%dj_drop` show what would change, ask, and do it."""

from __future__ import annotations

import pytest

from djupyter.errors import DataJointError
from tests.conftest import Database
from tests.notebook.conftest import Notebook

SHORT = "%%dj_table Subject : Manual\n# A mouse\nsubject_id : int32  # its number\n"
CHANGED = f"{SHORT}---\nspecies = 'mouse' : varchar(60)\n"


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is typed at questions; the questions are taken off."""
    typed: list[str] = []
    monkeypatch.setattr("builtins.input", lambda question: print(question) or typed.pop(0))
    return typed


def test_a_refused_cell_is_carried_out_after_a_yes(lab: Notebook, answers: list[str]) -> None:
    lab.run("Subject.insert1((1, 'a'))")
    assert "%dj_alter Subject" in lab.run(CHANGED, fails=True).plain
    answers.append("yes")
    output = lab.run("%dj_alter Subject")
    assert "varchar(60)" in output.plain
    assert "change `species` from varchar(30) to varchar(60)" in output.text
    assert "Proceed?" in output.text
    assert "lab.Subject : Manual, 1 row" in output.plain
    assert lab["Subject"].heading["species"].type_text == "varchar(60)"
    assert "varchar(60)" in lab["Subject"].definition
    assert "unchanged" in lab.run(CHANGED).plain


def test_a_no_changes_nothing(lab: Notebook, answers: list[str]) -> None:
    lab.run(CHANGED, fails=True)
    answers.append("no")
    assert "not altered" in lab.run("%dj_alter Subject").text
    assert lab["Subject"].heading["species"].type_text == "varchar(30)"


def test_values_that_would_go_are_shown_before_the_question(
    lab: Notebook, answers: list[str]
) -> None:
    lab.run("Subject.insert1((1, 'rat'))")
    lab.run(SHORT, fails=True)
    answers.append("")
    output = lab.run("%dj_alter Subject")
    assert "LOST: `species` would go, but 1 row has a value in it" in output.text
    assert lab["Subject"].fetch1("species") == "rat"
    lab.run("%dj_alter Subject --yes")
    assert lab["Subject"].heading.names == ["subject_id"]


def test_a_dry_run_shows_steps_and_statements(lab: Notebook) -> None:
    lab.run(CHANGED, fails=True)
    output = lab.run("%dj_alter Subject --dry-run")
    assert "With these statements:" in output.text
    assert lab["Subject"].heading["species"].type_text == "varchar(30)"


def test_a_class_that_has_changed_is_altered_on_every_database(
    db: Database, notebook: Notebook
) -> None:
    schema = db.schema_name("change")
    notebook.run(f"connection = dj.conn({db.url!r}, reset=True)")
    notebook.run(f"%dj_schema {schema}")
    cell = f"@{schema}\nclass Mouse(dj.Manual):\n    definition = 'mouse : int32'"
    notebook.run(cell)
    notebook.run("import warnings; warnings.simplefilter('ignore')")
    notebook.run(cell.replace("int32'", "int32\\n---\\nweight = null : float32'"))
    notebook.run("%dj_alter Mouse --yes")
    assert notebook["Mouse"].heading.names == ["mouse", "weight"]
    again = notebook.run("%dj_alter Mouse --yes")
    assert (again.text, again.plain) == ("unchanged\n", "")
    notebook.run("%dj_drop Mouse --yes")
    assert not notebook["Mouse"].is_declared


def test_without_a_new_definition_the_way_is_shown(lab: Notebook) -> None:
    lab.run("del Subject")
    error = lab.run("%dj_alter Subject", fails=True).error
    assert "`%%dj_table Subject : Manual`" in str(error)
    assert "%dj_describe Subject" in str(error)


@pytest.mark.parametrize(("answer", "is_there"), [("yes", False), ("no", True), ("y", True)])
def test_a_drop_shows_all_that_goes_and_asks(
    lab: Notebook, answers: list[str], answer: str, is_there: bool
) -> None:
    lab.run("%%dj_table Session : Manual\n-> Subject\nsession : int8")
    lab.run("Subject.insert([(1, 'a'), (2, 'b')])\nSession.insert1((1, 1))")
    answers.append(answer)
    output = lab.run("%dj_drop Subject")
    assert "        2  Subject  (lab)\n          1  Session  (lab)" in output.text
    assert ("Dropped 2 tables." in output.text) is not is_there
    assert lab["Session"].is_declared is is_there


def test_a_part_goes_with_its_master(lab: Notebook) -> None:
    lab.run("%%dj_table Subject.Note\nnote : int8")
    error = lab.run("%dj_drop Subject.Note --yes", fails=True).error
    assert "Drop Subject first" in str(error)
    lab.run("%dj_drop Subject --yes")
    assert lab["lab"].list_tables() == []


@pytest.mark.parametrize("magic", ["%dj_drop Subject", "%dj_alter Subject"])
def test_where_nobody_can_answer_the_message_names_the_option(
    lab: Notebook, monkeypatch: pytest.MonkeyPatch, magic: str
) -> None:
    def no_frontend(_: str) -> str:
        raise NotImplementedError

    monkeypatch.setattr("builtins.input", no_frontend)
    lab.run(CHANGED, fails=True)
    error = lab.run(magic, fails=True).error
    assert isinstance(error, DataJointError)
    assert "--yes" in str(error)
    assert lab["Subject"].heading["species"].type_text == "varchar(30)"


@pytest.mark.parametrize("magic", ["%dj_drop Subjct --yes", "%dj_alter Subjct --yes"])
def test_a_misspelt_name_gives_the_nearest(lab: Notebook, magic: str) -> None:
    assert "Did you mean `Subject`?" in str(lab.run(magic, fails=True).error)
