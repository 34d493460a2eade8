"""Random queries, each both on a database and on the oracle."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import djupyter as dj
from tests.query import oracle
from tests.query.computations import formulas, totals
from tests.query.conditions import Pair, condition
from tests.query.kinds import KINDS
from tests.query.oracle import Refused, Rel

Other = Callable[[], Pair]
_MANY = 200
_ATTEMPTS = 4
Made = tuple[Callable[[], Rel], Callable[[], Any]]


def expression(
    random: Random, tables: list[Pair], depth: int, check: Callable[[Pair], None] | None = None
) -> Pair:
    """Return a query and what it must give; what the oracle refuses must be refused.

    `check`, where given, is called with each part of the query, the smallest first.
    """
    if depth == 0 or random.random() < 0.1:
        return random.choice(tables)
    operand = expression(random, tables, depth - 1, check)

    def other() -> Pair:
        return expression(random, tables, random.randint(0, depth - 1), check)

    for _ in range(_ATTEMPTS):
        operator = random.choice(_OPERATORS)
        make_rel, make_query = operator(random, operand, other)
        rel = _made(operator.__name__, make_rel, make_query)
        # A product of products says no more than a product, and nothing made of nothing says little.
        if rel is None or len(rel.rows) > _MANY or (not rel.rows and random.random() < 0.8):
            continue
        pair = Pair(rel, make_query())
        if check:
            check(pair)
        return pair
    return operand


def _made(name: str, make_rel: Callable[[], Rel], make_query: Callable[[], Any]) -> Rel | None:
    """Return what a query must give; None for one that must be refused, and is."""
    try:
        return make_rel()
    except Refused:
        try:
            made = make_query()
        except dj.DataJointError:
            return None
        raise AssertionError(f"{name} should have been refused: {made.make_sql()}") from None


def _kin(random: Random, pair: Pair, other: Other) -> Pair:
    """Return another relation, often one with attributes of the same origin."""
    if random.random() < 0.4:
        return other()
    rel, query = pair.rel, pair.query
    if random.random() < 0.7:
        judged, written = condition(random, rel, other, depth=0)
        rel, query = oracle.restrict(rel, judged), query & written
    kept = [a.name for a in rel.attrs if a.lineage and not a.in_key and random.random() < 0.5]
    away = {f"{name}_away": name for name in rel.key if kept and random.random() < 0.6}
    if any(name in rel.names for name in away):
        away = {}
    found = Pair(oracle.project(rel, kept, away, {}, {}), query.proj(*kept, **away))
    known = [attr.name for attr in rel.attrs if attr.lineage]
    if known and random.random() < 0.4:
        names = random.sample(known, random.randint(1, min(2, len(known))))
        return Pair(oracle.universal(names, rel), dj.U(*names) & query)
    return found


def _restrict(random: Random, pair: Pair, other: Other) -> Made:
    judged, written = condition(random, pair.rel, lambda: _kin(random, pair, other))
    if random.random() < 0.3:
        return lambda: oracle.restrict(pair.rel, oracle.No(judged)), lambda: pair.query - written
    return lambda: oracle.restrict(pair.rel, judged), lambda: pair.query & written


def _related(random: Random, pair: Pair, other: Other) -> Made:
    right = _kin(random, pair, other)
    asked = oracle.Related(right.rel)
    if random.random() < 0.5:
        return lambda: oracle.restrict(pair.rel, oracle.No(asked)), lambda: pair.query - right.query
    return lambda: oracle.restrict(pair.rel, asked), lambda: pair.query & right.query


def _join(random: Random, pair: Pair, other: Other) -> Made:
    right = _kin(random, pair, other)
    return lambda: oracle.join(pair.rel, right.rel), lambda: pair.query * right.query


def _extend(random: Random, pair: Pair, other: Other) -> Made:
    right = _kin(random, pair, other)
    if random.random() < 0.5:
        return (
            lambda: oracle.join(pair.rel, right.rel, keep=True),
            lambda: pair.query.join(right.query, left=True),
        )
    return (
        lambda: oracle.join(pair.rel, right.rel, keep=True),
        lambda: pair.query.extend(right.query),
    )


def _project(random: Random, pair: Pair, other: Other) -> Made:
    rel = pair.rel
    secondary = [attr.name for attr in rel.attrs if not attr.in_key]
    everything = random.random() < 0.3
    renamed = {_new(random): name for name in rel.names if random.random() < 0.2}
    copied = {_new(random): name for name in rel.names if random.random() < 0.1}
    kept = [name for name in secondary if everything or random.random() < 0.5]
    if everything:
        kept = [name for name in kept if name not in renamed.values()]
    computed = {_new(random): formula for formula in formulas(random, rel) if random.random() < 0.3}
    written = [...] if everything else kept
    if everything and kept and random.random() < 0.5:
        left_out = random.choice(kept)
        kept = [name for name in kept if name != left_out]
        written = [..., f"-{left_out}"]
    assigned = {
        **renamed,
        **{new: f"({old})" for new, old in copied.items()},
        **{new: formula.text for new, formula in computed.items()},
    }
    if len(assigned) < len(renamed) + len(copied) + len(computed):
        return lambda: rel, lambda: pair.query
    return (
        lambda: oracle.project(rel, kept, renamed, copied, computed),
        lambda: pair.query.proj(*written, **assigned),
    )


def _aggregate(random: Random, pair: Pair, other: Other) -> Made:
    group = _kin(random, pair, other)
    kept = [
        a.name for a in pair.rel.attrs
        if not a.in_key and a.kind != "json" and random.random() < 0.3
    ]  # fmt: skip
    computed = {_new(random): total for total in totals(random, group.rel)}
    drop = random.random() < 0.3
    texts = {new: total.text for new, total in computed.items()}
    return (
        lambda: oracle.aggregate(pair.rel, group.rel, kept, computed, drop=drop),
        lambda: pair.query.aggr(group.query, *kept, exclude_nonmatching=drop, **texts),
    )


def _universal(random: Random, pair: Pair, other: Other) -> Made:
    names = _some(random, pair.rel, 1)
    if not names:
        return lambda: pair.rel, lambda: pair.query
    return lambda: oracle.universal(names, pair.rel), lambda: dj.U(*names) & pair.query


def _universal_aggregate(random: Random, pair: Pair, other: Other) -> Made:
    names = _some(random, pair.rel, 0)
    computed = {_new(random): total for total in totals(random, pair.rel)}
    texts = {new: total.text for new, total in computed.items()}
    return (
        lambda: oracle.universal_aggregate(names, pair.rel, computed),
        lambda: dj.U(*names).aggr(pair.query, **texts),
    )


def _some(random: Random, rel: Rel, least: int) -> list[str]:
    names = [attr.name for attr in rel.attrs if attr.kind not in ("json", "null")]
    return random.sample(names, min(len(names), random.randint(least, 2)))


def _union(random: Random, pair: Pair, other: Other) -> Made:
    right = _kin(random, pair, other)
    return lambda: oracle.union(pair.rel, right.rel), lambda: pair.query + right.query


def _top(random: Random, pair: Pair, other: Other) -> Made:
    rel = pair.rel
    keys = {tuple(row[name] for name in rel.key) for row in rel.rows}
    names = [attr.name for attr in rel.attrs if KINDS[attr.kind].ordered]
    if len(keys) < len(rel.rows) or not rel.names or not set(rel.key) <= set(names):
        return lambda: rel, lambda: pair.query
    names = random.sample(names, random.randint(0, min(2, len(names))))
    order = [(name, random.random() < 0.5) for name in names]
    texts = [f"{name}{' desc' if descending else ''}" for name, descending in order]
    limit, offset = random.choice([None, 0, 1, 2, 3]), random.choice([0, 0, 1])
    whole = [*order, *((name, False) for name in rel.key if name not in names)]
    wanted = dj.Top(limit, [*texts, "KEY"] if rel.key else texts or None, offset)
    return lambda: oracle.top(rel, limit, whole, offset), lambda: pair.query & wanted


def _new(random: Random) -> str:
    return random.choice("pqrtuvw") + str(random.randrange(30))


_OPERATORS = [
    _restrict, _restrict, _related, _join, _extend, _project, _project, _aggregate,
    _universal, _universal_aggregate, _union, _top,
]  # fmt: skip
