"""When, how long and by which code a row was made stands in its hidden attributes, where they were declared."""

from __future__ import annotations

import datetime
import subprocess
import sys
import types
import warnings
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

import djupyter as dj
from djupyter.populate.jobs.version import code_version
from djupyter.populate.making import performing
from tests.statements import statements

HIDDEN = ["_job_start_time", "_job_duration", "_job_version"]


@pytest.fixture
def Source(schema: dj.Schema) -> Any:
    @schema
    class Source(dj.Manual):
        definition = "i : int32"

    Source.insert((i,) for i in range(1, 5))
    return Source


@pytest.fixture
def Square(schema: dj.Schema, Source: Any) -> Any:
    settings = schema.connection.settings
    settings.jobs.add_job_metadata = True
    settings.jobs.version_method = lambda cls: f"{cls.__name__} 7"

    @schema
    class Square(dj.Computed):
        definition = "-> Source\n---\ny = 0 : float64"

        class Digit(dj.Part):
            definition = "-> master\ndigit : int8"

        def make(self, key: dict[str, Any]) -> None:
            self.insert1(key)
            self.Digit.insert1({**key, "digit": 1})

    return Square


def hidden(table: Any) -> list[str]:
    return [each.name for each in table().structure.attributes if each.hidden]


def stamps(table: Any) -> list[tuple[Any, ...]]:
    """Return the hidden values of all rows, read past the query language, which does not know them."""
    connection, name = table().connection, table().name
    quoted = connection.backend.table(name, table().structure.by_name)
    text = str(quoted.select().compile(dialect=connection.backend.dialect))
    text = text.split("FROM", 1)[1]
    return list(connection.fetch(f"SELECT {', '.join(HIDDEN)} FROM {text}"))


@pytest.mark.parametrize("options", [{}, {"reserve_jobs": True}, {"processes": 2}])
def test_a_row_says_when_it_was_made_and_by_which_code(Square: Any, options: Any) -> None:
    before = datetime.datetime.now()
    assert Square.populate("i < 3", **options)["success_count"] == 2
    after = datetime.datetime.now()
    rows = stamps(Square)
    assert len(rows) == 2
    for start, duration, version in rows:
        moment = datetime.datetime.fromisoformat(str(start))
        assert before - datetime.timedelta(milliseconds=1) <= moment <= after
        assert 0 < duration < 60
        assert version == "Square 7"


def test_only_tables_that_are_made_get_the_attributes(schema: dj.Schema, Square: Any) -> None:
    @schema
    class Kind(dj.Lookup):
        definition = "kind : int8"
        contents = ((1,),)

    @schema
    class Scan(dj.Imported):
        definition = "-> Square"

    assert hidden(Square) == hidden(Scan) == HIDDEN
    assert hidden(Square.Digit) == hidden(Kind) == []
    assert Square.heading.names == ["i", "y"]
    assert "_job" not in Square.describe()
    Square.populate()
    assert set(Square.to_dicts()[0]) == {"i", "y"}


def test_tables_declared_while_the_setting_was_off_stay_without(
    schema: dj.Schema, Source: Any
) -> None:
    @schema
    class Square(dj.Computed):
        definition = "-> Source"

        def make(self, key: dict[str, Any]) -> None:
            self.insert1(key)

    schema.connection.settings.jobs.add_job_metadata = True
    again = type("Square", (dj.Computed,), {"definition": "-> Source", "make": Square.make})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        schema(again, context={"Source": Source})
    assert again.populate()["success_count"] == 4
    assert hidden(again) == []


def test_alter_leaves_the_attributes_and_their_values(schema: dj.Schema, Square: Any) -> None:
    Square.populate("i < 3")
    before = stamps(Square)
    for on, definition in (
        (True, "-> Source\n---\ny = 1 : float64\nz = 0 : int8"),
        (False, "-> Source\n---\nz = 0 : int16\ny = 1 : float64"),
    ):
        schema.connection.settings.jobs.add_job_metadata = on
        Square.definition = definition
        Square.alter(prompt=False)
        assert hidden(Square) == HIDDEN
        assert stamps(Square) == before
    Square.populate()
    assert len(stamps(Square)) == 4


def test_altering_does_not_add_them(schema: dj.Schema, Source: Any) -> None:
    plain = schema(
        type("Plain", (dj.Computed,), {"definition": "-> Source"}), context={"Source": Source}
    )
    schema.connection.settings.jobs.add_job_metadata = True
    plain.definition = "-> Source\n---\nn = 0 : int8"
    plain.alter(prompt=False)
    assert hidden(plain) == []


def test_a_key_that_makes_many_rows_stamps_them_all_by_one_statement(
    schema: dj.Schema, Source: Any
) -> None:
    schema.connection.settings.jobs.add_job_metadata = True

    @schema
    class Many(dj.Computed):
        definition = "-> Source\nn : int16"

        def make(self, key: dict[str, Any]) -> None:
            self.insert({**key, "n": n} for n in range(5))

    Many.populate("i = 1")
    with statements(schema.connection) as seen:
        Many.populate("i = 2")
    assert len([sql for sql in seen if sql.startswith("UPDATE")]) == 1
    rows = stamps(Many)
    assert len(rows) == 10
    assert all(start is not None and version == "" for start, _, version in rows)
    assert len(set(rows)) == 2


def test_what_fails_while_it_is_stamped_is_not_inserted(
    schema: dj.Schema, Square: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row and its stamp stand or fall together."""
    monkeypatch.setattr(performing, "stamp", lambda *_: 1 / 0)
    found = Square.populate("i = 1", suppress_errors=True)
    assert found["error_list"] == [({"i": 1}, "ZeroDivisionError: division by zero")]
    assert len(Square) == 0


def test_a_long_version_is_cut(Square: Any) -> None:
    Square.connection.settings.jobs.version_method = lambda cls: "v" * 300
    Square.populate("i = 1", reserve_jobs=True)
    assert stamps(Square)[0][2] == "v" * 64


# Which version


def test_the_version_may_be_that_of_a_package() -> None:
    assert code_version(pytest.Item, "package") == f"pytest {metadata.version('pytest')}"
    assert code_version(type("Mine", (), {"__module__": "__main__"}), "package") == ""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[types.ModuleType]:
    """A module in a repository of its own."""
    (tmp_path / "pipeline_in_git.py").write_text("class Square: ...\n")
    run = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*run, *arguments], check=True)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield __import__("pipeline_in_git")
    sys.modules.pop("pipeline_in_git")


def test_the_version_may_be_the_commit_and_whether_files_have_changed_since(
    repository: Any, tmp_path: Path
) -> None:
    commit = code_version(repository.Square, "git")
    assert len(commit) >= 7
    assert int(commit, 16)
    (tmp_path / "other.txt").write_text("not in the repository")
    assert code_version(repository.Square, "git") == commit
    with (tmp_path / "pipeline_in_git.py").open("a") as file:
        file.write("# changed\n")
    assert code_version(repository.Square, "git") == f"{commit}+"


@pytest.mark.parametrize("method", [None, "none"])
def test_no_version_is_noted_unless_asked_for(method: Any) -> None:
    assert code_version(pytest.Item, method) == ""


def test_a_folder_outside_git_has_no_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert code_version(type("Mine", (), {"__module__": "typed"}), "git") == ""


def test_the_version_is_noted_with_the_jobs_and_in_the_log(Square: Any) -> None:
    Square.connection.settings.jobs.keep_completed = True
    Square.populate("i = 1", reserve_jobs=True)
    assert Square.jobs.completed.fetch1("version") == "Square 7"
    Square.jobs.refresh()
    assert Square.jobs.reserve({"i": 2})
    assert Square.jobs.reserved.fetch1("version") == "Square 7"
    assert [each["version"] for each in Square.job_report({"i": 1}).attempts] == ["Square 7"]


@pytest.mark.parametrize("wrong", ["hg", 5, ["git"]])
def test_another_way_to_a_version_is_refused(schema: dj.Schema, wrong: Any) -> None:
    with pytest.raises(dj.DataJointError, match=r"jobs.version_method.*'git', 'package' or 'none'"):
        schema.connection.settings.jobs.version_method = wrong
