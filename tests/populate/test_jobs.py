"""`Table.jobs`: what it finds, adds, removes and changes; populate with jobs is in other files."""

from __future__ import annotations

import datetime
import uuid
import warnings
from typing import Any

import pytest

import djupyter as dj
from djupyter.populate.jobs.job import Job
from tests.conftest import Database
from tests.statements import statements


@pytest.fixture
def Source(schema: dj.Schema) -> Any:
    @schema
    class Source(dj.Manual):
        definition = "i : int32\n---\nx : float64"

    Source.insert((i, i / 2) for i in range(1, 6))
    return Source


def computed(schema: dj.Schema, **more: Any) -> Any:
    """Return a table that is made from `Source`, and fails for the keys in `fails`."""

    def make(self: Any, key: dict[str, Any]) -> None:
        if key["i"] in self.fails:
            raise ValueError(f"bad {key['i']}")
        self.insert1(key)

    body = {"definition": "-> Source", "fails": set(), "make": make, **more}
    return schema(type("Square", (dj.Computed,), body), context={"Source": schema["Source"]})


@pytest.fixture
def Square(schema: dj.Schema, Source: Any) -> Any:
    return computed(schema)


def numbers(jobs: Any) -> list[int]:
    return list(jobs.to_arrays("i", order_by="KEY"))


# What there is


def test_each_job_is_found_by_its_status(Square: Any) -> None:
    jobs = Square.jobs
    jobs.refresh()
    jobs.reserve({"i": 2})
    jobs.ignore({"i": 3})
    jobs.error({"i": 4}, "broken")
    Square.connection.settings.jobs.keep_completed = True
    jobs.complete({"i": 5}, duration=1.5)
    found = [
        numbers(each)
        for each in (jobs.pending, jobs.reserved, jobs.ignored, jobs.errors, jobs.completed)
    ]
    assert found == [[1], [2], [3], [4], [5]]
    assert jobs.completed.fetch1("duration") == 1.5
    assert jobs.progress() == {
        **dict.fromkeys(("pending", "reserved", "ignore", "error", "success"), 1),
        "total": 5,
    }


def test_jobs_are_a_query_like_any_other(Square: Any, Source: Any) -> None:
    Square.jobs.refresh()
    assert numbers(Square.jobs & "i > 3") == [4, 5]
    assert numbers(Square.jobs.pending & (Source & "x < 1")) == [1]
    assert (Square.jobs * Source & "i = 4").fetch1("x") == 2.0
    assert isinstance(Square.jobs & "i > 3", Job)
    assert len(Source - Square.jobs) == 0


def test_there_are_no_jobs_before_there_is_a_table_of_them(Square: Any, schema: dj.Schema) -> None:
    assert schema.jobs == []
    assert Square.jobs.progress()["total"] == 0
    assert Square.jobs.delete() == 0
    assert Square.jobs.retry() == 0
    Square.jobs.drop()
    assert not Square.jobs.is_declared


def test_a_schema_has_the_jobs_of_its_tables(Square: Any, schema: dj.Schema) -> None:
    Square.jobs.refresh("i < 3")
    (jobs,) = schema.jobs
    assert isinstance(jobs, Job)
    assert numbers(jobs.pending) == [1, 2]
    assert type(jobs.target) is Square
    again = dj.Schema(schema.database, connection=schema.connection)
    (jobs,) = again.jobs
    assert jobs.refresh()["added"] == 3


def test_the_table_of_jobs_is_no_table_of_the_pipeline(Square: Any, schema: dj.Schema) -> None:
    before = schema.list_tables()
    Square.populate(reserve_jobs=True)
    assert schema.list_tables() == before
    assert Square.children() == []
    assert dj.FreeTable(schema.connection, Square.jobs.full_table_name).is_declared


def test_the_jobs_are_described_as_those_of_datajoint(Square: Any) -> None:
    Square.jobs.ensure()
    heading = Square.jobs.heading
    assert heading.primary_key == ["i"]
    assert heading.secondary_attributes == [
        "status",
        "priority",
        "created_time",
        "scheduled_time",
        "reserved_time",
        "completed_time",
        "duration",
        "error_message",
        "error_stack",
        "user",
        "host",
        "pid",
        "connection_id",
        "version",
    ]


# What refresh does


def test_only_keys_that_meet_the_restrictions_are_added(Square: Any, Source: Any) -> None:
    assert Square.jobs.refresh("i > 1", Source & "x < 2.5")["added"] == 3
    assert numbers(Square.jobs) == [2, 3, 4]
    assert Square.jobs.refresh([{"i": 1}, {"i": 2}])["added"] == 1


def test_keys_that_are_made_get_no_job(Square: Any) -> None:
    Square.populate("i < 4")
    assert Square.jobs.refresh()["added"] == 2


def test_the_priority_is_that_of_the_call_or_the_default(Square: Any) -> None:
    Square.jobs.refresh("i = 1")
    Square.connection.settings.jobs.default_priority = 7
    Square.jobs.refresh("i = 2")
    Square.jobs.refresh("i = 3", priority=0)
    assert Square.jobs.to_arrays("priority", order_by="KEY").tolist() == [5, 7, 0]


def test_jobs_whose_key_is_gone_are_removed_when_they_are_stale(Square: Any, Source: Any) -> None:
    jobs = Square.jobs
    jobs.refresh()
    jobs.ignore({"i": 1})
    (Source & "i < 4").delete()
    assert jobs.refresh()["removed"] == 0
    assert jobs.refresh(stale_timeout=0)["removed"] == 0
    hour_ago = jobs.to_arrays("created_time")[0] - datetime.timedelta(hours=1)
    jobs.change(jobs & "i <> 3", {"created_time": hour_ago})
    assert jobs.refresh(stale_timeout=1800)["removed"] == 1
    assert numbers(jobs) == [1, 3, 4, 5]
    assert numbers(jobs.ignored) == [1]


def test_a_failed_job_whose_key_is_gone_is_removed_at_once(Square: Any, Source: Any) -> None:
    Square.fails = {1, 2}
    Square.populate(reserve_jobs=True, suppress_errors=True)
    (Source & "i = 1").delete()
    assert Square.jobs.refresh()["removed"] == 1
    assert numbers(Square.jobs.errors) == [2]


def test_jobs_reserved_for_long_by_nobody_with_a_lease_are_made_pending_when_asked(
    Square: Any,
) -> None:
    jobs = Square.jobs
    jobs.refresh()
    jobs.reserve({"i": 1})
    jobs.reserve({"i": 2})
    hour_ago = jobs.reserved.to_arrays("reserved_time")[0] - datetime.timedelta(hours=1)
    jobs.change(jobs & "i = 1", {"reserved_time": hour_ago})
    assert jobs.refresh()["orphaned"] == 0
    assert jobs.refresh(orphan_timeout=7200)["orphaned"] == 0
    assert jobs.refresh(orphan_timeout=1800)["orphaned"] == 1
    assert numbers(jobs.reserved) == [2]
    assert jobs.reserve({"i": 1})


def test_a_refresh_leaves_a_worker_with_a_lease_alone(Square: Any, schema: dj.Schema) -> None:
    seen: list[dict[str, int]] = []

    def make(self: Any, key: dict[str, Any]) -> None:
        long_ago = datetime.datetime(2000, 1, 1)
        Square.jobs.change(Square.jobs.reserved, {"reserved_time": long_ago})
        seen.append(Square.jobs.refresh(orphan_timeout=10))
        self.insert1(key)

    Square.make = make
    assert Square.populate("i = 1", reserve_jobs=True)["success_count"] == 1
    assert seen == [{"added": 4, "removed": 0, "orphaned": 0, "re_pended": 0}]


def test_a_refresh_in_a_transaction_stands_or_falls_with_it(Square: Any) -> None:
    Square.jobs.ensure()

    def refresh_and_fail() -> None:
        with Square.connection.transaction:
            assert Square.jobs.refresh()["added"] == 5
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        refresh_and_fail()
    assert len(Square.jobs) == 0


def test_a_refresh_is_one_statement_for_what_there_is_to_do_and_one_to_do_it(Square: Any) -> None:
    Square.jobs.ensure()
    with statements(Square.connection) as seen:
        assert Square.jobs.refresh()["added"] == 5
    assert len([sql for sql in seen if "INSERT" in sql.upper()]) == 1
    assert len(asked(seen)) <= 2, seen
    with statements(Square.connection) as seen:
        Square.jobs.refresh()
    assert len(asked(seen)) == 1, seen


def asked(seen: list[str]) -> list[str]:
    """Return the statements that ask for rows or change some.

    Not counted is how a transaction is to be, and SQLite's number that tells whether tables have changed, which
    it reads from memory.
    """
    return [
        sql for sql in seen if sql != "PRAGMA schema_version" and not sql.startswith("SET TRANS")
    ]


# One job by hand


def test_a_reserved_job_says_who_has_it(Square: Any) -> None:
    Square.jobs.refresh()
    Square.jobs.reserve({"i": 1})
    job = Square.jobs.reserved.fetch1()
    assert job["pid"] > 0
    assert job["host"]
    assert job["user"] == Square.connection.get_user()
    assert job["reserved_time"] is not None


def test_a_key_may_have_more_than_the_job_needs_and_not_less(Square: Any) -> None:
    Square.jobs.refresh()
    assert Square.jobs.reserve({"i": 1, "x": 5.0})
    with pytest.raises(dj.DataJointError, match="named by i; missing: i"):
        Square.jobs.reserve({"x": 5.0})


def test_an_error_keeps_its_message_and_its_stack(Square: Any) -> None:
    Square.jobs.refresh()
    Square.jobs.error({"i": 1}, "ValueError: no", "Traceback\n  µ")
    job = Square.jobs.errors.fetch1()
    assert (job["error_message"], job["error_stack"]) == ("ValueError: no", "Traceback\n  µ")
    assert job["completed_time"] is not None


def test_ignoring_is_for_jobs_that_are_there_and_for_those_that_are_not(Square: Any) -> None:
    Square.jobs.ignore({"i": 1})
    Square.jobs.refresh()
    Square.jobs.ignore({"i": 2})
    Square.jobs.ignore({"i": 2})
    assert numbers(Square.jobs.ignored) == [1, 2]
    assert Square.populate(reserve_jobs=True)["success_count"] == 3


def test_failed_jobs_are_tried_again_when_asked(Square: Any, Source: Any) -> None:
    Square.fails = {1, 2, 3}
    Square.populate(reserve_jobs=True, suppress_errors=True)
    Square.fails = set()
    assert Square.jobs.retry(Source & "x < 1") == 1
    assert Square.jobs.retry("i = 2", "i > 2") == 0
    assert Square.populate(reserve_jobs=True)["success_count"] == 1
    assert Square.jobs.retry() == 2
    assert Square.populate(reserve_jobs=True)["success_count"] == 2
    assert Square.jobs.retry() == 0


def test_completed_jobs_go_or_stay_as_the_setting_says(Square: Any) -> None:
    Square.populate("i < 3", reserve_jobs=True)
    assert len(Square.jobs.completed) == 0
    Square.connection.settings.jobs.keep_completed = True
    Square.populate(reserve_jobs=True)
    assert numbers(Square.jobs.completed) == [3, 4, 5]
    assert Square.populate(reserve_jobs=True)["success_count"] == 0


def test_a_kept_job_is_done_again_when_its_row_was_deleted(Square: Any) -> None:
    Square.connection.settings.jobs.keep_completed = True
    Square.populate(reserve_jobs=True)
    (Square & "i = 2").delete_quick()
    assert Square.populate(reserve_jobs=True)["success_count"] == 1
    assert len(Square.jobs.completed) == 5


def test_jobs_are_deleted_and_dropped_without_a_question(Square: Any) -> None:
    Square.connection.settings["safemode"] = True
    Square.jobs.refresh()
    assert (Square.jobs & "i < 3").delete() == 2
    assert numbers(Square.jobs) == [3, 4, 5]
    Square.jobs.drop()
    assert not Square.jobs.is_declared
    assert Square.jobs.refresh()["added"] == 5


def test_dropping_the_table_leaves_its_jobs(Square: Any, schema: dj.Schema, Source: Any) -> None:
    Square.jobs.refresh("i < 3")
    Square.drop()
    again = computed(schema)
    assert numbers(again.jobs) == [1, 2]


# The order of the work


def test_jobs_are_made_by_priority_then_by_time(Square: Any, schema: dj.Schema) -> None:
    made: list[int] = []
    make = Square.make

    def noted(self: Any, key: dict[str, Any]) -> None:
        made.append(key["i"])
        make(self, key)

    Square.make = noted
    Square.jobs.refresh("i = 1", priority=9)
    Square.jobs.refresh("i = 4", priority=1)
    Square.jobs.refresh("i in (2, 3)", priority=3)
    Square.jobs.refresh("i = 5", priority=2)
    assert Square.populate(reserve_jobs=True)["success_count"] == 5
    assert made == [4, 5, 2, 3, 1]


def test_restrictions_and_max_calls_hold_for_jobs_too(Square: Any, Source: Any) -> None:
    Square.jobs.refresh()
    assert Square.populate("i > 1", Source & "i < 5", reserve_jobs=True, max_calls=2) == {
        "success_count": 2,
        "error_list": [],
    }
    assert numbers(Square) == [2, 3]
    assert numbers(Square.jobs.pending) == [1, 4, 5]


@pytest.mark.parametrize("by", ["argument", "setting"])
def test_a_populate_may_leave_the_jobs_as_they_are(Square: Any, by: str) -> None:
    Square.jobs.refresh("i < 3")
    Square.connection.settings.jobs.auto_refresh = by == "argument"
    refresh = False if by == "argument" else None
    assert Square.populate(reserve_jobs=True, refresh=refresh)["success_count"] == 2
    assert Square.populate(reserve_jobs=True, refresh=True)["success_count"] == 3


def test_a_row_that_is_there_already_ends_its_job(Square: Any) -> None:
    Square.jobs.refresh()
    Square.insert1({"i": 1}, allow_direct_insert=True)
    assert Square.populate(reserve_jobs=True) == {"success_count": 4, "error_list": []}
    assert len(Square.jobs) == 0


def test_nothing_to_do_costs_two_statements_at_most(Square: Any) -> None:
    Square.populate(reserve_jobs=True)
    for options in ({}, {"reserve_jobs": True}):
        with statements(Square.connection) as seen:
            assert Square.populate(**options)["success_count"] == 0
        assert len(asked(seen)) <= 2, seen


def test_progress_costs_one_statement(Square: Any) -> None:
    Square.progress()
    with statements(Square.connection) as seen:
        assert Square.progress() == (5, 5)
    assert len(asked(seen)) == 1, seen


# Keys of every kind


def test_jobs_leave_out_what_the_table_adds_to_its_key(schema: dj.Schema, Source: Any) -> None:
    @schema
    class Several(dj.Computed):
        definition = "-> Source\nn : int16"

        def make(self, key: dict[str, Any]) -> None:
            self.insert({**key, "n": n} for n in range(2))

    with pytest.warns(UserWarning, match="told apart by i only: n is declared by the table"):
        Several.jobs.refresh()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Several.jobs.refresh()["added"] == 0
    assert Several.jobs.heading.primary_key == ["i"]
    assert Several.populate(reserve_jobs=True)["success_count"] == 5
    assert Several.progress() == (0, 5)
    assert len(Several) == 10
    assert Several.jobs.refresh()["added"] == 0


def test_a_table_without_a_parent_in_its_key_has_no_jobs(schema: dj.Schema, Source: Any) -> None:
    @schema
    class NoParents(dj.Computed):
        definition = "n : int16\n---\n-> Source"
        key_source = dj.U("n") & Source.proj(n="i")

        def make(self, key: dict[str, Any]) -> None:
            self.insert1({**key, "i": key["n"]})

    with pytest.raises(dj.DataJointError, match="no FK-derived primary key attributes found"):
        NoParents.jobs.refresh()


def test_renamed_keys_name_their_jobs(schema: dj.Schema, Source: Any) -> None:
    @schema
    class Pair(dj.Computed):
        definition = "-> Source.proj(left='i')\n-> Source.proj(right='i')"

        def make(self, key: dict[str, Any]) -> None:
            self.insert1(key)

    assert Pair.jobs.refresh("left < right")["added"] == 10
    assert Pair.populate("left = 1", reserve_jobs=True)["success_count"] == 5


KEYS = {
    "datetime": (datetime.datetime(2024, 2, 29, 12, 30, 1), datetime.datetime(1999, 1, 1)),
    "datetime(3)": (datetime.datetime(2024, 2, 29, 12, 30, 1, 500000),),
    "date": (datetime.date(2024, 2, 29), datetime.date(1970, 1, 1)),
    "enum('one', 'it''s two')": ("one", "it's two"),
    "varchar(60)": ("it's", 'a "b"', "100 % µ=1,", "A", "a"),
    "char(3)": ("ab", "abc"),
    "uuid": (uuid.UUID(int=2**127 + 5), uuid.UUID(int=0)),
    "bool": (True, False),
    "int64": (-(2**63), 2**63 - 1),
    "decimal(6, 2)": (1, 2.5),
}


@pytest.mark.parametrize("kind", KEYS)
def test_a_key_of_any_type_may_name_a_job(db: Database, kind: str) -> None:
    schema = dj.Schema(db.schema_name("keys"), connection=db.connection)

    @schema
    class Parent(dj.Manual):
        definition = f"k : {kind}"

    @schema
    class Child(dj.Computed):
        definition = "-> Parent"
        fails = True

        def make(self, key: dict[str, Any]) -> None:
            if self.fails:
                raise ValueError(key["k"])
            self.insert1(key)

    Parent.insert([(key,) for key in KEYS[kind]])
    Child.populate(reserve_jobs=True, suppress_errors=True)
    assert Child.jobs.errors.keys(order_by="KEY") == Parent.keys(order_by="KEY")
    Child.fails = False
    assert Child.jobs.retry() == len(KEYS[kind])
    assert Child.populate(reserve_jobs=True)["success_count"] == len(KEYS[kind])
    assert Child.keys(order_by="KEY") == Parent.keys(order_by="KEY")
    assert len(Child.jobs) == 0
