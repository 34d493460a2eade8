"""Tables are dropped with what depends on them, after asking; schemas too."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import djupyter as dj
from djupyter.errors import MissingTableError
from tests.conftest import Database
from tests.pipelines import university


@pytest.fixture
def uni(schema: dj.Schema) -> SimpleNamespace:
    tables = university.declare(schema)
    university.fill(tables)
    return tables


def test_descendants_are_dropped_with_a_table(uni: SimpleNamespace, schema: dj.Schema) -> None:
    uni.Section.drop()
    assert sorted(schema.list_tables()) == ["#department", "course", "student", "student_major"]
    assert not uni.Grade.is_declared
    with pytest.raises(MissingTableError, match="grade"):
        uni.Grade.to_dicts()
    with pytest.raises(MissingTableError):
        uni.Grade.drop()


def test_it_shows_the_rows_and_asks_when_safemode_is_on(
    uni: SimpleNamespace,
    schema: dj.Schema,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("builtins.input", lambda question: "no")
    uni.Enroll.drop(prompt=True)
    assert [line.split()[:2] for line in capsys.readouterr().out.splitlines()[1:]] == [
        ["4", "Enroll"],
        ["2", "Grade"],
    ]
    schema.drop(prompt=True)
    assert "Section.Meeting" in capsys.readouterr().out
    assert schema.exists
    assert uni.Grade.is_declared
    monkeypatch.setattr("builtins.input", lambda question: "yes")
    uni.Enroll.drop(prompt=True)
    assert not uni.Grade.is_declared


def test_parts_restricted_tables_and_strange_options_are_refused(uni: SimpleNamespace) -> None:
    with pytest.raises(dj.DataJointError, match="Cannot drop a Part directly"):
        uni.Section.Meeting.drop()
    with pytest.raises(dj.DataJointError, match="restricted table"):
        (uni.Student & "student_id = 1").drop()
    with pytest.raises(ValueError, match="cascade"):
        uni.Student.drop(part_integrity="cascade")
    uni.Section.Meeting.drop(part_integrity="ignore")
    assert not uni.Section.Meeting.is_declared


def test_a_table_that_a_foreign_part_refers_to_stays(schema: dj.Schema) -> None:
    @schema
    class Source(dj.Manual):
        definition = "s : int8"

    @schema
    class Master(dj.Manual):
        definition = "m : int8"

        class Item(dj.Part):
            definition = "-> master\n-> Source"

    with pytest.raises(dj.DataJointError, match=r"drop part table Master.Item before its master"):
        Source.drop()
    assert Source.is_declared


def test_drop_quick_drops_one_table_that_nobody_needs(uni: SimpleNamespace) -> None:
    with pytest.raises(dj.DataJointError, match="refer to it"):
        uni.Student.drop_quick()
    uni.Grade.drop_quick()
    assert not uni.Grade.is_declared


def test_a_schema_is_dropped_whole_unless_others_need_it(
    db: Database, uni: SimpleNamespace, schema: dj.Schema
) -> None:
    other = dj.Schema(db.schema_name("other"), connection=db.connection)

    @other
    class Visitor(dj.Manual):
        definition = "-> self.host"
        host = uni.Student

    with pytest.raises(dj.DataJointError, match="visitor"):
        schema.drop()
    other.drop()
    assert not other.exists
    schema.drop()
    assert not schema.exists
    assert schema.name not in dj.list_schemas(db.connection)
    with pytest.raises(dj.DataJointError, match="does not exist"):
        schema.drop()


def test_a_dropped_table_can_be_declared_again_with_another_definition(schema: dj.Schema) -> None:
    class A(dj.Manual):
        definition = "a : int8"

    schema(A)
    A.drop()
    A.definition = "a : int8\n---\nx : int8"
    schema(A)
    A.insert1((1, 2))
    assert A.fetch1() == {"a": 1, "x": 2}
