"""Random pipelines with rows, and an oracle that knows in memory what depends on what.

Tables lie in two schemas. A foreign key may stand in the key or not, be renamed whole or in part, be nullable,
go to one parent several times, to a part or to a sibling part; foreign keys may share attributes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from random import Random
from typing import Any

import djupyter as dj

Row = dict[str, int | None]
Place = tuple[int, int]  # a row: its table and its number there


@dataclass
class Reference:
    """A foreign key: attribute here to attribute of the parent's key."""

    parent: int
    pairs: dict[str, str]
    in_key: bool
    nullable: bool


@dataclass
class Plan:
    """A table and its rows."""

    number: int
    schema: int
    master: int | None
    key: list[str] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    nullable: set[str] = field(default_factory=set)
    own_key: bool = True
    rows: list[Row] = field(default_factory=list)

    @property
    def attributes(self) -> list[str]:
        inherited = [here for each in self.references for here in each.pairs]
        return list(dict.fromkeys([*self.key, *inherited, f"v{self.number}"]))


@dataclass
class World:
    """Tables in order, parents first."""

    plans: list[Plan]

    def refers(self, place: Place) -> Iterator[tuple[int, Place | None]]:
        """Yield for each foreign key of a row the parent table and the row there, if any."""
        plan = self.plans[place[0]]
        row = plan.rows[place[1]]
        for each in plan.references:
            wanted = {there: row[here] for here, there in each.pairs.items()}
            found = None
            if None not in wanted.values():
                for number, parent in enumerate(self.plans[each.parent].rows):
                    if all(parent[name] == value for name, value in wanted.items()):
                        found = (each.parent, number)
            yield each.parent, found

    @property
    def places(self) -> list[Place]:
        return [(plan.number, n) for plan in self.plans for n in range(len(plan.rows))]

    def up(self, seeds: Iterable[Place]) -> set[Place]:
        """Return what some rows depend on, themselves included."""
        reached = set(seeds)
        for place in reversed(self.places):
            if place in reached:
                reached |= {found for _, found in self.refers(place) if found}
        return reached

    def down(self, seeds: Iterable[Place]) -> set[Place]:
        """Return what depends on some rows, themselves included."""
        reached = set(seeds)
        for place in self.places:
            if any(found in reached for _, found in self.refers(place)):
                reached.add(place)
        return reached

    def agreeing(self, table: int, seeds: Iterable[Place]) -> tuple[set[int], set[Place]]:
        """Return the tables that a choice of rows of one reaches, and the rows that agree with it."""
        tables, kept = {table}, set(seeds)
        for plan in self.plans:
            if any(each.parent in tables for each in plan.references) and plan.number != table:
                tables.add(plan.number)
        for place in self.places:
            if place[0] in tables - {table}:
                told = [found for parent, found in self.refers(place) if parent in tables]
                if all(found in kept for found in told):
                    kept.add(place)
        return tables, kept

    def masters(self, places: Iterable[Place]) -> set[Place]:
        """Return the master rows of part rows, also of parts that refer to them through other parts."""
        found: set[Place] = set()
        for start in places:
            master, place = self.plans[start[0]].master, start
            while master is not None and place is not None and place[0] != master:
                family = [place for _, place in self.refers(place)]
                place = family[self._membership(place[0])]
            if master is not None and place is not None:
                found.add(place)
        return found

    def _membership(self, part: int) -> int:
        """Return which of its references makes a table a part; others to its master are ordinary."""
        plan = self.plans[part]

        def rank(number: int) -> tuple[object, ...]:
            each = plan.references[number]
            renames = sum(here != there for here, there in each.pairs.items())
            in_key = set(each.pairs) <= set(plan.key)
            return each.parent != plan.master, not in_key, renames, tuple(each.pairs)

        parents = [each.parent for each in plan.references]
        own = [n for n, p in enumerate(parents) if plan.master in (p, self.plans[p].master)]
        return min(own, key=rank)

    def path_between(self, one: int, other: int) -> bool:
        """Whether one of the tables depends on the other."""
        low, high = sorted((one, other))
        above = {high}
        for plan in reversed(self.plans):
            if plan.number in above:
                above |= {each.parent for each in plan.references}
        return low in above


def random_world(random: Random, most: int = 7) -> World:
    """Return tables with rows that refer to one another."""
    plans: list[Plan] = []
    split = random.randrange(1, most)
    for number in range(random.randint(2, most)):
        schema = int(number >= split)
        heads = [p for p in plans if p.master is None and p.schema == schema]
        is_part = bool(plans and heads and heads[-1].schema == schema and random.random() < 0.3)
        plan = Plan(number, schema, heads[-1].number if is_part else None)
        plans.append(plan)
        _refer(random, plans, plan)
        _fill(random, plans, plan)
    return World(plans)


def _refer(random: Random, plans: list[Plan], plan: Plan) -> None:
    parents = (
        [random.choice(plans[:-1]) for _ in range(random.choice((0, 1, 1, 2, 3)))]
        if plans[1:]
        else []
    )
    if plan.master is not None:
        siblings = [p for p in plans[:-1] if p.master == plan.master and random.random() < 0.3]
        parents.insert(0, siblings[0] if siblings else plans[plan.master])
    references = []
    for place, parent in enumerate(parents):
        in_key = random.random() < 0.6
        nullable = (
            not in_key and random.random() < 0.5 and not (place == 0 and plan.master is not None)
        )
        renames = {there for there in parent.key if random.random() < 0.4}
        pairs = {
            (f"r{plan.number}{place}{there}" if there in renames else there): there
            for there in parent.key
        }
        references.append(Reference(parent.number, pairs, in_key, nullable))
    # As a definition has them: the key first.
    references.sort(key=lambda each: not each.in_key)
    declared: set[str] = set()
    for each in references:
        new = [here for here in each.pairs if here not in declared]
        declared |= set(new)
        plan.key += new if each.in_key else []
        plan.nullable |= set(new) if each.nullable else set()
    if not plan.key or random.random() < 0.7:
        plan.key.append(f"k{plan.number}")
    else:
        plan.own_key = False
    plan.references = references


def _fill(random: Random, plans: list[Plan], plan: Plan) -> None:
    keys = set()
    for _ in range(random.randrange(7)):
        row: Row = {f"k{plan.number}": random.randrange(4)} if plan.own_key else {}
        for each in plan.references:
            if not _choose(random, plans, plan, each, row):
                break
        else:
            key = tuple(row[name] for name in plan.key)
            if key not in keys:
                keys.add(key)
                plan.rows.append({**row, f"v{plan.number}": random.randrange(3)})


def _choose(random: Random, plans: list[Plan], plan: Plan, each: Reference, row: Row) -> bool:
    """Give a row the attributes of a parent that agrees with those that it has, or NULL."""
    fitting = [
        parent
        for parent in plans[each.parent].rows
        if all(row.get(h, parent[t]) == parent[t] for h, t in each.pairs.items())
    ]
    free = [here for here in each.pairs if here not in row]
    may_miss = any(here in plan.nullable for here in free) or any(
        row.get(here, 0) is None for here in each.pairs
    )
    if may_miss and (not fitting or random.random() < 0.3):
        for here in free:
            if here not in plan.nullable:
                return False
            row[here] = None
        return True
    if not fitting:
        return False
    parent = random.choice(fitting)
    row.update({here: parent[there] for here, there in each.pairs.items()})
    return True


# In a database


class Declared:
    """A world in a database."""

    def __init__(
        self, world: World, connection: dj.Connection, names: Callable[[str], str]
    ) -> None:
        self.world = world
        self.schemas = [dj.Schema(names(each), connection=connection) for each in ("one", "two")]
        self.tables: list[type[dj.Manual]] = []
        self._names: dict[str, Any] = {}
        for _, family in groupby(
            world.plans, lambda plan: plan.number if plan.master is None else plan.master
        ):
            self._declare(list(family))
        for plan, table in zip(world.plans, self.tables, strict=True):
            table.insert(plan.rows)

    def _declare(self, family: list[Plan]) -> None:
        head, *parts = family
        members: dict[str, Any] = {
            f"T{part.number}": type(f"T{part.number}", (dj.Part,), {"definition": self._text(part)})
            for part in parts
        }
        members["definition"] = self._text(head)
        name = f"T{head.number}"
        table = type(name, (dj.Manual,), members)
        self._names[name] = table
        self.schemas[head.schema](table, context=dict(self._names))
        self.tables += [table, *(getattr(table, f"T{part.number}") for part in parts)]

    def _text(self, plan: Plan) -> str:
        lines = {True: [], False: []}
        for each in plan.references:
            parent = self.world.plans[each.parent]
            name = f"T{parent.number}"
            if parent.master is not None:
                name = f"{'master' if parent.master == plan.master else f'T{parent.master}'}.{name}"
            elif parent.number == plan.master:
                name = "master"
            renames = ", ".join(f"{h}='{t}'" for h, t in each.pairs.items() if h != t)
            option = "[nullable] " if each.nullable else ""
            lines[each.in_key].append(
                f"-> {option}{name}" + (f".proj({renames})" if renames else "")
            )
        if plan.own_key:
            lines[True].append(f"k{plan.number} : int16")
        lines[False].append(f"v{plan.number} : int16")
        return "\n".join([*lines[True], "---", *lines[False]])

    def keys(self, table: int, query: Any) -> set[Place]:
        """Return which rows of the world a query of a table has."""
        plan = self.world.plans[table]
        place = {tuple(row[name] for name in plan.key): n for n, row in enumerate(plan.rows)}
        found = [tuple(row[name] for name in plan.key) for row in query.to_dicts()]
        assert len(found) == len(set(found))
        return {(table, place[key]) for key in found}

    def left(self) -> set[Place]:
        """Return the rows that are in the database."""
        return {p for n, table in enumerate(self.tables) for p in self.keys(n, table())}

    def name(self, table: int) -> str:
        """Return the quoted name of a table."""
        return self.tables[table].full_table_name
