"""Programs that define the same at the same time: one is first, the others find what it made."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from djupyter.definition.names import TableName
from djupyter.errors import DataJointError
from djupyter.heading.structure import ForeignKey
from djupyter.sql import ddl
from djupyter.sql.connection import Connection
from tests.conftest import Database
from tests.sql.conftest import LAB

PROGRAMS = 4


def together(db: Database, act: Callable[[Connection, int], Any]) -> list[Any]:
    """Run something on several connections at the same moment; return what each said."""
    barrier = threading.Barrier(PROGRAMS)
    with ExitStack() as stack:
        connections = [stack.enter_context(Connection(db.url, timeout=20)) for _ in range(PROGRAMS)]

        def run(number: int) -> Any:
            connections[number].connect()
            barrier.wait()
            return act(connections[number], number)

        with ThreadPoolExecutor(PROGRAMS) as pool:
            return list(pool.map(run, range(PROGRAMS)))


def test_one_program_declares_a_table_and_the_others_find_it(db, connection, declare):
    mouse = declare("Mouse", "mouse : int32\n---\nname : varchar(20)\nindex (name)")
    for number in range(10):
        own = replace(mouse, name=TableName(LAB, f"mouse{number}"))
        assert sorted(together(db, lambda program, _, own=own: ddl.declare(program, own))) == [
            *[False] * (PROGRAMS - 1),
            True,
        ]
    connection.catalog.forget()
    read = connection.catalog.structures(LAB)
    assert len(read) == 11
    assert {each.attributes[0].lineage for each in read.values()} == {mouse.attributes[0].lineage}


def test_programs_that_declare_other_tables_of_a_new_schema_do_not_hinder_each_other(
    db, connection, declare
):
    mouse = declare("Mouse", "mouse : int32")
    scan = declare("Scan", "-> Mouse\nscan : int32")

    def several(program: Connection, number: int) -> list[bool]:
        names = [TableName(LAB, f"scan_{number}_{place}") for place in range(5)]
        return [ddl.declare(program, replace(scan, name=name)) for name in names]

    assert together(db, several) == [[True] * 5] * PROGRAMS
    connection.catalog.forget()
    assert len(connection.catalog.children(mouse.name)) == 5 * PROGRAMS + 1


def test_a_schema_is_created_by_several_programs(db, connection, declare):
    assert together(db, lambda program, _: ddl.create_schema(program, LAB)) == [None] * PROGRAMS
    assert connection.catalog.exists(LAB)
    declare("Mouse", "mouse : int32")


def test_many_schemas_are_read_while_others_are_dropped(db, connection, declare):
    mouse = declare("Mouse", "mouse : int32\n---\nname = 'x' : varchar(20)")
    schemas = [f"{LAB}_{number}_{LAB.partition('_')[2]}" for number in range(60)]
    key = ForeignKey(mouse.name, (("mouse", "mouse"),))
    for schema in schemas:
        ddl.create_schema(connection, schema)
        ddl.declare(
            connection, replace(mouse, name=TableName(schema, "mouse"), foreign_keys=(key,))
        )
    kept = set(schemas[::2])

    def act(program: Connection, number: int) -> None:
        if number:
            for _ in range(2):
                assert kept <= set(program.catalog.load_all())
                assert kept <= set(program.catalog.connected(LAB))
        else:
            for schema in schemas[1::2]:
                ddl.drop_schema(program, schema)

    together(db, act)
    connection.catalog.forget()
    assert {name.schema for name, _ in connection.catalog.children(mouse.name)} == kept
    with pytest.raises(DataJointError, match="does not exist"):
        connection.catalog.structures(schemas[1])
