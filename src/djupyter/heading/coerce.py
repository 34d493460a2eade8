"""What users insert or restrict by, made into the one canonical value of its attribute.

| type                      | canonical value                                             |
|---------------------------|-------------------------------------------------------------|
| whole numbers             | int within the range; no rounding                           |
| float32, float64          | float, rounded to single precision for float32              |
| decimal(p,s)              | Decimal with s digits after the point                       |
| bool                      | bool                                                        |
| char, varchar, text       | str within the length; char without blanks at the end       |
| enum                      | the member, a str                                           |
| date, datetime            | datetime.date, naive datetime.datetime (UTC)                |
| time                      | str `HH:MM:SS.f`                                            |
| uuid                      | uuid.UUID                                                   |
| json                      | str, the document as JSON text                              |
| bytes, native blobs       | bytes                                                       |
| codecs                    | what was given                                              |
| types of other tools      | what was given, numpy scalars as Python's                   |

None and pandas.NA are NULL. NaN and NaT are gaps in the data: NULL where that is allowed, refused
elsewhere. Nothing here knows a database, so all backends get the same values.
"""

from __future__ import annotations

import datetime
import math
import reprlib
import sys
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from djupyter.errors import InvalidValueError
from djupyter.heading.attribute import Attribute
from djupyter.heading.rule import RefusedError, Rule
from djupyter.heading.type_rules import rule_for

_SHOWN = 80  # characters of a value in a message

_shortened = reprlib.Repr()
_shortened.maxstring = _shortened.maxother = _shortened.maxlong = _SHOWN


def coercer(attribute: Attribute, *, empty_is_null: bool = False) -> Callable[[object], object]:
    """Return the function that makes values canonical for an attribute.

    Parameters
    ----------
    attribute
        Its type and whether it is nullable decide.
    empty_is_null
        Whether an empty text is NULL for types other than text, as in CSV files.

    Returns
    -------
    callable
        Takes a value and returns the canonical one; raises `InvalidValueError` when it does
        not fit.

    Examples
    --------
    >>> from djupyter.definition.types import parse_type
    >>> depth = coercer(Attribute("depth", parse_type("int8")))
    >>> depth(7.0), depth("7"), depth(None)
    (7, 7, None)
    >>> try:
    ...     depth(200)
    ... except InvalidValueError as error:
    ...     print(error)
    Attribute `depth` : int8 cannot hold 200. Expected a whole number from -128 to 127.
    """
    rule = rule_for(attribute)
    if rule is None:
        return _pass

    def coerce(value: Any) -> object:
        if value is None or _is_na(value):
            return None
        if isinstance(value, np.ndarray) and value.ndim == 0:
            value = value[()]
        if _is_gap(value) or (empty_is_null and _is_empty(value, rule)):
            _check_nullable(attribute, rule, value)
            return None
        try:
            result = rule.convert(value)
        except (ValueError, TypeError, KeyError, ArithmeticError) as error:
            raise _invalid(attribute, rule, value, error) from error
        if _is_gap(result):
            _check_nullable(attribute, rule, value)
            return None
        return result

    return coerce


def coerce_column(
    attribute: Attribute, values: Sequence[object], *, empty_is_null: bool = False
) -> list[object]:
    """Return the canonical values of many rows.

    Values that are canonical already are checked together, numpy arrays without looking at each;
    others go through `coercer` one by one.

    Parameters
    ----------
    attribute, empty_is_null
        As for `coercer`.
    values
        A list, a tuple, a one-dimensional array or a pandas Series.

    Raises
    ------
    InvalidValueError
        A value does not fit; `row` is its position in `values`.

    Examples
    --------
    >>> from djupyter.definition.types import parse_type
    >>> coerce_column(Attribute("depth", parse_type("int8")), np.array([1, 2]))
    [1, 2]
    """
    rule = rule_for(attribute)
    if isinstance(values, np.ndarray) and values.ndim == 1 and len(values) and rule is not None:
        at_once = rule.from_array(values)
        if at_once is not None:
            return at_once
    items: list[object] = list(values)
    if rule is None:
        return [_pass(value) for value in items]
    if _all_canonical(rule, items):
        return items
    return _one_by_one(coercer(attribute, empty_is_null=empty_is_null), items)


def coerce_value(attribute: Attribute, value: object) -> object:
    """Return the canonical value of one; as `coerce_column`, which costs more for few.

    Examples
    --------
    >>> from djupyter.definition.types import parse_type
    >>> coerce_value(Attribute("depth", parse_type("int8")), 1.0)
    1
    """
    rule = rule_for(attribute)
    if rule is not None and type(value) is rule.exact and rule.all_fit((value,)):
        return value
    return coerce_column(attribute, [value])[0]


def _all_canonical(rule: Rule, items: list[object]) -> bool:
    kinds = set(map(type, items))
    if not kinds or rule.exact is None or not kinds <= {rule.exact, type(None)}:
        return False
    present = [item for item in items if item is not None] if type(None) in kinds else items
    return not present or rule.all_fit(present)


def _one_by_one(coerce: Callable[[object], object], items: list[object]) -> list[object]:
    row = 0
    try:
        for row, item in enumerate(items):
            items[row] = coerce(item)
    except InvalidValueError as error:
        error.row = row
        raise
    return items


def _pass(value: object) -> object:
    return None if _is_na(value) else value


def _is_na(value: object) -> bool:
    # Values of pandas exist only once it is loaded, so that nobody waits here for its import.
    pandas = sys.modules.get("pandas")
    return pandas is not None and value is getattr(pandas, "NA", None)


def _is_gap(value: object) -> bool:
    """Whether a value is NaN or NaT."""
    if isinstance(value, float | np.floating):
        return math.isnan(value)
    if isinstance(value, Decimal):
        return value.is_nan()
    if isinstance(value, np.datetime64 | np.timedelta64):
        return bool(np.isnat(value))
    # pandas' NaT passes for a datetime; it is the only one that differs from itself.
    return isinstance(value, datetime.datetime) and bool(value != value)


def _is_empty(value: object, rule: Rule) -> bool:
    return isinstance(value, str) and not value.strip() and not rule.empty_is_value


def _check_nullable(attribute: Attribute, rule: Rule, value: object) -> None:
    if not attribute.nullable:
        reason = RefusedError("A gap in the data needs a nullable attribute, declared `= null`.")
        raise _invalid(attribute, rule, value, reason)


def _invalid(
    attribute: Attribute, rule: Rule, value: object, error: Exception
) -> InvalidValueError:
    reason = str(error) if isinstance(error, RefusedError) else ""
    return InvalidValueError(
        f"Attribute `{attribute.name}` : {attribute.type_text} cannot hold {_short(value)}. "
        f"Expected {rule.expected}. {reason}".strip()
    )


def _short(value: object) -> str:
    shown = " ".join(_shortened.repr(value).split())
    return shown if len(shown) <= _SHOWN else shown[: _SHOWN - 3] + "..."
