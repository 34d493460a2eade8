"""The kinds of values that random tables hold: how they are declared, drawn, written and compared."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class Kind:
    """A family of types with values that are hard to keep apart.

    `values` are what a key may hold, `gaps` further spellings of NULL; `ordered` kinds may be compared with `<`.
    """

    types: Sequence[str]
    values: Sequence[Any]
    ordered: bool = True
    in_key: bool = True
    gaps: Sequence[Any] = (None,)


# Sums of these fractions are exact, so that it does not matter in which order a database adds them.
KINDS: dict[str, Kind] = {
    "int": Kind(["int8", "int16", "int32", "int64"], [0, 1, 2, 3, -1, 100]),
    "float": Kind(
        ["float64", "float32"],
        [0.5, -1.5, 2.25, 3.0, 1024.0],
        in_key=False,
        gaps=(None, float("nan")),
    ),
    "decimal": Kind(
        ["decimal(6,2)", "decimal(9,2)"], [Decimal(d) for d in ("0.00", "1.50", "-2.25", "999.99", "2.00")]
    ),
    "text": Kind(
        ["varchar(20)", "varchar(60)"],
        ["a", "A", "b", "it's 5%", "", "a ", "é", "É", "e\u0301", "a\\b", '"q"', "日本🐭", "_", "B", " a"],
    ),
    "date": Kind(["date"], [date(2024, 1, 31), date(2024, 2, 29), date(1999, 12, 31), date(2024, 3, 1)]),
    "datetime": Kind(
        ["datetime(3)", "datetime(6)"],
        [
            datetime(2024, 1, 31, 13, 5, 6, 250000),
            datetime(2024, 2, 29),
            datetime(1999, 12, 31, 23, 59, 59),
            datetime(2024, 1, 31, 13, 5, 6),
        ],
    ),
    "bool": Kind(["bool"], [True, False]),
    "enum": Kind(["enum('low', 'High', 'LOW', 'it''s')"], ["low", "High", "LOW"], ordered=False),
    "uuid": Kind(
        ["uuid"], [UUID(int=0), UUID(int=7), UUID(int=2**127 + 5), UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")]
    ),
    "json": Kind(
        ["json"],
        [
            {"k": 1, "s": "é", "l": [1, {"t": "x"}]},
            {"k": 2, "s": "a "},
            {"k": None},
            {"k": "1", "s": 5},
            [1, None],
            "text",
            5,
            True,
        ],
        ordered=False,
        in_key=False,
    ),
}  # fmt: skip

OFTEN = [*KINDS, "int", "text"]
# What NULL computes has no type of its own: it can be looked at but not summed up.
KINDS["null"] = Kind([], [None], ordered=False, in_key=False)


def draw(random: Random, kind: str, *, nullable: bool) -> Any:
    """Return a value as it is inserted."""
    values: Sequence[Any] = KINDS[kind].values
    if nullable and random.random() < 0.25:
        values = KINDS[kind].gaps
    return random.choice(values)


def kept(value: Any) -> Any:
    """Return what the database keeps of an inserted value: NaN is NULL."""
    return None if isinstance(value, float) and math.isnan(value) else value


def literal(random: Random, kind: str, value: Any) -> str:
    """Return a value as a condition writes it."""
    if kind == "bool":
        return "true" if value else "false"
    if kind in ("int", "float", "decimal"):
        return str(value)
    mark = random.choice(["'", '"'])
    text = str(value).replace("\\", "\\\\").replace(mark, mark * 2)
    return f"{mark}{text}{mark}"


def canonical(value: Any) -> Any:
    """Return equal things for values that mean the same, and things that can be sorted."""
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        return f"float {value:.10g}"
    if isinstance(value, Decimal):
        return f"decimal {value.normalize():f}" if value else "decimal 0"
    if isinstance(value, dict | list):
        return f"document {json.dumps(value, sort_keys=True)}"
    return f"{type(value).__name__} {value!r}"
