"""Every query gives what the oracle says, whatever the tables, the rows, the operators and the database.

`DJ_TEST_EXPRESSIONS=50000 pytest tests/query/test_oracle.py` asks for more queries than the 2000 of every run;
they are divided among the databases.
"""

from __future__ import annotations

import os
from functools import cache
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

import djupyter as dj
from tests.conftest import Database
from tests.query import oracle
from tests.query.conditions import Pair, text
from tests.query.expressions import expression
from tests.query.kinds import canonical
from tests.query.worlds import world

DATABASES = 4
EXPRESSIONS = int(os.environ.get("DJ_TEST_EXPRESSIONS", "2000")) // DATABASES
PER_EXAMPLE = 5
WORLDS = max(10, EXPRESSIONS // 100)

many = settings(
    max_examples=EXPRESSIONS // PER_EXAMPLE,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
numbers = st.integers(0, WORLDS - 1)
# Choices of a generator are more even than those of hypothesis; what fails is narrowed down by its parts.
seeds = st.integers(0, 2**64)


def multiset(rows: Any, names: list[str]) -> list[str]:
    return sorted(repr([canonical(row[name]) for name in names]) for row in rows)


def check(pair: Pair) -> None:
    """Compare a query with the relation it should be."""
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
    # A mean may differ from that of the oracle in its last digit, not from itself.
    for key in query.keys()[:1]:
        assert key in query


def worlds(db: Database) -> Any:
    """Return what makes pipelines by their number, each once: declaring takes longer than asking."""

    @cache
    def numbered(number: int) -> list[Pair]:
        name = db.schema_name(f"world{number}")
        return world(Random(number), dj.Schema(name, connection=db.connection))

    return numbered


def test_queries_give_what_the_oracle_says(db: Database) -> None:
    numbered = worlds(db)

    @many
    @given(numbers, seeds)
    def compare(number: int, seed: int) -> None:
        tables, random = numbered(number), Random(seed)
        for _ in range(PER_EXAMPLE):
            state, depth = random.getstate(), random.randint(1, 5)
            try:
                check(expression(random, tables, depth))
            except Exception:
                random.setstate(state)
                # Fails at the smallest part of the query that is wrong by itself.
                expression(random, tables, random.randint(1, 5), check)
                raise

    compare()


def test_a_condition_its_negation_and_its_being_unknown_divide_the_rows(db: Database) -> None:
    """The law of three-valued logic, for text conditions of every kind, and what each of them selects."""
    numbered = worlds(db)

    @settings(many, max_examples=EXPRESSIONS // 10)
    @given(numbers, seeds)
    def divide(number: int, seed: int) -> None:
        random = Random(seed)
        pair = random.choice(numbered(number))
        if not any(attr.kind != "json" for attr in pair.rel.attrs):
            return
        query = pair.query()
        judged, condition = text(random, pair.rel)
        note(condition)
        truths = [oracle.judge(judged, row, pair.rel) for row in pair.rel.rows]
        for written, count in (
            (condition, truths.count(True)),
            (f"not ({condition})", truths.count(False)),
            (f"({condition}) is null", truths.count(None)),
            (f"({condition}) is true", truths.count(True)),
            (f"({condition}) is not true", len(truths) - truths.count(True)),
        ):
            note(written)
            assert len(query & written) == count
        parts = query.proj(c=condition).to_arrays("c").tolist()
        assert sorted(map(str, parts)) == sorted(map(str, truths))

    divide()
