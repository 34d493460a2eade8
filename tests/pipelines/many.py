"""A pipeline of hundreds of tables, made by plain SQL in a moment: as another tool could have declared it."""

from __future__ import annotations

import random
from collections.abc import Iterator

import djupyter as dj

PREFIXES = ("", "#", "_", "__")


def declare(connection: dj.Connection, tables: int = 500, schemas: int = 10) -> list[dj.Schema]:
    """Declare tables that refer to one or two before them, and return their schemas; for SQLite."""
    names = [f"many{place}" for place in range(schemas)]
    made = [dj.Schema(name, connection=connection) for name in names]
    connection.ddl(_statements(names, tables))
    return made


def _statements(schemas: list[str], tables: int) -> Iterator[str]:
    choose = random.Random(0)
    known: list[str] = []
    for place in range(tables):
        schema = schemas[place * len(schemas) // tables]
        reach = {
            max(0, place - 1 - int(choose.expovariate(0.15))) for _ in range(choose.randrange(3))
        }
        parents = sorted(reach) if place else []
        keys = "".join(f"k{each} integer NOT NULL, " for each in parents)
        links = "".join(f", FOREIGN KEY (k{each}) REFERENCES {known[each]}" for each in parents)
        name = f'"{schema}.{PREFIXES[choose.randrange(4)] if parents else ""}table{place}"'
        yield f"CREATE TABLE {name} (own integer PRIMARY KEY, {keys}note text{links})"
        known.append(name)
