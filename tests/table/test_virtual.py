"""Virtual modules: tables as classes, without the code that declared them."""

from __future__ import annotations

import warnings
from dataclasses import replace
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import djupyter as dj
from djupyter.definition.names import TableName
from djupyter.sql import ddl
from tests.conftest import Database
from tests.pipelines import university


@pytest.fixture
def uni(schema: dj.Schema) -> SimpleNamespace:
    """The university, declared."""
    return university.declare(schema)


@pytest.fixture
def module(uni: SimpleNamespace, schema: dj.Schema) -> Any:
    """The same tables as a virtual module."""
    return dj.VirtualModule("uni", schema.name, connection=schema.connection)


def by_hand(connection: dj.Connection, name: TableName) -> None:
    """Create a table past djupyter, as another tool would."""
    backend = connection.backend
    place = backend.dialect.identifier_preparer.format_table(backend.table(name))
    connection.execute(f"CREATE TABLE {place} (x INT NOT NULL PRIMARY KEY)")


def classes_of(module: ModuleType) -> dict[str, Any]:
    return {name: value for name, value in vars(module).items() if name[:1].isupper()}


def test_every_table_has_a_class_of_its_tier(module: Any, uni: SimpleNamespace) -> None:
    declared = {name: cls for name, cls in vars(uni).items() if isinstance(cls, type)}
    made = classes_of(module)
    assert set(made) == set(declared)
    for name, cls in declared.items():
        assert made[name].full_table_name == cls.full_table_name
        assert made[name].tier == cls.tier
        assert made[name].heading == cls.heading
        assert made[name].definition == cls.describe()
        assert issubclass(made[name], getattr(dj, cls.tier))
        assert (made[name].__module__, made[name].__qualname__) == ("uni", name)
    assert isinstance(module, ModuleType)
    assert module.__name__ == "uni"


def test_parts_stand_inside_their_masters(module: Any, uni: SimpleNamespace) -> None:
    assert module.Section.Meeting.full_table_name == uni.Section.Meeting.full_table_name
    assert module.Section.Meeting.master is module.Section
    assert issubclass(module.Section.Meeting, dj.Part)
    with pytest.raises(dj.DataJointError, match="Part directly"):
        module.Section.Meeting.delete()


def test_rows_are_queried_inserted_and_deleted(module: Any, uni: SimpleNamespace) -> None:
    module.Student.insert([(1, "Ann", "F", None), (2, "Bob", "M", None)])
    module.StudentMajor.insert1((1, "MATH", "2024-01-31", 2))
    assert len(uni.Student & uni.StudentMajor) == 1
    assert (module.Student * module.StudentMajor).fetch1("name", "dept") == ("Ann", "MATH")
    assert (module.Student & {"student_id": 1}).delete() == 1
    assert len(uni.StudentMajor) == 0


def test_the_schema_is_a_property_of_the_module(module: Any, schema: dj.Schema) -> None:
    assert module.schema.name == schema.name
    assert "schema" in dir(module)
    assert "Student" in dir(module)
    assert isinstance(type(module).schema, property)


def test_a_missing_schema_is_an_error_with_the_nearest_name(
    schema: dj.Schema, db: Database
) -> None:
    with pytest.raises(dj.DataJointError, match=rf"does not exist.*{schema.name}"):
        dj.virtual_schema(schema.name[:-1] + "_", connection=db.connection)
    assert schema.name[:-1] + "_" not in dj.list_schemas(db.connection)


def test_a_schema_may_be_created(db: Database) -> None:
    name = db.schema_name("fresh")
    fresh = dj.virtual_schema(
        name, connection=db.connection, create_schema=True, create_tables=True
    )
    assert fresh.__name__ == name
    assert classes_of(fresh) == {}
    cls = type("Subject", (dj.Manual,), {"definition": "subject : int32"})
    assert fresh.schema(cls).is_declared
    assert fresh.Subject.heading.names == ["subject"]


def test_classes_decorated_by_a_virtual_module_are_not_declared_unless_asked(module: Any) -> None:
    late = module.schema(type("Late", (dj.Manual,), {"definition": "late : int32"}))
    assert not late.is_declared
    late().declare()
    assert late.is_declared


def test_populating_says_that_nobody_knows_how(schema: dj.Schema) -> None:
    @schema
    class Source(dj.Manual):
        definition = "i : int32"

    @schema
    class Result(dj.Computed):
        definition = "-> Source\n---\nx : float64"

    Source.insert([(1,), (2,)])
    virtual = dj.virtual_schema(schema.name, connection=schema.connection)
    with pytest.raises(NotImplementedError, match=r"Result does not say how.*make"):
        virtual.Result.populate()
    assert virtual.Result.progress() == (2, 2)
    with pytest.raises(dj.DataJointError, match="auto-populated"):
        virtual.Result.insert1((1, 2.0))
    virtual.Result.insert1((1, 2.0), allow_direct_insert=True)
    assert len(Result) == 1


def test_a_table_declared_later_is_found(module: Any, schema: dj.Schema) -> None:
    with pytest.raises(AttributeError, match="Did you mean `Student`"):
        _ = module.Studnet
    assert not hasattr(module, "nothing")
    schema(type("Later", (dj.Manual,), {"definition": "-> Student\n"}))
    assert module.Later.parents() == [module.Student.full_table_name]


def test_tables_of_no_tier_have_no_class(module: Any, schema: dj.Schema) -> None:
    connection = schema.connection
    by_hand(connection, TableName(schema.name, "a__b__c"))
    connection.catalog.forget()
    again = dj.virtual_schema(schema.name, connection=connection)
    assert set(classes_of(again)) == set(classes_of(module))
    assert again.schema["a__b__c"].heading.names == ["x"]


def test_namesakes_of_another_tier_are_told_apart(schema: dj.Schema) -> None:
    connection = schema.connection
    kind = schema(type("Kind", (dj.Manual,), {"definition": "kind : int32\n---\nn : int8"}))
    lookup = replace(kind().structure, name=TableName(schema.name, "#kind"))
    ddl.declare(connection, lookup)
    with pytest.warns(UserWarning, match=r'no class for the table .*schema\["kind"\]'):
        virtual = dj.virtual_schema(schema.name, connection=connection)
    assert virtual.Kind.table_name == "#kind"
    assert virtual.schema["kind"].table_name == "kind"


def test_added_objects_are_names_of_the_module_and_of_definitions(
    uni: SimpleNamespace, schema: dj.Schema
) -> None:
    virtual = dj.VirtualModule(
        "uni",
        schema.name,
        connection=schema.connection,
        create_tables=True,
        add_objects={"Pupil": uni.Student, "answer": 42},
    )
    assert virtual.answer == 42
    club = virtual.schema(type("Club", (dj.Manual,), {"definition": "-> Pupil\nclub : int8"}))
    assert club.parents() == [uni.Student.full_table_name]


def test_tables_of_a_virtual_module_are_parents_in_other_schemas(module: Any, db: Database) -> None:
    other = dj.Schema(db.schema_name("other"), connection=db.connection)
    uni = module

    @other
    class Locker(dj.Manual):
        definition = "-> uni.Student\n---\nlocker : int16"

    assert Locker.parents() == [uni.Student.full_table_name]
    assert uni.Student.children()[-1] == Locker.full_table_name


def test_classes_are_made_for_what_a_namespace_lacks(
    uni: SimpleNamespace, schema: dj.Schema
) -> None:
    names: dict[str, Any] = {"__name__": "analysis", "Student": uni.Student, "Section": 5}
    with pytest.warns(UserWarning, match="`Section` is a int already"):
        schema.make_classes(names)
    assert names["Student"] is uni.Student
    assert names["Section"] == 5
    assert names["Course"].__module__ == "analysis"
    assert names["Course"].full_table_name == uni.Course.full_table_name


def test_missing_parts_are_added_to_a_master_that_is_there(schema: dj.Schema) -> None:
    whole = schema(
        type(
            "Session",
            (dj.Manual,),
            {
                "definition": "session : int32",
                "Trial": type("Trial", (dj.Part,), {"definition": "-> master\ntrial : int32"}),
            },
        )
    )
    again = dj.Schema(schema.name, connection=schema.connection)
    bare = again(type("Session", (dj.Manual,), {"definition": "session : int32"}))
    names = {"Session": bare}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again.make_classes(names)
    assert bare.Trial.full_table_name == whole.Trial.full_table_name
    assert bare.Trial.master is bare


def test_classes_land_in_the_callers_namespace(uni: SimpleNamespace, schema: dj.Schema) -> None:
    program = {"schema": schema, "__name__": "notebook"}
    exec("schema.make_classes()", program)
    assert program["Student"].full_table_name == uni.Student.full_table_name
    assert program["Student"].__module__ == "notebook"


def test_a_module_takes_the_same_few_statements_however_many_tables(
    schema: dj.Schema, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = []
    for number in range(12):
        definition = f"-> Table{number - 1}" if number else "a : int32"
        schema(type(f"Table{number}", (dj.Manual,), {"definition": definition}))
        if number in (1, 11):
            with dj.Connection(db.url) as other, monkeypatch.context() as patch:
                statements = recorded(other, patch)
                module = dj.virtual_schema(schema.name, connection=other)
                assert len(classes_of(module)) == number + 1
                counts.append(len(statements))
    assert counts[0] == counts[1] <= 20


def recorded(connection: dj.Connection, patch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows by each statement that reads."""
    statements: list[str] = []
    fetch = connection.fetch

    def counting(sql: str, params: Any = ()) -> Any:
        statements.append(sql)
        return fetch(sql, params)

    patch.setattr(connection, "fetch", counting)
    patch.setattr(connection.catalog, "_fetch", counting)
    return statements
