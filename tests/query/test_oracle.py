"""Every query gives what the oracle says, whatever the tables, the rows and the operators."""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import given, note
from hypothesis import strategies as st

import djupyter as dj
from tests.query.worlds import Pair, expression, world


def multiset(rows: Any, names: list[str]) -> list[str]:
    return sorted(repr([row[name] for name in names]) for row in rows)


def check(pair: Pair) -> None:
    rel, query = pair.rel, pair.query
    if isinstance(query, type):
        query = query()
    note(query.make_sql())
    assert query.heading.names == rel.names
    assert query.primary_key == rel.key
    assert {n: query.heading[n].lineage is None for n in rel.names} == {
        attr.name: attr.lineage is None for attr in rel.attrs
    }
    assert multiset(query.to_dicts(), rel.names) == multiset(rel.rows, rel.names)
    assert multiset(query.keys(), rel.key) == multiset(rel.rows, rel.key)
    assert len(query) == len(rel.rows)
    assert bool(query) == bool(rel.rows)
    assert not repr(query).startswith(("QuerySyntaxError", "DataJointError"))
    for row in rel.rows[:1]:
        assert {name: row[name] for name in rel.key} in query


@given(st.randoms(use_true_random=False))
def test_queries_give_what_the_oracle_says(random: Random) -> None:
    with dj.Connection("sqlite://") as connection:
        tables = world(random, connection)
        for _ in range(6):
            check(expression(random, tables, depth=random.randint(1, 5)))
