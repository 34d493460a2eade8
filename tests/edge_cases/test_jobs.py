"""Statements 181 to 190: the jobs of a computed table, and what is noted about its rows."""

from __future__ import annotations

from typing import Any

import pytest

import djupyter as dj
from djupyter.populate.jobs.job import Job


@pytest.fixture
def Source(schema: dj.Schema) -> Any:
    @schema
    class Source(dj.Manual):
        definition = "i : int32\n---\nx : float64"

    Source.insert((i, i / 2) for i in range(1, 5))
    return Source


@pytest.fixture
def Square(schema: dj.Schema, Source: Any) -> Any:
    @schema
    class Square(dj.Computed):
        definition = "-> Source\n---\ny : float64"
        fails: Any = {}  # noqa: RUF012

        def make(self, key: dict[str, Any]) -> None:
            self.insert1({**key, "y": (Source & key).fetch1("x") ** 2})
            if key["i"] in self.fails:
                raise self.fails[key["i"]]

    return Square


def counted(table: Any, **numbers: int) -> bool:
    """Whether there are so many jobs of some statuses, and none of the others."""
    expected = dict.fromkeys(("pending", "reserved", "success", "error", "ignore"), 0) | numbers
    return bool(table.jobs.progress() == {**expected, "total": sum(numbers.values())})


@pytest.mark.statement(181)
def test_a_second_refresh_adds_nothing(Square: Any) -> None:
    assert counted(Square)
    assert Square.jobs.refresh() == {"added": 4, "removed": 0, "orphaned": 0, "re_pended": 0}
    assert Square.jobs.refresh() == {"added": 0, "removed": 0, "orphaned": 0, "re_pended": 0}
    assert counted(Square, pending=4)


@pytest.mark.statement(182)
def test_a_job_is_reserved_once_and_not_before_its_time(Square: Any, Source: Any) -> None:
    Square.jobs.refresh()
    assert Square.jobs.reserve({"i": 1})
    assert not Square.jobs.reserve({"i": 1})
    assert not Square.jobs.reserve({"i": 99})
    Source.insert1((5, 1.0))
    Square.jobs.refresh(delay=1000)
    assert not Square.jobs.reserve({"i": 5})
    assert counted(Square, reserved=1, pending=4)


@pytest.mark.statement(183)
def test_completing_deletes_and_an_error_needs_a_job(Square: Any) -> None:
    Square.jobs.refresh()
    Square.jobs.complete({"i": 99})
    Square.jobs.reserve({"i": 1})
    Square.jobs.complete({"i": 1})
    assert counted(Square, pending=3)
    with pytest.raises(dj.DataJointError, match=r"no job \{'i': 99\}"):
        Square.jobs.error({"i": 99}, "lost")


@pytest.mark.statement(184)
def test_ignored_and_failed_jobs_are_passed_over(Square: Any) -> None:
    Square.jobs.ignore({"i": 1})
    Square.fails = {2: ValueError("bad two")}
    for made in (2, 0):
        found = Square.populate(reserve_jobs=True, suppress_errors=True)
        assert found["success_count"] == made
        assert counted(Square, ignore=1, error=1)
    Square.fails = {}
    Square.jobs.errors.delete()
    Square.jobs.refresh()
    assert Square.populate(reserve_jobs=True)["success_count"] == 1
    assert counted(Square, ignore=1)


@pytest.mark.statement(185)
def test_a_refresh_may_schedule_for_later_and_give_a_priority(Square: Any) -> None:
    Square.jobs.refresh("i = 1", delay=10, priority=1)
    job = Square.jobs.fetch1()
    delay = (job["scheduled_time"] - job["created_time"]).total_seconds()
    assert delay == pytest.approx(10, abs=1)
    assert job["priority"] == 1
    assert Square.populate(reserve_jobs=True)["success_count"] == 3
    assert counted(Square, pending=1)


@pytest.mark.statement(186)
def test_only_jobs_of_some_priority_are_made(Square: Any) -> None:
    Square.jobs.refresh("i < 3", priority=3)
    Square.jobs.refresh("i = 3", priority=4)
    Square.jobs.refresh()  # else populate itself would add the last one, with the priority of the call
    assert Square.populate(reserve_jobs=True, priority=3)["success_count"] == 2
    assert Square.jobs.to_arrays("i", order_by="KEY").tolist() == [3, 4]
    assert Square.jobs.to_arrays("priority", order_by="KEY").tolist() == [4, 5]


@pytest.mark.statement(187)
def test_completed_jobs_are_kept_and_made_again_when_their_row_goes(
    Square: Any, Source: Any
) -> None:
    Square.connection.settings.jobs.keep_completed = True
    Square.populate(reserve_jobs=True)
    assert counted(Square, success=4)
    times, durations = Square.jobs.completed.to_arrays("completed_time", "duration")
    assert all(time is not None for time in times)
    assert (durations >= 0).all()
    (Square & "i = 1").delete_quick()
    assert Square.jobs.refresh() == {"added": 0, "removed": 0, "orphaned": 0, "re_pended": 1}
    assert Square.jobs.pending.keys() == [{"i": 1}]
    (Source & "i = 2").delete()
    assert Square.jobs.refresh()["removed"] == 1
    assert counted(Square, success=2, pending=1)


@pytest.mark.statement(188)
def test_a_long_error_is_cut(Square: Any) -> None:
    Square.jobs.refresh()
    for length in (2047, 2048, 5000):
        Square.jobs.error({"i": 1}, "µ" * length)
        message = (Square.jobs & {"i": 1}).fetch1("error_message")
        assert len(message) == 2047
        assert message.endswith("µ" if length == 2047 else "...truncated")


@pytest.mark.statement(189)
def test_only_tables_that_fill_themselves_have_jobs(Square: Any, Source: Any) -> None:
    assert isinstance(Square.jobs, Job)
    assert isinstance(Square().jobs, Job)
    for table in (Source, Source()):
        with pytest.raises(AttributeError):
            _ = table.jobs


@pytest.mark.statement(190)
def test_a_made_row_says_when_and_how_where_the_setting_was_on_at_its_declaration(
    schema: dj.Schema, Source: Any
) -> None:
    """Written in the transaction of the row rather than after it."""

    class Made(dj.Computed):
        definition = "-> Source"

        def make(self, key: dict[str, Any]) -> None:
            self.insert1(key)

    def stamped(table: Any) -> int:
        names = [each.name for each in table().structure.attributes if each.hidden]
        if not names:
            return 0
        quoted = schema.connection.backend.table(table().name, table().structure.by_name)
        where = quoted.c["_job_start_time"].is_not(None) & (quoted.c["_job_duration"] >= 0)
        count = (
            quoted.select()
            .where(where)
            .compile(
                dialect=schema.connection.backend.dialect, compile_kwargs={"literal_binds": True}
            )
        )
        return len(schema.connection.fetch(str(count)))

    settings = schema.connection.settings.jobs
    before = schema(type("Before", (Made,), {}), context={"Source": Source})
    settings.add_job_metadata = True
    after = schema(type("After", (Made,), {}), context={"Source": Source})
    for on in (True, False):
        settings.add_job_metadata = on
        before.populate(max_calls=2)
        after.populate(max_calls=2)
    assert (stamped(before), stamped(after)) == (0, 4)
    assert len(before) == len(after) == 4
    assert after.heading.names == ["i"]
