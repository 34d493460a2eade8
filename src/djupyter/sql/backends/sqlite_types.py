"""How SQLite keeps each kind of value, and the checks that make it as strict as a server.

| family            | column        | kept as                                   |
|-------------------|---------------|-------------------------------------------|
| integer, boolean  | INT           | integer                                   |
| real              | REAL          | 8-byte float                              |
| decimal           | NUMERIC       | integer or float: exact up to 15 digits   |
| text, enum        | TEXT          | text                                      |
| date              | TEXT          | `2026-01-31`                              |
| datetime          | TEXT          | `2026-01-31 12:30:00[.123456]`            |
| time              | TEXT          | `12:30:00[.5]`                            |
| uuid              | TEXT          | lower case, with hyphens                  |
| json              | TEXT          | a valid document                          |
| bytes             | BLOB          | bytes                                     |

Never INTEGER: a key of that type would be another name for the row number, which SQLite fills in
silently.
"""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from functools import partial
from typing import Any

import sqlalchemy as sa

from djupyter.definition.model import Default, TypeSpec
from djupyter.definition.types import parse_type
from djupyter.errors import DataJointError
from djupyter.heading.attribute import Attribute
from djupyter.sql.backends.adapting import adapting
from djupyter.sql.backends.differences.records import Convert
from djupyter.sql.types import Family, Storage, storage_of

Column = sa.ColumnElement[Any]
Check = Callable[[Column, Storage], sa.ColumnElement[bool]]

COLUMN: dict[Family, str] = {
    "integer": "INT",
    "boolean": "INT",
    "real": "REAL",
    "decimal": "NUMERIC",
    "text": "TEXT",
    "enum": "TEXT",
    "date": "TEXT",
    "time": "TEXT",
    "datetime": "TEXT",
    "uuid": "TEXT",
    "json": "TEXT",
    "bytes": "BLOB",
}


# Checks


def check(attribute: Attribute, storage: Storage) -> sa.ColumnElement[bool]:
    """Return the condition that every value of an attribute fulfils."""
    column: Column = sa.column(attribute.name)
    condition = _CHECKS[storage.family](column, storage)
    return sa.or_(column.is_(None), condition) if attribute.nullable else condition


def _is(column: Column, *types: str) -> sa.ColumnElement[bool]:
    kind = sa.func.typeof(column)
    return kind == types[0] if len(types) == 1 else kind.in_(types)


def _glob(column: Column, pattern: str) -> sa.ColumnElement[bool]:
    return column.op("GLOB", is_comparison=True)(pattern)


def _within(column: Column, storage: Storage) -> list[sa.ColumnElement[bool]]:
    """Bounds; infinity is not out of bounds, it is a float of its own."""
    bounds: list[sa.ColumnElement[bool]] = []
    if storage.low is not None and storage.high is not None:
        bounds.append(column.between(storage.low, storage.high))
    elif storage.low is not None:
        bounds.append(column >= storage.low)
    return bounds


def _integer(column: Column, storage: Storage) -> sa.ColumnElement[bool]:
    return sa.and_(_is(column, "integer"), *_within(column, storage))


def _boolean(column: Column, storage: Storage) -> sa.ColumnElement[bool]:
    return sa.and_(_is(column, "integer"), column.in_([0, 1]))


def _real(column: Column, storage: Storage) -> sa.ColumnElement[bool]:
    bounds = _within(column, storage)
    if storage.high is not None:
        # 9e999 reads as infinity; there is no literal for it.
        bounds = [sa.or_(*bounds, sa.func.abs(column) == sa.literal_column("9e999"))]
    return sa.and_(_is(column, "real"), *bounds)


def _decimal(column: Column, storage: Storage) -> sa.ColumnElement[bool]:
    return sa.and_(
        _is(column, "integer", "real"),
        sa.func.abs(column) < 10 ** (storage.precision - storage.scale),
        sa.func.round(column, storage.scale) == column,
        *_within(column, storage),
    )


def _text(column: Column, storage: Storage) -> sa.ColumnElement[bool]:
    short = [] if storage.length is None else [sa.func.length(column) <= storage.length]
    return sa.and_(_is(column, "text"), *short)


def _enum(column: Column, storage: Storage) -> sa.ColumnElement[bool]:
    return column.in_(storage.members)


# A pattern comes first in the next three: it keeps out the word 'now', which SQLite would take for
# a date. Adding no days makes SQLite count: without it, the 30th of February passes.


def _date(column: Column, storage: Storage) -> sa.ColumnElement[bool]:
    return sa.and_(
        _glob(column, "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"),
        column >= "0001",
        sa.func.date(column, "+0 days").is_(column),
    )


def _datetime(column: Column, storage: Storage) -> sa.ColumnElement[bool]:
    seconds = sa.func.substr(column, 1, 19)
    shape = [sa.func.length(column) == 19]
    if storage.precision:
        # Zero fractions are left out, so that equal moments are equal texts.
        fraction = "[0-9]" * storage.precision + "0" * (6 - storage.precision)
        tail = sa.func.substr(column, 20)
        shape.append(sa.and_(_glob(tail, f".{fraction}"), tail != ".000000"))
    return sa.and_(
        _glob(column, "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:*"),
        column >= "0001",
        sa.or_(*shape),
        sa.func.datetime(seconds, "+0 days").is_(seconds),
    )


def _time(column: Column, storage: Storage) -> sa.ColumnElement[bool]:
    """Hours go beyond 24 and below 0: on servers, times are durations as well."""
    positive = sa.func.ltrim(column, "-")
    shapes = [
        _glob(positive, f"{hours}:[0-5][0-9]:[0-5][0-9]{tail}")
        for hours in ("[0-9][0-9]", "[0-8][0-9][0-9]")
        for tail in ("", ".[0-9]*")
    ]
    return sa.and_(_is(column, "text"), sa.or_(*shapes))


def _uuid(column: Column, storage: Storage) -> sa.ColumnElement[bool]:
    return _glob(column, "-".join("[0-9a-f]" * digits for digits in (8, 4, 4, 4, 12)))


def _json(column: Column, storage: Storage) -> sa.ColumnElement[bool]:
    return sa.and_(_is(column, "text"), sa.func.json_valid(column) == 1)


def _bytes(column: Column, storage: Storage) -> sa.ColumnElement[bool]:
    short = [] if storage.length is None else [sa.func.length(column) <= storage.length]
    return sa.and_(_is(column, "blob"), *short)


_CHECKS: dict[Family, Check] = {
    "integer": _integer,
    "boolean": _boolean,
    "real": _real,
    "decimal": _decimal,
    "text": _text,
    "enum": _enum,
    "date": _date,
    "time": _time,
    "datetime": _datetime,
    "uuid": _uuid,
    "json": _json,
    "bytes": _bytes,
}


# Defaults

_NOW = {
    digits: (
        "CURRENT_TIMESTAMP"
        if digits == 0
        else "(replace(substr(strftime('%Y-%m-%d %H:%M:%f', 'now') || '000', 1, "
        f"{20 + digits}) || '{'0' * (6 - digits)}', '.000000', ''))"
    )
    for digits in range(7)
}
_NOW_TEXT = {
    expression.removeprefix("(")[: -1 if digits else None]: (
        f"CURRENT_TIMESTAMP({digits})" if digits else "CURRENT_TIMESTAMP"
    )
    for digits, expression in _NOW.items()
}


def moment(seconds: float) -> sa.ColumnElement[Any]:
    """Return the time `seconds` from now, as `CURRENT_TIMESTAMP(3)` is kept."""
    return sa.literal_column(_NOW[3].replace("'now'", f"'now', '{seconds:+.3f} seconds'"))


# A literal in another spelling than values have: the first text is the default, the second what the
# user wrote.
_SPELLED = re.compile(r"coalesce\('(?:[^']*)', '(?P<written>[^']*)'\)")


def default(attribute: Attribute, storage: Storage) -> sa.ColumnElement[Any] | str | None:
    """Return the default of a column; the clock is UTC, as always in SQLite."""
    value = attribute.default
    if value is None:
        return None
    if value.kind == "null":
        return sa.null()
    if value.kind == "now":
        return sa.literal_column(_NOW[_fraction(attribute, value, storage)])
    if storage.family == "boolean" and value.text.lower() in ("true", "false"):
        return sa.literal_column(value.text.lower())
    canonical = _canonical(value.text, storage)
    return value.text if canonical == value.text else sa.func.coalesce(canonical, value.text)


def _canonical(text: str, storage: Storage) -> str:
    """Return a literal as values of its family are kept."""
    if storage.family == "uuid":
        return str(uuid.UUID(text))
    if storage.family == "datetime":
        head, point, fraction = text.partition(".")
        return datetime.fromisoformat(f"{head}.{fraction:0<6}" if point else text).isoformat(" ")
    return text


def _fraction(attribute: Attribute, value: Default, storage: Storage) -> int:
    digits = int("".join(char for char in value.text if char.isdigit()) or 0)
    if storage.family != "datetime" or digits > storage.precision:
        instead = f"datetime({digits})" if digits else "datetime"
        raise DataJointError(
            f"{value.text} cannot be the default of `{attribute.name}`, declared as "
            f"{attribute.type_text}. Declare it as {instead}."
        )
    return digits or storage.precision


def read_default(text: str | None, nullable: bool) -> Default | None:
    """Return the default that the catalogue reports.

    >>> read_default("'it''s'", False)
    Default(kind='literal', text="it's", quoted=False)
    """
    if nullable:
        return Default("null")
    if text is None or text == "NULL":
        return None
    if text in _NOW_TEXT:
        return Default("now", _NOW_TEXT[text])
    spelled = _SPELLED.fullmatch(text)
    if spelled:
        return Default("literal", spelled["written"])
    if text.startswith("'"):
        return Default("literal", text[1:-1].replace("''", "'"))
    return Default("literal", text)


# Values


def _number(value: Decimal) -> int | float:
    return _whole(int(value)) if value == value.to_integral_value() else float(value)


def _whole(value: int) -> int | float:
    """Return a number that no attribute holds as one that compares with attributes as it does.

    >>> _whole(2**63 - 1), _whole(-(2**63) - 1), _whole(10**400)
    (9223372036854775807, -9.223372036854776e+18, inf)
    """
    if -(2**63) <= value < 2**63:
        return int(value)
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


_ADAPT: dict[type, Convert | None] = {
    type(None): None,
    int: _whole,
    float: None,
    str: None,
    bytes: None,
    bytearray: None,
    memoryview: None,
    bool: int,
    date: date.isoformat,
    datetime: partial(datetime.isoformat, sep=" "),
    time: time.isoformat,
    Decimal: _number,
    uuid.UUID: str,
}

# Whole numbers of subclasses may be too large as well.
adapt = adapting(_ADAPT, {kind: kind for kind in (float, str, bytes)})


_ADAPTER: dict[Family, Convert] = {
    "boolean": int,
    "decimal": adapt,
    "date": adapt,
    "datetime": adapt,
    "uuid": str,
}


def adapter(type: TypeSpec | None) -> Convert | None:
    """Return the conversion of an attribute's values to SQLite's; None for identity."""
    return adapt if type is None else _ADAPTER.get(storage_of(type).family)


# What numbers with a fraction are computed as.
FRACTION = parse_type("float64")


def decoder(type: TypeSpec | None) -> Convert | None:
    """Return the conversion of SQLite's values to an attribute's; None for identity."""
    if type is None:
        return None
    storage = storage_of(type)
    if storage.family == "decimal":
        return partial(_exact, Decimal(1).scaleb(-storage.scale))
    return _DECODER.get(storage.family)


def _exact(unit: Decimal, value: float) -> Decimal:
    return Decimal(repr(value)).quantize(unit)


_DECODER: dict[Family, Convert] = {
    "boolean": bool,
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "uuid": uuid.UUID,
}
