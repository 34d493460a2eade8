"""The algebra in memory, written from its description and not from our code: what every query must give.

Relations are lists of dicts. What cannot be done raises `Refused`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import product
from typing import Any

Value = Any  # what a fetch returns; None for NULL
Row = dict[str, Value]
Truth = bool | None  # None: unknown
Kind = str  # one of those in `kinds`


class Refused(Exception):
    """The operation makes no sense."""


@dataclass(frozen=True)
class Attr:
    """An attribute: its name, whether it is in the key, where it comes from."""

    name: str
    kind: Kind
    in_key: bool = False
    lineage: str | None = None


@dataclass(frozen=True)
class Rel:
    """Rows with a heading.

    `restricted` is set where a condition left rows out and nothing but projections and joins came after.
    """

    attrs: tuple[Attr, ...]
    rows: tuple[Row, ...]
    restricted: bool = False

    @property
    def names(self) -> list[str]:
        return [attr.name for attr in self.attrs]

    @property
    def key(self) -> list[str]:
        return [attr.name for attr in self.attrs if attr.in_key]

    def attr(self, name: str) -> Attr:
        return next(attr for attr in self.attrs if attr.name == name)


# Conditions


@dataclass(frozen=True)
class Const:
    truth: bool


@dataclass(frozen=True)
class Equal:
    """A mapping; names that are no attributes are ignored."""

    values: Mapping[str, Value] = field(hash=False)


@dataclass(frozen=True)
class Compare:
    """Text: a comparison with a literal."""

    name: str
    sign: str
    value: Value = field(hash=False)


@dataclass(frozen=True)
class CompareNames:
    """Text: a comparison of two attributes."""

    name: str
    sign: str
    other: str


@dataclass(frozen=True)
class CompareComputed:
    """Text: a comparison of something computed with a literal."""

    formula: Formula
    sign: str
    value: Value = field(hash=False)


@dataclass(frozen=True)
class CompareNumber:
    """Text: a comparison of the number at a place in a document with an attribute; a truth value is 1 or 0."""

    name: str
    path: str
    sign: str
    other: str


@dataclass(frozen=True)
class Like:
    """Text: a pattern with `%` and `_`, a backslash before them for themselves."""

    name: str
    pattern: str


@dataclass(frozen=True)
class Place:
    """The text at a place in a document. Asked for by a mapping, what is of another type is no text;
    asked for in a condition, anything is the text it is written as.
    """

    name: str
    path: str
    value: str
    strict: bool = True


@dataclass(frozen=True)
class IsNull:
    name: str
    negated: bool = False


@dataclass(frozen=True)
class AnyOf:
    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class AllOf:
    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class No:
    part: Condition


@dataclass(frozen=True)
class Related:
    rel: Rel


Condition = (
    Const
    | Equal
    | Compare
    | CompareNames
    | CompareComputed
    | CompareNumber
    | Like
    | Place
    | IsNull
    | AnyOf
    | AllOf
    | No
    | Related
)

SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def either(truths: Iterable[Truth]) -> Truth:
    found = list(truths)
    return True if True in found else None if None in found else False


def both(truths: Iterable[Truth]) -> Truth:
    found = list(truths)
    return False if False in found else None if None in found else True


def opposite(truth: Truth) -> Truth:
    return None if truth is None else not truth


def equal(a: Value, b: Value) -> Truth:
    return None if a is None or b is None else a == b


def compared(a: Value, sign: str, b: Value) -> Truth:
    if a is None or b is None:
        return None
    if isinstance(a, datetime) or isinstance(b, datetime):
        a, b = (v if isinstance(v, datetime) else datetime(v.year, v.month, v.day) for v in (a, b))
    return SIGNS[sign](a, b)


def like(text: str, pattern: str) -> bool:
    if not pattern:
        return not text
    first, rest = pattern[0], pattern[1:]
    if first == "%":
        return any(like(text[start:], rest) for start in range(len(text) + 1))
    if first == "\\" and rest:
        return text[:1] == rest[0] and like(text[1:], rest[1:])
    return bool(text) and first in ("_", text[0]) and like(text[1:], rest)


def place(document: Value, path: str) -> Value:
    """Return what is at a place such as `l[1].t`, None where there is nothing."""
    for step in path.replace("[", ".").replace("]", "").strip(".").split("."):
        if isinstance(document, list) and step.isdigit() and int(step) < len(document):
            document = document[int(step)]
        elif isinstance(document, dict) and step in document:
            document = document[step]
        else:
            return None
    return document


def judge(condition: Condition, row: Row, rel: Rel) -> Truth:
    """Return whether a row of a relation meets a condition."""
    match condition:
        case Const(truth):
            return truth
        case Equal(values):
            given = [(name, value) for name, value in values.items() if name in rel.names]
            return both(row[n] is None if v is None else equal(row[n], v) for n, v in given)
        case Compare(name, sign, value):
            return compared(row[name], sign, value)
        case CompareNames(name, sign, other_name):
            return compared(row[name], sign, row[other_name])
        case CompareComputed(formula, sign, value):
            return compared(formula.value(row), sign, value)
        case CompareNumber(name, path, sign, other_name):
            number = place(row[name], path)
            return compared(
                number if isinstance(number, int | float) else None, sign, row[other_name]
            )
        case Like(name, pattern):
            return None if row[name] is None else like(row[name], pattern)
        case Place(name, path, value, strict):
            found = place(row[name], path)
            if not (strict or found is None or isinstance(found, str)):
                found = json.dumps(found)
            return found == value if isinstance(found, str) else None
        case IsNull(name, negated):
            return (row[name] is None) != negated
        case AnyOf(parts):
            return either(judge(part, row, rel) for part in parts)
        case AllOf(parts):
            return both(judge(part, row, rel) for part in parts)
        case No(part):
            return opposite(judge(part, row, rel))
        case Related(other):
            names = common(rel, other)
            return any(all(equal(row[n], found[n]) for n in names) for found in other.rows)


def fixed(condition: Condition, rel: Rel) -> Truth:
    """Return the truth of a condition that does not look at the rows, None of one that does."""
    match condition:
        case Const(truth):
            return truth
        case Equal(values):
            return None if set(values) & set(rel.names) else True
        case AnyOf(parts):
            return either(fixed(part, rel) for part in parts)
        case AllOf(parts):
            return both(fixed(part, rel) for part in parts)
        case No(part):
            return opposite(fixed(part, rel))
    return None


def check(condition: Condition, rel: Rel) -> None:
    """Refuse a relation among the conditions that means something else by a common name."""
    match condition:
        case AnyOf(parts) | AllOf(parts):
            for part in parts:
                check(part, rel)
        case No(part):
            check(part, rel)
        case Related(other):
            common(rel, other)


# Operators


def common(left: Rel, right: Rel) -> list[str]:
    """Return the attributes that two relations are matched on."""
    names = [name for name in left.names if name in right.names]
    for name in names:
        one, other = left.attr(name).lineage, right.attr(name).lineage
        if one is None or one != other:
            raise Refused(name)
    return names


def restrict(rel: Rel, condition: Condition) -> Rel:
    check(condition, rel)
    rows = tuple(row for row in rel.rows if judge(condition, row, rel) is True)
    return replace(rel, rows=rows, restricted=rel.restricted or fixed(condition, rel) is not True)


def determines(left: Rel, right: Rel) -> bool:
    return all(name in left.names for name in right.key)


def join(left: Rel, right: Rel, *, keep: bool = False) -> Rel:
    """Pair the rows that agree; `keep` those of the left operand without a partner."""
    names = common(left, right)
    if keep and not determines(left, right):
        raise Refused("the left operand does not determine the right one")
    only = [name for name in right.names if name not in left.names]
    rows: list[Row] = []
    for row in left.rows:
        found = [other for other in right.rows if all(equal(row[n], other[n]) for n in names)]
        rows += [{**row, **{n: other[n] for n in only}} for other in found]
        if keep and not found and not right.restricted:
            rows.append({**row, **dict.fromkeys(only)})
    return Rel(_joined(left, right), tuple(rows), left.restricted or right.restricted)


def _joined(left: Rel, right: Rel) -> tuple[Attr, ...]:
    if determines(left, right):
        first, second, key = left, right, left.key
    elif determines(right, left):
        first, second, key = right, left, right.key
    else:
        first, second, key = left, right, [*left.key, *right.key]
    attrs = [*first.attrs, *(attr for attr in second.attrs if attr.name not in first.names)]
    marked = [replace(attr, in_key=attr.name in key) for attr in attrs]
    return tuple(sorted(marked, key=lambda attr: not attr.in_key))


@dataclass(frozen=True)
class Formula:
    """A computed attribute: its text, its kind, and its value for a row."""

    text: str
    kind: Kind
    value: Callable[[Row], Value] = field(hash=False)


def project(
    rel: Rel,
    kept: Sequence[str],
    renamed: Mapping[str, str],
    copied: Mapping[str, str],
    computed: Mapping[str, Formula],
) -> Rel:
    """Keep the key and what is named; `renamed` and `copied` are new name to old name."""
    new_name = {old: new for new, old in renamed.items()}
    if len(new_name) < len(renamed) or set(kept) & set(new_name):
        raise Refused("an attribute goes to two places")
    chosen = [attr for attr in rel.attrs if attr.in_key or attr.name in (*kept, *new_name)]
    origin = {new_name.get(attr.name, attr.name): attr.name for attr in chosen}
    attrs = [replace(attr, name=new_name.get(attr.name, attr.name)) for attr in chosen]
    attrs += [replace(rel.attr(old), name=new, in_key=False) for new, old in copied.items()]
    attrs += [Attr(new, formula.kind) for new, formula in computed.items()]
    if len({attr.name for attr in attrs}) < len(attrs):
        raise Refused("a name appears twice")
    rows = tuple(
        {
            **{new: row[old] for new, old in {**origin, **copied}.items()},
            **{new: formula.value(row) for new, formula in computed.items()},
        }
        for row in rel.rows
    )
    return Rel(tuple(attrs), rows, rel.restricted)


@dataclass(frozen=True)
class Total:
    """A computed attribute of a group: its text, its kind, and its value for the group's rows."""

    text: str
    kind: Kind
    value: Callable[[Sequence[Row]], Value] = field(hash=False)


def aggregate(
    rel: Rel, group: Rel, kept: Sequence[str], computed: Mapping[str, Total], *, drop: bool = False
) -> Rel:
    """Sum up, for each row, the rows of a group that match it; `drop` rows without any."""
    if not determines(group, rel):
        raise Refused("the group lacks a part of the key")
    names = common(rel, group)
    own = project(rel, kept, {}, {}, {})
    only = [name for name in group.names if name not in rel.names]
    rows: list[Row] = []
    for row, mine in zip(rel.rows, own.rows, strict=True):
        found = [
            {**row, **other} for other in group.rows if all(equal(row[n], other[n]) for n in names)
        ]
        if not found:
            if drop or group.restricted:
                continue
            found = [{**row, **dict.fromkeys(only)}]
        rows.append({**mine, **{new: total.value(found) for new, total in computed.items()}})
    return Rel(_with_totals(own.attrs, computed), tuple(rows))


def _with_totals(own: tuple[Attr, ...], computed: Mapping[str, Total]) -> tuple[Attr, ...]:
    if {attr.name for attr in own} & set(computed):
        raise Refused("a name appears twice")
    return (*own, *(Attr(new, total.kind) for new, total in computed.items()))


def universal(names: Sequence[str], rel: Rel) -> Rel:
    """Return the distinct values of some attributes."""
    values = dict.fromkeys(tuple(row[name] for name in names) for row in rel.rows)
    attrs = tuple(replace(rel.attr(name), in_key=True) for name in names)
    return Rel(attrs, tuple(dict(zip(names, found, strict=True)) for found in values))


def universal_aggregate(names: Sequence[str], group: Rel, computed: Mapping[str, Total]) -> Rel:
    """Sum up rows with equal values of some attributes; of none: all rows."""
    own = universal(names, group) if names else Rel((), ({},))
    rows = []
    for row in own.rows:
        found = [other for other in group.rows if all(other[name] == row[name] for name in names)]
        rows.append({**row, **{new: total.value(found) for new, total in computed.items()}})
    return Rel(_with_totals(own.attrs, computed), tuple(rows))


def union(left: Rel, right: Rel) -> Rel:
    """Return the rows of both, one for each key."""
    key = left.key
    extra = [attr for rel in (left, right) for attr in rel.attrs if not attr.in_key]
    if set(key) != set(right.key) or len({attr.name for attr in extra}) < len(extra):
        raise Refused("the operands do not fit")
    blank: Row = dict.fromkeys(attr.name for attr in extra)
    rows: list[Row] = []
    paired: tuple[set[int], set[int]] = (set(), set())
    for (i, row), (j, other) in product(enumerate(left.rows), enumerate(right.rows)):
        if all(row[n] == other[n] for n in key):
            rows.append({**row, **other})
            paired[0].add(i)
            paired[1].add(j)
    for rel, found in zip((left, right), paired, strict=True):
        rows += [{**blank, **row} for i, row in enumerate(rel.rows) if i not in found]
    attrs = [
        attr if attr.lineage == right.attr(attr.name).lineage else replace(attr, lineage=None)
        for attr in left.attrs
        if attr.in_key
    ]
    return Rel((*attrs, *extra), tuple(rows))


def top(rel: Rel, limit: int | None, order: Sequence[tuple[str, bool]], offset: int) -> Rel:
    """Return the first rows in an order of (name, descending); NULL comes first."""
    rows = list(rel.rows)
    for name, descending in reversed(order):
        rows.sort(key=lambda row: _rank(row[name]), reverse=descending)
    return Rel(rel.attrs, tuple(rows[offset:] if limit is None else rows[offset : offset + limit]))


def _rank(value: Value) -> tuple[bool, Any]:
    return (value is not None, 0 if value is None else value)
