"""Workers of the two libraries share a table of jobs: whoever made it, and also at the same time."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
import uuid
from collections import Counter
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import datajoint
import pytest

import djupyter as dj
from tests.interop.catalogue import alike
from tests.interop.conftest import Both
from tests.interop.worker import FAILS, declare

ROOT = Path(__file__).parents[2]
STATUSES = ("pending", "reserved", "success", "error", "ignore")


@pytest.fixture
def theirs(both: Both) -> SimpleNamespace:
    """Tables declared by datajoint, with six rows to make keys from."""
    tables = declare(datajoint, both.peer.Schema(both.schema_name()))
    tables.Source.insert([{"i": i, "x": i / 2} for i in range(1, 7)])
    return tables


@pytest.fixture
def ours(both: Both, theirs: SimpleNamespace) -> SimpleNamespace:
    """The same tables, here."""
    return declare(dj, dj.Schema(both.schema_name(), connection=both.connection))


def counted(table: Any) -> dict[str, int]:
    found = table.jobs.progress()
    return {status: found[status] for status in STATUSES if found[status]}


def test_either_makes_what_the_other_has_scheduled(theirs, ours):
    assert theirs.Square.jobs.refresh()["added"] == 6
    assert ours.Square.jobs.refresh()["added"] == 0
    assert counted(ours.Square) == {"pending": 6}
    assert ours.Square.populate(reserve_jobs=True, max_calls=3)["success_count"] == 3
    assert counted(theirs.Square) == {"pending": 3}
    assert theirs.Square.populate(reserve_jobs=True)["success_count"] == 3
    assert counted(ours.Square) == counted(theirs.Square) == {}


def test_either_works_with_a_table_of_jobs_that_was_made_here(theirs, ours):
    assert ours.Square.jobs.refresh()["added"] == 6
    assert theirs.Square.jobs.refresh()["added"] == 0
    assert theirs.Square.populate(reserve_jobs=True, max_calls=3)["success_count"] == 3
    assert ours.Square.populate(reserve_jobs=True)["success_count"] == 3
    assert counted(ours.Square) == counted(theirs.Square) == {}


def test_the_table_of_jobs_is_the_same_whoever_makes_it(both: Both, theirs, ours):
    theirs.Square.jobs.refresh()
    name = both.schema_name()
    before = alike(both.snapshot(name), name)
    ours.Square.jobs.drop()
    ours.Square.jobs.ensure()
    after = alike(both.snapshot(name), name)
    # Their key says nothing of its core type, which they then take for a native one.
    for found in (before, after):
        found["columns"] = [
            [value for value in row if value not in (":int32:", "", None)]
            for row in map(list, found["columns"])
        ]
    assert after == before


def test_errors_are_read_by_either(theirs, ours):
    ours.Square.fails, theirs.Square.fails = (1, 2), (2, 3)
    ours.Square.populate("i < 3", reserve_jobs=True, suppress_errors=True)
    theirs.Square.populate(reserve_jobs=True, suppress_errors=True)
    for table in (ours.Square, theirs.Square):
        rows = table.jobs.errors.to_dicts(order_by="KEY")
        assert [row["error_message"] for row in rows] == [f"ValueError: bad {i}" for i in (1, 2, 3)]
        assert all("in make" in row["error_stack"] for row in rows)
    ours.Square.fails = theirs.Square.fails = ()
    (theirs.Square.jobs & "i = 1").delete()
    assert theirs.Square.populate(reserve_jobs=True)["success_count"] == 1
    assert ours.Square.jobs.retry() == 2
    assert theirs.Square.populate(reserve_jobs=True, max_calls=1)["success_count"] == 1
    assert ours.Square.populate(reserve_jobs=True)["success_count"] == 1


def test_what_either_ignores_nobody_makes(theirs, ours):
    ours.Square.jobs.ignore({"i": 1})
    theirs.Square.jobs.ignore({"i": 2})
    assert ours.Square.populate(reserve_jobs=True, max_calls=2)["success_count"] == 2
    assert theirs.Square.populate(reserve_jobs=True)["success_count"] == 2
    assert ours.Square.progress() == theirs.Square.progress() == (2, 6)
    assert counted(ours.Square) == counted(theirs.Square) == {"ignore": 2}


def test_completed_jobs_that_are_kept_are_read_by_either(both: Both, theirs, ours):
    both.peer.config.jobs.keep_completed = True
    both.connection.settings.jobs.keep_completed = True
    theirs.Square.populate(reserve_jobs=True, max_calls=3)
    ours.Square.populate(reserve_jobs=True)
    assert counted(ours.Square) == counted(theirs.Square) == {"success": 6}
    for table in (ours.Square, theirs.Square):
        rows = table.jobs.completed.to_dicts()
        assert all(row["duration"] >= 0 and row["completed_time"] for row in rows)
    (ours.Square & "i in (1, 6)").delete_quick()
    assert theirs.Square.jobs.refresh()["re_pended"] == 2
    assert ours.Square.populate(reserve_jobs=True)["success_count"] == 2
    (theirs.Square & "i in (1, 6)").delete_quick()
    assert ours.Square.jobs.refresh()["re_pended"] == 2
    assert theirs.Square.populate(reserve_jobs=True)["success_count"] == 2


def test_priorities_and_times_hold_for_either(theirs, ours):
    ours.Square.jobs.refresh("i = 1", delay=1000)
    theirs.Square.jobs.refresh("i = 2", delay=1000)
    ours.Square.jobs.refresh("i = 3", priority=1)
    theirs.Square.jobs.refresh("i = 4", priority=2)
    for square, priority in ((theirs.Square, 1), (ours.Square, 2)):
        found = square.populate(reserve_jobs=True, priority=priority, refresh=False)
        assert found["success_count"] == 1
    assert theirs.Square.populate(reserve_jobs=True, max_calls=1)["success_count"] == 1
    assert ours.Square.populate(reserve_jobs=True)["success_count"] == 1
    assert counted(ours.Square) == counted(theirs.Square) == {"pending": 2}


def test_jobs_that_are_added_get_the_priority_of_the_call(theirs, ours):
    for square, key in ((theirs.Square, 1), (ours.Square, 2)):
        found = square.populate(f"i = {key}", reserve_jobs=True, priority=3)
        assert found["success_count"] == 1


def test_what_either_has_reserved_the_other_leaves_alone(theirs, ours):
    ours.Square.jobs.refresh()
    assert ours.Square.jobs.reserve({"i": 1})
    assert theirs.Square.jobs.reserve({"i": 2})
    assert not ours.Square.jobs.reserve({"i": 2})
    assert not theirs.Square.jobs.reserve({"i": 1})
    assert ours.Square.populate(reserve_jobs=True, max_calls=2)["success_count"] == 2
    assert theirs.Square.populate(reserve_jobs=True)["success_count"] == 2
    assert counted(ours.Square) == {"reserved": 2}
    theirs.Square.jobs.complete({"i": 2})
    ours.Square.jobs.error({"i": 1}, "broken")
    assert counted(theirs.Square) == {"error": 1}


def test_what_is_ours_alone_does_not_show_there(both: Both, theirs, ours):
    ours.Square.populate(reserve_jobs=True)
    peer = both.peer.Schema(both.schema_name())
    assert peer.list_tables() == ["source", "__square"]
    assert len(peer.jobs) == 1


def stamps(both: Both, schema: str) -> list[tuple[Any, ...]]:
    """Return the hidden attributes of `Square`, by the key."""
    quote = both.connection.backend.quote
    return both.connection.fetch(
        "SELECT _job_start_time, _job_duration, _job_version "
        f"FROM {quote(schema)}.{quote('__square')} ORDER BY i"
    )


@pytest.mark.parametrize("declares", ["theirs", "ours"])
def test_either_says_how_a_row_was_made_where_the_other_does(both: Both, declares: str):
    both.peer.config.jobs.add_job_metadata = True
    both.peer.config.jobs.version_method = "git"
    both.connection.settings.jobs.add_job_metadata = True
    both.connection.settings.jobs.version_method = lambda cls: "ours"
    name = both.schema_name()
    opened = {
        "theirs": lambda: declare(datajoint, both.peer.Schema(name)),
        "ours": lambda: declare(dj, dj.Schema(name, connection=both.connection)),
    }
    first = opened.pop(declares)()
    tables = {declares: first, **{who: call() for who, call in opened.items()}}
    first.Source.insert([{"i": i, "x": 1.0} for i in range(4)])
    tables["theirs"].Square.populate("i = 0")
    tables["ours"].Square.populate("i = 1")
    tables["theirs"].Square.populate("i = 2", reserve_jobs=True)
    tables["ours"].Square.populate(reserve_jobs=True)
    found = stamps(both, name)
    assert [version == "ours" for _, _, version in found] == [False, True, False, True]
    assert all(start is not None and 0 <= duration < 60 for start, duration, _ in found)
    gaps = [(b[0] - a[0]).total_seconds() for a, b in pairwise(found)]
    assert all(0 <= gap < 60 for gap in gaps)
    for each in tables.values():
        assert each.Square.heading.names == ["i", "y"]
        assert len(each.Square()) == 4


def test_the_hidden_attributes_are_declared_as_datajoint_does(both: Both):
    both.peer.config.jobs.add_job_metadata = True
    both.connection.settings.jobs.add_job_metadata = True
    names = [both.schema_name(who) for who in ("theirs", "ours")]
    declare(datajoint, both.peer.Schema(names[0]))
    declare(dj, dj.Schema(names[1], connection=both.connection))
    theirs, ours = (
        [row for row in alike(both.snapshot(name), name)["columns"] if "_job" in str(row)]
        for name in names
    )
    assert len(ours) == 3
    assert ours == theirs


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("datetime", [datetime.datetime(2024, 2, 29, 12, 30, 1), datetime.datetime(1999, 1, 1)]),
        ("enum('one','two')", ["one", "two"]),
        ("varchar(40)", ["it's", 'a "b"', "100 % µ=1,", "B"]),
        ("uuid", [uuid.UUID(int=2**127 + 5), uuid.UUID(int=7)]),
    ],
)
def test_keys_of_any_type_name_the_same_jobs(both: Both, kind: str, keys: list[Any]):
    """Where datajoint cannot have such a key, only its schema is used."""
    can = not both.is_postgresql or kind.startswith("varchar")

    def tables(library: Any, schema: Any) -> Any:
        @schema
        class Parent(library.Manual):
            definition = f"k : {kind}"

        @schema
        class Child(library.Computed):
            definition = "-> Parent"
            fails = True

            def make(self, key: dict[str, Any]) -> None:
                if self.fails:
                    raise ValueError("bad")
                self.insert1(key)

        return Parent, Child

    _, their_child = tables(datajoint, both.peer.Schema(both.schema_name()))
    parent, child = tables(dj, dj.Schema(both.schema_name(), connection=both.connection))
    parent.insert([(key,) for key in keys])
    if can:
        assert their_child.jobs.refresh()["added"] == len(keys)
        their_child.populate(reserve_jobs=True, suppress_errors=True, max_calls=1)
    child.populate(reserve_jobs=True, suppress_errors=True)
    assert child.jobs.errors.keys(order_by="KEY") == parent.keys(order_by="KEY")
    child.fails = their_child.fails = False
    assert child.jobs.retry() == len(keys)
    made = their_child.populate(reserve_jobs=True, max_calls=1)["success_count"] if can else 0
    assert child.populate(reserve_jobs=True)["success_count"] == len(keys) - made
    assert child.keys(order_by="KEY") == parent.keys(order_by="KEY")
    assert len(child.jobs) == 0


KEYS = 150


def test_workers_of_both_at_once_make_each_key_once(both: Both, theirs, ours, tmp_path):
    ours.Source.insert([(i, i / 2) for i in range(7, KEYS + 1)])
    begun = tmp_path / "begun"
    begun.touch()
    arguments = [both.url, both.schema_name(), str(begun)]
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.interop.worker", library, *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for library in ("datajoint", "djupyter", "datajoint", "djupyter")
    ]
    for worker in workers:
        # datajoint writes its log there too.
        assert "begun\n" in iter(worker.stdout.readline, ""), worker.communicate()
    for worker in workers:
        worker.stdin.write("\n")
        worker.stdin.flush()
    said = [worker.communicate(timeout=120) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0, 0, 0], said
    found = [json.loads(out.splitlines()[-1]) for out, _ in said]
    bad = list(range(FAILS, KEYS + 1, FAILS))
    assert sum(each["made"] for each in found) == KEYS - len(bad)
    assert sorted(i for each in found for i in each["errors"]) == bad
    times = Counter(begun.read_text().split())
    assert len(times) == KEYS
    assert set(times.values()) == {1}
    assert counted(ours.Square) == counted(theirs.Square) == {"error": len(bad)}
    assert len(ours.Square) == KEYS - len(bad)
