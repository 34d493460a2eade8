"""Statements 162, 199 and 200: a user who may only read can use a pipeline, and is told what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from types import SimpleNamespace
from uuid import uuid4

import pytest
import sqlalchemy as sa

import djupyter as dj
from djupyter.errors import AccessError
from djupyter.settings import Settings
from tests.conftest import Database

# What makes a reader of a schema, and what removes the reader again.
GIVEN = {
    "mysql": (
        "CREATE USER {user} IDENTIFIED BY 'reads'",
        "GRANT SELECT ON `{schema}`.* TO {user}",
    ),
    "postgresql": (
        "CREATE ROLE {user} LOGIN PASSWORD 'reads'",
        'GRANT USAGE ON SCHEMA "{schema}" TO {user}',
        'GRANT SELECT ON ALL TABLES IN SCHEMA "{schema}" TO {user}',
    ),
}
TAKEN = {"mysql": ("DROP USER {user}",), "postgresql": ("DROP OWNED BY {user}", "DROP ROLE {user}")}


@pytest.fixture
def reader(db: Database, fresh: SimpleNamespace, schema: dj.Schema) -> Iterator[dj.Connection]:
    """A connection of someone who may read the tables of `fresh` and nothing else."""
    user = f"reader_{uuid4().hex[:8]}"
    url = sa.make_url(db.url)
    for statement in GIVEN.get(db.backend, ()):
        db.connection.query(statement.format(user=user, schema=schema.name))
    if db.backend == "sqlite":
        url = url.update_query_dict({"mode": "ro"})
    else:
        url = url.set(username=user, password="reads")
    with dj.Connection(
        url.render_as_string(hide_password=False), settings=Settings(safemode=False)
    ) as connection:
        yield connection
    for statement in TAKEN.get(db.backend, ()):
        with suppress(dj.DataJointError):
            db.connection.query(statement.format(user=user))


@pytest.mark.statement(199)
def test_someone_who_may_only_read_uses_what_is_there(
    reader: dj.Connection, fresh: SimpleNamespace, schema: dj.Schema
) -> None:
    mine = dj.Schema(schema.name, connection=reader)

    @mine
    class A(dj.Manual):
        definition = """
        a : int32
        ---
        x = null : int32
        name : varchar(20)
        """

    assert sorted(mine.list_tables()) == sorted(schema.list_tables())
    assert (A & "x = 10").fetch1("name") == "one"
    assert A.heading["a"].lineage == fresh.A.heading["a"].lineage
    assert len(A * dj.FreeTable(reader, fresh.B.full_table_name)) == 3


@pytest.mark.statement(199)
def test_what_may_not_be_created_is_named(reader: dj.Connection, schema: dj.Schema) -> None:
    mine = dj.Schema(schema.name, connection=reader)
    with pytest.raises(AccessError, match=r"(?i)create|write"):

        @mine
        class Wanted(dj.Manual):
            definition = "w : int32"

    with pytest.raises(dj.DataJointError, match=r"(?i)create|write"):
        dj.Schema(f"{schema.name}_more", connection=reader)
    assert "wanted" not in schema.list_tables()


@pytest.mark.statement(162, 200)
def test_rows_and_tables_of_others_stay(reader: dj.Connection, fresh: SimpleNamespace) -> None:
    """With an AccessError whatever the backend, also for a drop and for a deletion that cascades."""
    A = dj.FreeTable(reader, fresh.A.full_table_name)
    for change in (
        lambda: A.insert1((9, 9, "nine")),
        lambda: A.update1({"a": 1, "x": 5}),
        lambda: (A & "a = 1").delete(prompt=False),
        lambda: (A & "a = 1").delete_quick(),
        lambda: A.drop(prompt=False),
    ):
        with pytest.raises(AccessError):
            change()
    assert (len(fresh.A), len(fresh.B)) == (3, 3)
