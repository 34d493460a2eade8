"""Deletions told in advance, refused by hooks, and planned in few statements."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

import djupyter as dj
from tests.conftest import Database
from tests.pipelines import university
from tests.statements import statements


@pytest.fixture
def uni(schema: dj.Schema) -> SimpleNamespace:
    tables = university.declare(schema)
    university.fill(tables)
    return tables


def test_a_dry_run_tells_what_would_go_and_deletes_nothing(uni: SimpleNamespace) -> None:
    counts = (uni.Student & "student_id = 1").delete(dry_run=True)
    assert counts == dj.Diagram.cascade(uni.Student & "student_id = 1").counts()
    assert counts[uni.StudentMajor.full_table_name] == 3
    assert len(uni.Student) == 3
    assert uni.Student.delete(dry_run=True)[uni.Student.full_table_name] == 3


def test_a_hook_sees_every_row_that_would_go_and_refuses_by_an_error(
    uni: SimpleNamespace, db: Database
) -> None:
    seen: list[dict[str, int]] = []

    def keep_grades(doomed: Mapping[str, Any]) -> None:
        seen.append({name: len(rows) for name, rows in doomed.items()})
        if doomed.get(uni.Grade.full_table_name):
            raise dj.DataJointError("Grades are kept for ten years.")

    db.connection.before_delete.append(keep_grades)
    for refused in (uni.Student, uni.Enroll & "student_id = 1", uni.Course):
        with pytest.raises(dj.DataJointError, match="ten years"):
            refused.delete()
    with pytest.raises(dj.DataJointError, match="ten years"):
        uni.Grade.delete_quick()
    with pytest.raises(dj.DataJointError, match="ten years"):
        uni.Grade.delete(dry_run=True)
    assert seen[0][uni.Student.full_table_name] == 3
    assert not db.connection.in_transaction
    assert uni.StudentMajor.delete() == 3
    db.connection.before_delete.clear()
    assert uni.Grade.delete() == 2


def test_a_refused_deletion_is_refused_before_anyone_is_asked(
    uni: SimpleNamespace, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(doomed: Mapping[str, Any]) -> None:
        raise dj.DataJointError("never")

    monkeypatch.setattr("builtins.input", lambda question: pytest.fail("asked"))
    db.connection.before_delete.append(never)
    with pytest.raises(dj.DataJointError, match="never"):
        uni.Student.delete(prompt=True)


def test_a_cascade_of_five_levels_takes_at_most_twenty_statements(
    schema: dj.Schema, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: dict[str, Any] = {}
    for level in range(5):
        parents = "l0 : int32" if level == 0 else f"-> L{level - 1}\nl{level} : int32"
        table = type(f"L{level}", (dj.Manual,), {"definition": parents})
        names[f"L{level}"] = schema(table, context=dict(names))
    rows = [(n,) for n in range(3)]
    for level in range(5):
        names[f"L{level}"].insert(rows)
        rows = [(*row, n) for row in rows for n in range(3)]
    monkeypatch.setattr("builtins.input", lambda question: "yes")
    with statements(db.connection) as seen:
        assert (names["L0"] & "l0 < 2").delete(prompt=True) == 2
    assert len(seen) <= 20, seen
    assert sum(sql.startswith("DELETE") for sql in seen) == 5
    assert len(names["L4"]) == 81


def test_rows_that_are_chosen_by_their_own_table_are_deleted(uni: SimpleNamespace) -> None:
    namesakes = uni.Student & (uni.Student & "name <> 'Ada'").proj()
    assert (namesakes & (uni.Student & "student_id > 2").proj()).delete() == 1
    assert (uni.Grade & (uni.Grade & dj.Top(1)).proj()).delete_quick(get_count=True) == 1
    assert len(uni.Student) == 2


def test_a_part_that_refers_through_another_part_follows_its_master(schema: dj.Schema) -> None:
    @schema
    class Source(dj.Manual):
        definition = "s : int8"

    @schema
    class Scan(dj.Manual):
        definition = "scan : int8"

        class Plane(dj.Part):
            definition = "-> master\nplane : int8"

        class Cell(dj.Part):
            definition = "-> master.Plane\ncell : int8\n---\n-> Source"

    Source.insert([(1,), (2,)])
    Scan.insert([(1,), (2,)])
    Scan.Plane.insert([(1, 1), (2, 1)])
    Scan.Cell.insert([(1, 1, 1, 1), (2, 1, 1, 2)])
    with pytest.raises(dj.DataJointError, match=r"Scan\.Cell before its master Scan"):
        (Source & "s = 1").delete()
    assert (Source & "s = 1").delete(part_integrity="cascade") == 1
    assert (len(Scan), len(Scan.Plane), len(Scan.Cell)) == (1, 1, 1)
    assert Scan.delete() == 1


def test_a_link_between_two_masters_is_a_part_of_the_first(schema: dj.Schema) -> None:
    @schema
    class Node(dj.Manual):
        definition = "node : int8"

        class Link(dj.Part):
            definition = "-> master\n-> master.proj(other='node')"

    Node.insert([(1,), (2,), (3,)])
    Node.Link.insert([(1, 2), (2, 3)])
    assert (Node & "node = 1").delete() == 1
    with pytest.raises(dj.DataJointError, match=r"Node\.Link before its master"):
        (Node & "node = 3").delete()
    assert (Node & "node = 3").delete(part_integrity="cascade") == 2
    assert len(Node) == 0
