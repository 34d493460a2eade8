"""Populating: what a key costs beside its own work, and what it costs to find that there is nothing to do.

The bare driver does what must be done for each key and no more: begin, insert, commit; where keys are reserved, also
take the job before and remove it in the same transaction. Its claims are single ones, as if every worker wanted one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from benchmarks import raw, traffic
from benchmarks.places import LIBRARIES, Library, Place
from benchmarks.tables import Sizes
from benchmarks.timing import Act, Aims, Contender, Contest, Workload

Tables = dict[str, Any]


def _declare(library: Library, name: str, keys: int) -> Tables:
    """Declare a table of keys, filled, and one that is made of it."""
    dj, schema = library.dj, library.schema(name)

    @schema
    class Trial(dj.Manual):  # type: ignore[name-defined, misc]
        definition = "trial : int32"

    @schema
    class Result(dj.Computed):  # type: ignore[name-defined, misc]
        definition = "-> Trial\n---\nvalue : float64"

        def make(self, key: Any) -> None:
            self.insert1({**key, "value": 0.5})

    Trial.insert([{"trial": i} for i in range(keys)], skip_duplicates=True)
    return {"schema": schema, "Trial": Trial, "Result": Result}


@contextmanager
def _world(place: Place, keys: int) -> Iterator[tuple[dict[Contender, Tables], raw.Driver]]:
    libraries: dict[Contender, str] = {"djupyter": "djupyter", "driver": "djupyter"}
    if place.has_datajoint:
        libraries["datajoint"] = "datajoint"
    with ExitStack() as stack:
        tables: dict[Contender, Tables] = {}
        for contender, name in libraries.items():
            library = LIBRARIES[name](place)
            stack.callback(library.close)
            tables[contender] = _declare(library, place.schema(f"bench_{contender}"), keys)
            stack.callback(tables[contender]["schema"].drop, prompt=False)
        driver = raw.connect(place)
        stack.callback(driver.close)
        yield tables, driver


def _statements(place: Place, keys: int, act: Any) -> dict[Contender, int]:
    """Count the statements of an act, which gets the tables of one library after the other."""
    found: dict[Contender, int] = {}
    for contender in ("djupyter", "datajoint") if place.has_datajoint else ("djupyter",):
        with ExitStack() as stack:
            library = LIBRARIES[contender](place)
            stack.callback(library.close)
            of = _declare(library, place.schema(f"bench_counted_{contender}"), keys)
            stack.callback(of["schema"].drop, prompt=False)
            act(of, warm=True)
            # The same tables, reached another way.
            through, counter = stack.enter_context(traffic.counted(place))
            watched = LIBRARIES[contender](through)
            stack.callback(watched.close)
            again = _declare(watched, place.schema(f"bench_counted_{contender}"), keys)
            before = counter.statements
            act(again, warm=False)
            found[contender] = counter.statements - before
    return found


def _empty(of: Tables) -> None:
    of["Result"].delete_quick()
    if of["Result"].jobs.is_declared:
        of["Result"].jobs.delete()


@contextmanager
def _keys(reserved: bool, processes: int, place: Place, sizes: Sizes) -> Iterator[Contest]:
    keys = sizes.small
    options: dict[str, Any] = {"reserve_jobs": reserved, "processes": processes}

    def by_library(of: Tables, *, warm: bool = False) -> None:
        of["Result"].populate(**({**options, "max_calls": 1} if warm else options))

    with _world(place, keys) as (tables, driver):
        acts: dict[Contender, Act] = {}
        if processes == 1:
            tables["driver"]["Result"].jobs.ensure()
            acts["driver"] = partial(_by_driver, driver, keys, reserved)
        for contender in ("djupyter", "datajoint"):
            if contender in tables:
                acts[contender] = partial(by_library, tables[contender])
        counted = _statements(place, keys, by_library) if processes == 1 else {}

        def reset() -> None:
            for of in tables.values():
                _empty(of)

        yield Contest(acts, reset, counted)


def _by_driver(driver: raw.Driver, keys: int, reserved: bool) -> None:
    place, jobs = driver.place_holder, driver.table("~~result")
    insert = driver.insert("__result", ("trial", "value"))
    if reserved:
        names = driver.insert("~~result", ("trial", "status", "priority"))
        driver.executemany(names, [(trial, "pending", 5) for trial in range(keys)])
    trials = [row[0] for row in driver.fetchall(f"SELECT trial FROM {driver.table('trial')}")]
    for trial in trials:
        if reserved:
            driver.execute(
                f"UPDATE {jobs} SET status = 'reserved', reserved_time = CURRENT_TIMESTAMP, host = {place} "
                f"WHERE trial = {place} AND status = 'pending'",
                ("here", trial),
            )
        driver.execute("BEGIN")
        driver.execute(insert, (trial, 0.5))
        if reserved:
            driver.execute(
                f"DELETE FROM {jobs} WHERE trial = {place} AND status = 'reserved'", (trial,)
            )
        driver.execute("COMMIT")


@contextmanager
def _nothing(reserved: bool, place: Place, sizes: Sizes) -> Iterator[Contest]:
    def act(of: Tables, *, warm: bool = False) -> None:
        of["Result"].populate(reserve_jobs=reserved)

    with _world(place, sizes.small) as (tables, _):
        acts: dict[Contender, Act] = {}
        for contender in ("djupyter", "datajoint"):
            if contender in tables:
                act(tables[contender])
                acts[contender] = partial(act, tables[contender])
        yield Contest(acts, statements=_statements(place, sizes.small, act))


@contextmanager
def _progress(place: Place, sizes: Sizes) -> Iterator[Contest]:
    def act(of: Tables, *, warm: bool = False) -> None:
        of["Result"].progress()

    with _world(place, sizes.small) as (tables, _):
        acts: dict[Contender, Act] = {
            contender: partial(act, tables[contender])
            for contender in ("djupyter", "datajoint")
            if contender in tables
        }
        yield Contest(acts, statements=_statements(place, sizes.small, act))


@contextmanager
def _refresh(place: Place, sizes: Sizes) -> Iterator[Contest]:
    with _world(place, sizes.fetch) as (tables, _):
        acts: dict[Contender, Act] = {
            contender: partial(tables[contender]["Result"].jobs.refresh)
            for contender in ("djupyter", "datajoint")
            if contender in tables
        }

        def reset() -> None:
            for contender, of in tables.items():
                if contender != "driver":
                    _empty(of)

        yield Contest(acts, reset)


WORKLOADS = (
    Workload("populate, each of 500 keys", partial(_keys, False, 1), Aims(driver=1.4), per="small"),
    Workload(
        "populate reserved, each of 500 keys",
        partial(_keys, True, 1),
        Aims(driver=1.3),
        per="small",
    ),
    Workload("populate in 2 processes, each of 500 keys", partial(_keys, False, 2), per="small"),
    Workload(
        "populate reserved in 2 processes, each of 500 keys", partial(_keys, True, 2), per="small"
    ),
    Workload("populate with nothing to do", partial(_nothing, False), Aims(statements=2)),
    Workload("populate reserved with nothing to do", partial(_nothing, True), Aims(statements=2)),
    Workload("progress", _progress, Aims(statements=1)),
    Workload("refresh jobs of 100,000 keys", _refresh),
)
