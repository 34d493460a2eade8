"""A worker that dies, stops or loses its guardian: who has its jobs then, and what is left behind."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from djupyter.populate.jobs.claims import Claims
from djupyter.populate.jobs.leases import Lease, renew
from djupyter.query.moments import Ahead
from djupyter.query.restriction import Restriction
from djupyter.table.table import FreeTable
from tests.conftest import Database
from tests.populate.crowd import guardians, kill, until
from tests.populate.waiting import Place, Worker

LONG = 600.0


@pytest.fixture
def place(db: Database, tmp_path: Path) -> Place:
    return Place(db.url, db.schema_name("lab"), tmp_path, lease=LONG)


@pytest.fixture
def Slow(place: Place) -> Iterator[Any]:
    """A table of one key, whose make waits in other processes for a file `go`."""
    with place.connect() as connection:
        item, slow = place.tables(connection)
        item.insert1((1,))
        yield slow


@pytest.fixture
def start(place: Place) -> Iterator[Any]:
    started: list[Worker] = []

    def start() -> Worker:
        started.append(Worker(place))
        return started[-1]

    yield start
    for worker in started:
        worker.end()


def leases(table: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _leases(table).to_dicts()
    return found


def _leases(table: Any) -> FreeTable:
    return FreeTable(table.connection, f"`{table().name.schema}`.`~workers`")


def claims(table: Any, lease: Lease) -> Claims:
    return Claims(table.jobs, lease)


def test_the_job_of_a_killed_worker_is_free_at_once(Slow: Any, place: Place, start: Any) -> None:
    worker = start()
    until(place.has_begun)
    assert [row["pid"] for row in leases(Slow)] == [worker.pid]
    kill(worker.pid, with_guardian=False)
    until(lambda: not leases(Slow))  # its guardian says so: the lease would last for ten minutes
    assert Slow.jobs.pending.keys() == [{"n": 1}]
    (attempt,) = Slow.job_report({"n": 1}).attempts
    assert (attempt["outcome"], attempt["error_class"]) == ("lost", "WorkerDied")
    assert (attempt["host"], attempt["pid"]) == (platform.node(), worker.pid)
    assert attempt["duration"] > 0
    assert attempt["inputs"] == {"rows": {f"{place.schema}.item": {"n": 1}}}
    place.go()
    assert Slow.populate(reserve_jobs=True)["success_count"] == 1
    assert len(Slow.jobs) == 0
    assert not leases(Slow)


def test_a_guardian_ends_with_its_worker(Slow: Any, place: Place, start: Any) -> None:
    worker = start()
    until(place.has_begun)
    (killed,) = guardians(worker.pid)
    kill(worker.pid, with_guardian=False)
    until(lambda: not killed.is_running())
    worker = start()
    until(lambda: len(place.begun()) == 2)
    (ended,) = guardians(worker.pid)
    place.go()
    assert worker.result() == (1, [])
    assert not ended.is_running()
    assert not leases(Slow)


def test_a_guardian_that_was_killed_is_replaced_when_more_jobs_are_taken(Slow: Any) -> None:
    me = psutil.Process()
    before = {child.pid for child in me.children()}
    Slow.jobs.refresh()
    with Lease(Slow.connection, LONG) as lease:
        taking = claims(Slow, lease)
        assert taking.take(1) == [{"n": 1}]
        (first,) = [child for child in me.children() if child.pid not in before]
        first.kill()
        until(lambda: first.status() == psutil.STATUS_ZOMBIE)
        taking.take(1)
        (second,) = [child for child in me.children() if child.pid not in before]
        assert second.pid != first.pid
    assert not second.is_running()


@pytest.mark.parametrize("has_made", [True, False], ids=["made", "taken"])
def test_a_worker_that_stops_for_longer_than_its_lease_loses_its_jobs(
    Slow: Any, place: Place, start: Any, has_made: bool
) -> None:
    worker = start()
    until(place.has_begun)
    (guardian,) = guardians(worker.pid)
    guardian.suspend()  # like a computer that sleeps
    psutil.Process(worker.pid).suspend()
    expire(Slow)
    place.go()
    with Lease(Slow.connection, LONG) as lease:
        if has_made:
            assert Slow.populate(reserve_jobs=True)["success_count"] == 1
        else:
            assert claims(Slow, lease).take(1) == [{"n": 1}]
        guardian.resume()
        psutil.Process(worker.pid).resume()
        assert worker.result() == (0, [{"n": 1}])
    assert len(Slow) == (1 if has_made else 0)
    assert len(Slow.Part) == len(Slow)
    attempts = FreeTable(Slow.connection, f"`{Slow().name.schema}`.`~job_log`")
    assert "lost" in [row["outcome"] for row in attempts.to_dicts()]
    assert not leases(Slow)


def expire(table: Any) -> None:
    """Let all leases have run out, by the database's clock."""
    workers = _leases(table)
    for row in workers.to_dicts():
        assert renew(workers, row["connection_id"], -1)


def test_jobs_that_others_hold_are_left_alone(Slow: Any) -> None:
    Slow.jobs.refresh()
    assert Slow.jobs.reserve({"n": 1})  # under the number of a connection, as datajoint does
    with Lease(Slow.connection, LONG) as lease:
        taking = claims(Slow, lease)
        assert taking.waiting() == 0
        assert taking.take(1) == []
        assert taking.recover() == 0
    assert Slow.jobs.reserved.keys() == [{"n": 1}]


def test_a_lease_that_was_removed_is_written_again_when_it_is_renewed(Slow: Any) -> None:
    Slow.jobs.refresh()
    with Lease(Slow.connection, LONG) as one, Lease(Slow.connection, LONG) as two:
        assert claims(Slow, one).take(1) == [{"n": 1}]
        expire(Slow)
        assert claims(Slow, two).take(1) == [{"n": 1}]
        assert {row["connection_id"] for row in leases(Slow)} == {two.worker}
        one.renew()
        assert {row["connection_id"] for row in leases(Slow)} == {one.worker, two.worker}
    assert not leases(Slow)


@pytest.mark.parametrize("minutes", [-60, -1, 1, 60])
def test_the_clocks_of_workers_do_not_matter(
    Slow: Any, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    Slow.jobs.refresh()
    with Lease(Slow.connection, LONG) as one, Lease(Slow.connection, LONG) as two:
        assert claims(Slow, one).take(1) == [{"n": 1}]
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() + 60 * minutes)
        other = claims(Slow, two)
        assert other.waiting() == 0
        assert other.take(1) == []
        two.renew()
        assert len(valid(Slow)) == 2
        expire(Slow)
        assert len(valid(Slow)) == 0
        two.renew()
        assert other.waiting() == 1
        assert other.take(1) == [{"n": 1}]
        monkeypatch.undo()
        assert claims(Slow, one).waiting() == 0


def valid(table: Any) -> Any:
    workers: Any = _leases(table)
    condition = Ahead("expires")
    return workers._like(Restriction(workers.node, condition, condition))
