"""Lineage is noted beside the tables, and follows from the foreign keys where it is not."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from uuid import uuid4

import pytest
import sqlalchemy as sa

import djupyter as dj
from djupyter.definition.names import TableName
from djupyter.settings import Settings
from djupyter.sql.names import LINEAGE
from tests.conftest import Database

# What lets someone read tables but not `~lineage`, and what removes that person again.
GIVEN = {
    "mysql": ("CREATE USER {user} IDENTIFIED BY 'reads'",),
    "postgresql": (
        "CREATE ROLE {user} LOGIN PASSWORD 'reads'",
        "GRANT USAGE ON SCHEMA {schema} TO {user}",
    ),
}
TAKEN = {"mysql": ("DROP USER {user}",), "postgresql": ("DROP OWNED BY {user}", "DROP ROLE {user}")}


@pytest.fixture
def other(db: Database) -> dj.Schema:
    """A schema downstream of the first."""
    return dj.Schema(db.schema_name("other"), connection=db.connection)


@pytest.fixture
def lab(schema: dj.Schema, other: dj.Schema) -> SimpleNamespace:
    """Two schemas: subjects and rooms, and what refers to them."""

    @schema
    class Subject(dj.Manual):
        definition = "subject : int32  # number\n---\nname : varchar(20)"

    @schema
    class Pair(dj.Manual):
        definition = "-> Subject.proj(first='subject')\n-> Subject.proj(second='subject')"

    @schema
    class Alone(dj.Lookup):
        definition = "---\nvalue : int32"

    @other
    class Session(dj.Imported):
        definition = "-> Subject\nsession : int32\n---\n-> [nullable] Pair"

    @other
    class Probe(dj.Manual):
        definition = "subject : int32\nprobe : int32"

    Subject.insert([(1, "ann"), (2, "bob")])
    Session.insert([(1, 1, None, None), (1, 2, None, None)], allow_direct_insert=True)
    Probe.insert([(1, 1)])
    return SimpleNamespace(Subject=Subject, Pair=Pair, Alone=Alone, Session=Session, Probe=Probe)


def place(connection: dj.Connection, schema: dj.Schema) -> str:
    """Return `~lineage` of a schema as SQL."""
    backend = connection.backend
    table = backend.table(TableName(schema.name, LINEAGE))
    return backend.dialect.identifier_preparer.format_table(table)


def noted(schema: dj.Schema) -> dict[str, str]:
    """Return what the database itself says."""
    rows = schema.connection.fetch(f"SELECT * FROM {place(schema.connection, schema)}")
    return {f"{schema.name}.{table}.{attribute}": origin for table, attribute, origin in rows}


def forget(schema: dj.Schema, condition: str = "1 = 1") -> None:
    """Delete rows of `~lineage`, as if nobody had ever written them."""
    schema.connection.execute(f"DELETE FROM {place(schema.connection, schema)} WHERE {condition}")
    schema.connection.catalog.forget()


def test_declaring_notes_where_attributes_come_from(
    lab: SimpleNamespace, schema: dj.Schema, other: dj.Schema
) -> None:
    here, there = schema.name, other.name
    assert noted(schema) == {
        f"{here}.subject.subject": f"{here}.subject.subject",
        f"{here}.pair.first": f"{here}.subject.subject",
        f"{here}.pair.second": f"{here}.subject.subject",
        f"{here}.#alone._singleton": f"{here}.#alone._singleton",
    }
    assert noted(other) == {
        f"{there}._session.subject": f"{here}.subject.subject",
        f"{there}._session.session": f"{there}._session.session",
        f"{there}._session.first": f"{here}.subject.subject",
        f"{there}._session.second": f"{here}.subject.subject",
        f"{there}.probe.subject": f"{there}.probe.subject",
        f"{there}.probe.probe": f"{there}.probe.probe",
    }
    assert schema.lineage == noted(schema)
    assert other.lineage == noted(other)
    assert schema.lineage_table_exists


def test_missing_rows_follow_from_the_foreign_keys(
    lab: SimpleNamespace, schema: dj.Schema, other: dj.Schema, db: Database
) -> None:
    before = {**schema.lineage, **other.lineage}
    forget(schema)
    forget(other, "attribute_name <> 'session'")
    with dj.Connection(db.url) as connection:
        theirs = dj.virtual_schema(other.name, connection=connection)
        subject = dj.FreeTable(connection, f"{schema.name}.subject")
        assert len(theirs.Session.proj() * subject) == 2
        assert len(subject & theirs.Session.proj()) == 1
        assert theirs.Session.heading["first"].lineage == f"{schema.name}.subject.subject"
        with pytest.raises(dj.DataJointError, match="different lineages"):
            _ = theirs.Probe * subject
        ours = dj.Schema(schema.name, connection=connection)
        assert {**ours.lineage, **theirs.schema.lineage} == before
    assert noted(schema) == {}
    assert len(noted(other)) == 1


def test_decorating_a_class_writes_nothing_that_is_missing_of_its_table(
    lab: SimpleNamespace, schema: dj.Schema, other: dj.Schema, db: Database
) -> None:
    before = schema.lineage
    forget(schema)
    again = dj.Schema(schema.name, connection=db.connection)

    @again
    class Subject(dj.Manual):
        definition = "subject : int32  # number\n---\nname : varchar(20)"

    assert Subject.heading["subject"].lineage == f"{schema.name}.subject.subject"
    assert again.lineage == before
    assert noted(schema) == {}
    again.rebuild_lineage()
    assert noted(schema) == before


def test_a_lineage_that_is_noted_counts(
    lab: SimpleNamespace, schema: dj.Schema, db: Database
) -> None:
    schema.connection.execute(
        f"UPDATE {place(schema.connection, schema)} SET lineage = 'a.b.c' WHERE table_name = 'pair'"
    )
    schema.connection.catalog.forget()
    assert {lab.Pair.heading[name].lineage for name in lab.Pair.heading} == {"a.b.c"}


def test_rebuilding_writes_what_the_foreign_keys_say(
    lab: SimpleNamespace, schema: dj.Schema, other: dj.Schema
) -> None:
    before = noted(other)
    table = place(other.connection, other)
    other.connection.execute(f"UPDATE {table} SET lineage = 'a.b.c' WHERE attribute_name = 'first'")
    other.connection.execute(f"DELETE FROM {table} WHERE attribute_name = 'session'")
    other.connection.execute(f"INSERT INTO {table} VALUES ('gone', 'x', 'a.b.c')")
    forget(schema)
    other.rebuild_lineage()
    assert noted(other) == before == other.lineage
    assert noted(schema) == {}
    assert len(lab.Subject.proj() * lab.Session) == 2


def test_rebuilding_that_fails_leaves_the_rows(
    lab: SimpleNamespace, schema: dj.Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = noted(schema)
    connection = schema.connection
    execute = connection.execute

    def failing(sql: str, params: object = ()) -> int:
        if sql.startswith("INSERT"):
            raise KeyboardInterrupt
        return execute(sql, params)

    with monkeypatch.context() as patch:
        patch.setattr(connection, "execute", failing)
        with pytest.raises(KeyboardInterrupt):
            schema.rebuild_lineage()
    assert noted(schema) == before
    with connection.transaction, pytest.raises(dj.DataJointError, match="inside a transaction"):
        schema.rebuild_lineage()


def test_a_schema_without_lineage_is_read_and_left_as_it_is(
    lab: SimpleNamespace, schema: dj.Schema, other: dj.Schema, db: Database
) -> None:
    if db.backend == "sqlite":
        pytest.skip("in a file, a schema is there when its ~lineage is")
    before = noted(other)
    other.connection.execute(f"DROP TABLE {place(other.connection, other)}")
    with dj.Connection(db.url) as connection:
        again = dj.Schema(other.name, connection=connection)
        probe = type("Probe", (dj.Manual,), {"definition": "subject : int32\nprobe : int32"})
        assert len(again(probe)) == 1
        assert not again.lineage_table_exists
        assert again.lineage == before
        later = again(type("Later", (dj.Manual,), {"definition": "-> Probe\n"}))
        assert again.lineage_table_exists
        assert set(noted(again)) == {f"{other.name}.later.{name}" for name in later.heading}
        again.rebuild_lineage()
        assert set(noted(again)) == {*before, *noted(again)}


@pytest.fixture
def reader(
    db: Database, lab: SimpleNamespace, schema: dj.Schema, other: dj.Schema
) -> Iterator[dj.Connection]:
    """A connection of someone who may read the tables of two schemas but not their lineage."""
    connection, user = db.connection, f"reads_{uuid4().hex[:8]}"
    url = sa.make_url(db.url).set(username=user, password="reads")
    for each in (schema, other):
        for statement in GIVEN.get(db.backend, ()) if each is schema else GIVEN[db.backend][1:]:
            connection.query(statement.format(user=user, schema=each.name))
        for table in each.list_tables():
            name = connection.backend.table(TableName(each.name, table))
            sql = connection.backend.dialect.identifier_preparer.format_table(name)
            connection.query(f"GRANT SELECT ON {sql} TO {user}".replace("%", "%%"))
    with dj.Connection(url.render_as_string(False), settings=Settings(safemode=False)) as found:
        yield found
    for statement in TAKEN[db.backend]:
        connection.query(statement.format(user=user))


@pytest.mark.parametrize("db", ["mariadb", "mysql", "postgresql"], indirect=True)
def test_someone_who_may_not_read_the_lineage_queries_all_the_same(
    reader: dj.Connection, lab: SimpleNamespace, schema: dj.Schema, other: dj.Schema
) -> None:
    theirs = dj.virtual_schema(other.name, connection=reader)
    mine = dj.virtual_schema(schema.name, connection=reader)
    assert len(theirs.Session.proj() * mine.Subject) == 2
    assert theirs.Session.heading == lab.Session.heading
    again = dj.Schema(schema.name, connection=reader)
    definition = "subject : int32  # number\n---\nname : varchar(20)"
    subject = again(type("Subject", (dj.Manual,), {"definition": definition}))
    assert (subject & {"subject": 1}).fetch1("name") == "ann"
    assert set(again.list_tables()) == set(schema.list_tables())
    with pytest.raises(dj.errors.AccessError):
        subject.insert1((3, "cy"))
    with pytest.raises(dj.errors.AccessError):
        again.rebuild_lineage()
