from __future__ import annotations

import threading

import pytest

from djupyter.definition.names import TableName
from djupyter.errors import DataJointError, MissingTableError
from djupyter.sql import ddl
from djupyter.sql.connection import Connection
from djupyter.sql.reflect import Catalog


@pytest.fixture
def other(db):
    """Another process, as far as the database can tell."""
    with Connection(db.url) as connection:
        yield connection


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
            assert len(counting.catalog.structures("lab")) == number
            counts.append(counting.count)
    assert counts[0] == counts[1] <= 8


def test_what_is_known_costs_one_look_at_the_count_of_changes(connection, declare):
    structure = declare("Mouse", "mouse : int32")
    counting = Counting(connection)
    assert counting.catalog.structure(structure.name) == structure
    before = counting.count
    assert counting.catalog.remembered(structure.name) == structure
    assert counting.count == before
    assert counting.catalog.structure(structure.name) == structure
    assert counting.count == before + 1


def test_declaring_many_tables_does_not_read_the_schema_again(connection, declare, monkeypatch):
    declare("First", "first : int32")
    connection.catalog.structures("lab")
    monkeypatch.setattr(connection.backend, "read_tables", None)
    declare("Second", "-> First")
    assert set(connection.catalog.structures("lab")) == {"first", "second"}


def test_a_table_declared_elsewhere_is_found(connection, declare, other):
    other.catalog.load_all()
    structure = declare("Mouse", "mouse : int32")
    assert other.catalog.structure(structure.name) == structure
    assert other.catalog.exists("lab")


def test_a_table_dropped_elsewhere_is_forgotten_when_it_is_missed(connection, declare, other):
    structure = declare("Mouse", "mouse : int32")
    assert other.catalog.structure(structure.name) == structure
    ddl.drop(connection, structure.name)
    with pytest.raises(MissingTableError, match=r"`lab`\.`mouse`"):
        other.fetch('SELECT * FROM "lab.mouse"')
    assert other.catalog.structure(structure.name) is None


def test_a_declaration_beside_that_of_another_process_misses_nothing(connection, declare, other):
    declare("Mouse", "mouse : int32")
    connection.catalog.load_all()
    structure = other.catalog.structures("lab")["mouse"]
    theirs = TableName("lab", "theirs")
    ddl.declare(other, type(structure)(theirs, "", structure.attributes))
    declare("Ours", "ours : int32")
    assert set(connection.catalog.structures("lab")) == {"mouse", "theirs", "ours"}


def test_children_are_found_in_all_schemas_once_for_each_foreign_key(connection, declare, other):
    parent = declare("Mouse", "mouse : int32")
    assert other.catalog.children(parent.name) == []
    child = declare("Pair", "-> Mouse.proj(a='mouse')\n-> Mouse.proj(b='mouse')", "far_away")
    found = other.catalog.children(parent.name)
    assert found == [(child.name, key) for key in child.foreign_keys]
    assert [key.names for _, key in found] == [("a",), ("b",)]
    assert other.catalog.children(child.name) == []


def test_tables_of_other_tools_are_left_alone(connection, declare):
    declare("Mouse", "mouse : int32")
    connection.execute("CREATE TABLE theirs (x INT)")
    connection.execute('CREATE TABLE "no_schema.theirs" (x INT)')
    connection.catalog.forget()
    assert {s: list(t) for s, t in connection.catalog.load_all().items()} == {"lab": ["mouse"]}


def test_a_table_made_by_hand_in_our_schema_is_read_by_its_own_types(connection, declare):
    declare("Mouse", "mouse : int32")
    connection.execute(
        'CREATE TABLE "lab.by_hand" (a INT NOT NULL PRIMARY KEY, b TEXT, c "MY TYPE")'
    )
    read = connection.catalog.structure(TableName("lab", "by_hand"))
    assert [attribute.type_text for attribute in read.attributes] == ["int", "text", "my type"]
    assert read.heading.primary_key == ["a"]


def test_a_schema_that_does_not_exist_is_named_with_the_nearest(connection, declare):
    declare("Mouse", "mouse : int32", "laboratory")
    with pytest.raises(DataJointError, match="Did you mean `laboratory`"):
        connection.catalog.structures("labratory")
    assert connection.catalog.structure(TableName("labratory", "mouse")) is None


def test_one_schema_can_be_forgotten(connection, declare):
    mouse = declare("Mouse", "mouse : int32")
    room = declare("Room", "room : int32", "other")
    connection.catalog.load_all()
    connection.catalog.forget("lab")
    assert connection.catalog.remembered(mouse.name) is None
    assert connection.catalog.remembered(room.name) == room
    assert set(connection.catalog.load_all()) == {"lab", "other"}


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
