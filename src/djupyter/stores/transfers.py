"""Many transfers at once, in threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

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
    failures: list[BaseException] = []

    def run(task: Callable[[], T]) -> T | None:
        if failures:
            return None
        try:
            return task()
        except BaseException as error:
            failures.append(error)
            return None

    with ThreadPoolExecutor(min(workers, len(tasks)), "djupyter-transfer") as pool:
        try:
            results = list(pool.map(run, tasks))
        except BaseException as error:  # Ctrl-C, which only this thread hears
            failures.append(error)
            raise
    if failures:
        raise failures[0]
    return cast(list[T], results)
