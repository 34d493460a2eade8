"""Diagrams: which tables, combined how, with which rows, and drawn how."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace

import pytest

import djupyter as dj
from djupyter.errors import MissingTableError
from tests.conftest import Database
from tests.pipelines import university
from tests.statements import statements


@pytest.fixture
def uni(schema: dj.Schema) -> SimpleNamespace:
    tables = university.declare(schema)
    university.fill(tables)
    return tables


def names(diagram: dj.Diagram) -> set[str]:
    return {table.name.class_name for table in diagram}


EVERYTHING = {
    *("Department", "Student", "StudentMajor", "Course", "Section", "Section.Meeting"),
    *("Enroll", "Grade"),
}


# Which tables


def test_a_diagram_begins_with_a_table_a_schema_or_a_module(
    uni: SimpleNamespace, schema: dj.Schema
) -> None:
    assert names(dj.Diagram(uni.Student)) == {"Student"}
    assert names(dj.Diagram(uni.Student & "student_id = 1")) == {"Student"}
    assert names(dj.Diagram(uni.Student * uni.Enroll.proj())) == {"Student", "Enroll"}
    assert names(dj.Diagram(schema)) >= EVERYTHING
    by_schema, by_tables = ModuleType("by_schema"), ModuleType("by_tables")
    by_schema.schema = schema
    by_tables.Student, by_tables.Other = uni.Student, uni.Enroll
    assert names(dj.Diagram(by_schema)) == names(dj.Diagram(schema))
    assert names(dj.Diagram(by_tables)) == {"Student", "Enroll"}
    both = dj.Diagram.from_sequence([uni.Student, dj.Diagram(uni.Course)])
    assert names(both) == {"Student", "Course"}


def test_what_is_no_table_is_refused_with_the_way_to_write_it(uni: SimpleNamespace) -> None:
    with pytest.raises(dj.DataJointError, match="from_sequence"):
        dj.Diagram([uni.Student])
    with pytest.raises(dj.DataJointError, match="at least one"):
        dj.Diagram.from_sequence([])
    with pytest.raises(dj.DataJointError, match="no tables"):
        dj.Diagram(ModuleType("empty"))
    uni.Grade.drop()
    with pytest.raises(MissingTableError, match="grade"):
        dj.Diagram(uni.Grade)


def test_levels_are_added_downstream_and_upstream(uni: SimpleNamespace) -> None:
    student = dj.Diagram(uni.Student)
    assert names(student + 1) == {"Student", "StudentMajor", "Enroll"}
    assert names(student + 2) == {"Student", "StudentMajor", "Enroll", "Grade"}
    assert names(student + 99) == names(student + 2)
    assert names(dj.Diagram(uni.Enroll) - 1) == {"Enroll", "Student", "Section"}
    assert names(student + 0) == {"Student"}


def test_diagrams_are_combined_as_sets(uni: SimpleNamespace, schema: dj.Schema) -> None:
    below = dj.Diagram(uni.Student) + 9
    assert names(below + uni.Course) == names(below) | {"Course"}
    assert names(dj.Diagram(schema) - below) == names(dj.Diagram(schema)) - names(below)
    assert names(below * (dj.Diagram(uni.Grade) - 9)) == {"Student", "Enroll", "Grade"}
    assert names(below) == {"Student", "StudentMajor", "Enroll", "Grade"}


def test_parts_are_added_on_request(uni: SimpleNamespace) -> None:
    assert names(dj.Diagram(uni.Section).add_parts()) == {"Section", "Section.Meeting"}


def test_a_diagram_lists_its_tables_parents_first(uni: SimpleNamespace) -> None:
    diagram = dj.Diagram(uni.Grade) - 9
    order = [table.full_table_name for table in diagram]
    assert diagram.nodes == order
    assert len(diagram) == len(order)
    assert all(order.index(parent) < order.index(child) for parent, child in diagram.edges)
    assert uni.Student in diagram
    assert uni.Student.full_table_name in diagram
    assert uni.StudentMajor() not in diagram
    assert "nothing" not in diagram


def test_diagrams_of_two_connections_do_not_mix(uni: SimpleNamespace) -> None:
    with dj.Connection("sqlite://") as other:
        elsewhere = dj.Schema("elsewhere", connection=other)
        elsewhere(type("Stray", (dj.Manual,), {"definition": "a : int8"}))
        with pytest.raises(dj.DataJointError, match="one connection"):
            dj.Diagram(uni.Student) + dj.Diagram(elsewhere)


def test_tables_declared_later_can_be_added(uni: SimpleNamespace, schema: dj.Schema) -> None:
    before = dj.Diagram(uni.Student)

    @schema
    class Visitor(dj.Manual):
        definition = "visitor : int8\n---\n-> self.host"
        host = uni.Student

    assert names(before + Visitor) == names(dj.Diagram(Visitor) + before) == {"Student", "Visitor"}


# Rows


def test_counts_come_in_one_statement(uni: SimpleNamespace, db: Database) -> None:
    diagram = dj.Diagram.cascade(uni.Student & "student_id = 1")
    with statements(db.connection) as seen:
        counts = diagram.counts()
    assert len(seen) == 1
    assert {name.split(".")[1].strip("`"): n for name, n in counts.items()} == {
        "student": 1, "student_major": 3, "enroll": 2, "grade": 1,
    }  # fmt: skip


def test_nothing_is_counted_before_rows_are_chosen(uni: SimpleNamespace) -> None:
    with pytest.raises(dj.DataJointError, match="No rows were chosen"):
        dj.Diagram(uni.Student).counts()
    with pytest.raises(dj.DataJointError, match="no rows of Student"):
        dj.Diagram(uni.Student)[uni.Student]


def test_classes_serve_as_well_as_instances(uni: SimpleNamespace, schema: dj.Schema) -> None:
    assert dj.Diagram.cascade(uni.Student).counts() == dj.Diagram.cascade(uni.Student()).counts()
    assert len(dj.Diagram.trace(uni.Grade)[uni.Student]) == 2
    assert dj.Diagram(schema).restrict(uni.Student).counts()[uni.Student.full_table_name] == 3
    with pytest.raises(dj.DataJointError, match="needs a table"):
        dj.Diagram.trace(uni.Student.proj())


def test_a_cascade_or_trace_is_not_restricted_again(uni: SimpleNamespace) -> None:
    for diagram in (dj.Diagram.cascade(uni.Student), dj.Diagram.trace(uni.Grade)):
        with pytest.raises(dj.DataJointError, match="cannot be restricted"):
            diagram.restrict(uni.Student)


def test_only_one_of_two_diagrams_that_are_added_has_rows(uni: SimpleNamespace) -> None:
    cascade = dj.Diagram.cascade(uni.Enroll & "student_id = 1")
    assert (dj.Diagram(uni.Course) + cascade).counts() == cascade.counts()
    assert (cascade + uni.Course).counts() == cascade.counts()
    with pytest.raises(dj.DataJointError, match="Both diagrams"):
        cascade + dj.Diagram.trace(uni.Enroll)


def test_tables_without_rows_are_pruned(uni: SimpleNamespace, schema: dj.Schema) -> None:
    uni.Grade.delete()
    assert names(dj.Diagram(schema).prune()) == names(dj.Diagram(schema)) - {"Grade"}
    none = dj.Diagram(uni.Student) + 9
    assert names(none.restrict(uni.Student & "student_id = 99").prune()) == set()


def test_the_trace_of_a_table_that_is_no_ancestor_is_refused(uni: SimpleNamespace) -> None:
    trace = dj.Diagram.trace(uni.Enroll & "student_id = 1")
    assert trace[uni.Student].fetch1("student_id") == 1
    assert len(trace[uni.Student.full_table_name]) == 1
    with pytest.raises(dj.DataJointError, match="no rows of Grade"):
        trace[uni.Grade]


# Pictures


def test_mermaid_shows_tiers_schemas_and_kinds_of_references(schema: dj.Schema) -> None:
    @schema
    class Source(dj.Lookup):
        definition = "s : int8"

    @schema
    class Scan(dj.Imported):
        definition = "-> Source"

        class Frame(dj.Part):
            definition = "-> master\nframe : int8\n---\n-> [nullable] Source.proj(other='s')"

    text = (dj.Diagram(schema)).make_mermaid()
    name = schema.name
    assert text.splitlines()[0] == "flowchart LR"
    assert f'    subgraph {name}["{name}"]' in text
    assert f'{name}_Source["Source"]:::lookup' in text
    assert f'{name}_Scan("Scan"):::imported' in text
    assert f"{name}_Source ==> {name}_Scan\n" in text
    assert f"{name}_Scan --> {name}_Scan_Frame" in text
    assert f'{name}_Source -.->|"other = s"| {name}_Scan_Frame' in text


def test_collapsed_tables_are_one_box_for_each_schema(
    uni: SimpleNamespace, schema: dj.Schema
) -> None:
    whole = dj.Diagram(schema)
    alone = whole.collapse().drawing()
    assert [(box.name, box.tables) for box in alone.boxes] == [("", len(whole))]
    assert alone.lines == ()
    with_one = whole.collapse() + uni.Student
    assert {(box.name, box.tables) for box in with_one.drawing().boxes} == {
        ("", len(whole) - 1), ("Student", 1),
    }  # fmt: skip
    assert f'[["{len(whole) - 1} tables"]]:::collapsed' in with_one.make_mermaid()
    assert len(with_one) == len(whole)
    assert '[["1 table"]]' in dj.Diagram(uni.Student).collapse().make_mermaid()


def test_the_text_of_a_diagram_tells_tables_and_parents(
    uni: SimpleNamespace, schema: dj.Schema
) -> None:
    name = schema.name
    assert repr(dj.Diagram(uni.Student) + 1).splitlines() == [
        "Diagram of 3 tables",
        f"  {name}.Student",
        f"  {name}.Enroll  <- Student",
        f"  {name}.StudentMajor  <- Student",
    ]
