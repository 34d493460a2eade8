"""How MySQL and MariaDB keep each kind of value.

| family            | column                                | read as           |
|-------------------|---------------------------------------|-------------------|
| integer           | tinyint, smallint, int, bigint        | int               |
| boolean           | tinyint                               | int, 0 or 1       |
| real              | float, double                         | float             |
| decimal           | decimal(p,s)                          | Decimal           |
| text, enum        | char(n), varchar(n), enum(...)        | str               |
| date, datetime    | date, datetime(n)                     | date, datetime    |
| time              | time(n)                               | timedelta         |
| uuid              | binary(16), the bytes in their order  | bytes             |
| json              | json; longtext with a check (MariaDB) | text              |
| bytes             | longblob                              | bytes             |

Text compares as its schema says: in those made here by a binary collation without padding, so that keys
differ in case and in blanks at the end, as on every backend.
"""

from __future__ import annotations

import re
import uuid
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from djupyter.definition.model import Default, TypeSpec
from djupyter.errors import DataJointError, InvalidValueError
from djupyter.heading.attribute import Attribute
from djupyter.sql.backends.adapting import adapting
from djupyter.sql.backends.differences.records import Convert
from djupyter.sql.types import physical_type, storage_of

_CORE = {
    "int8": "tinyint",
    "int16": "smallint",
    "int32": "int",
    "int64": "bigint",
    "float32": "float",
    "float64": "double",
    "bool": "tinyint",
    "uuid": "binary(16)",
    "bytes": "longblob",
}
# Types of other databases.
_FOREIGN = {"bytea": "longblob", "boolean": "tinyint", "serial": "bigint unsigned auto_increment"}
_ZONE = re.compile(r" with(?:out)? time zone")
_COLLATED = re.compile(r"\b(?:collate|character set|charset|binary)\b")


# Columns


def column(attribute: Attribute, collation: str) -> str:
    """Return the column type of an attribute.

    Parameters
    ----------
    attribute
        What was declared.
    collation
        How its text is compared; empty for the way of the schema.

    Examples
    --------
    >>> from djupyter.definition.types import parse_type
    >>> [column(Attribute("a", parse_type(t)), "c") for t in ("int8", "uuid", "varchar(9)")]
    ['tinyint', 'binary(16)', 'varchar(9) COLLATE c']
    """
    assert attribute.type is not None, "a table's attribute always has a type"
    type = physical_type(attribute.type)
    family = storage_of(type).family
    text = _CORE.get(type.name) or _FOREIGN.get(type.name) or _ZONE.sub("", type.text)
    if family == "enum":
        # These servers read escapes in quotes, and the driver reads places for values.
        text = text.replace("\\", "\\\\").replace("%", "%%")
    if family in ("text", "enum") and not _COLLATED.search(text.lower()):
        return f"{text} COLLATE {collation}" if collation else text
    # MariaDB before 10.10 takes a timestamp for NOT NULL unless it is told.
    return f"{text} NULL" if attribute.nullable and type.name == "timestamp" else text


_RETURNED = {
    **dict.fromkeys(("", "char", "text"), "char(512)"),
    **dict.fromkeys(("int", "integer", "signed"), "signed"),
    **dict.fromkeys(("float", "double"), "double"),
    **dict.fromkeys(("bool", "boolean"), "unsigned"),
}


def returned(written: str) -> str:
    """Return what JSON_VALUE calls the type of a place in a JSON attribute."""
    return _RETURNED.get(written, written)


# Comments

_BEYOND = re.compile("[\U00010000-\U0010ffff]")
_ESCAPED_CHARACTER = re.compile(r"\\U([0-9a-f]{8})")


def write_comment(text: str) -> str:
    r"""Return a comment with what the servers would turn into question marks as escapes.

    >>> print(write_comment("\U0001f42d ü"))
    \U0001f42d ü
    """
    return _BEYOND.sub(lambda match: f"\\U{ord(match[0]):08x}", text)


def read_comment(text: str) -> str:
    """Return a comment as it was written."""
    return _ESCAPED_CHARACTER.sub(lambda match: chr(int(match[1], 16)), text)


# Defaults

_NOW = re.compile(r"(?:current_timestamp|now)(?:\((?P<digits>\d?)\))?", re.IGNORECASE)
# The expressions that a uuid and some texts have for a default: of a literal the catalogue would cut what
# follows a zero byte, and show a question mark for what a comment must escape.
_TEXT = re.compile(
    r"convert\(unhex\((?:_\w+)?\\?'(?P<digits>[0-9a-f]*)\\?'\) using utf8mb4\)", re.IGNORECASE
)
_UUID = re.compile(r"unhex\((?:_\w+)?\\?'(?P<digits>[0-9a-f]{32})\\?'\)", re.IGNORECASE)


def default(attribute: Attribute) -> sa.ColumnElement[Any] | str | None:
    """Return the default of a column."""
    value = attribute.default
    if value is None:
        return None
    if value.kind == "null":
        return sa.null()
    if value.kind == "now":
        return sa.literal_column(_now(attribute, value))
    assert attribute.type is not None, "a table's attribute always has a type"
    family = storage_of(attribute.type).family
    if family == "uuid":
        return sa.literal_column(f"(unhex('{uuid.UUID(value.text).hex}'))")
    if family == "boolean" and value.text.lower() in ("true", "false"):
        return str(int(value.text.lower() == "true"))
    if _BEYOND.search(value.text):
        return sa.literal_column(f"(convert(unhex('{value.text.encode().hex()}') using utf8mb4))")
    return value.text


def _now(attribute: Attribute, value: Default) -> str:
    """Return the clock with the digits that the column keeps: no others are taken."""
    assert attribute.type is not None, "a table's attribute always has a type"
    storage = storage_of(attribute.type)
    digits = int("".join(char for char in value.text if char.isdigit()) or 0)
    if storage.family != "datetime" or digits > storage.precision:
        instead = f"datetime({digits})" if digits else "datetime"
        raise DataJointError(
            f"{value.text} cannot be the default of `{attribute.name}`, declared as "
            f"{attribute.type_text}. Declare it as {instead}."
        )
    return f"CURRENT_TIMESTAMP({storage.precision})" if storage.precision else "CURRENT_TIMESTAMP"


def read_default(text: str | None, nullable: bool, *, is_sql: bool) -> Default | None:
    """Return the default that the catalogue reports.

    Parameters
    ----------
    text
        What it reports.
    nullable
        Whether the column may be NULL.
    is_sql
        Whether literals are reported with quotes, as MariaDB does; an expression is never quoted.

    Examples
    --------
    >>> read_default("'it''s'", False, is_sql=True).text, read_default("it's", False, is_sql=False).text
    ("it's", "it's")
    >>> read_default("current_timestamp(3)", False, is_sql=True).text
    'CURRENT_TIMESTAMP(3)'
    """
    if nullable:
        return Default("null")
    if text is None or (is_sql and text == "NULL"):
        return None
    now = _NOW.fullmatch(text)
    if now:
        digits = now["digits"]
        return Default("now", f"CURRENT_TIMESTAMP({digits})" if digits else "CURRENT_TIMESTAMP")
    known = _UUID.fullmatch(text)
    if known:
        return Default("literal", str(uuid.UUID(known["digits"])))
    told = _TEXT.fullmatch(text)
    if told:
        return Default("literal", bytes.fromhex(told["digits"]).decode())
    return Default("literal", _unquoted(text) if is_sql and text.startswith("'") else text)


_ESCAPED = re.compile(r"\\(.)|''", re.DOTALL)
_ESCAPES = {"0": "\0", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a", "b": "\b"}


def _unquoted(text: str) -> str:
    return _ESCAPED.sub(
        lambda match: "'" if match[1] is None else _ESCAPES.get(match[1], match[1]), text[1:-1]
    )


# Values


def _uuid(value: uuid.UUID) -> bytes:
    return value.bytes


_ADAPT: dict[type, Convert | None] = {
    type(None): None,
    int: None,
    float: None,
    str: None,
    bytes: None,
    bytearray: bytes,
    memoryview: bytes,
    bool: int,
    date: None,
    datetime: None,
    time: None,
    timedelta: None,
    Decimal: None,
    uuid.UUID: _uuid,
}
_SUBCLASSES: dict[type, Convert] = {
    **{kind: kind for kind in (int, float, str, bytes)},
    datetime: lambda moment: datetime.fromisoformat(moment.isoformat()[:26]),
    date: lambda day: date(day.year, day.month, day.day),
}

adapt = adapting(_ADAPT, _SUBCLASSES)


def _finite(value: float) -> float:
    """Return a number that MySQL can keep."""
    if value - value == 0:  # false of infinity and NaN; faster than math.isfinite for all others
        return value
    raise InvalidValueError(
        f"MySQL and MariaDB cannot keep {value}. Store NULL, the largest number, or use <blob>."
    )


_ADAPTER: dict[str, Convert] = {
    "boolean": int,
    "real": _finite,
    "date": adapt,
    "datetime": adapt,
    "uuid": _uuid,
}


def adapter(type: TypeSpec | None) -> Convert | None:
    """Return the conversion of an attribute's values to the driver's; None for identity."""
    return adapt if type is None else _ADAPTER.get(storage_of(type).family)


def decoder(type: TypeSpec | None) -> Convert | None:
    """Return the conversion of the driver's values to an attribute's; None for identity."""
    return None if type is None else _DECODER.get(storage_of(type).family)


def _datetime(value: Any) -> datetime:
    # A date to which something was added comes as text.
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


def _date(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))


def _time(value: Any) -> str:
    """Return a duration as the text that it was given as: hours go beyond 24 and below 0.

    >>> _time(timedelta(hours=-1, minutes=-30)), _time(timedelta(hours=100, microseconds=500000))
    ('-01:30:00', '100:00:00.5')
    """
    if not isinstance(value, timedelta):
        return str(value)
    sign = "-" if value < timedelta() else ""
    seconds, micros = divmod(abs(value) // timedelta(microseconds=1), 10**6)
    fraction = f".{micros:06}".rstrip("0") if micros else ""
    return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{fraction}"


_DECODER: dict[str, Convert] = {
    # The sum of integers comes as a decimal.
    "integer": int,
    "boolean": bool,
    "real": float,
    "date": _date,
    "datetime": _datetime,
    "time": _time,
    "uuid": lambda value: uuid.UUID(bytes=value),
}
