"""Cycles of foreign keys: ours are refused with the way round, those of other tools do no harm."""

from __future__ import annotations

import pytest

import djupyter as dj
from djupyter.definition.names import TableName
from djupyter.graph.dependencies import DependencyCycle
from tests.conftest import Database


@pytest.fixture
def schemas(db: Database) -> tuple[dj.Schema, dj.Schema]:
    one, two = (dj.Schema(db.schema_name(n), connection=db.connection) for n in ("one", "two"))

    @one
    class First(dj.Manual):
        definition = "a : int8"

    @two
    class Second(dj.Manual):
        definition = f"-> `{one.name}`.`first`"

    First.insert([(1,), (2,)])
    Second.insert([(1,)])
    return one, two


def back(one: dj.Schema, two: dj.Schema) -> type[dj.Manual]:
    """Declare a table that closes a cycle between the schemas."""
    table = type("Third", (dj.Manual,), {"definition": f"-> `{two.name}`.`second`"})
    one(table)
    return table


def test_a_cycle_between_schemas_is_refused_and_the_way_round_told(
    schemas: tuple[dj.Schema, dj.Schema],
) -> None:
    one, two = schemas
    with pytest.raises(
        DependencyCycle, match=f"{one.name} → {two.name} → {one.name}.*allow_schema_cycles"
    ):
        back(one, two)
    assert one.list_tables() == ["first"]


def test_a_setting_turns_the_refusal_of_schema_cycles_into_a_warning(
    schemas: tuple[dj.Schema, dj.Schema], db: Database
) -> None:
    one, two = schemas
    db.connection.settings["database.allow_schema_cycles"] = True
    way = f"Third closes a cycle of schemas .{one.name} → {two.name} → {one.name}"
    with pytest.warns(UserWarning, match=way):
        third = back(one, two)
    third.insert1((1,))
    assert one.list_tables() == ["first", "third"]
    diagram = dj.Diagram(one) + two
    assert [table.table_name for table in diagram] == ["first", "second", "third"]
    assert len(diagram.collapse().drawing().boxes) == 2
    first = one.get_table("First")
    assert len(first.restrict_by(third)) == 1
    assert (first & "a = 1").delete() == 1
    assert len(third) == 0


def _tables_of_another_tool(db: Database, schema: dj.Schema) -> None:
    """Make two tables that refer to each other and one that refers to itself."""
    backend, connection = db.connection.backend, db.connection

    def name(table: str) -> str:
        place, physical = backend.locate(TableName(schema.name, table))
        return ".".join(map(backend.quote, filter(None, (place, physical))))

    later = "" if db.server == "sqlite" else None
    egg, hen, own = name("egg"), name("hen"), name("own")
    reference = f", FOREIGN KEY (hen) REFERENCES {hen} (hen)" if later is not None else ""
    connection.query(f"CREATE TABLE {egg} (egg INTEGER PRIMARY KEY, hen INTEGER{reference})")
    connection.query(
        f"CREATE TABLE {hen} (hen INTEGER PRIMARY KEY, egg INTEGER, "
        f"FOREIGN KEY (egg) REFERENCES {egg} (egg))"
    )
    if later is None:
        connection.query(f"ALTER TABLE {egg} ADD FOREIGN KEY (hen) REFERENCES {hen} (hen)")
    connection.query(
        f"CREATE TABLE {own} (own INTEGER PRIMARY KEY, boss INTEGER, "
        f"FOREIGN KEY (boss) REFERENCES {own} (own))"
    )
    connection.query(f"INSERT INTO {egg} VALUES (1, NULL), (2, NULL)")
    connection.query(f"INSERT INTO {hen} VALUES (1, 1)")
    connection.query(f"UPDATE {egg} SET hen = 1 WHERE egg = 2")
    connection.query(f"INSERT INTO {own} VALUES (1, NULL), (2, 1)")
    connection.catalog.forget()


def test_cycles_of_tables_that_another_tool_made_do_no_harm(db: Database) -> None:
    schema = dj.Schema(db.schema_name("farm"), connection=db.connection)
    _tables_of_another_tool(db, schema)
    assert sorted(schema.list_tables()) == ["egg", "hen", "own"]
    egg, own = schema.get_table("egg"), schema.get_table("own")
    assert len(dj.Diagram(egg) + 5) == 2
    assert "flowchart" in dj.Diagram(schema).make_mermaid()
    assert len(egg.ancestors()) == len(egg.descendants()) == 2
    assert own.parents() == own.children() == [own.full_table_name]
    assert dj.Diagram.trace(own & "own = 2").counts() == {own.full_table_name: 1}
    with pytest.raises(dj.errors.IntegrityError):
        (own & "own = 1").delete()
    assert (own & "own = 2").delete() == 1
    assert len(own) == 1
    with pytest.raises(dj.DataJointError, match="refer to each other"):
        schema.drop()
