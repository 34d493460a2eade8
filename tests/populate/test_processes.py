"""`populate(processes=N)`: keys are made in processes of their own, whose deaths harm nobody else."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

import djupyter as dj
from djupyter.populate.events import Failed, Finished, Started
from djupyter.sql import ddl
from tests.conftest import Database


@pytest.fixture
def Source(schema: dj.Schema) -> Any:
    @schema
    class Source(dj.Manual):
        definition = "i : int32\n---\nx : float64"

    Source.insert((i, i / 2) for i in range(1, 9))
    return Source


@pytest.fixture
def lab(tmp_path: Path) -> dj.Schema:
    """A schema in a file, for what has nothing to do with the database."""
    connection = dj.Connection(f"sqlite:///{tmp_path / 'lab.db'}")
    connection.settings["safemode"] = False
    return dj.Schema("lab", connection=connection)


@pytest.fixture
def Key(lab: dj.Schema) -> Any:
    @lab
    class Key(dj.Manual):
        definition = "i : int32"

    Key.insert((i,) for i in range(1, 9))
    return Key


class TwoArguments(Exception):
    """An exception that pickles, and then cannot be made again."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(what)


@pytest.fixture
def before() -> set[int]:
    """The processes that tests before this one have left, as Python's own modules keep some."""
    return {child.pid for child in psutil.Process().children(recursive=True)}


def children(before: set[int]) -> list[psutil.Process]:
    """The processes that this one has started since, but for those that Python's own modules keep."""
    found = psutil.Process().children(recursive=True)
    return [
        child
        for child in found
        if child.pid not in before
        and child.is_running()
        and child.status() != psutil.STATUS_ZOMBIE
        # Servers that the tests run on start processes whenever they like.
        and "python" in child.name()
        and not any("resource_tracker" in word for word in child.cmdline())
    ]


def test_parts_and_objects_are_made_under_leases_and_a_death_is_one_error(
    schema: dj.Schema, Source: Any, db: Database, tmp_path: Path, before: set[int]
) -> None:
    (tmp_path / "raw").mkdir()
    db.connection.settings["stores"] = {
        "raw": {"protocol": "file", "location": str(tmp_path / "raw")}
    }

    @schema
    class Trace(dj.Computed):
        definition = "-> Source\n---\npid : int32\ntrace : <blob@raw>"

        class Digit(dj.Part):
            definition = "-> master\ndigit : int8"

        def make(self, key: dict[str, Any], scale: int) -> None:
            self.insert1({**key, "pid": os.getpid(), "trace": np.full(100, scale * key["i"])})
            self.Digit.insert([{**key, "digit": digit} for digit in range(3)])
            if key["i"] == 2:
                os.kill(os.getpid(), signal.SIGKILL)
            if key["i"] == 4:
                raise ValueError("no four")

    done = Trace.populate(
        processes=2, reserve_jobs=True, suppress_errors=True, make_kwargs={"scale": 10}
    )
    errors = {key["i"]: error for key, error in done["error_list"]}
    assert done["success_count"] == 6, errors
    assert errors == {2: errors[2], 4: "ValueError: no four"}
    assert errors[2].startswith("WorkerDied: The worker process died")
    assert [trace[0] for trace in Trace.to_arrays("trace", order_by="KEY")] == [
        10 * i for i in (1, 3, 5, 6, 7, 8)
    ]
    assert len(Trace.Digit) == 18
    assert os.getpid() not in Trace.to_arrays("pid")
    jobs = Trace.jobs.errors.to_dicts(order_by="KEY")
    assert [job["i"] for job in jobs] == [2, 4]
    deaths = Trace.job_report({"i": 2}).attempts
    assert [death["outcome"] for death in deaths] == ["lost"] * 3
    assert len({death["pid"] for death in deaths} - {0, os.getpid()}) == 3
    assert "in make" in jobs[1]["error_stack"]
    assert Trace.jobs.progress()["total"] == 2
    assert not children(before)


def test_makes_in_three_parts_and_generators_run_in_processes_with_max_calls_exact(
    schema: dj.Schema, Source: Any
) -> None:
    @schema
    class Parts(dj.Computed):
        definition = "-> Source\n---\ny : float64"

        def make_fetch(self, key: dict[str, Any]) -> tuple[Any, ...]:
            return ((Source & key).fetch1("x"),)

        def make_compute(self, key: dict[str, Any], x: float) -> tuple[Any, ...]:
            return (x + 1,)

        def make_insert(self, key: dict[str, Any], y: float) -> None:
            self.insert1({**key, "y": y})

    @schema
    class Yielding(dj.Computed):
        definition = "-> Parts\n---\ny : float64"

        def make(self, key: dict[str, Any]) -> Any:
            found = yield ((Parts & key).fetch1("y"),)
            if found is None:
                found = ((Parts & key).fetch1("y") * 2,)
                found = yield found
            self.insert1({**key, "y": found[0]})
            yield

    assert Parts.populate(processes=3, max_calls=5)["success_count"] == 5
    assert Parts.to_arrays("y", order_by="KEY").tolist() == [1.5, 2, 2.5, 3, 3.5]
    assert Yielding.populate("i > 2", processes=2, reserve_jobs=True, max_calls=2) == {
        "success_count": 2,
        "error_list": [],
    }
    assert Yielding.to_arrays("y", order_by="KEY").tolist() == [5, 6]
    assert Yielding.jobs.progress()["reserved"] == 0


def test_an_interrupt_ends_all_processes_and_undoes_what_is_in_work(
    schema: dj.Schema, Source: Any, tmp_path: Path, before: set[int]
) -> None:
    pipe = str(tmp_path / "begun")
    os.mkfifo(pipe)
    forever = [sys.executable, "-c", "import signal; signal.pause()"]

    @schema
    class Endless(dj.Computed):
        definition = "-> Source"

        def make(self, key: dict[str, Any]) -> None:
            self.insert1(key)
            subprocess.Popen(forever)
            Path(pipe).write_text("begun")
            signal.pause()

    def interrupt() -> None:
        Path(pipe).read_text()
        os.kill(os.getpid(), signal.SIGINT)

    waiting = threading.Thread(target=interrupt)
    waiting.start()
    with pytest.raises(KeyboardInterrupt):
        Endless.populate(processes=2, reserve_jobs=True, suppress_errors=True)
    waiting.join()
    assert len(Endless) == 0
    assert Endless.jobs.progress() | {"total": 0} == {
        "pending": 8,
        "reserved": 0,
        "success": 0,
        "error": 0,
        "ignore": 0,
        "total": 0,
    }
    assert len(dj.FreeTable(schema.connection, f"{schema.name}.~workers")) == 0
    assert not children(before)


def test_two_threads_populate_at_once_on_one_connection(schema: dj.Schema, Source: Any) -> None:
    @schema
    class Square(dj.Computed):
        definition = "-> Source\n---\ny : float64"

        def make(self, key: dict[str, Any]) -> None:
            self.insert1({**key, "y": (Source & key).fetch1("x") ** 2})

    together = threading.Barrier(2)
    done: list[Any] = []

    def populate() -> None:
        together.wait()
        done.append(Square.populate())

    threads = [threading.Thread(target=populate) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each["error_list"] for each in done] == [[], []]
    assert sum(each["success_count"] for each in done) == len(Square) == 8


def test_processes_work_for_two_threads_at_once(lab: dj.Schema, Key: Any) -> None:
    @lab
    class Low(dj.Computed):
        definition = "-> Key"

        def make(self, key: dict[str, Any]) -> None:
            self.insert1(key)

    done: list[Any] = []
    threads = [
        threading.Thread(target=lambda: done.append(Low.populate(processes=1, reserve_jobs=True))),
        threading.Thread(target=lambda: done.append(Low.populate(processes=2, reserve_jobs=True))),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(each["success_count"] for each in done) == len(Low) == 8
    assert all(each["error_list"] == [] for each in done)


def test_crashes_of_every_kind_are_errors_of_their_keys(lab: dj.Schema, Key: Any) -> None:
    @lab
    class Crash(dj.Computed):
        definition = "-> Key"

        def make(self, key: dict[str, Any]) -> None:
            if key["i"] == 1:
                ctypes.string_at(0)
            if key["i"] == 2:
                resource.setrlimit(resource.RLIMIT_AS, (2**30, resource.RLIM_INFINITY))
                bytearray(2**33)
            if key["i"] == 3:
                os._exit(0)
            self.insert1(key)

    told: list[Any] = []
    done = Crash.populate(
        "i < 6",
        processes=2,
        suppress_errors=True,
        return_exception_objects=True,
        listener=told.append,
    )
    errors = {key["i"]: error for key, error in done["error_list"]}
    assert {i: type(error).__name__ for i, error in errors.items()} == {
        1: "WorkerDiedError",
        2: "MemoryError",
        3: "WorkerDiedError",
    }
    assert done["success_count"] == len(Crash) == 2
    assert len([event for event in told if isinstance(event, Failed)]) == 3


def test_a_process_that_is_killed_while_idle_is_replaced(lab: dj.Schema, Key: Any) -> None:
    @lab
    class Made(dj.Computed):
        definition = "-> Key\n---\npid : int32"

        def make(self, key: dict[str, Any]) -> None:
            self.insert1({**key, "pid": os.getpid()})

    def kill(event: Any) -> None:
        if isinstance(event, Finished) and event.key == {"i": 1}:
            psutil.Process((Made & event.key).fetch1("pid")).kill()
            for thread in threading.enumerate():
                if "ExecutorManager" in thread.name:
                    thread.join()  # by then it is known to be dead

    done = Made.populate(memory_limit=2**40, listener=kill)
    assert done == {"success_count": 8, "error_list": []}
    assert len(set(Made.to_arrays("pid"))) == 2


@pytest.mark.parametrize("denied", ["declare", "execute_many"])
def test_a_crash_is_final_where_nobody_may_count_it(
    lab: dj.Schema, Key: Any, monkeypatch: pytest.MonkeyPatch, denied: str
) -> None:
    @lab
    class Crash(dj.Computed):
        definition = "-> Key"

        def make(self, key: dict[str, Any]) -> None:
            os._exit(1)

    def refuse(owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def refusing(*given: Any) -> Any:
            if "~job_log" in repr(given):
                raise dj.errors.AccessError("the log is not yours", "", "")
            return real(*given)

        monkeypatch.setattr(owner, name, refusing)

    refuse(ddl if denied == "declare" else dj.Connection, denied)
    told: list[Any] = []
    done = Crash.populate("i = 1", processes=2, suppress_errors=True, listener=told.append)
    ((key, error),) = done["error_list"]
    assert key == {"i": 1}
    assert error.startswith("WorkerDied: ")
    assert len([event for event in told if isinstance(event, Started)]) == 1


def test_the_error_of_a_process_is_raised_with_the_traceback_it_had_there(
    lab: dj.Schema, Key: Any
) -> None:
    class Own(Exception):
        """Known in this cell only."""

    @lab
    class Fails(dj.Computed):
        definition = "-> Key"

        def make(self, key: dict[str, Any]) -> None:
            if key["i"] == 1:
                raise Own("why", 17)
            raise TwoArguments("what", "why")

    with pytest.raises(Own) as raised:
        Fails.populate("i = 1", processes=2)
    assert raised.value.args == ("why", 17)
    assert raised.value.__notes__ == ["While computing Fails for the key {'i': 1}."]
    assert "in make" in str(raised.value.__cause__)
    with pytest.raises(dj.DataJointError, match="TwoArguments: what") as foreign:
        Fails.populate("i = 2", processes=2)
    assert "in make" in str(foreign.value.__cause__)


def test_a_make_may_start_processes_of_its_own(lab: dj.Schema, Key: Any) -> None:
    @lab
    class Spread(dj.Computed):
        definition = "-> Key\n---\ntotal : int32"

        def make(self, key: dict[str, Any]) -> None:
            import loky

            with multiprocessing.get_context("fork").Pool(2) as pool:
                total = sum(pool.map(abs, [-1, -2, -3]))
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
                total += pool.submit(abs, -10).result()
            with loky.ProcessPoolExecutor(1) as pool:
                total += pool.submit(abs, -100).result()
            self.insert1({**key, "total": total})

    assert Spread.populate("i = 1", processes=2)["success_count"] == 1
    assert Spread.fetch1("total") == 116


def test_what_cannot_travel_is_refused_with_advice(lab: dj.Schema, Key: Any) -> None:
    lock = threading.Lock()

    @lab
    class Locked(dj.Computed):
        definition = "-> Key"

        def make(self, key: dict[str, Any]) -> None:
            with lock:
                self.insert1(key)

    with pytest.raises(dj.DataJointError, match="Locked cannot be sent to another process"):
        Locked.populate(processes=2)
    with pytest.raises(dj.DataJointError, match="processes must be at least 1"):
        Locked.populate(processes=0)


def test_a_database_in_memory_is_refused() -> None:
    schema = dj.Schema("lab", connection=dj.Connection("sqlite://"))

    @schema
    class Key(dj.Manual):
        definition = "i : int32"

    @schema
    class Made(dj.Computed):
        definition = "-> Key"

        def make(self, key: dict[str, Any]) -> None:
            self.insert1(key)

    with pytest.raises(dj.DataJointError, match="in the memory of this process"):
        Made.populate(processes=2)
