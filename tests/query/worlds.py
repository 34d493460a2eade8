"""Random pipelines and random queries, each both in a database and in the oracle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

import djupyter as dj
from tests.query import oracle
from tests.query.oracle import Attr, Formula, Refused, Rel, Row, Total, Value

INTS: list[Value] = [0, 1, 2, 3, -1]
TEXTS: list[Value] = ["a", "A", "b", "it's 5%", ""]


@dataclass(frozen=True)
class Pair:
    """The same relation twice."""

    rel: Rel
    query: Any


# Pipelines


def world(random: Random, connection: dj.Connection) -> list[Pair]:
    """Declare and fill two to four tables that refer to each other."""
    schema = dj.Schema("world", connection=connection)
    tables: list[Pair] = []
    for number in range(random.randint(2, 4)):
        rel, definition = _table(random, number, tables)
        cls = schema(type(f"T{number}", (dj.Manual,), {"definition": definition}))
        cls.insert(list(rel.rows))
        tables.append(Pair(rel, cls))
    return tables


class _Draft:
    """A table while it is being thought out."""

    def __init__(self, random: Random, number: int) -> None:
        self.random, self.number = random, number
        self.attrs: list[Attr] = []
        self.lines: list[str] = []
        self.draws: list[Callable[[], Row | None]] = []

    def own(self, name: str, kind: oracle.Kind, *, in_key: bool = False) -> None:
        lineage = f"{self.number}.{name}" if in_key else None
        self.attrs.append(Attr(name, kind, in_key, lineage))
        type_ = {"int": "int32", "text": "varchar(20)"}.get(kind, "bool")
        self.lines.append(f"{name}{'' if in_key else ' = null'} : {type_}")
        values = {"int": INTS, "text": TEXTS}.get(kind, [True, False])
        choices = values if in_key else [None, *values]
        self.draws.append(lambda: {name: self.random.choice(choices)})

    def refer(self, place: int, parent: Rel, *, in_key: bool) -> None:
        renamed = self.random.random() < 0.4
        names = {old: f"{old}_{self.number}" if renamed else old for old in parent.key}
        if set(names.values()) & {attr.name for attr in self.attrs}:
            return
        nullable = not in_key and self.random.random() < 0.6
        self.attrs += [
            Attr(new, parent.attr(old).kind, in_key, parent.attr(old).lineage)
            for old, new in names.items()
        ]
        arguments = ", ".join(f'{new}="{old}"' for old, new in names.items())
        self.lines.append(
            f"-> {'[nullable] ' if nullable else ''}T{place}{f'.proj({arguments})' if renamed else ''}"
        )

        def draw() -> Row | None:
            if nullable and (not parent.rows or self.random.random() < 0.4):
                return dict.fromkeys(names.values())
            if not parent.rows:
                return None
            row = self.random.choice(parent.rows)
            return {new: row[old] for old, new in names.items()}

        self.draws.append(draw)

    def rows(self) -> tuple[Row, ...]:
        found: dict[tuple[Value, ...], Row] = {}
        for _ in range(self.random.choice([0, 3, 6, 9])):
            parts = [draw() for draw in self.draws]
            if None not in parts:
                row = {name: value for part in parts if part for name, value in part.items()}
                found[tuple(row[attr.name] for attr in self.attrs if attr.in_key)] = row
        return tuple(found.values())


def _table(random: Random, number: int, earlier: list[Pair]) -> tuple[Rel, str]:
    draft = _Draft(random, number)
    if earlier and random.random() < 0.7:
        place = random.randrange(len(earlier))
        draft.refer(place, earlier[place].rel, in_key=True)
    if not draft.attrs or random.random() < 0.5:
        draft.own(f"k{number}", random.choice(["int", "int", "text"]), in_key=True)
    draft.lines.append("---")
    for name, kind in ((f"x{number}", "int"), (f"s{number}", "text"), ("note", "int")):
        if random.random() < 0.5:
            draft.own(name, kind)  # type: ignore[arg-type]
    if earlier and random.random() < 0.6:
        place = random.randrange(len(earlier))
        draft.refer(place, earlier[place].rel, in_key=False)
    return Rel(tuple(draft.attrs), draft.rows()), "\n".join(draft.lines)


# Conditions


def condition(
    random: Random, pair: Pair, related: Callable[[], Pair], depth: int = 2
) -> tuple[oracle.Condition, Any]:
    """Return a condition for the rows of a relation, twice."""
    rel = pair.rel
    choice = random.choice(["equal", "equal", "compare", "null", "const", *_DEEP[: 5 * depth]])
    attr = random.choice(rel.attrs) if rel.attrs else None
    if choice == "const" or (attr is None and choice in ("equal", "compare", "null")):
        truth = random.random() < 0.5
        return oracle.Const(truth), truth
    if choice == "equal":
        values = {
            a.name: _value(random, a) for a in random.sample(rel.attrs, min(len(rel.attrs), 2))
        }
        if random.random() < 0.2:
            values = {**values, "unknown": 1} if random.random() < 0.7 else {"unknown": 1}
        return oracle.Equal(values), values
    if choice == "null" and attr:
        negated = random.random() < 0.5
        return oracle.IsNull(attr.name, negated), f"{attr.name} is {'not ' * negated}null"
    if choice == "compare" and attr:
        return _comparison(random, attr)
    if choice == "related":
        other = _kin(random, pair, related)
        return oracle.Related(other.rel), other.query
    if choice == "no":
        part, written = condition(random, pair, related, depth - 1)
        return oracle.No(part), dj.Not(written)
    parts = [condition(random, pair, related, depth - 1) for _ in range(random.randint(0, 3))]
    conditions, texts = tuple(part for part, _ in parts), [text for _, text in parts]
    if choice == "all":
        return oracle.AllOf(conditions), dj.AndList(texts)
    return oracle.AnyOf(conditions), texts


_DEEP = ["related", "any", "all", "no", "related", "any", "related", "no", "all", "related"]


def _value(random: Random, attr: Attr) -> Value:
    values = {"int": INTS, "text": TEXTS}.get(attr.kind, [True, False])
    return None if not attr.in_key and random.random() < 0.3 else random.choice(values)


def _comparison(random: Random, attr: Attr) -> tuple[oracle.Condition, Any]:
    if attr.kind == "bool":
        return oracle.Compare(attr.name, "=", True), attr.name
    sign = random.choice(list(oracle.SIGNS))
    value = random.choice(INTS if attr.kind == "int" else TEXTS)
    shown = value if attr.kind == "int" else "'" + str(value).replace("'", "''") + "'"
    return oracle.Compare(attr.name, sign, value), f"{attr.name} {sign} {shown}"


# Queries


def expression(random: Random, tables: list[Pair], depth: int) -> Pair:
    """Return a query and what it must give; what the oracle refuses must be refused."""
    if depth == 0 or random.random() < 0.1:
        return random.choice(tables)
    operand = expression(random, tables, depth - 1)

    def other() -> Pair:
        return expression(random, tables, depth - 1)

    operator = random.choice([_restrict, _restrict, _join, _extend, _project, _project, _aggregate,
                              _universal, _universal_aggregate, _union, _top])  # fmt: skip
    make_rel, make_query = operator(random, operand, other)
    try:
        rel = make_rel()
    except Refused:
        try:
            make_query()
        except dj.DataJointError:
            return operand
        raise AssertionError(f"{operator.__name__} should have been refused") from None
    return Pair(rel, make_query())


Made = tuple[Callable[[], Rel], Callable[[], Any]]
Other = Callable[[], Pair]


def _kin(random: Random, pair: Pair, other: Other) -> Pair:
    """Return another relation, often one with attributes of the same origin."""
    if random.random() < 0.4:
        return other()
    rel, query = pair.rel, pair.query
    if random.random() < 0.7:
        judged, written = condition(random, pair, other, depth=0)
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
    judged, written = condition(random, pair, other)
    if random.random() < 0.3:
        return lambda: oracle.restrict(pair.rel, oracle.No(judged)), lambda: pair.query - written
    return lambda: oracle.restrict(pair.rel, judged), lambda: pair.query & written


def _join(random: Random, pair: Pair, other: Other) -> Made:
    right = _kin(random, pair, other)
    return lambda: oracle.join(pair.rel, right.rel), lambda: pair.query * right.query


def _extend(random: Random, pair: Pair, other: Other) -> Made:
    right = _kin(random, pair, other)
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
    computed = {
        _new(random): formula for formula in _formulas(random, rel) if random.random() < 0.3
    }
    written = [...] if everything else kept
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
    kept = [a.name for a in pair.rel.attrs if not a.in_key and random.random() < 0.3]
    computed = {_new(random): total for total in _totals(random, group.rel)}
    drop = random.random() < 0.3
    texts = {new: total.text for new, total in computed.items()}
    return (
        lambda: oracle.aggregate(pair.rel, group.rel, kept, computed, drop=drop),
        lambda: pair.query.aggr(group.query, *kept, exclude_nonmatching=drop, **texts),
    )


def _universal(random: Random, pair: Pair, other: Other) -> Made:
    names = random.sample(pair.rel.names, min(len(pair.rel.names), random.randint(1, 2)))
    if not names:
        return lambda: pair.rel, lambda: pair.query
    return lambda: oracle.universal(names, pair.rel), lambda: dj.U(*names) & pair.query


def _universal_aggregate(random: Random, pair: Pair, other: Other) -> Made:
    names = random.sample(pair.rel.names, min(len(pair.rel.names), random.randint(0, 2)))
    computed = {_new(random): total for total in _totals(random, pair.rel)}
    texts = {new: total.text for new, total in computed.items()}
    return (
        lambda: oracle.universal_aggregate(names, pair.rel, computed),
        lambda: dj.U(*names).aggr(pair.query, **texts),
    )


def _union(random: Random, pair: Pair, other: Other) -> Made:
    right = _kin(random, pair, other)
    return lambda: oracle.union(pair.rel, right.rel), lambda: pair.query + right.query


def _top(random: Random, pair: Pair, other: Other) -> Made:
    rel = pair.rel
    keys = {tuple(row[name] for name in rel.key) for row in rel.rows}
    if len(keys) < len(rel.rows) or not rel.names:
        return lambda: rel, lambda: pair.query
    names = random.sample(rel.names, random.randint(0, min(2, len(rel.names))))
    order = [(name, random.random() < 0.5) for name in names]
    texts = [f"{name}{' desc' if descending else ''}" for name, descending in order]
    limit, offset = random.choice([None, 0, 1, 2, 3]), random.choice([0, 0, 1])
    whole = [*order, *((name, False) for name in rel.key if name not in names)]
    wanted = dj.Top(limit, [*texts, "KEY"] if rel.key else texts or None, offset)
    return lambda: oracle.top(rel, limit, whole, offset), lambda: pair.query & wanted


def _new(random: Random) -> str:
    return random.choice("pqrtuvw") + str(random.randrange(30))


def _formulas(random: Random, rel: Rel) -> list[Formula]:
    found = [Formula("5", "int", lambda row: 5), Formula("NULL", "int", lambda row: None)]
    for attr in random.sample(rel.attrs, min(len(rel.attrs), 3)):
        found += _FORMULAS[attr.kind](attr.name)
    return found


def _lifted(name: str, function: Callable[[Any], Value]) -> Callable[[Row], Value]:
    return lambda row: None if row[name] is None else function(row[name])


_FORMULAS: dict[str, Callable[[str], list[Formula]]] = {
    "int": lambda n: [
        Formula(f"{n} + 1", "int", _lifted(n, lambda v: v + 1)),
        Formula(f"- {n}", "int", _lifted(n, lambda v: -v)),
        Formula(f"{n} > 1", "bool", _lifted(n, lambda v: v > 1)),
        Formula(f"ifnull({n}, 0)", "int", lambda row: 0 if row[n] is None else row[n]),
        Formula(f"{n} is null", "bool", lambda row: row[n] is None),
    ],
    "text": lambda n: [
        Formula(f"concat({n}, '!')", "text", _lifted(n, lambda v: v + "!")),
        Formula(f"coalesce({n}, 'none')", "text", lambda r: "none" if r[n] is None else r[n]),
    ],
    "bool": lambda n: [Formula(f"not {n}", "bool", _lifted(n, lambda v: not v))],
}


def _totals(random: Random, rel: Rel) -> list[Total]:
    found = [Total("count(*)", "int", len)]
    for attr in random.sample(rel.attrs, min(len(rel.attrs), 2)):
        found.append(_total(f"count({attr.name})", "int", attr.name, len))
        found.append(
            _total(f"count(distinct {attr.name})", "int", attr.name, lambda v: len(set(v)))
        )
        if attr.kind != "bool":
            least: Callable[[list[Any]], Value] = lambda v: min(v, default=None)  # noqa: E731
            most: Callable[[list[Any]], Value] = lambda v: max(v, default=None)  # noqa: E731
            found.append(_total(f"min({attr.name})", attr.kind, attr.name, least))
            found.append(_total(f"max({attr.name})", attr.kind, attr.name, most))
        if attr.kind == "int":
            found.append(
                _total(f"sum({attr.name})", "int", attr.name, lambda v: sum(v) if v else None)
            )
    return random.sample(found, random.randint(1, min(3, len(found))))


def _total(
    text: str, kind: oracle.Kind, name: str, function: Callable[[list[Any]], Value]
) -> Total:
    return Total(text, kind, lambda rows: function([r[name] for r in rows if r[name] is not None]))
