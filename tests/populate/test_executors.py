"""`populate(executor=E)`: keys are made by any executor of `concurrent.futures`, wherever it works."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

import djupyter as dj
from djupyter.populate.running import executing

# How long the heart of a dead engine is waited for: half a second each time, four times.
HEART = ["--HeartMonitor.period=500", "--HeartMonitor.max_heartmonitor_misses=4"]


@contextmanager
def pool() -> Iterator[Executor]:
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as executor:
        yield executor


@contextmanager
def threads() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as executor:
        yield executor


@contextmanager
def dask() -> Iterator[Executor]:
    """Two workers that a nanny starts anew; each costs a key that it dies over only once."""
    import dask
    from distributed import Client, LocalCluster

    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        LocalCluster(
            n_workers=2, processes=True, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client.get_executor()


@contextmanager
def engines() -> Iterator[Executor]:
    import ipyparallel

    with ipyparallel.Cluster(n=2, controller_args=HEART, log_level=40) as client:
        yield client.load_balanced_view().executor


EXECUTORS: dict[str, Callable[[], Any]] = {"pool": pool, "dask": dask, "engines": engines}


@pytest.fixture(params=EXECUTORS, scope="module")
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    """An executor, started once for all tests."""
    with EXECUTORS[request.param]() as started:
        yield started


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[dj.Schema]:
    with dj.Connection(f"sqlite:///{tmp_path / 'lab.db'}") as connection:
        connection.settings["safemode"] = False
        yield dj.Schema("lab", connection=connection)


@pytest.fixture
def Stat(lab: dj.Schema) -> Any:
    """Eight keys, of which the fourth fails; the first one ends its process where `kills` says so."""

    class Odd(Exception):
        """Known here only."""

    @lab
    class Key(dj.Lookup):
        definition = "i : int32"
        contents = tuple((i,) for i in range(1, 9))

    @lab
    class Stat(dj.Computed):
        definition = "-> Key\n---\npid : int32"

        def make(self, key: dict[str, Any], kills: bool = False) -> None:
            self.insert1({**key, "pid": os.getpid()})
            if key["i"] == 1 and kills:
                os.kill(os.getpid(), signal.SIGKILL)
            if key["i"] == 4:
                raise Odd("four", 4)

    return Stat


@pytest.mark.parametrize("reserve_jobs", [False, True])
def test_keys_are_made_and_errors_come_back(
    executor: Executor, Stat: Any, reserve_jobs: bool
) -> None:
    done = Stat.populate(
        executor=executor,
        reserve_jobs=reserve_jobs,
        suppress_errors=True,
        return_exception_objects=True,
    )
    assert done["success_count"] == len(Stat) == 7
    ((key, error),) = done["error_list"]
    assert key == {"i": 4}
    assert (type(error).__name__, error.args) == ("Odd", ("four", 4))
    assert "in make" in str(error.__cause__)
    assert os.getpid() not in Stat.to_arrays("pid")
    assert Stat.jobs.progress()["error"] == Stat.jobs.progress()["total"] == reserve_jobs
    again = Stat.populate(executor=executor, reserve_jobs=reserve_jobs, suppress_errors=True)
    assert again["success_count"] == 0
    assert [key["i"] for key, _ in again["error_list"]] == ([] if reserve_jobs else [4])


def test_a_populate_inside_of_it_makes_all_keys(executor: Executor, Stat: Any) -> None:
    def populate(processes: int) -> Any:
        found = Stat.populate("i != 4", "i < 6", max_calls=2, processes=processes)
        found |= {"reserved": Stat.populate("i > 6", reserve_jobs=True)["success_count"]}
        return found

    future = executor.submit(by_value(populate), 2)
    assert future.result() == {"success_count": 2, "error_list": [], "reserved": 2}
    assert sorted(Stat.to_arrays("i")) == [1, 2, 7, 8]


def by_value(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function as those of a notebook travel, for executors that do not do that themselves."""
    import loky

    return loky.wrap_non_picklable_objects(function)  # type: ignore[no-any-return]


@pytest.mark.parametrize("reserve_jobs", [False, True])
def test_the_death_of_a_worker_is_an_error_or_tried_again_and_the_others_go_on(
    executor: Executor, Stat: Any, reserve_jobs: bool
) -> None:
    if isinstance(executor, ProcessPoolExecutor):
        pytest.skip("Python's executor does not survive; see the next test")
    if not reserve_jobs and hasattr(executor, "view"):
        pytest.skip("engines are not started anew; two deaths would leave none")
    done = Stat.populate(
        executor=executor,
        reserve_jobs=reserve_jobs,
        suppress_errors=True,
        make_kwargs={"kills": True},
    )
    assert set(Stat.to_arrays("i")) == {2, 3, 5, 6, 7, 8}
    if reserve_jobs:
        assert Stat.jobs.progress()["reserved"] == 0
        pending = Stat.jobs.pending.to_dicts()
        assert [job["i"] for job in pending] == [1]
        assert pending[0]["error_message"].startswith("WorkerDied: The worker process died")
    else:
        errors = {key["i"]: error for key, error in done["error_list"]}
        assert errors[1].startswith("WorkerDied: The worker process died")
        assert errors[4] == "Odd: ('four', 4)"


def test_a_pool_that_broke_is_named_and_what_it_worked_on_can_be_made_again(Stat: Any) -> None:
    with pool() as broken, pytest.raises(dj.DataJointError, match="can make no more keys"):
        Stat.populate(
            "i < 3",
            executor=broken,
            reserve_jobs=True,
            suppress_errors=True,
            make_kwargs={"kills": True},
        )
    assert Stat.jobs.progress()["reserved"] == 0
    assert {"i": 1} in Stat.jobs.pending.proj().to_dicts()
    assert 1 not in Stat.to_arrays("i")


class Forgetful(Executor):
    """Makes keys in this process at once; of every other call it never says what came of it."""

    def __init__(self) -> None:
        self._calls = 0

    def submit(self, function: Any, /, *args: Any, **options: Any) -> Future[Any]:
        """Return a future that ends, or does not."""
        future: Future[Any] = Future()
        result = function(*args, **options)
        self._calls += 1
        if self._calls % 2:
            future.set_result(result)
        return future


def test_results_that_an_executor_has_lost_are_found_in_the_database(
    Stat: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executing, "_QUIET", 0.0)
    done = Stat.populate("i > 4", executor=Forgetful(), processes=2)
    assert done == {"success_count": 4, "error_list": []}
    assert len(Stat) == 4


def test_results_of_several_rows_that_an_executor_has_lost_are_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(executing, "_QUIET", 0.0)
    with dj.Connection(f"sqlite:///{tmp_path / 'rows.db'}") as connection:
        schema = dj.Schema("lab", connection=connection)

        @schema
        class Key(dj.Lookup):
            definition = "i : int32"
            contents = tuple((i,) for i in range(1, 9))

        @schema
        class Rows(dj.Computed):
            definition = "row : int32\n-> Key"

            def make(self, key: dict[str, Any]) -> None:
                self.insert({**key, "row": row} for row in range(3))

        done = Rows.populate(executor=Forgetful(), processes=2)
        assert done == {"success_count": 8, "error_list": []}


@pytest.mark.parametrize("reserve_jobs", [False, True])
def test_failures_that_an_executor_has_lost_are_found_in_the_log(
    Stat: Any, monkeypatch: pytest.MonkeyPatch, reserve_jobs: bool
) -> None:
    monkeypatch.setattr(executing, "_QUIET", 0.0)
    done = Stat.populate(
        executor=Forgetful(), processes=2, suppress_errors=True, reserve_jobs=reserve_jobs
    )
    assert done == {"success_count": 7, "error_list": [({"i": 4}, "Odd: ('four', 4)")]}
    assert Stat.jobs.progress()["error"] == reserve_jobs


def test_a_time_limit_holds_in_threads_too(tmp_path: Path) -> None:
    with dj.Connection(f"sqlite:///{tmp_path / 'lab.db'}") as connection:
        schema = dj.Schema("lab", connection=connection)

        @schema
        class Key(dj.Lookup):
            definition = "i : int32"
            contents = tuple((i,) for i in range(1, 9))

        @schema
        class Made(dj.Computed):
            definition = "-> Key"

            def make(self, key: dict[str, Any]) -> None:
                while key["i"] == 4:
                    time.sleep(0.01)
                while key["i"] == 5:  # hears of nothing
                    with suppress(Exception):
                        time.sleep(0.01)
                self.insert1(key)

        with threads() as executor:
            done = Made.populate(executor=executor, suppress_errors=True, time_limit=2)
        assert done["success_count"] == 6
        errors = {key["i"]: error for key, error in done["error_list"]}
        assert sorted(errors) == [4, 5]
        assert all(error.startswith("TimeLimitError: The key had not") for error in errors.values())


@pytest.mark.parametrize("url", ["sqlite://", None])
def test_threads_make_keys_on_the_same_connection_also_in_memory(
    url: str | None, tmp_path: Path
) -> None:
    with dj.Connection(url or f"sqlite:///{tmp_path / 'lab.db'}") as connection:
        schema = dj.Schema("lab", connection=connection)

        @schema
        class Key(dj.Lookup):
            definition = "i : int32"
            contents = tuple((i,) for i in range(1, 9))

        @schema
        class Made(dj.Computed):
            definition = "-> Key"

            def make(self, key: dict[str, Any]) -> None:
                self.insert1(key)
                if key["i"] == 4:
                    raise ValueError("four")

        with threads() as executor:
            done = Made.populate(executor=executor, suppress_errors=True, reserve_jobs=True)
        assert done == {"success_count": 7, "error_list": [({"i": 4}, "ValueError: four")]}
        assert Made.jobs.progress()["total"] == 1
