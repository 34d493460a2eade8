"""Arrays as blobs, in a folder or in the row, beside a loop without a library.

That is zlib at its default level on NumPy's own bytes, a file, and a row. Files are in the caches of the system.
Random floats are what arrays of measurements are to zlib: hardly compressible.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.places import Place
from benchmarks.stores import Shelves, definitions, shelves
from benchmarks.tables import Sizes
from benchmarks.timing import Act, Aims, Contender, Contest, Workload

Row = dict[str, Any]

SERVERS = ("mysql", "postgresql")  # datajoint is measured beside them only
NOT_THERE = ("mariadb",)  # datajoint cannot insert there what most codecs of stores give it
_THREADS = 8
_NAMES = ("n", "trace")


def rows_of(count: int, size: int) -> list[Row]:
    """Return rows with arrays of random floats, no two alike."""
    chance = np.random.default_rng(0)
    return [{"n": n, "trace": chance.random(size)} for n in range(count)]


@contextmanager
def _inserting(
    insert: Callable[[Any, list[Row]], None],
    bare: Callable[[Shelves, list[Row]], None],
    place: Place,
    sizes: Sizes,
) -> Iterator[Contest]:
    rows = rows_of(sizes.arrays, sizes.floats)
    with shelves(place, definitions(place, "<blob@raw>", "varchar(255)", NOT_THERE)) as found:
        acts: dict[Contender, Act] = {"driver": partial(bare, found, rows)}
        for contender in found.libraries:
            acts[contender] = partial(insert, found.tables[contender], rows)
        yield Contest(acts, found.clear)


def _all(table: Any, rows: list[Row]) -> None:
    table().insert(rows)


def _each(table: Any, rows: list[Row]) -> None:
    for row in rows:
        table().insert1(row)


def _bare_rows(found: Shelves, rows: list[Row]) -> Iterator[tuple[int, str]]:
    for row in rows:
        path = found.folders["driver"] / str(row["n"])
        path.write_bytes(zlib.compress(row["trace"].tobytes()))
        yield row["n"], str(path)


def _bare_all(found: Shelves, rows: list[Row]) -> None:
    sql = found.driver.insert("recording", _NAMES)
    found.driver.executemany(sql, list(_bare_rows(found, rows)))


def _bare_each(found: Shelves, rows: list[Row]) -> None:
    sql = found.driver.insert("recording", _NAMES)
    for values in _bare_rows(found, rows):
        found.driver.execute(sql, values)


@contextmanager
def _fetching(in_store: bool, workers: int, place: Place, sizes: Sizes) -> Iterator[Contest]:
    """Let each read what it wrote itself."""
    rows = rows_of(sizes.arrays, sizes.floats)
    types = ("<blob@raw>", "varchar(255)", NOT_THERE) if in_store else ("<blob>", "bytes", ())
    with shelves(place, definitions(place, *types)) as found:
        found.work_with(workers)
        if in_store:
            _bare_all(found, rows)
        else:
            _fill_bytes(found, rows)
        acts: dict[Contender, Act] = {"driver": partial(_read_bare, found)}
        for contender in found.libraries:
            table = found.tables[contender]
            _each(table, rows)
            acts[contender] = partial(_read, table)
        yield Contest(acts)


def _fill_bytes(found: Shelves, rows: list[Row]) -> None:
    sql = found.driver.insert("recording", _NAMES)
    for row in rows:
        found.driver.execute(sql, (row["n"], zlib.compress(row["trace"].tobytes())))


def _read(table: Any) -> list[Any]:
    return list(table().to_arrays("trace"))


def _read_bare(found: Shelves) -> list[Any]:
    stored = found.driver.fetchall(f"SELECT trace FROM {found.driver.table('recording')}")
    read = (Path(each).read_bytes() if isinstance(each, str) else each for (each,) in stored)
    return [np.frombuffer(zlib.decompress(data)) for data in read]


_INSERT = Aims(datajoint=dict.fromkeys(SERVERS, 0.1))
_FETCH = Aims(driver=1.0, datajoint=dict.fromkeys(SERVERS, 1.0))
_200 = "200 x 800 kB"


def _workload(name: str, prepare: Any, aims: Aims, alone: tuple[str, ...] = NOT_THERE) -> Workload:
    return Workload(name, prepare, aims, alone=alone)


WORKLOADS = (
    _workload(f"insert {_200} <blob@>", partial(_inserting, _all, _bare_all), _INSERT),
    _workload(f"insert1 {_200} <blob@>", partial(_inserting, _each, _bare_each), _INSERT),
    _workload(f"fetch {_200} <blob@>", partial(_fetching, True, _THREADS), _FETCH),
    _workload(f"fetch {_200} <blob@>, one thread", partial(_fetching, True, 1), Aims()),
    _workload(f"fetch {_200} <blob>", partial(_fetching, False, _THREADS), _FETCH, ()),
    _workload(f"fetch {_200} <blob>, one thread", partial(_fetching, False, 1), Aims(), ()),
)
