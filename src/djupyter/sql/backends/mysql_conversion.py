"""How values become those of another type on MySQL and MariaDB, and which say the same afterwards.

Where MODIFY does right by itself, the new value is the column; everything else is written out.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.mysql import DATETIME

from djupyter.definition.model import TypeSpec
from djupyter.sql.backends.differences.records import Conversion
from djupyter.sql.types import COUNTABLE, NUMBERS, TEXTS, Storage, storage_of

Column = sa.ColumnElement[Any]
Condition = sa.ColumnElement[bool]


_WHOLE = "^(0|-?[1-9][0-9]{0,30})$"
_DECIMAL = "^-?(0|[1-9][0-9]{{0,30}})([.][0-9]{{1,{digits}}})?$"
_REAL = "^-?(0|[1-9][0-9]{0,15})([.][0-9]{1,20})?$"
_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_DURATION = f"^{_TIME}([.][0-9]{{1,6}})?$"
_UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_TEXT = sa.CHAR()


def conversion(column: Column, old: TypeSpec, new: TypeSpec) -> Conversion | None:
    """Return how values of one type become those of another; None where they cannot.

    Examples
    --------
    >>> from djupyter.definition.types import parse_type
    >>> number, text = parse_type("int32"), parse_type("varchar(9)")
    >>> print(conversion(sa.column("a"), number, text).value)
    a
    >>> conversion(sa.column("a"), parse_type("<blob>"), text) is None
    True
    """
    if "codec" in (old.kind, new.kind):
        return None  # only the codec knows what its bytes mean
    before, after = storage_of(old), storage_of(new)
    if before.family in NUMBERS and after.family in NUMBERS:
        return Conversion(column, _number_fits(column, before, after))
    if before.family in COUNTABLE and after.family in TEXTS:
        return _text_of_number(column, before, after, new)
    if before.family in TEXTS and after.family in COUNTABLE:
        return _number_of_text(column, before, after)
    return _moment_or_text(column, before, after, new)


def _text(column: Column) -> Column:
    return sa.cast(column, _TEXT)


def _matches(column: Column, pattern: str) -> Condition:
    return column.op("REGEXP", is_comparison=True)(sa.literal(pattern, sa.String()))


def _double(column: Column) -> Column:
    return column + sa.literal_column("0e0")


def _exact(column: Column, scale: int = 0) -> Column:
    return sa.cast(column, sa.DECIMAL(65, scale))


# Numbers


def _number_fits(column: Column, before: Storage, after: Storage) -> Condition:
    if after.family == "boolean":
        return column.in_([0, 1])
    bounds = _in_bounds(column, after)
    if after.family == "integer":
        return sa.and_(bounds, sa.func.floor(column) == column)
    if after.family == "decimal":
        limit: Column = sa.literal_column(f"1e{after.precision - after.scale}")
        rounded = sa.func.round(column, after.scale)
        return sa.and_(bounds, sa.func.abs(column) < limit, rounded == column)
    same = _exact(_double(column)) == column if before.family == "integer" else sa.true()
    if after.high is None or (before.family == "real" and before.high is not None):
        return sa.and_(bounds, same)
    # Veltkamp's way to keep the leading 24 bits; more would not survive single precision.
    spread = _double(column) * sa.literal_column("536870913e0")
    single = sa.case((bounds, spread - (spread - _double(column)) == column), else_=sa.false())
    return sa.and_(single, same)


def _in_bounds(column: Column, storage: Storage) -> Condition:
    bounds: list[Condition] = []
    if storage.low is not None:
        bounds.append(column >= sa.literal_column(repr(storage.low)))
    if storage.high is not None:
        bounds.append(column <= sa.literal_column(repr(storage.high)))
    return sa.and_(sa.true(), *bounds)


def _text_of_number(column: Column, before: Storage, after: Storage, new: TypeSpec) -> Conversion:
    text = _text(column)
    if before.family == "real":
        spelled, is_plain = _spelled(column)
        return Conversion(spelled, sa.and_(is_plain, _fits_text(spelled, after, new)))
    # MODIFY would take a number for the place of a member.
    value = text if after.family == "enum" else column
    return Conversion(value, _fits_text(text, after, new))


def _spelled(column: Column) -> tuple[Column, Condition]:
    """Return a float as text, and whether that needs no exponent."""
    size = sa.func.abs(column)
    is_plain = sa.or_(
        column == 0,
        sa.and_(size >= sa.literal_column("1e-4"), size < sa.literal_column("1e15")),
    )
    text = _text(_double(column))
    is_whole = sa.and_(is_plain, sa.func.floor(column) == column)
    return sa.case((is_whole, sa.func.concat(text, ".0")), else_=text), is_plain


def _number_of_text(column: Column, before: Storage, after: Storage) -> Conversion:
    """Only a text that the number would be written as: `007` is no number, nor is `7 mm`."""
    text = _text(column)
    if after.family == "real":
        value = _double(text)
        spelled, _ = _spelled(value)
        same = sa.or_(spelled == text, spelled == sa.func.concat(text, ".0"))
        fits = _number_fits(value, Storage("real"), after)
        exact = sa.and_(_matches(text, _REAL), same, fits)
        return Conversion(value if before.family == "enum" else column, exact)
    pattern = _DECIMAL.format(digits=after.scale) if after.scale else _WHOLE
    value = _exact(text, after.scale)
    fits = _in_bounds(value, after)
    if after.family == "decimal":
        limit: Column = sa.literal_column(f"1e{after.precision - after.scale}")
        fits = sa.and_(fits, sa.func.abs(value) < limit)
    exact = sa.and_(_matches(text, pattern), fits)
    # MODIFY would take the place of a member for its value.
    return Conversion(value if before.family == "enum" else column, exact)


# Texts and moments


def _moment_or_text(
    column: Column, before: Storage, after: Storage, new: TypeSpec
) -> Conversion | None:
    families = before.family, after.family
    if families == ("date", "datetime"):
        return Conversion(column, sa.true())
    if families == ("datetime", "date"):
        return Conversion(column, sa.cast(column, sa.Date()) == column)
    if before.family == "uuid" and after.family in TEXTS:
        value = _spelled_uuid(column)
        return Conversion(value, _fits_text(value, after, new))
    if families == ("datetime", "text") and before.precision:
        value = _spelled_moment(column)
        return Conversion(value, _fits_text(value, after, new))
    if after.family in TEXTS and before.family in (*TEXTS, "date", "time", "datetime", "json"):
        return Conversion(column, _fits_text(_text(column), after, new))
    if before.family in TEXTS:
        return _of_text(column, after)
    if before.family != after.family:
        return None
    if after.family == "datetime":
        precise = sa.cast(column, DATETIME(fsp=after.precision))
        return Conversion(column, precise == column)
    if after.family == "bytes" and after.length is not None:
        return Conversion(column, sa.func.length(column) <= after.length)
    return Conversion(column, sa.true())


def _spelled_uuid(column: Column) -> Column:
    digits = sa.func.lower(sa.func.hex(column))
    places = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
    first, *others = (sa.func.substr(digits, start, length) for start, length in places)
    # Not CONCAT_WS, which makes an empty text of NULL.
    return sa.func.concat(first, *(piece for part in others for piece in ("-", part)))


def _spelled_moment(column: Column) -> Column:
    """Return a moment as text; a fraction that is there has all its digits."""
    text = _text(sa.cast(column, DATETIME(fsp=6)))
    is_whole = sa.func.microsecond(column) == 0
    return sa.case((is_whole, sa.func.left(text, 19)), else_=text)


def _fits_text(value: Column, after: Storage, new: TypeSpec) -> Condition:
    if after.family == "enum":
        return _text(value).in_(after.members)
    conditions: list[Condition] = []
    if after.length is not None:
        conditions.append(sa.func.char_length(value) <= after.length)
    if new.name in ("char", "character"):  # blanks at the end have no meaning there
        conditions.append(sa.func.char_length(sa.func.rtrim(value)) == sa.func.char_length(value))
    return sa.and_(sa.true(), *conditions)


def _of_text(column: Column, after: Storage) -> Conversion | None:
    text = _text(column)
    if after.family == "json":
        return Conversion(column, sa.func.json_valid(text) == 1)
    if after.family == "uuid":
        value = sa.func.unhex(sa.func.replace(text, "-", ""))
        return Conversion(value, _matches(text, _UUID))
    if after.family == "time":
        return Conversion(column, _matches(text, _DURATION))
    if after.family == "date":
        day = sa.cast(text, sa.Date())
        return Conversion(column, sa.and_(_matches(text, f"^{_DAY}$"), _is_day(day)))
    if after.family == "datetime":
        digits = f"[0-9]{{{after.precision}}}{'0' * (6 - after.precision)}"
        fraction = f"([.]{digits})?" if after.precision else ""
        moment = sa.cast(text, DATETIME(fsp=6))
        is_short = sa.func.substr(text, 20) != ".000000"
        looks = _matches(text, f"^{_DAY} {_TIME}{fraction}$")
        return Conversion(column, sa.and_(looks, _is_day(moment), is_short))
    return None


def _is_day(moment: Column) -> Condition:
    return sa.and_(moment.is_not(None), sa.func.coalesce(sa.func.year(moment), 0) > 0)
