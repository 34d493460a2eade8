"""Many workers on one table, killed all the while: each key is made exactly once, and nothing is left behind.

`DJ_TEST_WORKERS` and `DJ_TEST_KEYS` make it as large as wished.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from djupyter.populate.jobs import tables as job_tables
from djupyter.table.table import FreeTable
from tests.conftest import Database
from tests.populate.crowd import PAUSE, Crowd, Place, until

WORKERS = int(os.environ.get("DJ_TEST_WORKERS", "4"))
KEYS = int(os.environ.get("DJ_TEST_KEYS", "500"))
# Seconds from one death to the next, and of a lease.
KILLS = float(os.environ.get("DJ_TEST_KILL_SECONDS", "1"))
LEASE = float(os.environ.get("DJ_TEST_LEASE", "3"))


@pytest.fixture
def place(db: Database, tmp_path: Path) -> Place:
    return Place(db.url, db.schema_name("crowd"), tmp_path, LEASE)


@pytest.fixture
def Done(place: Place) -> Iterator[Any]:
    with place.connect() as connection:
        item, done = place.tables(connection)
        item.insert([(n,) for n in range(KEYS)])
        yield done


def workers_of(table: Any) -> FreeTable:
    return FreeTable(table.connection, job_tables.workers(table().name.schema).name)


@pytest.mark.timeout(3600)
def test_each_key_is_made_once_whoever_is_killed(place: Place, Done: Any) -> None:
    crowd = Crowd(place, WORKERS)
    start = last = time.monotonic()
    begun = 0
    try:
        while crowd.watch():
            time.sleep(PAUSE)
            # A machine under load may need more than a second to begin anything.
            now, is_due = place.size(), time.monotonic() - last > KILLS
            if is_due and now - begun > min(KEYS / 4, 100):
                crowd.kill_one(with_guardian=crowd.chance.random() < 0.5)
                begun, last = now, time.monotonic()
    finally:
        crowd.end()
    print(figures(place, crowd, time.monotonic() - start, time.monotonic() - last))
    assert crowd.failed == []
    assert errors(place) == []
    assert sorted(Done.to_arrays("n").tolist()) == list(range(KEYS))
    assert begun_again_without_need(place, crowd, Done) == {}
    assert len(Done.jobs) == 0
    Done.populate(reserve_jobs=True)
    until(lambda: Done.populate(reserve_jobs=True) and not len(workers_of(Done)), 2 * LEASE)


def errors(place: Place) -> list[str]:
    return [error for report in place.reports() for error in report["errors"]]


def begun_again_without_need(place: Place, crowd: Crowd, done: Any) -> dict[int, list[int]]:
    """Return the keys that were begun again though the worker that had begun them was neither killed nor too slow."""
    log = FreeTable(done.connection, job_tables.log(done().name.schema).name)
    late = {row["job_key"]["n"] for row in (log & {"outcome": "lost"}).to_dicts()}
    killed = set(crowd.killed)
    again = {key: by for key, by in place.begun().items() if not set(by[:-1]) <= killed}
    print(
        f"{len(again.keys() & late)} keys lost by workers that lived on when their lease had run out"
    )
    return {key: by for key, by in again.items() if key not in late}


def figures(place: Place, crowd: Crowd, seconds: float, after: float) -> str:
    reports = place.reports()
    made = sum(report["made"] for report in reports)
    sent = sum((Counter(report["sent"]) for report in reports), Counter[str]())
    per_key = {kind: round(count / max(made, 1), 3) for kind, count in sent.most_common()}
    return (
        f"{WORKERS} workers, {KEYS} keys: {seconds:.1f} s, {len(crowd.killed)} killed, "
        f"{after:.1f} s after the last; begun {sum(map(len, place.begun().values()))}; "
        f"of {made} keys whose workers lived, statements a key: {per_key}"
    )
