"""Functions of MySQL that SQLite lacks or understands differently, registered on each connection.

NULL in gives NULL out. Their names begin with `DJ_`: no function of SQLite changes its meaning.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol

from djupyter.sql.language import dates, scalars
from djupyter.sql.language.aggregates import SQLITE_AGGREGATES
from djupyter.sql.language.scalars import Scalar, as_number, as_text


def _strict(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function with NULL for a NULL argument, and for numbers out of its domain."""

    @wraps(function)
    def checked(*arguments: Scalar) -> Scalar:
        if None in arguments:
            return None
        try:
            result: Scalar = function(*arguments)
        except (ArithmeticError, ValueError):
            return None
        return None if isinstance(result, float) and not math.isfinite(result) else result

    return checked


def _of_numbers(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arguments: function(*map(as_number, arguments))


def _of_texts(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arguments: function(*map(as_text, arguments))


_REAL: dict[str, Callable[..., Any]] = {
    "SQRT": math.sqrt,
    "EXP": math.exp,
    "LN": math.log,
    "LOG10": math.log10,
    "LOG2": math.log2,
    "SIN": math.sin,
    "COS": math.cos,
    "TAN": math.tan,
    "ATAN": math.atan,
    "RADIANS": math.radians,
    "DEGREES": math.degrees,
    "FLOOR": math.floor,
    "CEIL": math.ceil,
}

# Name, number of arguments (-1: any), function; all give the same for the same arguments.
SQLITE_FUNCTIONS: tuple[tuple[str, int, Callable[..., Any]], ...] = (
    ("DOCUMENT", 1, _strict(scalars.document)),
    ("LIKE", 3, _strict(scalars.like)),
    ("REGEXP", 2, _strict(scalars.regexp)),
    ("TEXT", 1, _strict(as_text)),
    ("UPPER", 1, _strict(_of_texts(str.upper))),
    ("LOWER", 1, _strict(_of_texts(str.lower))),
    ("CONCAT", -1, _strict(_of_texts(lambda *texts: "".join(texts)))),
    ("CONCAT_WS", -1, scalars.concat_ws),
    ("SUBSTRING", 2, _strict(scalars.substring)),
    ("SUBSTRING", 3, _strict(scalars.substring)),
    ("LEFT", 2, _strict(scalars.left)),
    ("RIGHT", 2, _strict(scalars.right)),
    ("LPAD", 3, _strict(scalars.lpad)),
    ("RPAD", 3, _strict(scalars.rpad)),
    ("REPLACE", 3, _strict(_of_texts(scalars.replace))),
    ("REVERSE", 1, _strict(_of_texts(lambda text: text[::-1]))),
    ("REPEAT", 2, _strict(scalars.repeat)),
    ("TUPLE", -1, _strict(scalars.combination)),
    ("ROUND", 2, _strict(scalars.round_half_up)),
    ("TRUNCATE", 2, _strict(scalars.truncate)),
    ("SIGNED", 1, _strict(scalars.signed)),
    ("MOD", 2, _strict(_of_numbers(scalars.mod))),
    ("POWER", 2, _strict(_of_numbers(math.pow))),
    ("LOG", 2, _strict(_of_numbers(lambda base, number: math.log(number) / math.log(base)))),
    ("ATAN2", 2, _strict(_of_numbers(math.atan2))),
    ("PI", 0, lambda: math.pi),
    *((name, 1, _strict(_of_numbers(function))) for name, function in _REAL.items()),
    ("DATE_ADD", 3, _strict(dates.date_add)),
    ("TIMESTAMPDIFF", 3, _strict(dates.timestampdiff)),
    ("DATE_FORMAT", 2, _strict(dates.date_format)),
    ("MICROSECOND", 1, _strict(dates.microsecond)),
)


class Connection(Protocol):
    """What is needed of a connection of `sqlite3`; drivers are imported in `backends` only."""

    def create_function(
        self, name: str, narg: int, func: Callable[..., Any] | None, /, *, deterministic: bool
    ) -> None:
        """Register a function."""

    def create_aggregate(self, name: str, n_arg: int, aggregate_class: Any, /) -> None:
        """Register an aggregate."""


def register_sqlite(connection: Connection) -> None:
    """Give a connection to SQLite the functions of conditions; their names begin with `DJ_`."""
    for name, count, function in SQLITE_FUNCTIONS:
        connection.create_function(f"DJ_{name}", count, function, deterministic=True)
    for name, count, aggregate in SQLITE_AGGREGATES:
        connection.create_aggregate(f"DJ_{name}", count, aggregate)
