"""What is done once in every process: the import, the declaration of tables, their activation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from time import perf_counter

from benchmarks import fresh
from benchmarks.places import LIBRARIES, Place
from benchmarks.tables import Sizes
from benchmarks.timing import Act, Aims, Contender, Contest, Workload


@contextmanager
def _import(use: str, place: Place, sizes: Sizes) -> Iterator[Contest]:
    def seconds(code: str) -> float:
        start = perf_counter()
        fresh.run(["-W", "ignore", "-c", code])
        return perf_counter() - start

    bare = min(seconds("pass") for _ in range(3))

    def importing(library: str) -> float:
        return seconds(f"import {library}\n{use.format(library)}") - bare

    acts: dict[Contender, Act] = {"djupyter": partial(importing, "djupyter")}
    if place.has_datajoint:
        acts["datajoint"] = partial(importing, "datajoint")
    yield Contest(acts)


def _contenders(place: Place) -> list[Contender]:
    return ["djupyter", "datajoint"] if place.has_datajoint else ["djupyter"]


def _schema(place: Place, contender: Contender, count: int) -> str:
    return place.schema(f"bench_steps_{contender}_{count}")


def _task(place: Place, contender: Contender, count: int, *, counted: bool = False) -> fresh.Task:
    return fresh.Task(contender, (place.name, place.url, place.mark), count, counted)


def _drop(place: Place, count: int) -> None:
    for contender in _contenders(place):
        library = LIBRARIES[contender](place)
        library.schema(_schema(place, contender, count)).drop(prompt=False)
        library.close()


@contextmanager
def _declaration(place: Place, sizes: Sizes) -> Iterator[Contest]:
    count = sizes.declared[0]
    statements = {}
    for contender in _contenders(place):
        task = _task(place, contender, count, counted=True)
        statements[contender] = int(fresh.carried_out(task))
    _drop(place, count)
    acts: dict[Contender, Act] = {
        contender: partial(fresh.carried_out, _task(place, contender, count))
        for contender in _contenders(place)
    }

    yield Contest(acts, partial(_drop, place, count), statements)


@contextmanager
def _activation(which: int, place: Place, sizes: Sizes) -> Iterator[Contest]:
    count = sizes.declared[min(which, len(sizes.declared) - 1)]
    statements = {}
    for contender in _contenders(place):
        library = LIBRARIES[contender](place)
        fresh.declare(library, _schema(place, contender, count), count)
        library.close()
        task = _task(place, contender, count, counted=True)
        statements[contender] = int(fresh.carried_out(task))
    try:
        yield Contest(
            {
                contender: partial(fresh.carried_out, _task(place, contender, count))
                for contender in _contenders(place)
            },
            statements=statements,
        )
    finally:
        _drop(place, count)


_ACTIVATION = Aims(datajoint={"mysql": 0.1, "postgresql": 0.1}, statements=20)
_HALF = {"mysql": 0.5, "postgresql": 0.5}

WORKLOADS = (
    Workload("activate 60 tables", partial(_activation, 0), _ACTIVATION),
    Workload("activate 500 tables", partial(_activation, 1), _ACTIVATION),
    Workload("declare 60 tables", _declaration, Aims(datajoint=_HALF)),
    Workload("import", partial(_import, ""), Aims(datajoint=_HALF)),
    Workload("import, settings read", partial(_import, "{}.config"), Aims(datajoint=_HALF)),
)
