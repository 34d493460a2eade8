from __future__ import annotations

import threading

import pytest

from djupyter.definition.names import TableName
from djupyter.errors import DataJointError, MissingTableError
from djupyter.sql import ddl
from djupyter.sql.connection import Connection
from djupyter.sql.reflect import Catalog
from tests.sql.conftest import FAR_AWAY, LAB, LABORATORY, OTHER, ours, place


@pytest.fixture
def other(db):
    """Another process, as far as the database can tell."""
    with Connection(db.url) as connection:
        yield connection


@pytest.fixture(autouse=True)
def untrusting(monkeypatch):
    """Servers count no changes: here they are asked each time."""
    monkeypatch.setattr(Catalog, "trusted_for", 0.0)
    monkeypatch.setattr("djupyter.sql.reflect._REST", 0)


class Counting:
    """A catalog that counts its statements."""

    def __init__(self, connection: Connection) -> None:
        self.count = 0
        self.connection = connection
        self.catalog = Catalog(lambda: connection.backend, self.fetch)

    def fetch(self, sql, params=()):
        self.count += 1
        return self.connection.fetch(sql, params)


def test_a_schema_loads_with_the_same_few_statements_however_many_tables(connection, declare):
    counts = []
    for number in range(1, 25):
        declare(f"Mouse{number}", "mouse : int32\n---\nname : varchar(10)\nindex (name)")
        if number in (1, 24):
            counting = Counting(connection)
            assert len(counting.catalog.structures(LAB)) == number
            counts.append(counting.count)
    assert counts[0] == counts[1] <= 8


def test_what_is_known_costs_at_most_one_look_at_the_count_of_changes(
    connection, declare, monkeypatch
):
    monkeypatch.setattr(Catalog, "trusted_for", 60.0)
    structure = declare("Mouse", "mouse : int32")
    counting = Counting(connection)
    assert counting.catalog.structure(structure.name) == structure
    before = counting.count
    assert counting.catalog.remembered(structure.name) == structure
    assert counting.count == before
    assert counting.catalog.structure(structure.name) == structure
    counts = connection.catalog.version() is not None
    assert counting.count == before + counts


def test_declaring_many_tables_does_not_read_the_schema_again(connection, declare, monkeypatch):
    monkeypatch.setattr(Catalog, "trusted_for", 60.0)
    declare("First", "first : int32")
    connection.catalog.structures(LAB)
    monkeypatch.setattr(connection.backend, "read_tables", None)
    declare("Second", "-> First")
    assert set(connection.catalog.structures(LAB)) == {"first", "second"}


def test_a_table_declared_elsewhere_is_found(connection, declare, other):
    other.catalog.load_all()
    structure = declare("Mouse", "mouse : int32")
    assert other.catalog.structure(structure.name) == structure
    assert other.catalog.exists(LAB)


def test_a_table_dropped_elsewhere_is_forgotten_when_it_is_missed(connection, declare, other):
    structure = declare("Mouse", "mouse : int32")
    assert other.catalog.structure(structure.name) == structure
    ddl.drop(connection, structure.name)
    with pytest.raises(MissingTableError, match=rf"`{LAB}`\.`mouse`"):
        other.fetch(f"SELECT * FROM {place(connection, 'mouse')}")
    assert other.catalog.structure(structure.name) is None


def test_a_declaration_beside_that_of_another_process_misses_nothing(connection, declare, other):
    declare("Mouse", "mouse : int32")
    connection.catalog.load_all()
    structure = other.catalog.structures(LAB)["mouse"]
    theirs = TableName(LAB, "theirs")
    ddl.declare(other, type(structure)(theirs, "", structure.attributes))
    declare("Ours", "ours : int32")
    assert set(connection.catalog.structures(LAB)) == {"mouse", "theirs", "ours"}


def test_children_are_found_in_all_schemas_once_for_each_foreign_key(connection, declare, other):
    parent = declare("Mouse", "mouse : int32")
    assert other.catalog.children(parent.name) == []
    child = declare("Pair", "-> Mouse.proj(a='mouse')\n-> Mouse.proj(b='mouse')", FAR_AWAY)
    found = other.catalog.children(parent.name)
    assert found == [(child.name, key) for key in child.foreign_keys]
    assert [key.names for _, key in found] == [("a",), ("b",)]
    assert other.catalog.children(child.name) == []


def test_tables_of_other_tools_are_left_alone(connection, declare, db):
    if db.backend != "sqlite":
        pytest.skip("only in a file do tables lie beside all schemas")
    declare("Mouse", "mouse : int32")
    connection.execute("CREATE TABLE theirs (x INT)")
    connection.execute('CREATE TABLE "no_schema.theirs" (x INT)')
    connection.catalog.forget()
    assert {s: list(t) for s, t in ours(connection).items()} == {LAB: ["mouse"]}


def test_a_table_made_by_hand_in_our_schema_is_read_by_its_own_types(connection, declare):
    declare("Mouse", "mouse : int32")
    strange = {"sqlite": '"MY TYPE"', "mysql": "point", "postgresql": "point"}
    connection.execute(
        f"CREATE TABLE {place(connection, 'by_hand')} "
        f"(a INT NOT NULL PRIMARY KEY, b TEXT, c {strange[connection.backend.name]})"
    )
    read = connection.catalog.structure(TableName(LAB, "by_hand"))
    types = [attribute.type_text for attribute in read.attributes]
    assert types in (
        ["int", "text", "my type"],
        ["int", "text", "point"],
        ["integer", "text", "point"],
    )
    assert read.heading.primary_key == ["a"]


def test_a_schema_that_does_not_exist_is_named_with_the_nearest(connection, declare):
    declare("Mouse", "mouse : int32", LABORATORY)
    with pytest.raises(DataJointError, match=f"Did you mean `{LABORATORY}`"):
        connection.catalog.structures(LABORATORY.replace("labo", "lab"))
    assert (
        connection.catalog.structure(TableName(LABORATORY.replace("labo", "lab"), "mouse")) is None
    )


def test_one_schema_can_be_forgotten(connection, declare):
    mouse = declare("Mouse", "mouse : int32")
    room = declare("Room", "room : int32", OTHER)
    connection.catalog.load_all()
    connection.catalog.forget(LAB)
    assert connection.catalog.remembered(mouse.name) is None
    assert connection.catalog.remembered(room.name) == room
    assert set(ours(connection)) == {LAB, OTHER}


def test_threads_load_the_catalog_together(connection, declare):
    structure = declare("Mouse", "mouse : int32")
    connection.catalog.forget()
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(connection.catalog.structure(structure.name)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [structure] * 8
