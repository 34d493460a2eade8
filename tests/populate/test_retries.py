"""A table may say how often a key is tried before it has failed, and how long to wait before each further time."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

import djupyter as dj
from djupyter.populate.jobs.claims import Claims
from djupyter.populate.jobs.leases import Lease
from djupyter.sql import ddl

LONG_AGO = datetime.datetime(2000, 1, 1)


@pytest.fixture
def Source(schema: dj.Schema) -> Any:
    @schema
    class Source(dj.Manual):
        definition = "i : int32"

    Source.insert((i,) for i in range(1, 4))
    return Source


@pytest.fixture
def Flaky(schema: dj.Schema, Source: Any) -> Any:
    """A table whose key 2 fails as often as `failures` says."""

    @schema
    class Flaky(dj.Computed):
        definition = "-> Source"
        max_attempts = 3
        retry_delay = 0.0
        failures = 0

        def make(self, key: dict[str, Any]) -> None:
            if key["i"] == 2 and Flaky.failures:
                Flaky.failures -= 1
                raise OSError("not reachable")
            self.insert1(key)

    return Flaky


def populate(table: Any, **more: Any) -> tuple[dict[str, Any], list[tuple[Any, ...]]]:
    heard: list[tuple[Any, ...]] = []

    def listen(event: Any) -> None:
        if event.kind in ("finished", "failed"):
            heard.append((event.kind, event.key["i"], getattr(event, "retry_in", None)))

    options = {"reserve_jobs": True, "suppress_errors": True, "listener": listen, **more}
    return table.populate(**options), heard


def due_now(table: Any) -> None:
    table.jobs.change(table.jobs.pending, {"scheduled_time": LONG_AGO})


def test_a_key_that_fails_is_tried_again_as_often_as_its_table_says(Flaky: Any) -> None:
    Flaky.failures = 2
    found, heard = populate(Flaky)
    assert found == {"success_count": 3, "error_list": []}
    assert [event for event in heard if event[1] == 2] == [
        ("failed", 2, 0.0),
        ("failed", 2, 0.0),
        ("finished", 2, None),
    ]
    assert len(Flaky.jobs) == 0


def test_after_the_last_attempt_the_job_has_failed(Flaky: Any) -> None:
    Flaky.failures = 9
    found, heard = populate(Flaky)
    assert found["error_list"] == [({"i": 2}, "OSError: not reachable")]
    assert [retry for _, i, retry in heard if i == 2] == [0.0, 0.0, None]
    assert Flaky.failures == 6
    assert Flaky.jobs.errors.keys() == [{"i": 2}]
    assert populate(Flaky) == ({"success_count": 0, "error_list": []}, [])


def test_each_wait_is_twice_the_one_before(Flaky: Any) -> None:
    Flaky.failures, Flaky.retry_delay = 9, 1000.0
    waits = []
    for _ in range(3):
        waits += [retry for _, i, retry in populate(Flaky)[1] if i == 2]
        assert populate(Flaky, refresh=False) == ({"success_count": 0, "error_list": []}, [])
        due_now(Flaky)
    assert waits == [1000.0, 2000.0, None]


def test_a_job_that_waits_to_be_tried_again_says_why(Flaky: Any) -> None:
    Flaky.failures, Flaky.retry_delay = 1, 1000.0
    populate(Flaky)
    job = Flaky.jobs.pending.fetch1()
    assert job["error_message"] == "OSError: not reachable"
    assert "in make" in job["error_stack"]
    wait = (job["scheduled_time"] - job["created_time"]).total_seconds()
    assert 1000 <= wait < 1100
    assert (job["connection_id"], job["reserved_time"]) == (0, None)


def test_a_success_lets_the_count_begin_anew(Flaky: Any) -> None:
    Flaky.failures = 2
    populate(Flaky)
    (Flaky & "i = 2").delete_quick()
    Flaky.failures = 2
    assert populate(Flaky)[0] == {"success_count": 1, "error_list": []}


@pytest.mark.parametrize("attempts", [0, 1])
def test_without_a_policy_the_first_failure_is_the_last(Flaky: Any, attempts: int) -> None:
    Flaky.failures, Flaky.max_attempts = 1, attempts
    found, heard = populate(Flaky)
    assert found["error_list"] == [({"i": 2}, "OSError: not reachable")]
    assert len(heard) == 3


def test_where_no_log_may_be_kept_nothing_is_tried_again(
    Flaky: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ddl.declare

    def declare(connection: Any, structure: Any) -> None:
        if structure.name.table == "~job_log":
            raise dj.errors.AccessError("the log is not yours")
        real(connection, structure)

    monkeypatch.setattr(ddl, "declare", declare)
    Flaky.failures = 99
    found, heard = populate(Flaky)
    assert found["error_list"] == [({"i": 2}, "OSError: not reachable")]
    assert ("failed", 2, None) in heard


def test_without_jobs_nothing_is_tried_again(Flaky: Any) -> None:
    Flaky.failures = 1
    found, heard = populate(Flaky, reserve_jobs=False)
    assert found["error_list"] == [({"i": 2}, "OSError: not reachable")]
    assert ("failed", 2, None) in heard
    assert Flaky.populate()["success_count"] == 1


def test_an_error_that_is_not_suppressed_is_raised_and_its_job_waits(Flaky: Any) -> None:
    Flaky.failures = 1
    with pytest.raises(OSError, match="not reachable"):
        populate(Flaky, suppress_errors=False)
    assert {"i": 2} in Flaky.jobs.pending.keys()  # noqa: SIM118  # keys() is a query's
    assert Flaky.populate(reserve_jobs=True)["success_count"] == 2


def test_a_job_that_is_taken_again_before_its_failure_is_heard_of_is_made(Flaky: Any) -> None:
    Flaky.jobs.refresh("i = 2")
    with Lease(Flaky.connection, 60) as lease:
        claims = Claims(Flaky.jobs, lease)
        (key,) = claims.take(1)
        claims.hold.fail(
            key, "OSError: not reachable", None, 0.1, retry_in=0.0
        )  # as a process does
        assert claims.take(1) == []
        claims.ended(key, is_again=True)
        assert claims.take(1) == [key]


def test_processes_try_again_too(Flaky: Any, tmp_path: Any) -> None:
    """What a process knows does not outlive it, so a file counts."""
    count = tmp_path / "failures"
    count.write_text("..")

    def make(self: Any, key: dict[str, Any]) -> None:
        left = count.read_text()
        if key["i"] == 2 and left:
            count.write_text(left[1:])
            raise OSError("not reachable")
        self.insert1(key)

    Flaky.make = make
    found, heard = populate(Flaky, processes=2)
    assert found == {"success_count": 3, "error_list": []}
    assert len([event for event in heard if event[0] == "failed"]) == 2


def test_an_error_that_cannot_travel_is_tried_again_too(Flaky: Any) -> None:
    class Odd(Exception):
        def __init__(self, one: int, two: int) -> None:
            super().__init__("odd")

    def make(self: Any, key: dict[str, Any]) -> None:
        raise Odd(1, 2)

    Flaky.make, Flaky.retry_delay = make, 1000.0
    found, heard = populate(Flaky, processes=2, max_calls=1)
    assert found == {"success_count": 0, "error_list": []}
    assert heard == [("failed", 1, 1000.0)]
