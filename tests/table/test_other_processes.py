"""Tables that another process alters, declares or drops while this one knows them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import djupyter as dj
from djupyter.errors import IntegrityError, MissingTableError, UnknownAttributeError
from djupyter.sql import ddl
from djupyter.sql.reflect import Catalog
from tests.conftest import Database

BEFORE = "mouse : int32\n---\nold = null : int32"


@pytest.fixture(autouse=True)
def untrusting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers count no changes; here they are asked each time, not every few seconds."""
    monkeypatch.setattr(Catalog, "trusted_for", 0.0)
    monkeypatch.setattr("djupyter.sql.reflect._REST", 0)


@pytest.fixture
def Mouse(schema: dj.Schema) -> Any:
    return _declare(schema, "Mouse", BEFORE)


@pytest.fixture
def elsewhere(db: Database, Mouse: Any) -> Iterator[dj.Schema]:
    """The same schema in another process, as far as the database can tell."""
    with dj.Connection(db.url) as connection:
        yield dj.Schema(Mouse().name.schema, connection=connection)


def _declare(schema: dj.Schema, name: str, definition: str, **names: Any) -> Any:
    return schema(type(name, (dj.Manual,), {"definition": definition}), context=names)


def _altered(elsewhere: dj.Schema, definition: str) -> None:
    theirs = _declare(elsewhere, "Mouse", BEFORE)
    theirs.definition = definition
    theirs.alter(prompt=False)


def test_an_attribute_that_was_added_elsewhere_restricts(Mouse: Any, elsewhere: dj.Schema) -> None:
    Mouse.insert([(1, None), (2, None)])
    _altered(elsewhere, BEFORE + "\nnew = null : int32")
    assert len(Mouse & {"new": 7}) == 0
    Mouse.insert1({"mouse": 3, "new": 7})
    assert (Mouse & {"new": 7}).keys() == [{"mouse": 3}]


def test_an_attribute_that_was_dropped_elsewhere_is_gone(Mouse: Any, elsewhere: dj.Schema) -> None:
    Mouse.insert1((1, None))
    assert Mouse.to_dicts() == [{"mouse": 1, "old": None}]
    _altered(elsewhere, "mouse : int32")
    assert Mouse.to_dicts() == [{"mouse": 1}]
    with pytest.raises(UnknownAttributeError):
        (Mouse & "old is null").delete(prompt=False)
    assert len(Mouse) == 1


def test_tables_that_were_declared_elsewhere_are_listed_and_go_with_the_schema(
    Mouse: Any, schema: dj.Schema, elsewhere: dj.Schema
) -> None:
    assert schema.list_tables() == ["mouse"]
    _declare(elsewhere, "Cage", "cage : int32")
    assert schema.list_tables() == ["cage", "mouse"]
    _declare(elsewhere, "Room", "room : int32")
    schema.drop(prompt=False)
    assert dj.Schema(schema.name, connection=elsewhere.connection).list_tables() == []


def test_a_table_is_not_declared_beside_a_parent_that_was_dropped_elsewhere(
    Mouse: Any, schema: dj.Schema, elsewhere: dj.Schema
) -> None:
    cage = _declare(schema, "Cage", "-> Mouse", Mouse=Mouse)
    structure = cage().structure
    cage().drop(prompt=False)
    dj.FreeTable(elsewhere.connection, Mouse().name).drop(prompt=False)
    with pytest.raises(MissingTableError, match="does not exist any more"):
        ddl.declare(schema.connection, structure)
    assert schema.list_tables() == []


def test_a_part_that_is_added_elsewhere_while_a_deletion_is_planned_does_not_leave_its_master(
    db: Database, schema: dj.Schema
) -> None:
    if db.backend == "sqlite":
        pytest.skip("nobody else writes to the file while a deletion is planned")

    @schema
    class Lab(dj.Manual):
        definition = "lab : int32"

    @schema
    class Visit(dj.Manual):
        definition = "visit : int32"

        class Stop(dj.Part):
            definition = "-> master\n-> Lab"

    Lab.insert([(1,), (2,)])

    with dj.Connection(db.url) as connection:
        theirs = dj.VirtualModule("theirs", schema.database, connection=connection)

        def add(doomed: object) -> None:
            theirs.Visit.insert1((7,))
            theirs.Visit.Stop.insert1((7, 1))

        schema.connection.before_delete.append(add)
        with pytest.raises(IntegrityError):
            (Lab & {"lab": 1}).delete(prompt=False)
    assert (len(Lab()), len(Visit()), len(Visit.Stop())) == (2, 1, 1)
