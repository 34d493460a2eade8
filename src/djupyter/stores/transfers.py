"""Many transfers at once, in threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TypeVar

T = TypeVar("T")
WORKERS = 8


def run_all(tasks: Sequence[Callable[[], T]], workers: int = WORKERS) -> list[T]:
    """Return the results of all tasks, in their order, run by so many threads.

    The first error, or Ctrl-C, cancels the tasks that have not begun; it is raised when those that run have
    ended, so that nothing is still being written afterwards.

    Examples
    --------
    >>> run_all([lambda: 1, lambda: 2])
    [1, 2]
    """
    if workers <= 1 or len(tasks) <= 1:
        return [task() for task in tasks]
    with ThreadPoolExecutor(min(workers, len(tasks)), "djupyter-transfer") as pool:
        futures = [pool.submit(task) for task in tasks]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
            failed = next((f for f in futures if f.done() and f.exception() is not None), None)
            if failed is not None:
                failed.result()
            return [future.result() for future in futures]
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
