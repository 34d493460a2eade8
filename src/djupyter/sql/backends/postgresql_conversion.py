"""How values become those of another type on PostgreSQL, and which of them say the same afterwards.

A cast that fails would end the statement, so each stands behind a condition that looks at the value
first: CASE evaluates in order.
"""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from djupyter.definition.model import TypeSpec
from djupyter.sql.backends.differences.records import ColumnType, Conversion
from djupyter.sql.types import COUNTABLE, NUMBERS, TEXTS, Storage, storage_of

Column = sa.ColumnElement[Any]
Condition = sa.ColumnElement[bool]


_WHOLE = r"^(0|-?[1-9][0-9]{0,30})$"
_DECIMAL = r"^-?(0|[1-9][0-9]{{0,30}})(\.[0-9]{{1,{digits}}})?$"
_REAL = r"^-?(0|[1-9][0-9]{0,15})(\.[0-9]{1,20})?$"
_DAY = r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_DURATION = rf"^{_TIME}(\.[0-9]{{1,6}})?$"
_UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"

# Types whose values may be written out in a statement that takes no parameters.
_WITH_LITERALS: dict[str, sa.types.TypeEngine[Any]] = {
    "text": sa.Text(),
    "double precision": sa.Double(),
}


def conversion(column: Column, old: TypeSpec, new: TypeSpec) -> Conversion | None:
    """Return how values of one type become those of another; None where they cannot.

    Examples
    --------
    >>> from djupyter.definition.types import parse_type
    >>> number, text = parse_type("int32"), parse_type("varchar(9)")
    >>> print(conversion(sa.column("a"), number, text).value)
    CAST(a AS TEXT)
    >>> conversion(sa.column("a"), parse_type("<blob>"), text) is None
    True
    """
    if "codec" in (old.kind, new.kind):
        return None  # only the codec knows what its bytes mean
    before, after = storage_of(old), storage_of(new)
    if before.family in NUMBERS and after.family in NUMBERS:
        return _number(column, before, after)
    if before.family in COUNTABLE and after.family in TEXTS:
        value, is_plain = _spelled_number(column, before)
        return Conversion(value, sa.and_(is_plain, _fits_text(value, after, new)))
    if before.family in TEXTS and after.family in COUNTABLE:
        return _number_of_text(_cast(column, "text"), after)
    return _moment_or_text(column, before, after, new)


def _cast(column: Column, type: str) -> Column:
    return sa.cast(column, _WITH_LITERALS.get(type) or ColumnType(type))


def _if(condition: Condition, value: Column) -> Column:
    return sa.case((condition, value))


def _both(first: Condition, then: Condition) -> Condition:
    """Return `first and then`, evaluated in this order."""
    return sa.case((first, then), else_=sa.false())


def _plain(number: int) -> Column:
    """Return a number that is written out: bound ones are `bigint`, which many functions do not take."""
    return sa.literal_column(str(number))


def _matches(column: Column, pattern: str) -> Condition:
    return column.op("~", is_comparison=True)(pattern)


# Numbers


def _number(column: Column, before: Storage, after: Storage) -> Conversion:
    if before.family == "boolean":
        if after.family == "boolean":
            return Conversion(column, sa.true())
        number = _cast(column, "integer")
        return Conversion(number, _in_bounds(number, after))
    wide = _cast(column, "double precision") if before.family == "real" else column
    if after.family == "boolean":
        return Conversion(wide != 0, wide.in_([0, 1]))
    if after.family == "real":
        return _real(wide, before, after)
    exact = _cast(wide, "numeric")
    if after.family == "integer":
        fits = _both(_in_bounds(wide, after), sa.func.trunc(exact) == exact)
        return Conversion(_if(fits, _cast(exact, "bigint")), fits)
    limit: Column = sa.literal_column(f"1e{after.precision - after.scale}")
    fits = _both(sa.func.abs(wide) < limit, sa.func.round(exact, _plain(after.scale)) == exact)
    if before.family == "real":
        fits = _both(fits, _cast(exact, "double precision") == wide)
    return Conversion(_if(fits, exact), sa.and_(fits, _in_bounds(wide, after)))


def _real(column: Column, before: Storage, after: Storage) -> Conversion:
    double = _cast(column, "double precision")
    same = sa.true() if before.family == "real" else _cast(double, "numeric") == column
    if after.high is None:
        return Conversion(double, sa.and_(same, _in_bounds(double, after)))
    if before.family == "real" and before.high is not None:
        return Conversion(double, _in_bounds(double, after))
    is_special = _cast(double, "text").in_(["Infinity", "-Infinity", "NaN"])
    single = _cast(_cast(double, "real"), "double precision") == double
    fits = sa.case((is_special, sa.true()), (_in_bounds(double, after), single), else_=sa.false())
    return Conversion(double, sa.and_(same, fits))


def _in_bounds(column: Column, storage: Storage) -> Condition:
    bounds: list[Condition] = []
    if storage.low is not None:
        bounds.append(column >= sa.literal_column(repr(storage.low)))
    if storage.high is not None:
        bounds.append(column <= sa.literal_column(repr(storage.high)))
    return sa.and_(sa.true(), *bounds)


def _spelled_number(column: Column, storage: Storage) -> tuple[Column, Condition]:
    """Return a number as text, and whether that needs no exponent."""
    if storage.family != "real":
        return _cast(column, "text"), sa.true()
    double = _cast(column, "double precision")
    size = sa.func.abs(double)
    is_plain = sa.or_(double == 0, sa.and_(size >= 1e-4, size < sa.literal_column("1e15")))
    is_whole = _both(is_plain, sa.func.trunc(double) == double)
    text = _cast(double, "text")
    return sa.case((is_whole, text.concat(".0")), else_=text), is_plain


def _number_of_text(text: Column, after: Storage) -> Conversion:
    """Only a text that the number would be written as: `007` is no number, nor is `7 mm`."""
    if after.family == "real":
        looks = _matches(text, _REAL)
        value = _cast(_if(looks, text), "double precision")
        spelled, _ = _spelled_number(value, after)
        same = sa.or_(spelled == text, spelled == text.concat(".0"))
        single = _real(value, Storage("real"), after).is_exact
        return Conversion(value, _both(looks, sa.and_(same, single)))
    pattern = _DECIMAL.format(digits=after.scale) if after.scale else _WHOLE
    looks = _matches(text, pattern)
    value = _cast(_if(looks, text), "numeric")
    fits = _in_bounds(value, after)
    if after.family == "decimal":
        limit: Column = sa.literal_column(f"1e{after.precision - after.scale}")
        fits = sa.and_(fits, sa.func.abs(value) < limit)
    return Conversion(value, _both(looks, fits))


# Texts and moments


def _moment_or_text(
    column: Column, before: Storage, after: Storage, new: TypeSpec
) -> Conversion | None:
    families = before.family, after.family
    if families == ("date", "datetime"):
        return Conversion(_cast(column, "timestamp"), sa.true())
    if families == ("datetime", "date"):
        day = _cast(column, "date")
        return Conversion(day, _cast(day, "timestamp") == column)
    if after.family in TEXTS:
        value = _spelled(column, before)
        return None if value is None else Conversion(value, _fits_text(value, after, new))
    if before.family in TEXTS:
        return _of_text(_cast(column, "text"), after)
    if before.family != after.family:
        return None
    if after.family == "datetime":
        return Conversion(column, _cast(column, f"timestamp({after.precision})") == column)
    if after.family == "bytes" and after.length is not None:
        return Conversion(column, sa.func.octet_length(column) <= after.length)
    return Conversion(column, sa.true())


def _spelled(column: Column, storage: Storage) -> Column | None:
    if storage.family == "datetime":
        seconds = sa.func.to_char(column, "YYYY-MM-DD HH24:MI:SS")
        fraction = sa.func.to_char(column, ".US")
        return sa.case((fraction == ".000000", seconds), else_=seconds.concat(fraction))
    known = (*TEXTS, "date", "time", "uuid", "json")
    return _cast(column, "text") if storage.family in known else None


def _fits_text(value: Column, after: Storage, new: TypeSpec) -> Condition:
    if after.family == "enum":
        return value.in_(after.members)
    conditions: list[Condition] = []
    if after.length is not None:
        conditions.append(sa.func.char_length(value) <= after.length)
    if new.name in ("char", "character"):  # blanks at the end have no meaning there
        conditions.append(sa.func.rtrim(value, " ") == value)
    return sa.and_(sa.true(), *conditions)


def _of_text(text: Column, after: Storage) -> Conversion | None:
    if after.family == "json":
        # Before version 16 PostgreSQL cannot say whether a text is a document.
        return Conversion(_cast(text, "jsonb"), sa.true(), _is_document)
    if after.family in ("date", "datetime"):
        return _moment_of_text(text, after)
    patterns = {"uuid": (_UUID, "uuid"), "time": (_DURATION, "time")}
    if after.family not in patterns:
        return None
    pattern, type = patterns[after.family]
    looks = _matches(text, pattern)
    return Conversion(_cast(_if(looks, text), type), looks)


def _moment_of_text(text: Column, after: Storage) -> Conversion:
    pattern, type = rf"^{_DAY}$", "date"
    if after.family == "datetime":
        type = f"timestamp({after.precision})"
        digits = f"[0-9]{{{after.precision}}}{'0' * (6 - after.precision)}"
        pattern = rf"^{_DAY} {_TIME}" + (rf"(\.{digits})?$" if after.precision else "$")
    year, month, day = (
        _cast(sa.func.substr(text, _plain(start), _plain(length)), "integer")
        for start, length in ((1, 4), (6, 2), (9, 2))
    )
    next_month = sa.func.make_date(year, month, _plain(1)) + sa.literal_column("interval '1 month'")
    last = sa.extract("day", next_month - sa.literal_column("interval '1 day'"))
    is_day = _both(sa.and_(_matches(text, pattern), ~_matches(text, "^0000")), day <= last)
    is_short = sa.func.substr(text, _plain(20)) != ".000000"
    return Conversion(_cast(_if(is_day, text), type), sa.and_(is_day, is_short))


def _is_document(text: str) -> bool:
    try:
        json.loads(text, parse_constant=_refuse)
    except ValueError:
        return False
    return "\\u0000" not in text  # jsonb has no place for it


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")
