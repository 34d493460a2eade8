"""Deleting takes exactly what depends on the rows, shows it first, and all of it or nothing goes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

import djupyter as dj
from djupyter.errors import IntegrityError
from tests.conftest import Database
from tests.pipelines import university


@pytest.fixture
def uni(schema: dj.Schema) -> SimpleNamespace:
    tables = university.declare(schema)
    university.fill(tables)
    return tables


def counts(uni: SimpleNamespace) -> dict[str, int]:
    return {
        name: len(getattr(uni, name))
        for name in ("Student", "StudentMajor", "Course", "Section", "Enroll", "Grade")
    } | {"Meeting": len(uni.Section.Meeting)}


def answer(monkeypatch: pytest.MonkeyPatch, reply: str | type[BaseException]) -> list[str]:
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        if isinstance(reply, str):
            return reply
        raise reply

    monkeypatch.setattr("builtins.input", ask)
    return asked


@pytest.fixture
def statements(db: Database, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that reaches the database from now on."""
    seen: list[str] = []
    connection = db.connection
    for name in ("fetch", "execute"):
        real = getattr(connection, name)

        def spy(sql: str, *args: Any, real: Any = real, **options: Any) -> Any:
            seen.append(sql)
            return real(sql, *args, **options)

        monkeypatch.setattr(connection, name, spy)
    return seen


def test_a_deletion_reaches_everything_that_depends_on_the_rows(uni: SimpleNamespace) -> None:
    assert (uni.Student & "student_id = 1").delete() == 1
    # The majors of students 2 and 3 name student 1 as their mentor, under another name.
    assert counts(uni) == {
        "Student": 2, "StudentMajor": 0, "Course": 2, "Section": 2, "Enroll": 2, "Grade": 1, "Meeting": 3,
    }  # fmt: skip


def test_a_row_goes_when_any_of_its_parents_goes(uni: SimpleNamespace) -> None:
    assert (uni.Department & "dept = 'MATH'").delete() == 1
    assert counts(uni) == {
        "Student": 3, "StudentMajor": 1, "Course": 1, "Section": 1, "Enroll": 2, "Grade": 0, "Meeting": 1,
    }  # fmt: skip


def test_deleting_nothing_returns_zero(uni: SimpleNamespace) -> None:
    before = counts(uni)
    assert (uni.Student & "student_id = 99").delete() == 0
    assert counts(uni) == before


def test_a_whole_table_is_deleted_by_its_class(uni: SimpleNamespace) -> None:
    assert uni.Course.delete() == 2
    assert counts(uni)["Grade"] == 0
    assert counts(uni)["Student"] == 3


def test_a_condition_on_descendants_is_fixed_before_they_go(uni: SimpleNamespace) -> None:
    assert (uni.Student & (uni.Grade & "grade > 3")).delete() == 1
    assert uni.Student.to_arrays("student_id", order_by="KEY").tolist() == [2, 3]
    assert (uni.Student - uni.Enroll).delete() == 0
    assert (uni.Student & uni.Enroll.proj()).delete() == 2
    assert len(uni.Grade) == 0


def test_many_rows_with_a_condition_on_descendants_go_in_portions(schema: dj.Schema) -> None:
    @schema
    class A(dj.Manual):
        definition = "a : int32"

    @schema
    class B(dj.Manual):
        definition = "-> A\nb : int8"

    A.insert((i,) for i in range(40_000))
    B.insert((i, 1) for i in range(0, 40_000, 2))
    assert (A & B).delete() == 20_000
    assert (len(A), len(B)) == (20_000, 0)


def test_the_rows_of_a_top_are_deleted_and_no_others(uni: SimpleNamespace) -> None:
    assert (uni.Student & dj.Top(1, "student_id desc")).delete() == 1
    assert uni.Student.to_arrays("student_id", order_by="KEY").tolist() == [1, 2]
    assert (uni.Grade & dj.Top(1)).delete_quick(get_count=True) == 1


def test_rows_of_schemas_nobody_activated_go_too(db: Database, schema: dj.Schema) -> None:
    @schema
    class A(dj.Manual):
        definition = "a : int8"

    other = dj.Schema(db.schema_name("other"), connection=db.connection)

    @other
    class B(dj.Manual):
        definition = "b : int8\n---\n-> [nullable] A"

    A.insert([(1,), (2,)])
    B.insert([(1, 1), (2, 2), (3, None)])
    with dj.Connection(db.url) as fresh:
        table = dj.FreeTable(fresh, str(A().name))
        assert (table & "a = 1").delete(prompt=False) == 1
    assert B.to_arrays("b", order_by="KEY").tolist() == [2, 3]


def test_a_partly_null_reference_does_not_make_a_row_depend(schema: dj.Schema) -> None:
    @schema
    class A(dj.Manual):
        definition = "a : int8"

    @schema
    class B(dj.Manual):
        definition = "-> A\nb : int8"

    @schema
    class C(dj.Manual):
        definition = "c : int8\na : int8\n---\n-> [nullable] B"

    A.insert([(1,)])
    B.insert([(1, 1)])
    C.insert([(1, 1, 1), (2, 1, None)])
    assert A.delete() == 1
    assert C.to_dicts() == [{"c": 2, "a": 1, "b": None}]


def test_the_statements_grow_with_the_tables_not_with_the_rows(
    uni: SimpleNamespace, statements: list[str]
) -> None:
    (uni.Student & "student_id = 1").delete()
    few = len(statements)
    statements.clear()
    uni.Student.delete()
    assert len(statements) == few
    assert sum(sql.startswith("DELETE") for sql in statements) == 4  # Student and its descendants


def test_conditions_do_not_grow_with_the_depth_of_the_pipeline(
    schema: dj.Schema, statements: list[str]
) -> None:
    for level in range(8):
        parents = "t : int8" if level == 0 else f"-> T{level - 1}\nl{level} : int8"
        schema(type(f"T{level}", (dj.Manual,), {"definition": parents}))
    schema.get_table("T0").insert1((1,))
    statements.clear()
    (schema.get_table("T0") & "t = 1").delete()
    deletions = [sql for sql in statements if sql.startswith("DELETE")]
    assert [sql.count("SELECT") for sql in deletions] == [1] * 7 + [0]


# Asking


def test_it_shows_what_goes_and_asks_when_safemode_is_on(
    uni: SimpleNamespace,
    db: Database,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    db.connection.settings["safemode"] = True
    asked = answer(monkeypatch, "no")
    before = counts(uni)
    assert (uni.Student & "student_id = 1").delete() == 0
    assert counts(uni) == before
    assert asked == ["Commit deletes? [yes, No]: "]
    shown = capsys.readouterr().out
    assert [line.split()[:2] for line in shown.splitlines()[1:]] == [
        ["1", "Student"],
        ["2", "Enroll"],
        ["1", "Grade"],
        ["3", "StudentMajor"],
    ] or sorted(line.split()[:2] for line in shown.splitlines()[1:]) == [
        ["1", "Grade"],
        ["1", "Student"],
        ["2", "Enroll"],
        ["3", "StudentMajor"],
    ]
    answer(monkeypatch, "Yes ")
    assert (uni.Student & "student_id = 1").delete() == 1


@pytest.mark.parametrize("reply", ["", "y", "no", EOFError])
def test_only_the_whole_word_deletes(
    uni: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, reply: str | type[BaseException]
) -> None:
    answer(monkeypatch, reply)
    assert uni.Grade.delete(prompt=True) == 0
    assert len(uni.Grade) == 2


def test_an_interrupt_at_the_prompt_leaves_the_connection_usable(
    uni: SimpleNamespace, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, KeyboardInterrupt)
    for remove in (uni.Student.delete, uni.Student.drop):
        with pytest.raises(KeyboardInterrupt):
            remove(prompt=True)
        assert not db.connection.in_transaction
    assert uni.Grade.delete() == 2


@pytest.mark.parametrize("stop", [KeyboardInterrupt, RuntimeError])
def test_whoever_stops_at_the_prompt_holds_up_nobody(
    uni: SimpleNamespace, db: Database, monkeypatch: pytest.MonkeyPatch, stop: type[BaseException]
) -> None:
    answer(monkeypatch, stop)
    before = counts(uni)
    with dj.Connection(db.url, timeout=1) as other:
        student = dj.FreeTable(other, uni.Student.full_table_name)
        student.insert1({"student_id": 9, "name": "Eve"})  # the other one has read before, too
        for number, remove in enumerate((uni.Student.delete, uni.Student.drop)):
            with pytest.raises(stop):
                remove(prompt=True)
            student.update1({"student_id": 9, "name": f"Eve {number}"})
            student.insert1({"student_id": 10 + number, "name": "Flo"})
        (student & "student_id > 8").delete_quick()
    assert counts(uni) == before
    assert (uni.Student & "student_id = 1").delete(prompt=False) == 1


def test_nobody_is_asked_about_nothing(
    uni: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = answer(monkeypatch, "yes")
    assert (uni.Student & False).delete(prompt=True) == 0
    assert asked == []


def test_what_changes_while_it_asks_is_not_deleted(
    uni: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(question: str) -> str:
        uni.Student.insert1({"student_id": 4, "name": "Di"})
        return "yes"

    monkeypatch.setattr("builtins.input", ask)
    with pytest.raises(dj.DataJointError, match="rows have changed"):
        uni.Student.delete(prompt=True)
    assert len(uni.Student) == 4


def test_inside_a_transaction_it_cannot_ask_but_can_delete(
    uni: SimpleNamespace, db: Database
) -> None:
    with db.connection.transaction:
        with pytest.raises(dj.DataJointError, match="within an ongoing transaction"):
            uni.Grade.delete(prompt=True)
        assert uni.Grade.delete(prompt=False) == 2
        db.connection.start_transaction()
        uni.Student.delete()
        db.connection.cancel_transaction()
    assert len(uni.Grade) == 0
    assert len(uni.Student) == 3


# What it refuses


@pytest.mark.parametrize(
    "condition",
    [
        {"studnet_id": 1},
        [{"studnet_id": 1}],
        dj.AndList([{"studnet_id": 1}, "name = 'Ada'"]),
        dj.AndList([["name = 'Ada'", {"studnet_id": 1}]]),
        dj.Not({"studnet_id": 1}),
    ],
)
def test_a_mapping_that_restricts_nothing_deletes_nothing(
    uni: SimpleNamespace, condition: object
) -> None:
    with pytest.raises(dj.DataJointError, match="studnet_id names no attribute"):
        (uni.Student & condition).delete()
    with pytest.raises(dj.DataJointError, match="studnet_id names no attribute"):
        (uni.Student & (uni.Enroll & condition)).delete() if isinstance(condition, dict) else (
            uni.Student & "student_id > 0" & condition
        ).delete()
    assert len(uni.Student) == 3


def test_a_mapping_with_some_attributes_deletes_what_they_say(uni: SimpleNamespace) -> None:
    assert (uni.Student & {"student_id": 2, "other": 1}).delete() == 1


def test_derived_queries_cannot_be_deleted(uni: SimpleNamespace) -> None:
    for query in (
        uni.Student.proj(),
        uni.Student * uni.Enroll,
        uni.Student.aggr(uni.Enroll, n="count(*)"),
    ):
        assert not hasattr(query, "delete")
        assert not hasattr(query, "insert")


def test_delete_quick_leaves_children_to_the_database(uni: SimpleNamespace) -> None:
    with pytest.raises(IntegrityError, match="delete"):
        uni.Student.delete_quick()
    assert uni.Grade.delete_quick() is None
    assert uni.Enroll.delete_quick(get_count=True) == 4


# Parts


@pytest.fixture
def parts(schema: dj.Schema) -> SimpleNamespace:
    """A master with parts of which one refers to a source, and a part under other names."""

    @schema
    class Source(dj.Manual):
        definition = "s : int8"

    @schema
    class Master(dj.Manual):
        definition = "m : int8"

        class Item(dj.Part):
            definition = "-> master\ni : int8\n---\n-> Source"

        class Note(dj.Part):
            definition = "-> master.proj(mm='m')\n---\ntext : varchar(8)"

    @schema
    class Result(dj.Manual):
        definition = "-> Master"

    Source.insert([(1,), (2,)])
    Master.insert([(1,), (2,)])
    Master.Item.insert([(1, 1, 1), (1, 2, 2), (2, 1, 2)])
    Master.Note.insert([(1, "one"), (2, "two")])
    Result.insert([(1,), (2,)])
    return SimpleNamespace(Source=Source, Master=Master, Result=Result)


def left(parts: SimpleNamespace) -> tuple[int, ...]:
    tables = (parts.Source, parts.Master, parts.Master.Item, parts.Master.Note, parts.Result)
    return tuple(len(table) for table in tables)


def test_parts_go_with_their_master(parts: SimpleNamespace) -> None:
    assert (parts.Master & "m = 1").delete() == 1
    assert left(parts) == (2, 1, 1, 1, 1)


def test_a_part_is_never_taken_from_a_master_that_stays(parts: SimpleNamespace) -> None:
    with pytest.raises(
        dj.DataJointError, match=r"delete part table Master.Item before its master Master"
    ):
        (parts.Source & "s = 1").delete()
    assert left(parts) == (2, 2, 3, 2, 2)


def test_parts_alone_go_when_integrity_is_ignored(parts: SimpleNamespace) -> None:
    assert (parts.Source & "s = 1").delete(part_integrity="ignore") == 1
    assert left(parts) == (1, 2, 2, 2, 2)


def test_masters_go_with_all_they_have_when_integrity_cascades(parts: SimpleNamespace) -> None:
    assert (parts.Source & "s = 1").delete(part_integrity="cascade") == 1
    # Master 1 with both its items, its note and its result; master 2 stays whole.
    assert left(parts) == (1, 1, 1, 1, 1)


def test_a_part_is_deleted_directly_only_when_told_what_about_the_master(
    parts: SimpleNamespace,
) -> None:
    with pytest.raises(dj.DataJointError, match="Cannot delete from a Part directly"):
        parts.Master.Item.delete()
    with pytest.raises(dj.DataJointError, match="before its master"):
        dj.FreeTable(parts.Source.connection, parts.Master.Item.full_table_name).delete()
    assert (parts.Master.Item & "m = 1" & "i = 1").delete(part_integrity="ignore") == 1
    assert (parts.Master.Note & "mm = 2").delete(part_integrity="cascade") == 1
    assert left(parts) == (2, 1, 1, 1, 1)
    with pytest.raises(ValueError, match="enforce, ignore, cascade"):
        parts.Master.delete(part_integrity="maybe")


@pytest.mark.parametrize("restriction", [{}, [{}], dj.AndList([{}])])
def test_an_empty_mapping_does_not_delete_everything(
    uni: SimpleNamespace, restriction: object
) -> None:
    with pytest.raises(dj.DataJointError, match="restricts nothing"):
        (uni.Student & restriction).delete()
    assert len(uni.Student) > 0
