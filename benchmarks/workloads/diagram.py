"""A pipeline of hundreds of tables as a picture, from nothing but a connection."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from benchmarks import raw
from benchmarks.places import LIBRARIES, Library, Place
from benchmarks.tables import Sizes
from benchmarks.timing import Act, Aims, Contender, Contest, Workload

# The aim holds for pictures; without Graphviz datajoint makes none, and is measured up to the text for it.
_HAS_GRAPHVIZ = shutil.which("dot") is not None
_AIMS = Aims(datajoint={"mysql": 0.1, "postgresql": 0.1} if _HAS_GRAPHVIZ else {})
_SCHEMA = "bench_driver"
_PREFIXES = ("", "#", "_", "__")


def _statements(driver: raw.Driver, tables: int) -> Iterator[str]:
    """Yield what declares tables, each of which refers to one or two before it."""
    choose = random.Random(0)
    known: list[str] = []
    for place in range(tables):
        reach = {max(0, place - 1 - int(choose.expovariate(0.15))) for _ in range(1 + place % 2)}
        parents = sorted(reach) if place else []
        keys = "".join(f"k{each} integer NOT NULL, " for each in parents)
        links = "".join(
            f", FOREIGN KEY (k{each}) REFERENCES {known[each]} (own)" for each in parents
        )
        prefix = _PREFIXES[choose.randrange(4)] if parents else ""
        name = driver.table(f"{prefix}table{place}")
        yield f"CREATE TABLE {name} (own integer PRIMARY KEY, {keys}note varchar(80){links})"
        known.append(name)


def _draw(place: Place, kind: str, draw: Any) -> None:
    library = LIBRARIES[kind](place)
    try:
        draw(library, library.schema(place.schema(_SCHEMA)))
    finally:
        library.close()


def _ours(library: Library, schema: Any) -> None:
    library.dj.Diagram(schema).svg_string()


def _theirs(library: Library, schema: Any) -> None:
    diagram = library.dj.Diagram(schema)
    if _HAS_GRAPHVIZ:
        diagram.make_svg()
    else:
        diagram.make_dot()


@contextmanager
def _contest(place: Place, sizes: Sizes) -> Iterator[Contest]:
    library = LIBRARIES["djupyter"](place)
    schema = library.schema(place.schema(_SCHEMA))
    driver = raw.connect(place)
    try:
        for statement in _statements(driver, sizes.declared[-1]):
            driver.execute(statement)
        acts: dict[Contender, Act] = {"djupyter": partial(_draw, place, "djupyter", _ours)}
        if place.has_datajoint:
            acts["datajoint"] = partial(_draw, place, "datajoint", _theirs)
        yield Contest(acts)
    finally:
        driver.close()
        schema.drop(prompt=False)
        library.close()


WORKLOADS = (Workload("diagram of 500 tables as SVG", _contest, _AIMS),)
