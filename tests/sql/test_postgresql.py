"""What only PostgreSQL has: types of enums, indexes named by schema, transactions that an error ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import djupyter as dj
from djupyter.definition.names import TableName
from djupyter.definition.parser import parse
from djupyter.errors import DataJointError, DuplicateError, QueryError
from djupyter.heading.structure import resolve
from djupyter.sql import ddl
from tests.conftest import Database, Servers
from tests.statements import statements


@pytest.fixture
def db(servers: Servers) -> Iterator[Database]:
    database = Database("postgresql", servers.url("postgresql"))
    yield database
    database.close()


@pytest.fixture
def schema(db: Database) -> dj.Schema:
    return dj.Schema(db.schema_name("lab"), connection=db.connection)


def made(schema: dj.Schema, name: str, definition: str, **context: Any) -> Any:
    return schema(type(name, (dj.Manual,), {"definition": definition}), context=context)


def enums(schema: dj.Schema) -> int:
    sql = """SELECT count(*) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
        WHERE t.typtype = 'e' AND n.nspname = %s"""
    ((count,),) = schema.connection.query(sql, (schema.database,))
    return int(count)


# Enums


def test_the_type_of_an_enum_goes_with_the_last_table_that_has_it(schema):
    first = made(schema, "First", "a : int8\n---\nc : enum('x','y')")
    second = made(schema, "Second", "a : int8\n---\nc : enum('y','x')\nd : enum('x','y','z')")
    assert enums(schema) == 2
    second.drop(prompt=False)
    assert enums(schema) == 1
    first.insert1((1, "x"))
    first.drop(prompt=False)
    assert enums(schema) == 0


def test_the_type_of_an_enum_in_a_key_stays_while_its_table_does(schema, db):
    kind = made(schema, "Kind", "kind : enum('x','y')")
    other = dj.Schema(db.schema_name("other"), connection=db.connection)
    child = made(other, "Child", "-> Kind\nn : int8", Kind=kind)
    kind.insert1(("x",))
    child.insert1(("x", 1))
    child.drop(prompt=False)
    assert (enums(schema), enums(other)) == (1, 0)
    assert kind.keys() == [{"kind": "x"}]


def test_altering_an_enum_leaves_no_type_behind(schema):
    table = made(schema, "Mouse", "a : int8\n---\nc = 'x' : enum('x','y')")
    table.insert1((1, "y"))
    table.definition = "a : int8\n---\nc = 'x' : enum('x','y','z')"
    table.alter(prompt=False)
    assert enums(schema) == 1
    table.definition = "a : int8\n---\nc = 'x' : varchar(5)"
    table.alter(prompt=False)
    assert enums(schema) == 0
    assert table.fetch1("c") == "y"


# Indexes


def indexes(table: Any) -> set[tuple[tuple[str, ...], bool]]:
    connection, name = table().connection, table().name
    connection.catalog.forget()
    structure = connection.catalog.structure(name)
    return {(index.attributes, index.unique) for index in structure.indexes}


def test_indexes_of_colliding_names_are_read_as_they_were_declared(schema):
    long = "long_" * 8 + "name"
    parent = made(schema, "Parent", "p : int8")
    table = made(
        schema,
        "Thing",
        f"""a : int8
        ---
        -> Parent
        {long}_a : int8
        {long}_b : varchar(9)
        index ({long}_a)
        index ({long}_b)
        index (lower({long}_b))
        index (upper({long}_b))
        unique index ({long}_a, {long}_b)
        index (p)
        """,
        Parent=parent,
    )
    assert indexes(table) == {
        ((f"{long}_a",), False),
        ((f"{long}_b",), False),
        ((f"lower({long}_b)",), False),
        ((f"upper({long}_b)",), False),
        ((f"{long}_a", f"{long}_b"), True),
        (("p",), False),
    }


def test_an_index_gets_a_free_name_where_that_of_another_table_is_the_same(schema):
    one = made(schema, "A", "i : int8\n---\nb_c : int8\nindex (b_c)")
    other = made(schema, "AB", "i : int8\n---\nc : int8\nindex (c)")
    assert indexes(one) == {(("b_c",), False)}
    assert indexes(other) == {(("c",), False)}
    other.definition = "i : int8\n---\nc : varchar(4)\nindex (upper(c))"
    other.alter(prompt=False)
    assert indexes(other) == {(("upper(c)",), False)}


def test_an_index_of_a_table_with_the_longest_name_is_found(schema):
    name = "T" + "x" * 62
    table = made(schema, name, "i : int8\n---\na : int8\nb : int8\nindex (a)\nindex (b)")
    assert indexes(table) == {(("a",), False), (("b",), False)}


def test_a_name_that_the_server_would_cut_is_refused(schema):
    with pytest.raises(DataJointError, match="63"):
        made(schema, "Thing", f"{'x' * 64} : int8")
    assert schema.list_tables() == []


def test_a_schema_name_that_the_server_keeps_for_itself_is_refused(db):
    with pytest.raises(DataJointError, match="`pg_lab` begins with `pg_`"):
        dj.Schema("pg_lab", connection=db.connection)


# Several at a time


def test_of_processes_that_declare_the_same_table_at_once_one_makes_it(db):
    name = TableName(db.schema_name("race"), "thing")
    text = "a : int8\n---\nc : enum('x','y')\nindex (c)"
    structure = resolve(parse(text), name, lambda key: None)
    start = threading.Barrier(4)

    def declare() -> bool:
        with dj.Connection(db.url) as connection:
            connection.connect()
            start.wait()
            ddl.create_schema(connection, name.schema)
            is_new = ddl.declare(connection, structure)
            assert connection.catalog.structure(name) == structure
            return is_new

    with ThreadPoolExecutor(4) as pool:
        found = [job.result() for job in [pool.submit(declare) for _ in range(4)]]
    assert sorted(found) == [False, False, False, True]


def test_processes_declare_different_tables_with_the_same_enum_at_once(db):
    schema = db.schema_name("race")
    start = threading.Barrier(4)

    def declare(number: int) -> bool:
        text = "a : int8\n---\nc : enum('x','y')"
        structure = resolve(parse(text), TableName(schema, f"thing{number}"), lambda key: None)
        with dj.Connection(db.url) as connection:
            connection.connect()
            start.wait()
            ddl.create_schema(connection, schema)
            return ddl.declare(connection, structure)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(declare, range(4)))
    assert len(db.connection.catalog.structures(schema)) == 4


# Transactions


def test_an_error_in_a_transaction_undoes_its_statement_only(schema):
    table = made(schema, "Mouse", "a : int8")
    connection = schema.connection
    with connection.transaction:
        table.insert1((1,))
        with pytest.raises(DuplicateError):
            table.insert1((1,))
        table.insert1((2,))
        with pytest.raises(DuplicateError):
            _nested_and_failing(table)
        table.insert1((5,))
        with connection.transaction:
            table.insert1((6,))
            with pytest.raises(DuplicateError):
                table.insert1((6,))
        with pytest.raises(DuplicateError):
            table.insert1((6,))
        assert len(table()) == 4
    assert sorted(row["a"] for row in table.to_dicts()) == [1, 2, 5, 6]


def _nested_and_failing(table: Any) -> None:
    connection = table().connection
    with connection.transaction:
        table.insert1((3,))
        with pytest.raises(QueryError):
            connection.query("SELECT nonsense(1)")
        table.insert1((4,))
        table.insert1((1,))


def test_a_statement_in_a_transaction_costs_one_more(schema):
    table = made(schema, "Mouse", "a : int8")
    table.insert1((0,))
    with statements(schema.connection) as seen, schema.connection.transaction:
        for number in range(1, 6):
            table.insert1((number,))
    assert (
        len(seen) == 11
    )  # BEGIN with the first savepoint, COMMIT, and two for each, one for the first


# Values


def test_a_statement_takes_more_values_than_the_protocol_does(schema):
    table = made(schema, "Mouse", "a : int32\n---\nb : varchar(9)")
    table.insert([(1, "it's"), (2, "100%"), (70_000, "\\'")])
    texts = ", ".join(f"'{n}%'" for n in range(70_000))
    assert (table & f"b in ({texts})").fetch1("a") == 2


def test_letters_of_every_alphabet_have_upper_and_lower_case(schema):
    table = made(schema, "Word", "a : int8\n---\nw : varchar(9)")
    table.insert([(1, "ÄÉЖ"), (2, "äéж"), (3, "abc")])
    assert len(table & "lower(w) = 'äéж'") == 2
    assert (table & "a = 2").proj(u="upper(w)").fetch1("u") == "ÄÉЖ"


def test_numbers_of_32_bits_are_read_exactly(schema):
    table = made(schema, "Number", "a : int8\n---\nx : float32")
    table.insert([(1, 0.1), (2, 2.0**100)])
    assert [row["x"] for row in table.to_dicts(order_by="a")] == [0.10000000149011612, 2.0**100]


def test_an_expression_that_is_doubled_again_and_again_is_not_written_out(schema):
    table = made(schema, "Number", "a : int8\n---\nx : float64")
    table.insert1((1, 1.0))
    schema.connection.query("SET statement_timeout = '10s'")
    doubled = table.proj("x")
    for _ in range(30):
        doubled = doubled.proj(x="x + x")
    assert doubled.fetch1("x") == 2.0**30
