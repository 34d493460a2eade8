"""Fetching a whole table, in each of the forms in which users want it.

The driver's rows are made into the same: arrays by NumPy, a frame by pandas, truth values, UUIDs and moments from
what the driver gives for them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from benchmarks import tables
from benchmarks.places import Place
from benchmarks.raw import Driver
from benchmarks.tables import RECORD, SESSION, Sizes
from benchmarks.timing import Act, Aims, Contender, Contest, Workload

_COLUMNS = Aims(driver=1.3, datajoint={"mysql": 0.6, "postgresql": 0.35})
_ROWS = Aims(driver=1.5, datajoint={"mysql": 0.65, "postgresql": 0.4})
_DTYPES = {
    "subject_id": np.int64,
    "session": np.int64,
    "depth": np.float64,
    "is_good": np.bool_,
    "record_id": np.int64,
}

Form = tuple[Callable[[Any], object], Callable[[Driver, str, Sequence[str]], object]]


def _select(driver: Driver, table: str, names: Sequence[str]) -> str:
    return f"SELECT {', '.join(names)} FROM {driver.table(table)}"


def _decoders(driver: Driver) -> dict[str, Callable[[Any], Any]]:
    """Return what a user of the driver must do to have the same values."""
    import datetime
    from decimal import Decimal
    from uuid import UUID

    if driver.place.backend == "postgresql":
        return {}
    if driver.place.backend == "mysql":
        return {"is_good": bool, "uid": lambda value: UUID(bytes=value)}
    return {
        "is_good": bool,
        "uid": UUID,
        "taken": datetime.datetime.fromisoformat,
        "day": datetime.date.fromisoformat,
        "weight": lambda value: Decimal(str(value)),
    }


def _columns(driver: Driver, table: str, names: Sequence[str]) -> dict[str, Any]:
    rows = driver.fetchall(_select(driver, table, names))
    decoders = _decoders(driver)
    made: dict[str, Any] = {}
    for name, column in zip(names, zip(*rows, strict=True), strict=True):
        if name in _DTYPES:
            made[name] = np.array(column, dtype=_DTYPES[name])
        else:
            made[name] = [*map(decoders[name], column)] if name in decoders else column
    return made


def _arrays(driver: Driver, table: str, names: Sequence[str]) -> object:
    return [
        column if isinstance(column, np.ndarray) else np.array(column, dtype=object)
        for column in _columns(driver, table, names).values()
    ]


def _frame(driver: Driver, table: str, names: Sequence[str]) -> object:
    import pandas

    frame = pandas.DataFrame(_columns(driver, table, names))
    return frame.set_index(["record_id"] if table == "record" else ["subject_id", "session"])


def _as_dicts(
    driver: Driver, names: Sequence[str], rows: Iterator[tuple[Any, ...]]
) -> Iterator[dict[str, Any]]:
    decoders = {name: decode for name, decode in _decoders(driver).items() if name in names}
    for row in rows:
        made = dict(zip(names, row, strict=True))
        for name, decode in decoders.items():
            made[name] = decode(made[name])
        yield made


def _dicts(driver: Driver, table: str, names: Sequence[str]) -> object:
    rows = driver.fetchall(_select(driver, table, names))
    return list(_as_dicts(driver, names, iter(rows)))


def _streamed(driver: Driver, table: str, names: Sequence[str]) -> object:
    rows = driver.stream(_select(driver, table, names))
    return deque(_as_dicts(driver, names, rows), maxlen=0)


_FORMS: dict[str, tuple[Form, Aims]] = {
    "arrays": ((lambda query: query.to_arrays(*query.heading.names), _arrays), _COLUMNS),
    "frame": ((lambda query: query.to_pandas(), _frame), _COLUMNS),
    "dicts": ((lambda query: query.to_dicts(), _dicts), _ROWS),
    "iteration": ((lambda query: deque(query, maxlen=0), _streamed), _ROWS),
}


@contextmanager
def _contest(form: Form, table: str, place: Place, sizes: Sizes) -> Iterator[Contest]:
    of_query, of_driver = form
    names = SESSION if table == "session" else RECORD
    with tables.world(place) as world:
        _fill(world, table, sizes.fetch)
        acts: dict[Contender, Act] = {"driver": partial(of_driver, world.driver, table, names)}
        for contender in ("djupyter", "datajoint"):
            fails = contender == "datajoint" and place.name in _alone(table)
            if contender in world.tables and not fails:
                acts[contender] = partial(of_query, world.tables[contender][table.capitalize()]())
        yield Contest(acts)


def _alone(table: str) -> tuple[str, ...]:
    """Return where datajoint cannot take part: it cannot read UUIDs from PostgreSQL."""
    return ("postgresql",) if table == "record" else ()


def _fill(world: tables.World, table: str, count: int) -> None:
    for contender in ("djupyter", "driver"):
        of = world.tables[contender]
        if table == "session":
            of["Subject"].insert(tables.subjects())
            of["Session"].insert(tables.sessions(count))
        else:
            of["Record"].insert(tables.records(count))
    if "datajoint" in world.tables:
        # It cannot insert UUIDs into PostgreSQL itself.
        for name in ("subject", "session", "record"):
            theirs = world.tables["datajoint"][name.capitalize()].full_table_name
            world.driver.execute(f"INSERT INTO {theirs} SELECT * FROM {world.driver.table(name)}")


WORKLOADS = tuple(
    Workload(
        f"fetch 100,000 x 5 as {name}{label}",
        partial(_contest, form, table),
        aims,
        alone=_alone(table),
    )
    for table, label in (("session", ""), ("record", ", rich types"))
    for name, (form, aims) in _FORMS.items()
)
