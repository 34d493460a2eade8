"""Whatever a definition becomes, what remains keeps its values, and every backend decides alike."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

import djupyter as dj
from djupyter.errors import DataJointError
from tests.conftest import Database

TEXTS = st.sampled_from(["", "a", "Abc", "7", "7.25", "-3", "007", "1e3", "ä ö", "100 %", "it's"])
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "int8": st.sampled_from([-128, -1, 0, 1, 7, 127]),
    "int16": st.sampled_from([-(2**15), -1, 0, 1, 300]),
    "int32": st.sampled_from([-(2**31), 0, 1, 7, 2**24 + 1]),
    "int64": st.sampled_from([-(2**63), 0, 1, 2**40, 2**53 + 1]),
    "float32": st.sampled_from([-1.5, 0.0, 1.0, 7.25, 2.0**100]),
    "float64": st.sampled_from([-1.5, 0.0, 1.0, 0.1, 7.25, 300.0, 1e300]),
    "decimal(6,2)": st.sampled_from([Decimal(v) for v in ("-1.50", "0.00", "7.25", "300.00")]),
    "decimal(9,0)": st.sampled_from([Decimal(v) for v in ("-1", "0", "7", "300")]),
    "bool": st.booleans(),
    "varchar(3)": TEXTS.filter(lambda text: len(text) <= 3),
    "varchar(30)": TEXTS,
    "enum('a','7','Abc')": st.sampled_from(["a", "7", "Abc"]),
}
NAMES = ("b", "c", "d", "e")


@dataclass(frozen=True)
class Line:
    """One attribute of a random definition."""

    name: str
    type: str
    nullable: bool
    renames: str = ""

    def __str__(self) -> str:
        default = " = null" if self.nullable else ""
        return f"{self.name}{default} : {self.type}  # {'{' + self.renames + '}' if self.renames else ''}"


@st.composite
def changes(draw: st.DrawFn) -> tuple[list[Line], list[dict[str, Any]], list[Line]]:
    """Draw a definition, rows, and another definition."""
    lines = [
        Line(name, draw(st.sampled_from(sorted(VALUES))), draw(st.booleans()))
        for name in draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1, max_size=3))
    ]
    rows = []
    for number in range(draw(st.integers(0, 3))):
        row: dict[str, Any] = {"a": number}
        for line in lines:
            values = VALUES[line.type]
            row[line.name] = draw(st.none() | values if line.nullable else values)
        rows.append(row)
    after = [draw(edits(line)) for line in lines]
    kept = [line for line in after if line is not None]
    if draw(st.booleans()):
        kept.append(Line("new", draw(st.sampled_from(sorted(VALUES))), nullable=True))
    return lines, rows, draw(st.permutations(kept))


@st.composite
def edits(draw: st.DrawFn, line: Line) -> Line | None:
    """Draw what becomes of an attribute; None when it goes."""
    match draw(st.sampled_from(["stay", "retype", "retype", "rename", "nullable", "drop"])):
        case "retype":
            return replace(line, type=draw(st.sampled_from(sorted(VALUES))))
        case "rename":
            return replace(line, name=line.name * 2, renames=line.name)
        case "nullable":
            return replace(line, nullable=not line.nullable)
        case "drop":
            return None
    return line


def definition(lines: list[Line]) -> str:
    return "\n".join(["a : int32", "---", *map(str, lines)])


def same(before: Any, after: Any) -> bool:
    """Whether a value says the same in another type."""
    if before is None or after is None:
        return before is after
    if isinstance(before, str) and isinstance(after, str):
        return before == after
    one, other = (
        Decimal(v) if isinstance(v, str) else Decimal(repr(float(v))) for v in (before, after)
    )
    if isinstance(before, int) and isinstance(after, int):
        return before == after
    return math.isclose(one, other, rel_tol=1e-12)


def outcome(
    schema: dj.Schema, change: tuple[list[Line], list[dict[str, Any]], list[Line]]
) -> list[dict[str, Any]] | None:
    """Alter a table and check its rows; return them, or None when that was refused."""
    before, rows, after = change
    Thing: Any = type("Thing", (dj.Manual,), {"definition": definition(before)})
    schema(Thing)
    try:
        Thing.insert(rows)
        stored = Thing.to_dicts(order_by="a")
        Thing.definition = definition(after)
        with patch("builtins.input", return_value="yes"):
            try:
                Thing.alter()
            except DataJointError:
                Thing.definition = definition(before)
                assert Thing.to_dicts(order_by="a") == stored
                return None
        found: list[dict[str, Any]] = Thing.to_dicts(order_by="a")
        assert list(Thing.heading.names) == ["a", *(line.name for line in after)]
        assert len(found) == len(stored)
        for line in after:
            for old, new in zip(stored, found, strict=True):
                origin = line.renames or line.name
                assert same(old.get(origin), new[line.name]), (line, old, new)
        assert not Thing().structure.attributes[-1].hidden
        return found
    finally:
        Thing.drop_quick()


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(change=changes())
def test_values_of_all_that_remains_survive(change: Any) -> None:
    with dj.Connection("sqlite://") as connection:
        outcome(dj.Schema("random", connection=connection), change)


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(change=changes())
def test_every_backend_alters_alike(db: Database, change: Any) -> None:
    here = outcome(dj.Schema(db.schema_name("random"), connection=db.connection), change)
    with dj.Connection("sqlite://") as connection:
        there = outcome(dj.Schema("random", connection=connection), change)
    assert (here is None) == (there is None)
    for mine, theirs in zip(here or [], there or [], strict=True):
        assert {k: _plain(v) for k, v in mine.items()} == {k: _plain(v) for k, v in theirs.items()}


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, float | Decimal) else value


def test_null_stays_null_when_a_decimal_becomes_text(db: Database) -> None:
    before = [Line("b", "decimal(9,0)", True, "")]
    after = [Line("b", "varchar(9)", True, "")]
    schema = dj.Schema(db.schema_name("random"), connection=db.connection)
    rows = [{"a": 0, "b": None}, {"a": 1, "b": Decimal(7)}]
    found = outcome(schema, (before, rows, after))
    assert [row["b"] for row in found or []] == [None, "7"]
