"""Random conditions, each once for the oracle and once as a user writes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

import djupyter as dj
from tests.query import kinds, oracle
from tests.query.computations import formulas
from tests.query.kinds import KINDS
from tests.query.oracle import Attr, Rel


@dataclass(frozen=True)
class Pair:
    """The same relation twice: in memory and in the database."""

    rel: Rel
    query: Any


Related = Callable[[], Pair]
Condition = tuple[oracle.Condition, Any]

_DEEP = ["related", "any", "all", "no", "related", "any", "related", "no", "all", "related"]


def condition(random: Random, rel: Rel, related: Related, depth: int = 2) -> Condition:
    """Return a condition for the rows of a relation.

    Parameters
    ----------
    random
        Where choices come from.
    rel
        Whose attributes it names.
    related
        Makes a relation that the condition may ask for.
    depth
        How deep lists and negations may nest.
    """
    choice = random.choice(["equal", "equal", "text", "text", "const", *_DEEP[: 5 * depth]])
    if choice == "const" or (not rel.attrs and choice in ("equal", "text")):
        truth = random.random() < 0.7
        return oracle.Const(truth), truth
    if choice == "equal":
        return _mapping(random, rel)
    if choice == "text":
        return text(random, rel)
    if choice == "related":
        other = related()
        return oracle.Related(other.rel), other.query
    if choice == "no":
        part, written = condition(random, rel, related, depth - 1)
        return oracle.No(part), dj.Not(written)
    parts = [condition(random, rel, related, depth - 1) for _ in range(random.randint(0, 3))]
    conditions, texts = tuple(part for part, _ in parts), [text for _, text in parts]
    if choice == "all":
        return oracle.AllOf(conditions), dj.AndList(texts)
    return oracle.AnyOf(conditions), random.choice([list, tuple])(texts)


def _mapping(random: Random, rel: Rel) -> Condition:
    documents = [attr for attr in rel.attrs if attr.kind == "json"]
    if documents and random.random() < 0.3:
        name, path, value = random.choice(documents).name, *random.choice(_PLACES)
        return oracle.Place(name, path, value), {_written(name, path): value}
    names = random.sample(rel.attrs, min(len(rel.attrs), 2))
    values = {a.name: _value(random, a) for a in names if KINDS[a.kind].ordered or a.kind == "enum"}
    if random.random() < 0.2 or not values:
        values = {**values, "unknown": 1} if random.random() < 0.7 else {"unknown": 1}
    if random.random() < 0.3:
        # Many keys alike are looked up in another way than one.
        rows = [{name: _value(random, rel.attr(name)) for name in values if name in rel.names}
                for _ in range(random.randint(1, 4))]  # fmt: skip
        return oracle.AnyOf(tuple(map(oracle.Equal, rows))), rows
    return oracle.Equal(values), values


def _value(random: Random, attr: Attr) -> Any:
    # NaN is refused where NULL cannot be, which a computed relation does not tell.
    return kinds.kept(kinds.draw(random, attr.kind, nullable=not attr.in_key))


def text(random: Random, rel: Rel, depth: int = 2) -> Condition:
    """Return a condition in the language of conditions."""
    choice = random.random()
    if depth and choice < 0.15:
        part, written = text(random, rel, depth - 1)
        return oracle.No(part), f"not ({written})"
    if depth and choice < 0.4:
        (one, first), (other, second) = (text(random, rel, depth - 1) for _ in range(2))
        if choice < 0.28:
            return oracle.AllOf((one, other)), f"({first}) and ({second})"
        return oracle.AnyOf((one, other)), f"({first}) or ({second})"
    if choice < 0.55:
        return _computed(random, rel)
    return _simple(random, rel, random.choice(rel.attrs))


def _computed(random: Random, rel: Rel) -> Condition:
    formula = random.choice([each for each in formulas(random, rel) if each.kind != "null"])
    sign, value = _sign(random, formula.kind), kinds.draw(random, formula.kind, nullable=False)
    written = kinds.literal(random, formula.kind, value)
    return oracle.CompareComputed(formula, sign, value), f"({formula.text}) {sign} {written}"


def _simple(random: Random, rel: Rel, attr: Attr) -> Condition:
    name, kind = attr.name, attr.kind
    forms = [_is_null]
    if kind == "null":
        forms = [_is_null]
    elif kind == "json":
        forms = [_is_null, _place]
    else:
        forms += [_compare, _compare, _among, _names]
        if KINDS[kind].ordered and kind != "bool":
            forms.append(_between)
        if kind == "text":
            forms += [_like, _like]
        if kind == "bool":
            forms.append(lambda *_: (oracle.Compare(name, "=", True), name))
    return random.choice(forms)(random, rel, attr)


def _is_null(random: Random, rel: Rel, attr: Attr) -> Condition:
    negated = random.random() < 0.5
    return oracle.IsNull(attr.name, negated), f"{attr.name} is {'not ' * negated}null"


def _compare(random: Random, rel: Rel, attr: Attr) -> Condition:
    sign, value = _sign(random, attr.kind), kinds.draw(random, attr.kind, nullable=False)
    written = kinds.literal(random, attr.kind, value)
    return oracle.Compare(attr.name, sign, value), f"{attr.name} {sign} {written}"


def _sign(random: Random, kind: str) -> str:
    ordered = KINDS[kind].ordered and kind != "bool"
    return random.choice(list(oracle.SIGNS) if ordered else ["=", "<>"])


def _among(random: Random, rel: Rel, attr: Attr) -> Condition:
    values = [kinds.draw(random, attr.kind, nullable=False) for _ in range(random.randint(1, 3))]
    written = ", ".join(kinds.literal(random, attr.kind, value) for value in values)
    asked: oracle.Condition = oracle.AnyOf(
        tuple(oracle.Compare(attr.name, "=", value) for value in values)
    )
    if random.random() < 0.4:
        return oracle.No(asked), f"{attr.name} not in ({written})"
    return asked, f"{attr.name} in ({written})"


def _names(random: Random, rel: Rel, attr: Attr) -> Condition:
    alike = ("date", "datetime") if attr.kind in ("date", "datetime") else (attr.kind,)
    other = random.choice([a for a in rel.attrs if a.kind in alike])
    sign = _sign(random, attr.kind)
    return oracle.CompareNames(attr.name, sign, other.name), f"{attr.name} {sign} {other.name}"


def _between(random: Random, rel: Rel, attr: Attr) -> Condition:
    low, high = (kinds.draw(random, attr.kind, nullable=False) for _ in range(2))
    asked = oracle.AllOf(
        (oracle.Compare(attr.name, ">=", low), oracle.No(oracle.Compare(attr.name, ">", high)))
    )
    ends = " and ".join(kinds.literal(random, attr.kind, value) for value in (low, high))
    return asked, f"{attr.name} between {ends}"


_PATTERNS = ["%", "_", "a%", "%a", "%'%", "_%", "%é%", "A_", "%\\%", "a\\\\b", "\\_", "%日_", ""]


def _like(random: Random, rel: Rel, attr: Attr) -> Condition:
    pattern = random.choice(_PATTERNS)
    asked: oracle.Condition = oracle.Like(attr.name, pattern)
    # LIKE resolves backslashes once more than a literal does.
    written = kinds.literal(random, "text", pattern)
    if random.random() < 0.3:
        return oracle.No(asked), f"{attr.name} not like {written}"
    return asked, f"{attr.name} like {written}"


_PLACES = [
    *(("s", "é"), ("s", "a "), ("s", "a"), ("s", "5"), ("k", "1"), ("k[0]", "1")),
    *(("l[0]", "1"), ("l[1].t", "x"), ("[0]", "5"), ("[0]", "1")),
]


def _place(random: Random, rel: Rel, attr: Attr) -> Condition:
    """Ask for the text at a place in a document, or for the number there."""
    numbers = [a.name for a in rel.attrs if a.kind in ("int", "float")]
    if numbers and random.random() < 0.4:
        path, sign, other = (
            random.choice(["k", "l[0]"]),
            _sign(random, "int"),
            random.choice(numbers),
        )
        asked_number = oracle.CompareNumber(attr.name, path, sign, other)
        return asked_number, f"{_written(attr.name, path)} {sign} {other}"
    path, value = random.choice(_PLACES)
    asked = oracle.Place(attr.name, path, value, strict=False)
    return asked, f"{_written(attr.name, path)} = {kinds.literal(random, 'text', value)}"


def _written(name: str, path: str) -> str:
    return f"{name}{path}" if path.startswith("[") else f"{name}.{path}"
