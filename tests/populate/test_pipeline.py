"""One call brings a whole pipeline up to date, and what comes later need not wait for all that comes before."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import djupyter as dj
from djupyter.populate.events import Event, Finished, Started
from tests.conftest import Database


class Copies(dj.Computed):
    """Makes one row for each key; `fails` are keys that it cannot make."""

    fails: Any = ()

    def make(self, key: dict[str, Any]) -> None:
        if key["i"] in self.fails:
            raise ValueError(f"bad {key['i']}")
        self.insert1(key)


def table(schema: dj.Schema, name: str, *parents: str, **names: Any) -> Any:
    """Declare a table of copies that refers to others."""
    definition = "\n".join(f"-> {parent}" for parent in parents)
    return schema(type(name, (Copies,), {"definition": definition, **names}), context=names)


@pytest.fixture
def Source(schema: dj.Schema) -> Any:
    @schema
    class Source(dj.Manual):
        definition = "i : int32"

    Source.insert([(i,) for i in range(1, 5)])
    return Source


@pytest.fixture
def diamond(schema: dj.Schema, Source: Any) -> dict[str, Any]:
    """Two tables of one source, and one that needs a row of both."""
    names = {"Source": Source}
    for name, *parents in (("Left", "Source"), ("Right", "Source"), ("Both", "Left", "Right")):
        names[name] = table(schema, name, *parents, **names)
    return names


def counts(summaries: dict[str, Any]) -> dict[str, int]:
    return {name: summary["success_count"] for name, summary in summaries.items()}


def test_all_tables_of_a_schema_are_made_in_order(
    schema: dj.Schema, diamond: dict[str, Any]
) -> None:
    done = dj.populate(schema)
    assert counts(done) == {"Left": 4, "Right": 4, "Both": 4}
    assert list(done)[-1] == "Both"
    assert counts(dj.populate(schema)) == {"Left": 0, "Right": 0, "Both": 0}


def test_tables_may_be_named_in_any_order(diamond: dict[str, Any]) -> None:
    done = dj.populate(diamond["Both"], diamond["Right"](), diamond["Left"], diamond["Right"])
    assert counts(done) == {"Left": 4, "Right": 4, "Both": 4}


def test_jobs_are_reserved_on_all_levels(schema: dj.Schema, diamond: dict[str, Any]) -> None:
    assert counts(dj.populate(schema, reserve_jobs=True))["Both"] == 4
    assert [len(diamond[name].jobs) for name in ("Left", "Right", "Both")] == [0, 0, 0]


def test_max_calls_counts_for_each_table(schema: dj.Schema, diamond: dict[str, Any]) -> None:
    assert counts(dj.populate(schema, max_calls=3)) == {"Left": 3, "Right": 3, "Both": 3}
    assert len(diamond["Both"]) == 3


def test_restrictions_are_all_met(schema: dj.Schema, diamond: dict[str, Any]) -> None:
    dj.populate(schema, restrictions="i = 2")
    assert diamond["Both"].keys() == [{"i": 2}]
    dj.populate(schema, restrictions=["i > 2", diamond["Source"] & "i < 4"])
    assert diamond["Both"].keys(order_by="i") == [{"i": 2}, {"i": 3}]


def test_what_depends_on_a_key_that_failed_is_left_and_the_rest_is_made(
    schema: dj.Schema, diamond: dict[str, Any]
) -> None:
    diamond["Left"].fails = (2,)
    diamond["Both"].fails = (3,)
    done = dj.populate(schema, suppress_errors=True)
    assert counts(done) == {"Left": 3, "Right": 4, "Both": 2}
    assert done["Left"]["error_list"] == [({"i": 2}, "ValueError: bad 2")]
    assert done["Both"]["error_list"] == [({"i": 3}, "ValueError: bad 3")]
    diamond["Left"].fails = diamond["Both"].fails = ()
    assert counts(dj.populate(schema)) == {"Left": 1, "Right": 0, "Both": 2}


def test_an_error_ends_all_and_what_was_made_stays(
    schema: dj.Schema, diamond: dict[str, Any]
) -> None:
    diamond["Both"].fails = (1,)
    with pytest.raises(ValueError, match="bad 1"):
        dj.populate(schema)
    assert len(diamond["Left"]) > 0
    assert len(diamond["Both"]) == 0


@pytest.mark.parametrize("reserve_jobs", [False, True])
def test_keys_that_became_ready_are_made_while_those_above_are(
    schema: dj.Schema, Source: Any, tmp_path: Path, reserve_jobs: bool
) -> None:
    made_below = tmp_path / "made"

    @schema
    class Above(dj.Computed):
        definition = "-> Source"

        def make(self, key: dict[str, Any]) -> None:
            while key["i"] == 2 and not made_below.exists():
                time.sleep(0.05)
            self.insert1(key)

    @schema
    class Below(dj.Computed):
        definition = "-> Above"

        def make(self, key: dict[str, Any]) -> None:
            self.insert1(key)
            made_below.touch()

    heard: list[Event] = []
    dj.populate(schema, processes=2, reserve_jobs=reserve_jobs, listener=heard.append)
    order = [(type(e), e.table, e.key["i"]) for e in heard if isinstance(e, Started | Finished)]
    assert len(Below) == 4
    assert order.index((Started, "Below", 1)) < order.index((Finished, "Above", 2))


def test_tables_of_two_schemas_are_made_in_order(
    db: Database, schema: dj.Schema, diamond: dict[str, Any]
) -> None:
    other = dj.Schema(db.schema_name("analysis"), connection=db.connection)
    both = diamond["Both"]
    namesake = table(other, "Left", "Both", Both=both)
    last = table(other, "Last", "Both", Both=both)
    done = dj.populate(other, schema)
    names = {f"{schema.name}.Left", f"{other.name}.Left", "Right", "Both", "Last"}
    assert set(done) == names
    assert set(counts(done).values()) == {4}
    assert list(done).index("Both") < list(done).index("Last")
    assert len(last) == len(namesake) == 4


def module(name: str, **contents: Any) -> ModuleType:
    made = ModuleType(name)
    vars(made).update(contents)
    return made


def test_modules_stand_for_their_tables_with_those_of_their_package(
    schema: dj.Schema, diamond: dict[str, Any]
) -> None:
    first = module(
        "lab.first", Left=diamond["Left"], Right=diamond["Right"], Source=diamond["Source"]
    )
    package = module("lab", first=first, Both=diamond["Both"], Copies=Copies, other=sys)
    first.package = package  # type: ignore[attr-defined]
    assert counts(dj.populate(package)) == {"Left": 4, "Right": 4, "Both": 4}


def test_the_class_that_was_declared_last_counts(schema: dj.Schema, Source: Any) -> None:
    stale = table(schema, "Stat", "Source", Source=Source, fails=(1, 2, 3, 4))
    again = dj.Schema(schema.name, connection=schema.connection)
    latest = table(again, "Stat", "Source", Source=Source)
    assert counts(dj.populate(schema)) == {"Stat": 4}
    assert stale.keys() == latest.keys()


def test_what_cannot_be_populated_is_refused(
    schema: dj.Schema, Source: Any, diamond: dict[str, Any]
) -> None:
    with pytest.raises(dj.DataJointError, match="Source cannot be populated"):
        dj.populate(diamond["Left"], Source)
    with pytest.raises(dj.DataJointError, match="list cannot be populated"):
        dj.populate([diamond["Left"]])
    with pytest.raises(dj.DataJointError, match="Nothing was found"):
        dj.populate(module("empty", Source=Source))
    with pytest.raises(TypeError, match=r"no option `max_call`\. Did you mean `max_calls`"):
        dj.populate(schema, max_call=1)
    elsewhere = dj.Schema("elsewhere", connection=dj.Connection("sqlite://"))
    source = elsewhere(type("Source", (dj.Lookup,), {"definition": "i : int32"}))
    with pytest.raises(dj.DataJointError, match="different databases"):
        dj.populate(schema, table(elsewhere, "Left", "Source", Source=source))
    assert len(diamond["Left"]) == 0
