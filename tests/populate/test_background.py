"""A populate beside the caller: in a thread, awaited, stopped, tried again, ended with the program."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import djupyter as dj
from djupyter.populate.events import Event, Started
from tests.conftest import Database


class Gate:
    """Where keys of a make wait until they may go on."""

    def __init__(self) -> None:
        self.begun, self.open = threading.Event(), threading.Event()
        self.is_broken = True

    def passed(self) -> None:
        """Wait."""
        self.begun.set()
        assert self.open.wait(60)


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def tables(schema: dj.Schema, gate: Gate) -> Any:
    """Return mice, their weights, of which the third fails, and growth."""

    @schema
    class Mouse(dj.Lookup):
        definition = "mouse : int32"
        contents = [(number,) for number in range(1, 6)]  # noqa: RUF012

    @schema
    class Weight(dj.Computed):
        definition = "-> Mouse"

        def make(self, key: dict[str, Any]) -> None:
            gate.passed()
            if key["mouse"] == 3 and gate.is_broken:
                raise ValueError("the scale is empty")
            self.insert1(key)

    @schema
    class Growth(dj.Computed):
        definition = "-> Weight"

        def make(self, key: dict[str, Any]) -> None:
            self.insert1(key)

    return Mouse, Weight, Growth


def test_other_threads_query_while_it_populates(tables: Any, gate: Gate) -> None:
    mouse, weight, _ = tables
    run = weight.populate(background=True, suppress_errors=True)
    assert gate.begun.wait(60)
    assert (len(mouse()), len(weight()), run.done) == (5, 0, False)
    with pytest.raises(TimeoutError, match="goes on"):
        run.result(timeout=0.01)
    gate.open.set()
    assert run.result() == {
        "success_count": 4,
        "error_list": [({"mouse": 3}, "ValueError: the scale is empty")],
    }
    assert len(weight()) == 4


def test_a_stop_ends_the_key_in_work_and_leaves_the_rest(tables: Any, gate: Gate) -> None:
    _, weight, _ = tables
    run = weight.populate(background=True, reserve_jobs=True)
    assert gate.begun.wait(60)
    run.stop()
    gate.open.set()
    assert run.result()["success_count"] == 1
    assert "Stopped: 1 done, 4 remain" in repr(run)
    assert weight.jobs.progress()["pending"] == 4


def test_the_first_error_is_raised_by_the_result(tables: Any, gate: Gate) -> None:
    _, weight, _ = tables
    gate.open.set()
    run = weight.populate(background=True)
    with pytest.raises(ValueError, match="the scale is empty"):
        run.result()
    (failure,) = run.errors
    assert (failure.table, failure.key) == ("Weight", {"mouse": 3})
    assert 'raise ValueError("the scale is empty")' in failure.traceback
    assert run.progress.phase == "failed"


@pytest.mark.parametrize("reserve_jobs", [False, True])
def test_what_failed_is_tried_again_with_what_depends_on_it(
    tables: Any, gate: Gate, reserve_jobs: bool
) -> None:
    _, weight, growth = tables
    gate.open.set()
    run = dj.populate(
        growth, weight, background=True, suppress_errors=True, reserve_jobs=reserve_jobs
    )
    assert run.result()["Growth"]["success_count"] == 4
    gate.is_broken = False
    run.retry()
    assert run.result() == {
        "Weight": {"success_count": 1, "error_list": []},
        "Growth": {"success_count": 1, "error_list": []},
    }
    assert (run.progress.done, run.progress.errors, run.errors) == (10, 0, ())


def test_a_run_that_is_not_over_cannot_be_tried_again(tables: Any, gate: Gate) -> None:
    _, weight, _ = tables
    run = weight.populate(background=True, suppress_errors=True)
    assert gate.begun.wait(60)
    with pytest.raises(dj.DataJointError, match="runs still"):
        run.retry()
    gate.open.set()
    run.result()


def test_two_run_at_the_same_time(tables: Any, gate: Gate) -> None:
    _, weight, growth = tables
    gate.open.set()
    gate.is_broken = False
    runs = [
        weight.populate(background=True, reserve_jobs=True),
        dj.populate(weight, growth, background=True, reserve_jobs=True),
        weight.populate(background=True),
    ]
    for run in runs:
        run.result()
    assert len(weight()) == 5
    assert growth.populate(reserve_jobs=True)["error_list"] == []
    assert len(growth()) == 5
    assert weight.jobs.progress()["total"] == 0


def test_it_is_awaited_while_the_loop_goes_on(tables: Any, gate: Gate) -> None:
    _, weight, growth = tables
    gate.is_broken = False

    async def both() -> tuple[Any, int]:
        making = asyncio.create_task(dj.populate_async(weight, growth))
        while not gate.begun.is_set():
            await asyncio.sleep(0)
        seen = len(weight())
        gate.open.set()
        return await making, seen

    done, seen = asyncio.run(both())
    assert seen == 0
    assert done["Growth"]["success_count"] == 5
    assert asyncio.run(weight.populate_async()) == {"success_count": 0, "error_list": []}


def test_who_cancels_the_wait_interrupts_it(tables: Any, gate: Gate) -> None:
    _, weight, _ = tables
    began = threading.Event()

    def hear(event: Event) -> None:
        if isinstance(event, Started):
            began.set()

    run = weight.populate(background=True, reserve_jobs=True, listener=hear)

    async def waiting() -> None:
        await run

    async def cancelled() -> None:
        making = asyncio.create_task(waiting())
        while not began.is_set():
            await asyncio.sleep(0)
        making.cancel()
        gate.open.set()
        await making

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())
    assert run.wait(60)
    assert weight.jobs.progress()["reserved"] == 0
    assert len(weight()) <= 1


def test_what_populate_would_refuse_is_refused_at_once(tables: Any) -> None:
    _, weight, _ = tables
    with pytest.raises(dj.DataJointError, match="restricted table"):
        (weight & "mouse = 1").populate(background=True)
    with pytest.raises(dj.DataJointError, match="transaction"), weight.connection.transaction:
        weight.populate(background=True)
    with pytest.raises(dj.DataJointError, match="time limit in the background"):
        weight.populate(background=True, time_limit=1)
    with pytest.raises(TypeError, match="Did you mean `max_calls`"):
        asyncio.run(weight.populate_async(max_call=1))


SCRIPT = """
import sys, threading
import djupyter as dj
from djupyter.sql.connection import Connection

schema = dj.Schema(sys.argv[2], connection=Connection(sys.argv[1]))
begun = threading.Event()

@schema
class Mouse(dj.Lookup):
    definition = "mouse : int32"
    contents = [(number,) for number in range(1, 6)]

@schema
class Weight(dj.Computed):
    definition = "-> Mouse"
    def make(self, key):
        begun.set()
        while not over.wait(0.05):
            pass
        self.insert1(key)

over = threading.Event()
run = Weight.populate(background=True, reserve_jobs=True)
begun.wait()
if sys.argv[3] == "soon":
    over.set()
print("end")
"""


@pytest.mark.parametrize(("when", "made"), [("soon", 1), ("never", 0)])
def test_it_ends_with_the_program_and_gives_its_jobs_back(
    db: Database, when: str, made: int, tmp_path: Path
) -> None:
    name = db.schema_name("lab")
    file = tmp_path / "script.py"
    file.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(file), db.url, name, when],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", "")
    schema = dj.Schema(name, connection=db.connection)
    rows = len(schema.get_table("Weight"))
    assert rows >= made if when == "soon" else rows == made
    (jobs,) = (job.progress() for job in schema.jobs)
    assert jobs["pending"] == jobs["total"] == 5 - rows
