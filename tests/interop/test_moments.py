"""Moments that datajoint keeps with microseconds in PostgreSQL, whose `datetime` has them without saying so."""

from __future__ import annotations

import datetime

import datajoint
import pytest

import djupyter as dj
from tests.interop.conftest import Both
from tests.interop.rows import rows

MOMENT = datetime.datetime(2024, 2, 29, 13, 5, 9, 123456)
EVENT = """
at : datetime
---
other : datetime
note="" : varchar(8)
"""
STEP = "-> Event\n---\n-> [nullable] Event.proj(before='at')"


def declare(library, schema):
    """Return a table with a moment in its key, one that refers to it, and one computed from that."""

    class Event(library.Manual):
        definition = EVENT

    class Step(library.Manual):
        definition = STEP

    class Count(library.Computed):
        definition = "-> Step\n---\nn : int32"

        def make(self, key):
            self.insert1({**key, "n": len(Step & key)})

    for table in (Event, Step, Count):
        schema(table, context={"Event": Event, "Step": Step})
    return Event, Step, Count


@pytest.fixture
def theirs(both: Both):
    tables = declare(datajoint, both.peer.Schema(both.schema_name()))
    Event, Step, _ = tables
    Event.insert1({"at": MOMENT, "other": MOMENT})
    kept = Event.fetch1("at")  # MySQL keeps whole seconds
    Step.insert1({"at": kept, "before": kept})
    return tables


@pytest.fixture
def ours(both: Both, theirs):
    return declare(dj, dj.Schema(both.schema_name(), connection=both.connection))


def test_a_key_that_is_read_finds_its_row(ours, theirs):
    Event, Step, _ = ours
    key = Event.fetch1("KEY")
    assert rows(Event & key) == rows(theirs[0])
    assert len(Event & f"at = '{key['at']}'") == 1
    assert len(Step & {"before": key["at"]}) == 1
    assert len(Event & [key]) == len(Event - [key]) + 1 == 1


def test_what_refers_to_a_moment_is_computed_updated_and_deleted(ours, theirs):
    Event, _, Count = ours
    Count.populate()
    assert rows(Count()) == rows(theirs[2]())
    assert len(Count()) == 1
    key = Event.fetch1("KEY")
    Event.update1({**key, "note": "new"})
    assert theirs[0].fetch1("note") == "new"
    (Event & key).delete(prompt=False)
    assert [len(table()) for table in theirs] == [0, 0, 0]


def test_a_moment_is_kept_in_their_table_as_they_would_keep_it(both: Both, ours, theirs):
    moment = MOMENT + datetime.timedelta(days=1)
    ours[0].insert1({"at": moment, "other": moment})
    found = moment if both.is_postgresql else moment.replace(microsecond=0)
    assert (theirs[0] & {"at": found}).fetch1("other") == found


def test_their_moments_stay_when_their_table_is_altered(both: Both, ours, theirs):
    Event = ours[0]
    before = rows(theirs[0]())
    Event.definition = EVENT + "more=null : int8\n"
    Event.alter(prompt=False)
    assert [{**row, "more": None} for row in before] == rows(Event())
    assert len(Event & Event.fetch1("KEY")) == 1


def test_our_moments_have_whole_seconds_whoever_writes_them(both: Both):
    Event, _, _ = declare(dj, dj.Schema(both.schema_name(), connection=both.connection))
    Event.insert1({"at": MOMENT, "other": MOMENT})
    peer = datajoint.VirtualModule("lab", both.schema_name(), connection=both.peer.connection)
    peer.Event.insert1({"at": MOMENT + datetime.timedelta(days=1), "other": MOMENT})
    assert all(moment.microsecond == 0 for moment in peer.Event.to_arrays("at"))
    for key in peer.Event.keys():  # noqa: SIM118 - no mapping
        assert len(Event & key) == 1


def test_a_table_of_ours_that_refers_to_their_moment_takes_it(both: Both, ours, theirs):
    schema = dj.Schema(both.schema_name(), connection=both.connection)

    class Mark(dj.Manual):
        definition = "-> Event\nn : int8"

    schema(Mark, context={"Event": ours[0]})
    Mark.insert1({**ours[0].fetch1("KEY"), "n": 1})
    assert len(Mark * ours[0]) == len(Mark & Mark.fetch1("KEY")) == 1
    fresh = dj.VirtualModule("lab", both.schema_name(), connection=both.connection)
    assert len(fresh.Mark & fresh.Mark.fetch1("KEY")) == 1


def test_their_reference_to_a_moment_with_digits_has_these_digits(both: Both):
    peer = both.peer.Schema(both.schema_name())
    Event = type("Event", (datajoint.Manual,), {"definition": "at : datetime(3)"})
    Step = type("Step", (datajoint.Manual,), {"definition": "-> Event\nn : int8"})
    peer(Event)
    peer(Step, context={"Event": Event})
    module = dj.VirtualModule("lab", both.schema_name(), connection=both.connection)
    module.Event.insert1({"at": MOMENT})
    module.Step.insert1({"at": MOMENT, "n": 1})
    assert len(module.Step & {"at": MOMENT}) == 1
    assert rows(module.Step()) == rows(Step())
