"""The tables and rows of the workloads, the same for everyone.

The definitions are read by djupyter and by datajoint alike; the bare driver works on tables that djupyter has
declared, so that types, keys and checks are the same.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from benchmarks import raw
from benchmarks.places import LIBRARIES, Library, Place

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Sizes:
    """How much there is to do; the aims are stated for the defaults."""

    insert: int = 20_000
    fetch: int = 100_000
    small: int = 500
    build: int = 200
    cascade: int = 20_000
    declared: tuple[int, ...] = (60, 500)
    objects: int = 5_000
    arrays: int = 200
    floats: int = 100_000
    files: int = 20
    puts: int = 8
    latency: float = 0.2
    repeats: int = 5


TINY = Sizes(
    insert=20,
    fetch=50,
    small=3,
    build=2,
    cascade=40,
    declared=(2,),
    objects=20,
    arrays=3,
    floats=10,
    files=2,
    puts=1,
    latency=0,
    repeats=0,
)

SUBJECTS = 1_000
SESSION = ("subject_id", "session", "depth", "note", "is_good")
RECORD = ("record_id", "uid", "taken", "day", "weight")


def declare(library: Library, schema_name: str) -> dict[str, Any]:
    """Declare the tables with either library and return their classes by name."""
    dj, schema = library.dj, library.schema(schema_name)

    @schema
    class Subject(dj.Manual):  # type: ignore[name-defined, misc]
        definition = "subject_id : int32\n---\nspecies : varchar(20)"

    @schema
    class Session(dj.Manual):  # type: ignore[name-defined, misc]
        definition = """
        -> Subject
        session : int32
        ---
        depth : float64
        note : varchar(40)
        is_good : bool
        """

    @schema
    class Record(dj.Manual):  # type: ignore[name-defined, misc]
        definition = """
        record_id : int32
        ---
        uid : uuid
        taken : datetime(6)
        day : date
        weight : decimal(9, 3)
        """

    return {"schema": schema, "Subject": Subject, "Session": Session, "Record": Record}


def subjects() -> list[Row]:
    """Return the rows of Subject."""
    return [(i, ("rat", "mouse")[i % 2]) for i in range(SUBJECTS)]


def sessions(count: int) -> list[Row]:
    """Return rows of Session: whole numbers, a fraction, a text, a truth value."""
    return [
        (i % SUBJECTS, i // SUBJECTS, i / 3, f"session number {i}", i % 3 == 0)
        for i in range(count)
    ]


def records(count: int) -> list[Row]:
    """Return rows of Record: types for which drivers have other values than users."""
    from decimal import Decimal

    chance = random.Random(7)
    start = datetime.datetime(2026, 1, 1)
    return [
        (
            i,
            UUID(int=chance.getrandbits(128)),
            start + datetime.timedelta(seconds=i, microseconds=i % 1_000_000),
            start.date() + datetime.timedelta(days=i % 365),
            Decimal(i) / 8,
        )
        for i in range(count)
    ]


def dicts(names: Sequence[str], rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return rows as mappings."""
    return [dict(zip(names, row, strict=True)) for row in rows]


@dataclass(frozen=True)
class World:
    """The tables of each library, each in a schema of its own, and the bare driver with a third copy.

    Parameters
    ----------
    tables
        Classes by name, by library.
    driver
        The bare driver, on tables declared by djupyter.
    """

    place: Place
    tables: dict[str, dict[str, Any]]
    driver: raw.Driver

    def each(self, work: Callable[[dict[str, Any]], None]) -> None:
        """Do something with the tables of every contender."""
        for tables in self.tables.values():
            work(tables)


@contextmanager
def world(place: Place) -> Iterator[World]:
    """Yield freshly declared tables, dropped at the end."""
    with ExitStack() as stack:
        tables: dict[str, dict[str, Any]] = {}
        for contender, library in _libraries(place).items():
            connected = LIBRARIES[library](place)
            stack.callback(connected.close)
            tables[contender] = declare(connected, place.schema(f"bench_{contender}"))
            stack.callback(tables[contender]["schema"].drop, prompt=False)
        driver = raw.connect(place)
        stack.callback(driver.close)
        yield World(place, tables, driver)


def _libraries(place: Place) -> dict[str, str]:
    found = {"djupyter": "djupyter", "driver": "djupyter"}
    return {**found, "datajoint": "datajoint"} if place.has_datajoint else found
