"""Many small statements, each with its own value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks import tables
from benchmarks.places import Place
from benchmarks.raw import Driver
from benchmarks.tables import SESSION, SUBJECTS, Sizes
from benchmarks.timing import Act, Aims, Contender, Contest, Workload

_AIMS = Aims(driver=1.6, datajoint={"mysql": 0.9, "postgresql": 0.9})
_FILLED = 20_000

Key = dict[str, Any]


@dataclass(frozen=True)
class _Small:
    """One kind of statement: by either library, and by the driver; both make the same of it."""

    library: Callable[[Mapping[str, Any], Key], object]
    driver: Callable[[Driver, Key], object]


def _fetch1(driver: Driver, key: Key) -> dict[str, Any]:
    (row,) = driver.fetchall(f"SELECT {', '.join(SESSION)} {_where(driver)}", [*key.values()])
    found = dict(zip(SESSION, row, strict=True))
    found["is_good"] = bool(found["is_good"])
    return found


def _joined(driver: Driver, key: Key) -> list[dict[str, Any]]:
    names = ("subject_id", "session", "species", "depth", "note", "is_good")
    places = driver.place_holder
    rows = driver.fetchall(
        f"SELECT p.subject_id, session, species, depth, note, is_good "
        f"FROM {driver.table('subject')} p JOIN {driver.table('session')} s "
        f"ON s.subject_id = p.subject_id WHERE s.subject_id = {places}",
        [key["subject_id"]],
    )
    made = [dict(zip(names, row, strict=True)) for row in rows]
    for row in made:
        row["is_good"] = bool(row["is_good"])
    return made


def _where(driver: Driver) -> str:
    place = driver.place_holder
    return f"FROM {driver.table('session')} WHERE subject_id = {place} AND session = {place}"


def _subject(key: Key) -> Key:
    return {"subject_id": key["subject_id"]}


_KINDS = {
    "fetch1": _Small(lambda of, key: (of["Session"]() & key).fetch1(), _fetch1),
    "len": _Small(
        lambda of, key: len(of["Session"]() & _subject(key)),
        lambda driver, key: driver.fetchall(
            f"SELECT count(*) FROM {driver.table('session')} WHERE subject_id = {driver.place_holder}",
            [key["subject_id"]],
        )[0][0],
    ),
    "bool": _Small(
        lambda of, key: bool(of["Session"]() & key),
        lambda driver, key: bool(
            driver.fetchall(f"SELECT 1 {_where(driver)} LIMIT 1", [*key.values()])
        ),
    ),
    "small joins": _Small(
        lambda of, key: (of["Subject"]() * of["Session"]() & _subject(key)).to_dicts(), _joined
    ),
}


@contextmanager
def _contest(kind: _Small, place: Place, sizes: Sizes) -> Iterator[Contest]:
    keys = [
        {"subject_id": i * 7 % SUBJECTS, "session": i % (_FILLED // SUBJECTS)}
        for i in range(sizes.small)
    ]
    with tables.world(place) as world:
        world.each(_fill)
        acts: dict[Contender, Act] = {
            "driver": lambda: [kind.driver(world.driver, key) for key in keys]
        }
        for contender in ("djupyter", "datajoint"):
            if contender in world.tables:
                acts[contender] = partial(_all, kind, world.tables[contender], keys)
        yield Contest(acts)


def _all(kind: _Small, of: Mapping[str, Any], keys: list[Key]) -> None:
    for key in keys:
        kind.library(of, key)


def _fill(of: dict[str, Any]) -> None:
    of["Subject"].insert(tables.subjects())
    of["Session"].insert(tables.sessions(_FILLED))


@contextmanager
def _insert1(place: Place, sizes: Sizes) -> Iterator[Contest]:
    rows = tables.dicts(SESSION, tables.sessions(sizes.small))
    with tables.world(place) as world:
        world.each(lambda of: of["Subject"].insert(tables.subjects()))
        driver, sql = world.driver, world.driver.insert("session", SESSION)

        def by_driver() -> None:
            for row in rows:
                driver.execute(sql, tuple(row.values()))

        def by_library(of: Mapping[str, Any]) -> None:
            for row in rows:
                of["Session"].insert1(row)

        acts: dict[Contender, Act] = {"driver": by_driver}
        for contender in ("djupyter", "datajoint"):
            if contender in world.tables:
                acts[contender] = partial(by_library, world.tables[contender])
        yield Contest(acts, lambda: world.each(lambda of: of["Session"].delete_quick()))


WORKLOADS = (
    Workload("insert1, each of 500", _insert1, _AIMS, per="small"),
    *(
        Workload(f"{name}, each of 500", partial(_contest, kind), _AIMS, per="small")
        for name, kind in _KINDS.items()
    ),
)
