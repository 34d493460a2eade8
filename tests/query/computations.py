"""Random computed attributes and aggregates, each with its text and with its value in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from tests.query.kinds import KINDS
from tests.query.oracle import Formula, Rel, Row, Total, Value


def formulas(random: Random, rel: Rel) -> list[Formula]:
    """Return expressions over the attributes of a relation."""
    found = [
        Formula("5", "int", lambda row: 5),
        Formula("NULL", "null", lambda row: None),
        Formula("'it''s'", "text", lambda row: "it's"),
    ]
    for attr in random.sample(rel.attrs, min(len(rel.attrs), 3)):
        if attr.kind in ("json", "null"):
            continue
        found += _FORMULAS.get(attr.kind, lambda name: [])(attr.name)
        found.append(_is_null(attr.name))
        if attr.kind != "enum":
            found.append(_chosen(attr.name, attr.kind))
    return found


def _lifted(name: str, function: Callable[[Any], Value]) -> Callable[[Row], Value]:
    return lambda row: None if row[name] is None else function(row[name])


def _is_null(name: str) -> Formula:
    return Formula(f"{name} is null", "bool", lambda row: row[name] is None)


def _chosen(name: str, kind: str) -> Formula:
    text = f"case when {name} is null then {name} else {name} end"
    return Formula(text, kind, lambda row: row[name])


_FORMULAS: dict[str, Callable[[str], list[Formula]]] = {
    "int": lambda n: [
        Formula(f"{n} + 1", "int", _lifted(n, lambda v: v + 1)),
        Formula(f"{n} * {n} - 2", "int", _lifted(n, lambda v: v * v - 2)),
        Formula(f"- {n}", "int", _lifted(n, lambda v: -v)),
        Formula(f"{n} / 2", "float", _lifted(n, lambda v: v / 2)),
        Formula(f"{n} > 1", "bool", _lifted(n, lambda v: v > 1)),
        Formula(f"ifnull({n}, 0)", "int", lambda row: 0 if row[n] is None else row[n]),
        Formula(f"concat({n}, '')", "text", _lifted(n, str)),
        Formula(f"abs({n}) + mod({n}, 2)", "int", _lifted(n, lambda v: abs(v) + v % 2 * (1 if v >= 0 else -1))),
    ],
    "float": lambda n: [
        Formula(f"{n} * 2", "float", _lifted(n, lambda v: v * 2)),
        Formula(f"{n} + 1", "float", _lifted(n, lambda v: v + 1)),
        Formula(f"floor({n})", "int", _lifted(n, lambda v: int(v // 1))),
        Formula(f"{n} < 1", "bool", _lifted(n, lambda v: v < 1)),
    ],
    "decimal": lambda n: [
        Formula(f"{n} + 1", "decimal", _lifted(n, lambda v: v + 1)),
        Formula(f"{n} * 2", "decimal", _lifted(n, lambda v: v * 2)),
        Formula(f"coalesce({n}, 0)", "decimal", lambda row: Decimal(0) if row[n] is None else row[n]),
        Formula(f"{n} >= 1.5", "bool", _lifted(n, lambda v: v >= Decimal("1.5"))),
        Formula(f"concat({n}, '')", "text", _lifted(n, lambda v: f"{v:.2f}")),
    ],
    "text": lambda n: [
        Formula(f"concat({n}, '!')", "text", _lifted(n, lambda v: v + "!")),
        Formula(f"coalesce({n}, 'none')", "text", lambda r: "none" if r[n] is None else r[n]),
        Formula(f"char_length({n})", "int", _lifted(n, len)),
        Formula(f"{n} = 'a'", "bool", _lifted(n, lambda v: v == "a")),
        Formula(f"left({n}, 1)", "text", _lifted(n, lambda v: v[:1])),
        Formula(f"nullif({n}, 'a')", "text", lambda row: None if row[n] == "a" else row[n]),
        Formula(f"replace({n}, 'a', 'aa')", "text", _lifted(n, lambda v: v.replace("a", "aa"))),
    ],
    "date": lambda n: [
        Formula(f"year({n})", "int", _lifted(n, lambda v: v.year)),
        Formula(f"month({n}) + day({n})", "int", _lifted(n, lambda v: v.month + v.day)),
        Formula(f"{n} + interval 1 day", "date", _lifted(n, lambda v: v + timedelta(days=1))),
        Formula(f"concat({n}, '')", "text", _lifted(n, str)),
        Formula(f"datediff({n}, '2024-01-01')", "int", _lifted(n, lambda v: (v - _FIRST.date()).days)),
    ],
    "datetime": lambda n: [
        Formula(f"date({n})", "date", _lifted(n, datetime.date)),
        Formula(f"hour({n}) * 60 + minute({n})", "int", _lifted(n, lambda v: v.hour * 60 + v.minute)),
        Formula(f"{n} - interval 90 second", "datetime", _lifted(n, lambda v: v - timedelta(seconds=90))),
        Formula(f"cast({n} as char)", "text", _lifted(n, str)),
        Formula(f"{n} > '2024-01-01'", "bool", _lifted(n, lambda v: v > _FIRST)),
    ],
    "uuid": lambda n: [
        Formula(f"concat({n}, '')", "text", _lifted(n, str)),
        Formula(f"left({n}, 4)", "text", _lifted(n, lambda v: str(v)[:4])),
    ],
    "bool": lambda n: [
        Formula(f"not {n}", "bool", _lifted(n, lambda v: not v)),
        Formula(f"concat({n}, '')", "text", _lifted(n, lambda v: str(int(v)))),
        Formula(f"{n} or {n} is null", "bool", lambda row: True if row[n] is None else row[n]),
    ],
}  # fmt: skip
_FIRST = datetime(2024, 1, 1)


def totals(random: Random, rel: Rel) -> list[Total]:
    """Return one to three aggregates over the attributes of a relation."""
    found = [Total("count(*)", "int", len)]
    for attr in random.sample(rel.attrs, min(len(rel.attrs), 2)):
        name, kind = attr.name, attr.kind
        found.append(_total(f"count({name})", "int", name, len))
        if kind in ("json", "null"):
            continue
        found.append(_total(f"count(distinct {name})", "int", name, lambda v: len(set(v))))
        # A smallest UUID is refused, for PostgreSQL knows none; a smallest truth value has no kind here.
        if KINDS[kind].ordered and kind not in ("bool", "uuid"):
            found.append(_total(f"min({name})", kind, name, lambda v: min(v, default=None)))
            found.append(_total(f"max({name})", kind, name, lambda v: max(v, default=None)))
        if kind in ("int", "decimal", "float"):
            found.append(_total(f"sum({name})", kind, name, lambda v: sum(v) if v else None))
            found.append(_total(f"avg({name})", "float", name, _mean))
    return random.sample(found, random.randint(1, min(3, len(found))))


def _mean(values: Sequence[Any]) -> float | None:
    return float(sum(values)) / len(values) if values else None


def _total(text: str, kind: str, name: str, function: Callable[[list[Any]], Value]) -> Total:
    return Total(text, kind, lambda rows: function([r[name] for r in rows if r[name] is not None]))
