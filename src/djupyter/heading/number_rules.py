"""Whole numbers, floating point numbers, decimals and truth values."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

import numpy as np

from djupyter.heading.rule import Array, RefusedError, Rule

_WHOLE = re.compile(r"[+-]?\d+(?:\.0*)?", re.ASCII)
_TRUTH = {"true": True, "false": False, "1": True, "0": False}


def whole_number(low: int, high: int) -> Rule:
    """Return the rule for whole numbers within a range, both ends included.

    >>> whole_number(0, 255).convert("7")
    7
    """

    def convert(value: Any) -> int:
        if isinstance(value, str):
            text = value.strip()
            # A frame with gaps turns 1 into 1.0, and a CSV file keeps it so.
            number: Any = int(text.partition(".")[0]) if _WHOLE.fullmatch(text) else None
        else:
            number = _number(value)
        if number is None:
            raise RefusedError
        # Before int(), which would write out all digits of Decimal("1E+999999").
        if not low <= number <= high:
            raise RefusedError
        if number != int(number):
            raise RefusedError("Round it first: nothing is rounded silently.")
        return int(number)

    def all_fit(values: Sequence[int]) -> bool:
        return low <= min(values) and max(values) <= high

    def from_array(array: Array) -> list[Any] | None:
        if array.dtype.kind not in "iu" or not all_fit([int(array.min()), int(array.max())]):
            return None
        values: list[Any] = array.tolist()
        return values

    return Rule(f"a whole number from {low} to {high}", convert, int, all_fit, from_array)


def double(*, unsigned: bool = False) -> Rule:
    """Return the rule for numbers of double precision.

    >>> double().convert("1e3")
    1000.0
    """

    def convert(value: Any) -> float:
        number = _real(value)
        if unsigned and number < 0:
            raise RefusedError("It is negative.")
        return number

    def all_fit(values: Sequence[float]) -> bool:
        return not any(map(math.isnan, values)) and not (unsigned and min(values) < 0)

    def from_array(array: Array) -> list[Any] | None:
        if unsigned or not _is_real(array) or np.isnan(array).any():
            return None
        values: list[Any] = array.astype(np.float64).tolist()
        return values

    expected = "a number that is not negative" if unsigned else "a number"
    return Rule(expected, convert, float, all_fit, from_array)


def single() -> Rule:
    """Return the rule for numbers of single precision, rounded to it.

    >>> single().convert(0.1)
    0.10000000149011612
    """

    def convert(value: Any) -> float:
        number = _real(value)
        with np.errstate(over="ignore"):
            rounded = float(np.float32(number))
        if math.isinf(rounded) and not math.isinf(number):
            raise RefusedError("It is out of range: use float64.")
        return rounded

    def from_array(array: Array) -> list[Any] | None:
        if not _is_real(array):
            return None
        with np.errstate(over="ignore"):
            rounded = array.astype(np.float32)
        return rounded.tolist() if np.isfinite(rounded).all() else None

    return Rule("a number up to 3.4e38", convert, from_array=from_array)


def decimal(precision: int, scale: int, *, unsigned: bool = False) -> Rule:
    """Return the rule for decimals, rounded half up to `scale` digits after the point.

    >>> decimal(6, 2).convert("2.345")
    Decimal('2.35')
    """
    step = Decimal(1).scaleb(-scale)
    # A context of just this precision makes quantize refuse too many digits before the point.
    context = Context(prec=precision, rounding=ROUND_HALF_UP)

    def convert(value: Any) -> Decimal:
        number = _decimal(value).quantize(step, context=context)
        if unsigned and number < 0:
            raise RefusedError("It is negative.")
        return number if number else abs(number)

    digits = f"at most {precision - scale} digits before the point and {scale} after it"
    expected = f"a decimal number with {digits}"
    return Rule(expected + ", not negative" * unsigned, convert)


def any_decimal() -> Rule:
    """Return the rule for decimals without a declared precision."""

    def convert(value: Any) -> Decimal:
        number = _decimal(value)
        if not number.is_finite():
            raise RefusedError("It is not finite.")
        return number

    return Rule("a decimal number", convert)


def truth() -> Rule:
    """Return the rule for true and false.

    >>> truth().convert("false"), truth().convert(1)
    (False, True)
    """

    def convert(value: Any) -> bool:
        if isinstance(value, str):
            return _TRUTH[value.strip().lower()]
        number = _number(value)
        if number is None or number not in (0, 1):
            raise RefusedError
        return bool(number)

    def from_array(array: Array) -> list[Any] | None:
        return array.tolist() if array.dtype.kind == "b" else None

    return Rule("True or False", convert, bool, from_array=from_array)


def _number(value: Any) -> int | float | Decimal | None:
    """Return a number as a plain one, None for what is no number."""
    if isinstance(value, np.bool_ | np.integer | np.floating):
        return int(value) if isinstance(value, np.bool_ | np.integer) else float(value)
    return value if isinstance(value, int | float | Decimal) else None


def _real(value: Any) -> float:
    number = value.strip() if isinstance(value, str) else _number(value)
    if number is None or (isinstance(number, str) and "_" in number):
        raise RefusedError
    return float(number)


def _decimal(value: Any) -> Decimal:
    # The text of a float is the shortest that means it, which is what its user wrote.
    if isinstance(value, bool | np.bool_):
        return Decimal(int(value))
    if isinstance(value, int | Decimal):
        return Decimal(value)
    if isinstance(value, float):
        return Decimal(float.__repr__(value))
    if isinstance(value, str) and "_" in value:
        raise RefusedError
    if isinstance(value, np.integer | np.floating | str):
        return Decimal(str(value).strip())
    raise RefusedError


def _is_real(array: Array) -> bool:
    return array.dtype.kind in "iuf" and array.dtype.itemsize <= 8
