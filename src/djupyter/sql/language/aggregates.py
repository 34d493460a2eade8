"""Aggregates of MySQL that SQLite lacks."""

from __future__ import annotations

import math
from typing import Any

from djupyter.sql.language.scalars import Scalar, as_number, as_text


class _Spread:
    """Variance by the method of Welford (1962), Technometrics 4(3): stable for large means."""

    sample = False
    root = False

    def __init__(self) -> None:
        self.count, self.mean, self.squares = 0, 0.0, 0.0

    def step(self, value: Scalar) -> None:
        """Take one value; NULL does not count."""
        if value is None:
            return
        number = as_number(value)
        self.count += 1
        delta = number - self.mean
        self.mean += delta / self.count
        self.squares += delta * (number - self.mean)

    def finalize(self) -> float | None:
        """Return the measure, NULL for too few values."""
        divisor = self.count - self.sample
        if divisor <= 0:
            return None
        variance = self.squares / divisor
        return math.sqrt(variance) if self.root else variance


class _VarSamp(_Spread):
    sample = True


class _StddevPop(_Spread):
    root = True


class _StddevSamp(_Spread):
    sample = root = True


class _GroupConcat:
    """Joins texts.

    Its arguments are `distinct` or nothing, the separator, the value, and pairs (way, key) for
    the order.
    """

    def __init__(self) -> None:
        self.rows: list[tuple[Scalar, ...]] = []
        self.distinct, self.separator = False, ","

    def step(self, flag: str, separator: Scalar, value: Scalar, *order: Scalar) -> None:
        """Take one row; NULL does not count."""
        self.distinct, self.separator = flag == "distinct", as_text(separator)
        if value is not None:
            self.rows.append((value, *order))

    def finalize(self) -> str | None:
        """Return the texts joined, NULL if there are none."""
        rows = list({row[0]: row for row in self.rows}.values()) if self.distinct else self.rows
        ways = rows[0][1::2] if rows else ()
        for place in reversed(range(len(ways))):
            rows.sort(key=lambda row: _rank(row[2 + 2 * place]), reverse=ways[place] == "desc")
        return self.separator.join(as_text(row[0]) for row in rows) if rows else None


def _rank(value: Scalar) -> tuple[int, Any]:
    """Return what SQLite orders by: NULL, numbers, text, bytes."""
    kinds = (type(None), int | float, str, bytes)
    kind = next(place for place, known in enumerate(kinds) if isinstance(value, known))
    return kind, 0 if value is None else value


SQLITE_AGGREGATES: tuple[tuple[str, int, type], ...] = (
    ("VAR_POP", 1, _Spread),
    ("VAR_SAMP", 1, _VarSamp),
    ("STDDEV_POP", 1, _StddevPop),
    ("STDDEV_SAMP", 1, _StddevSamp),
    ("GROUP_CONCAT", -1, _GroupConcat),
)
