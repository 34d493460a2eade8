"""Many transfers at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from djupyter.stores.transfers import run_all


@given(st.lists(st.integers()), st.integers(-1, 40))
def test_results_come_in_the_order_of_the_tasks(numbers, workers) -> None:
    assert run_all([partial(int, n) for n in numbers], workers) == numbers


@pytest.mark.parametrize("workers", [1, 4])
def test_the_first_error_ends_the_work(workers) -> None:
    done, others = [], threading.Semaphore(0)

    def fail() -> None:
        others.acquire(timeout=10)
        raise KeyError("first")

    def succeed(n: int) -> None:
        others.release()
        done.append(n)

    tasks = [partial(succeed, 0), fail, *(partial(succeed, n) for n in range(1, 10_000))]
    with pytest.raises(KeyError, match="first"):
        run_all(tasks, workers)
    after = len(done)
    assert after < 10_000
    running = [thread.name for thread in threading.enumerate() if thread.is_alive()]
    assert not [name for name in running if "djupyter-transfer" in name]
    assert len(done) == after


def test_no_more_run_at_once_than_asked_for() -> None:
    meet = threading.Barrier(3, timeout=10)  # fails unless three run at once
    active, most = 0, 0
    lock = threading.Lock()

    def task() -> None:
        nonlocal active, most
        with lock:
            active += 1
            most = max(most, active)
        meet.wait()
        with lock:
            active -= 1

    run_all([task] * 9, 3)
    assert most == 3


def test_an_interrupt_waits_for_what_runs_and_begins_nothing_more() -> None:
    begun, ended = [], []
    heard, all_given = threading.Event(), threading.Event()
    main = threading.main_thread().ident or 0

    class Tasks(list[Any]):
        """Tasks of which it is known when all are given to the threads: a thread that just begins hears nobody."""

        def __iter__(self) -> Iterator[Any]:
            yield from super().__iter__()
            all_given.set()

    def hear(*_: object) -> None:
        if not heard.is_set():
            heard.set()
            raise KeyboardInterrupt

    def task(n: int) -> None:
        begun.append(n)
        all_given.wait(10)
        while not heard.is_set():  # it does not hear what comes just before it waits
            signal.pthread_kill(main, signal.SIGINT)
            heard.wait(0.05)
        ended.append(n)

    before = signal.signal(signal.SIGINT, hear)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_all(Tasks(partial(task, n) for n in range(100_000)), 2)
    finally:
        signal.signal(signal.SIGINT, before)
    assert sorted(begun) == sorted(ended)
    assert len(begun) < 100_000
