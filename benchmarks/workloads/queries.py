"""Building a query, from operators to SQL text; nothing reaches the database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from benchmarks import tables
from benchmarks.places import Place
from benchmarks.tables import Sizes
from benchmarks.timing import Act, Aims, Contender, Contest, Workload

_AIMS = Aims(datajoint={"mysql": 0.25, "postgresql": 0.25})


def _built(of: Mapping[str, Any]) -> str:
    subject, session = of["Subject"](), of["Session"]()
    joined = (subject & "species = 'rat'").proj() * session.proj("depth", twice="depth * 2")
    grouped = subject.aggr(joined & "depth > 5", n="count(session)", top="max(twice)")
    return str(grouped.make_sql())


@contextmanager
def _contest(anew: bool, place: Place, sizes: Sizes) -> Iterator[Contest]:
    from djupyter.query import statement

    def ours(of: Mapping[str, Any]) -> None:
        for _ in range(sizes.build):
            if anew:
                statement.forget()
            _built(of)

    def theirs(of: Mapping[str, Any]) -> None:
        for _ in range(sizes.build):
            _built(of)

    with tables.world(place) as world:
        acts: dict[Contender, Act] = {"djupyter": partial(ours, world.tables["djupyter"])}
        if "datajoint" in world.tables:
            acts["datajoint"] = partial(theirs, world.tables["datajoint"])
        yield Contest(acts)


WORKLOADS = (
    Workload("build a query, its form known", partial(_contest, False), _AIMS, per="build"),
    Workload("build a query, its form new", partial(_contest, True), _AIMS, per="build"),
)
