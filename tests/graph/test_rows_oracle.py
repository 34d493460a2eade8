"""Rows followed through random pipelines are those that an oracle in memory finds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import count
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import djupyter as dj
from tests.conftest import Database
from tests.graph.worlds import Declared, Place, World, random_world

EXAMPLES = {"sqlite": 60}
FEW = 4

# A seed makes a whole world: there is nothing smaller to look for where one fails.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)


def on(db: Database, check: Callable[[Declared, Random], None]) -> None:
    """Check random worlds, many on SQLite and a few on servers."""
    numbers = count()

    @settings(
        max_examples=EXAMPLES.get(db.server, FEW),
        phases=PHASES,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(st.integers(0, 10**9))
    def run(seed: int) -> None:
        number, random = next(numbers), Random(seed)
        memory = db.server == "sqlite"
        connection = dj.Connection("sqlite://") if memory else db.connection
        connection.settings["safemode"] = False
        declared = Declared(
            random_world(random), connection, lambda name: db.schema_name(f"{name}{number}")
        )
        check(declared, random)
        if memory:
            connection.close()

    run()


def some_rows(declared: Declared, random: Random, table: int) -> tuple[Any, set[Place]]:
    """Return a restricted table and its rows."""
    cls, rows = declared.tables[table], declared.world.plans[table].rows
    whole = {(table, n) for n in range(len(rows))}
    how = random.choice(("whole", "text", "keys", "first", "twice"))
    if how == "whole":
        return cls(), whole
    if how in ("text", "twice"):
        bound = random.randrange(3)
        chosen = {(table, n) for n, row in enumerate(rows) if row[f"v{table}"] <= bound}
        found = cls & f"v{table} <= {bound}"
        return (cls & found.proj() if how == "twice" else found), chosen
    numbers = [n for n in range(len(rows)) if random.random() < 0.4]
    key = declared.world.plans[table].key
    found = cls & [{name: rows[n][name] for name in key} for n in numbers]
    if how == "first":
        found = found & dj.Top(1)
        numbers = sorted(numbers, key=lambda n: [rows[n][name] for name in cls.primary_key])[:1]
    return found, {(table, n) for n in numbers}


def any_table(declared: Declared, random: Random) -> int:
    return random.randrange(len(declared.tables))


def counted(declared: Declared, places: set[Place]) -> Counter[str]:
    return Counter(declared.name(table) for table, _ in places)


def expected_deletion(world: World, seeds: set[Place], integrity: str) -> set[Place] | None:
    """Return the rows that go; None when a part would go without its master."""
    doomed = world.down(seeds)
    while integrity != "ignore" and not world.masters(doomed) <= doomed:
        if integrity == "enforce":
            return None
        doomed = world.down(doomed | world.masters(doomed))
    return doomed


@pytest.mark.parametrize("integrity", ["enforce", "ignore", "cascade"])
def test_a_deletion_takes_what_depends_on_the_rows_and_its_preview_says_so(
    db: Database, integrity: str
) -> None:
    def check(declared: Declared, random: Random) -> None:
        rows, seeds = some_rows(declared, random, any_table(declared, random))
        before = declared.left()
        table = dj.FreeTable(rows.connection, rows.full_table_name)._like(rows.node)
        doomed = expected_deletion(declared.world, seeds, integrity)
        if doomed is None:
            with pytest.raises(dj.DataJointError, match="before its master"):
                table.delete(part_integrity=integrity)
            assert declared.left() == before
            return
        shown = table.delete(dry_run=True, part_integrity=integrity)
        assert dj.Diagram.cascade(table, integrity).counts() == shown
        assert +Counter(shown) == counted(declared, doomed)
        own = sum(place[0] == next(iter(seeds))[0] for place in doomed) if seeds else 0
        assert table.delete(part_integrity=integrity) == own
        assert declared.left() == before - doomed

    on(db, check)


def test_a_trace_has_what_the_rows_depend_on(db: Database) -> None:
    def check(declared: Declared, random: Random) -> None:
        rows, seeds = some_rows(declared, random, any_table(declared, random))
        trace = dj.Diagram.trace(rows)
        reached = declared.world.up(seeds)
        for number, table in enumerate(declared.tables):
            if table in trace:
                assert declared.keys(number, trace[table]) == {p for p in reached if p[0] == number}
            else:
                assert not any(place[0] == number for place in reached)
        assert +Counter(trace.counts()) == counted(declared, reached)

    on(db, check)


def test_a_restricted_diagram_has_the_rows_that_agree_with_the_choice(db: Database) -> None:
    def check(declared: Declared, random: Random) -> None:
        number = any_table(declared, random)
        rows, seeds = some_rows(declared, random, number)
        everything = dj.Diagram.from_sequence(declared.schemas)
        tables, kept = declared.world.agreeing(number, seeds)
        restricted = everything.restrict(rows)
        assert restricted.counts().keys() == {declared.name(table) for table in tables}
        for table in tables:
            found = declared.keys(table, restricted[declared.tables[table]])
            assert found == {place for place in kept if place[0] == table}
        pruned = restricted.prune()
        filled = {place[0] for place in declared.world.places}
        kept_in = {place[0] for place in kept} | (filled - tables)
        assert {n for n, table in enumerate(declared.tables) if table in pruned} == kept_in

    on(db, check)


def test_far_relatives_are_those_connected_by_any_way(db: Database) -> None:
    def check(declared: Declared, random: Random) -> None:
        here, there = any_table(declared, random), any_table(declared, random)
        own, mine = some_rows(declared, random, here)
        rows, seeds = some_rows(declared, random, there)
        if not declared.world.path_between(here, there):
            with pytest.raises(dj.DataJointError, match="not connected"):
                own.restrict_by(rows)
            return
        reached = declared.world.down(seeds) if there <= here else declared.world.up(seeds)
        found = own.restrict_by(rows)
        assert declared.keys(here, found) == mine & reached
        assert declared.keys(here, own - found.proj()) == mine - reached
        assert len(found.proj()) == len(mine & reached)

    on(db, check)
