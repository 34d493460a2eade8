"""A table knows its relatives, and is restricted by those far away."""

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


# Far restrictions


def test_rows_are_chosen_by_a_distant_ancestor_or_descendant(uni: SimpleNamespace) -> None:
    biology = uni.Grade.restrict_by(uni.Department & "dept = 'BIOL'")
    assert len(biology) == len(uni.Grade & "dept = 'BIOL'")
    chosen = uni.Department.restrict_by(uni.Grade)
    assert {row["dept"] for row in chosen} == {row["dept"] for row in uni.Grade}
    assert len(uni.Student.restrict_by(uni.Student & "student_id = 1")) == 1


def test_the_result_is_a_table_that_can_be_restricted_joined_and_deleted(
    uni: SimpleNamespace,
) -> None:
    enrolled = uni.Student.restrict_by(uni.Grade & "grade > 3")
    assert len((enrolled & "student_id > 0") * uni.Enroll) == 2
    assert len(uni.Student - enrolled.proj()) == 2
    assert enrolled.aggr(uni.Enroll, n="count(*)").fetch1("n") == 2
    assert enrolled.delete() == 1


def test_a_null_reference_leads_nowhere_and_any_of_several_routes_counts(
    schema: dj.Schema,
) -> None:
    @schema
    class Person(dj.Manual):
        definition = "person : int8"

    @schema
    class Visit(dj.Manual):
        definition = """
        visit : int8
        ---
        -> Person
        -> [nullable] Person.proj(guide='person')
        """

    @schema
    class Photo(dj.Manual):
        definition = "photo : int8\n---\n-> Visit"

    Person.insert([(1,), (2,), (3,)])
    Visit.insert([(1, 1, None), (2, 2, 1), (3, 3, 2)])
    Photo.insert([(10, 1), (20, 2), (30, 3)])
    photos = Photo.restrict_by(Person & "person = 1")
    assert [row["photo"] for row in photos] == [10, 20]
    people = Person.restrict_by(Photo & "photo = 30").to_arrays("person", order_by="KEY")
    assert people.tolist() == [2, 3]


def test_what_is_not_connected_is_refused_with_the_way_to_go(
    uni: SimpleNamespace, schema: dj.Schema
) -> None:
    with pytest.raises(
        dj.DataJointError,
        match=r"Both depend on Student.*Grade.restrict_by\(Student.restrict_by\(StudentMajor & ...\)\)",
    ):
        uni.Grade.restrict_by(uni.StudentMajor)

    @schema
    class Island(dj.Manual):
        definition = "a : int8"

    with pytest.raises(dj.DataJointError, match="no common ancestor"):
        Island.restrict_by(uni.Student)
    with pytest.raises(dj.DataJointError, match="needs a table"):
        uni.Grade.restrict_by("student_id = 1")
    with pytest.raises(dj.DataJointError, match="needs a table"):
        uni.Grade.restrict_by(uni.Student.proj())
    Island.drop()
    with pytest.raises(MissingTableError, match="island"):
        uni.Grade.restrict_by(Island)


def test_tables_of_two_connections_are_not_connected(uni: SimpleNamespace) -> None:
    with dj.Connection("sqlite://") as other:
        elsewhere = dj.Schema("elsewhere", connection=other)
        stray = elsewhere(type("Stray", (dj.Manual,), {"definition": "a : int8"}))
        with pytest.raises(dj.DataJointError, match="different connections"):
            uni.Grade.restrict_by(stray)


# Neighbours


def test_parents_and_children_come_once_for_each_foreign_key_with_its_details(
    uni: SimpleNamespace,
) -> None:
    student, department = uni.Student.full_table_name, uni.Department.full_table_name
    assert sorted(uni.StudentMajor.parents()) == sorted([student, department, student])
    assert uni.StudentMajor.parents(primary=True) == [student]
    details = dict(uni.StudentMajor.parents(primary=True, foreign_key_info=True))
    assert details[student] == {
        "primary": True, "attr_map": {"student_id": "student_id"}, "aliased": False, "multi": False,
    }  # fmt: skip
    aliased = [
        info
        for _, info in uni.StudentMajor.parents(False, foreign_key_info=True)
        if info["aliased"]
    ]
    assert aliased == [
        {"primary": False, "attr_map": {"mentor": "student_id"}, "aliased": True, "multi": True}
    ]
    children = uni.Student.children()
    assert children.count(uni.StudentMajor.full_table_name) == 2
    (enroll,) = [t for t in uni.Student.children(True, as_objects=True) if "enroll" in t.table_name]
    assert len(enroll) == len(uni.Enroll)


def test_ancestors_and_descendants_begin_with_the_table_and_go_outwards(
    uni: SimpleNamespace,
) -> None:
    above = uni.Grade.ancestors(as_objects=True)
    below = uni.Department.descendants(as_objects=True)
    assert above[0].full_table_name == uni.Grade.full_table_name
    assert below[0].full_table_name == uni.Department.full_table_name
    place = {table.full_table_name: n for n, table in enumerate(above)}
    assert all(
        place[parent] > place[table.full_table_name]
        for table in above
        for parent in table.parents()
    )
    assert uni.Section.parts() == [uni.Section.Meeting.full_table_name]
    assert uni.Student.parts() == []


def test_relatives_in_schemas_that_nobody_imported_are_found(
    db: Database, uni: SimpleNamespace
) -> None:
    other = dj.Schema(db.schema_name("guests"), connection=db.connection)

    @other
    class Guest(dj.Manual):
        definition = "-> self.host"
        host = uni.Student

    with dj.Connection(db.url) as fresh:
        student = dj.FreeTable(fresh, uni.Student.full_table_name)
        assert Guest.full_table_name in student.children()
        assert Guest.full_table_name in student.descendants()
