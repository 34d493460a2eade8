"""Inserting many rows at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from benchmarks import tables
from benchmarks.places import Place
from benchmarks.tables import SESSION, Sizes
from benchmarks.timing import Act, Aims, Contender, Contest, Workload

_AIMS = Aims(driver=1.5, datajoint={"mysql": 0.5, "postgresql": 0.5})


@contextmanager
def _dicts(place: Place, sizes: Sizes) -> Iterator[Contest]:
    rows = tables.dicts(SESSION, tables.sessions(sizes.insert))
    with _contest(place, rows, lambda: [tuple(row.values()) for row in rows]) as contest:
        yield contest


@contextmanager
def _frame(place: Place, sizes: Sizes) -> Iterator[Contest]:
    import pandas

    frame = pandas.DataFrame(tables.sessions(sizes.insert), columns=list(SESSION))

    def as_tuples() -> list[tuple[Any, ...]]:
        # Drivers take no values of NumPy; `tolist` makes Python's, `itertuples` does not.
        return list(zip(*(frame[name].tolist() for name in frame), strict=True))

    with _contest(place, frame, as_tuples) as contest:
        yield contest


@contextmanager
def _contest(place: Place, rows: Any, as_tuples: Any) -> Iterator[Contest]:
    with tables.world(place) as world:
        world.each(lambda of: of["Subject"].insert(tables.subjects()))
        driver, sql = world.driver, world.driver.insert("session", SESSION)
        acts: dict[Contender, Act] = {
            "djupyter": partial(world.tables["djupyter"]["Session"].insert, rows),
            "driver": lambda: driver.executemany(sql, as_tuples()),
        }
        if "datajoint" in world.tables:
            acts["datajoint"] = partial(world.tables["datajoint"]["Session"].insert, rows)
        yield Contest(acts, lambda: world.each(lambda of: of["Session"].delete_quick()))


WORKLOADS = (
    Workload("insert 20,000 dicts", _dicts, _AIMS),
    Workload("insert a DataFrame of 20,000", _frame, _AIMS),
)
