"""Schemas are activated now or later, and know their tables."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import djupyter as dj
from tests.conftest import Database
from tests.pipelines import university


def test_a_schema_is_activated_later_with_the_classes_that_wait(db: Database) -> None:
    schema = dj.Schema()

    @schema
    class A(dj.Manual):
        definition = "a : int8"

    @schema
    class B(dj.Manual):
        definition = "-> A"

    assert not schema.is_activated()
    for use in (lambda: A.heading, lambda: A().insert1((1,)), lambda: len(A), lambda: A.describe()):
        with pytest.raises(
            (dj.DataJointError, TypeError), match=r"not properly configured|describe"
        ):
            use()
    name = db.schema_name("late")
    schema.activate(name, connection=db.connection)
    schema.activate(name)
    B.connection.catalog.forget()
    assert schema.list_tables() == ["a", "b"]
    with pytest.raises(dj.DataJointError, match=f"already activated for schema {name}"):
        schema.activate("other")


def test_a_missing_schema_or_table_is_left_missing_when_told(db: Database) -> None:
    name = db.schema_name("gone")
    with pytest.raises(dj.DataJointError, match="does not exist"):
        dj.Schema(name, connection=db.connection, create_schema=False)
    schema = dj.Schema(name, connection=db.connection, create_tables=False)

    @schema
    class A(dj.Manual):
        definition = "a : int8"

    assert not A.is_declared
    assert schema.list_tables() == []


def test_a_schema_is_not_created_inside_a_transaction_which_some_databases_would_commit(
    schema: dj.Schema, db: Database
) -> None:
    uni = university.declare(schema)
    name = db.schema_name("inside")

    def create() -> None:
        with db.connection.transaction:
            uni.Department.insert1(("ARTS", "Fine Arts"))
            dj.Schema(name, connection=db.connection)

    before = len(uni.Department())
    with pytest.raises(dj.DataJointError, match="cannot be created inside a transaction"):
        create()
    assert len(uni.Department()) == before
    assert name not in dj.list_schemas(db.connection)


def test_tables_are_found_by_class_and_by_database_name(schema: dj.Schema) -> None:
    uni = university.declare(schema)
    for name in ("Department", "#department", "department"):
        assert schema[name].full_table_name == uni.Department.full_table_name
    assert schema["Section.Meeting"].table_name == "section__meeting"
    assert "Student" in schema
    assert "Nobody" not in schema
    assert set(schema) == set(schema.list_tables())
    with pytest.raises(dj.DataJointError, match="Did you mean `Student`"):
        schema.get_table("Studnet")


def test_a_free_table_works_by_name_alone(schema: dj.Schema) -> None:
    uni: SimpleNamespace = university.declare(schema)
    for text in (uni.Student.full_table_name, f"{schema.name}.student"):
        free = dj.FreeTable(schema.connection, text)
        assert free.heading.names == uni.Student.heading.names
    with pytest.raises(dj.DataJointError, match="is not a full table name"):
        dj.FreeTable(schema.connection, "student")
    with pytest.raises(dj.DataJointError, match="not in the database"):
        dj.FreeTable(schema.connection, f"{schema.name}.nobody").heading  # noqa: B018
