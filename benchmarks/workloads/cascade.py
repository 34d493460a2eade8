"""Deleting rows with everything below them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from benchmarks import raw, traffic
from benchmarks.places import LIBRARIES, Library, Place
from benchmarks.tables import Sizes
from benchmarks.timing import Act, Aims, Contender, Contest, Workload

_AIMS = Aims(driver=2.0, datajoint={"mysql": 0.4, "postgresql": 0.4}, statements=20)
LEVELS = 5
# How the rows spread over the levels: most are leaves.
_SHARES = (0.001, 0.009, 0.09, 0.3, 0.6)
_ROOTS = 40  # of which half go


def _name(level: int) -> str:
    return f"Level{level}"


def declare(library: Library, schema_name: str) -> dict[str, Any]:
    """Declare a chain of tables, each referring to the one above, and return their classes."""
    dj, schema = library.dj, library.schema(schema_name)
    found: dict[str, Any] = {"schema": schema}
    for level in range(LEVELS):
        parent = f"-> {_name(level - 1)}\n" if level else ""
        definition = f"{parent}k{level} : int32\n---\nvalue : int32"
        cls = type(_name(level), (dj.Manual,), {"definition": definition})
        found[_name(level)] = schema(cls, context=found)
    return found


def _rows(level: int, size: int) -> list[dict[str, int]]:
    """Return the rows of a level: every root has as many below it."""
    count = max(_ROOTS, int(2 * size * _SHARES[level]))
    return [
        {"k0": i % _ROOTS, **dict.fromkeys((f"k{n}" for n in range(1, level)), 0)}
        | ({f"k{level}": i // _ROOTS} if level else {})
        | {"value": i}
        for i in range(count)
    ]


def _fill(of: Mapping[str, Any], size: int) -> None:
    for level in range(LEVELS):
        of[_name(level)].insert(_rows(level, size), skip_duplicates=True)


def _by_library(of: Mapping[str, Any]) -> None:
    (of[_name(0)]() & f"k0 < {_ROOTS // 2}").delete(prompt=False)


def _by_driver(driver: raw.Driver) -> None:
    driver.execute("BEGIN")
    for level in reversed(range(LEVELS)):
        driver.execute(
            f"DELETE FROM {driver.table(f'level{level}')} WHERE k0 IN "
            f"(SELECT k0 FROM (SELECT k0 FROM {driver.table('level0')} WHERE k0 < {_ROOTS // 2}) t)"
        )
    driver.execute("COMMIT")


@contextmanager
def _contest(place: Place, sizes: Sizes) -> Iterator[Contest]:
    with traffic.counted(place) as (through, counter), _acts(through, sizes) as (acts, refill):
        statements: dict[Contender, int] = {}
        for contender, act in acts.items():
            before = counter.statements
            act()
            statements[contender] = counter.statements - before
            refill()
    with _acts(place, sizes) as (acts, refill):
        yield Contest(acts, refill, statements)


@contextmanager
def _acts(place: Place, sizes: Sizes) -> Iterator[tuple[dict[Contender, Act], Act]]:
    kinds: dict[Contender, str] = {"djupyter": "djupyter", "driver": "djupyter"}
    if place.has_datajoint:
        kinds["datajoint"] = "datajoint"
    with ExitStack() as stack:
        tables: dict[Contender, dict[str, Any]] = {}
        for contender, kind in kinds.items():
            library = LIBRARIES[kind](place)
            stack.callback(library.close)
            tables[contender] = declare(library, place.schema(f"bench_{contender}"))
            stack.callback(tables[contender]["schema"].drop, prompt=False)
        driver = raw.connect(place)
        stack.callback(driver.close)
        acts = {contender: partial(_by_library, of) for contender, of in tables.items()}

        def refill() -> None:
            for of in tables.values():
                _fill(of, sizes.cascade)

        refill()
        yield {**acts, "driver": partial(_by_driver, driver)}, refill


WORKLOADS = (Workload("cascade over 20,000 rows in 5 levels", _contest, _AIMS),)
