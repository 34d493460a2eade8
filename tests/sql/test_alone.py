"""Who defines tables of a schema does it alone, and never takes away what others made of them meanwhile."""

from __future__ import annotations

import pytest

import djupyter as dj
from djupyter.errors import DataJointError
from djupyter.sql import ddl
from djupyter.sql.alone import alone
from tests.conftest import Database


def test_another_program_waits_until_the_definitions_are_done(db: Database):
    if db.backend == "sqlite":
        pytest.skip("there, the transaction that defines keeps all writers out")
    name = db.schema_name("lab")
    dj.Schema(name, connection=db.connection)
    with dj.Connection(db.url, timeout=1) as other:
        schema = dj.Schema(name, connection=other)
        with db.connection.defining, alone(db.connection, {name}):
            with pytest.raises(DataJointError):
                schema(type("Mouse", (dj.Manual,), {"definition": "mouse : int32"}))
            assert "mouse" not in schema.list_tables()
        schema(type("Mouse", (dj.Manual,), {"definition": "mouse : int32"}))
        assert "mouse" in schema.list_tables()


def test_rows_that_others_put_into_a_new_table_survive_an_error_of_its_declaration(
    db: Database, monkeypatch: pytest.MonkeyPatch
):
    if db.connection.backend.defines_in_transactions:
        pytest.skip("there, nobody sees a table before its declaration is complete")
    name = db.schema_name("lab")
    schema = dj.Schema(name, connection=db.connection)
    schema(type("First", (dj.Manual,), {"definition": "first : int32"}))
    notes = ddl.notes

    def interrupted(structure, backend):
        with dj.Connection(db.url) as other:
            dj.FreeTable(other, f"{name}.mouse").insert1((1,))
        raise DataJointError("an error between table and notes")

    monkeypatch.setattr(ddl, "notes", interrupted)
    cls = type("Mouse", (dj.Manual,), {"definition": "mouse : int32"})
    with pytest.raises(DataJointError, match="between table and notes"):
        schema(cls)
    monkeypatch.setattr(ddl, "notes", notes)
    assert schema(cls).to_dicts() == [{"mouse": 1}]
    assert schema.lineage[f"{name}.mouse.mouse"] == f"{name}.mouse.mouse"
