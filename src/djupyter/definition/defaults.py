"""What stands between `=` and `:`, and whether it fits the type."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime

from djupyter.definition.model import Default, TypeSpec
from djupyter.definition.types import unquote
from djupyter.errors import DefinitionError, nearest

INTEGER_BITS = {"int8": 8, "int16": 16, "int32": 32, "int64": 64}
LARGEST_FLOAT = {"float32": 3.4028235677973366e38, "float64": 1.7976931348623157e308}

NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?([0-9]*)(?:\.([0-9]*))?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATETIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)?"
)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}")
_NOW = re.compile(
    r"(?:current_timestamp(?:\s*\(\s*(?P<digits>[0-6]?)\s*\))?|now\s*\(\s*(?P<places>[0-6]?)\s*\))",
    re.IGNORECASE,
)
_NO_LITERAL = re.compile(r"json|bytes|(?:tiny|medium|long)?blob|bytea|(?:var)?binary")


def parse_default(text: str) -> Default:
    """Return the default that a text stands for, whatever the type.

    Parameters
    ----------
    text
        One quoted string, or bare text without quotes.

    Examples
    --------
    >>> parse_default("NULL")
    Default(kind='null', text='', quoted=False)
    >>> parse_default("'NULL'").text
    'NULL'
    >>> parse_default("current_timestamp( 3 )").text
    'CURRENT_TIMESTAMP(3)'
    """
    if text[0] in "'\"":
        return Default("literal", unquote(text), quoted=True)
    if text.lower() == "null":
        return Default("null")
    now = _NOW.fullmatch(text)
    if now:
        digits = now["digits"] or now["places"]
        return Default("now", f"CURRENT_TIMESTAMP({digits})" if digits else "CURRENT_TIMESTAMP")
    return Default("literal", text)


def fitted(default: Default, spec: TypeSpec) -> Default:
    """Return a default in the normal form of its type.

    Raises
    ------
    DefinitionError
        No value of the type looks like that; has no place, the caller knows it.

    Examples
    --------
    >>> from djupyter.definition.types import parse_type
    >>> fitted(Default("literal", "TRUE"), parse_type("bool")).text
    '1'
    >>> fitted(Default("literal", "300"), parse_type("int8"))
    Traceback (most recent call last):
    ...
    djupyter.errors.DefinitionError: the default '300' does not fit int8. An int8 holds -128 to 127.
    """
    if default.kind == "null":
        return default
    if spec.kind == "codec" or _NO_LITERAL.fullmatch(spec.name):
        raise DefinitionError(
            f"{spec.text} takes no default other than null", advice="Write `= null` or no default."
        )
    if default.kind == "now":
        if spec.kind == "core" and spec.name != "datetime":
            advice = "Only datetime takes the time of insertion as its default."
            raise DefinitionError(
                f"the default {default.text} does not fit {spec.text}", advice=advice
            )
        return default
    if spec.name == "bool":
        return _bool(default)
    check = _CHECKS.get(spec.name) if spec.kind == "core" else None
    expected = check(default.text, spec) if check else ""
    if expected:
        raise DefinitionError(
            f"the default '{default.text}' does not fit {spec.text}", advice=expected
        )
    return default


def _bool(default: Default) -> Default:
    truth = {"true": "1", "1": "1", "false": "0", "0": "0"}.get(default.text.lower())
    if truth is None:
        advice = "Write true or false."
        raise DefinitionError(f"the default '{default.text}' does not fit bool", advice=advice)
    return Default("literal", truth)


# Each check returns what would fit, or nothing when the text does.


def _integer(text: str, spec: TypeSpec) -> str:
    limit = 2 ** (INTEGER_BITS[spec.name] - 1)
    if _INTEGER.fullmatch(text) and len(text) < 25 and -limit <= int(text) < limit:
        return ""
    return f"An {spec.name} holds {-limit} to {limit - 1}."


def _float(text: str, spec: TypeSpec) -> str:
    if NUMBER.fullmatch(text) and abs(float(text)) <= LARGEST_FLOAT[spec.name]:
        return ""
    return f"Write a finite number up to {LARGEST_FLOAT[spec.name]:.3g}, for example 1.5."


def _decimal(text: str, spec: TypeSpec) -> str:
    precision, scale = (int(argument) for argument in spec.arguments)
    match = _DECIMAL.fullmatch(text)
    if match:
        whole, fraction = match[1].lstrip("0"), (match[2] or "").rstrip("0")
        if (match[1] or match[2]) and len(whole) <= precision - scale and len(fraction) <= scale:
            return ""
    return f"{precision - scale} digits before the point and {scale} after it are kept."


def _text(text: str, spec: TypeSpec) -> str:
    longest = int(spec.arguments[0])
    return "" if len(text) <= longest else f"It has {len(text)} characters, {longest} are kept."


def _day(text: str, _: TypeSpec) -> str:
    if _DATE.fullmatch(text) and _is_valid(date.fromisoformat, text):
        return ""
    return 'Write year, month and day: "2026-01-31".'


def _moment(text: str, _: TypeSpec) -> str:
    if _DATETIME.fullmatch(text) and _is_valid(datetime.fromisoformat, text):
        return ""
    return 'Write "2026-01-31 12:00:00", or CURRENT_TIMESTAMP for the time of insertion.'


def _uuid(text: str, _: TypeSpec) -> str:
    return "" if _UUID.fullmatch(text) else "Write 32 hexadecimal digits in groups of 8-4-4-4-12."


def _choice(text: str, spec: TypeSpec) -> str:
    values = [str(value) for value in spec.arguments]
    return (
        ""
        if text in values
        else f"{nearest(text[:64], values)} Its values: {', '.join(values)}.".strip()
    )


def _is_valid(parse: Callable[[str], object], text: str) -> bool:
    # Before Python 3.12 fromisoformat wants three or six digits of a second.
    head, point, fraction = text.partition(".")
    try:
        parse(f"{head}.{fraction:0<6}" if point else text)
    except ValueError:
        return False
    return True


_CHECKS: dict[str, Callable[[str, TypeSpec], str]] = {
    **dict.fromkeys(INTEGER_BITS, _integer),
    **dict.fromkeys(LARGEST_FLOAT, _float),
    "decimal": _decimal,
    "char": _text,
    "varchar": _text,
    "date": _day,
    "datetime": _moment,
    "uuid": _uuid,
    "enum": _choice,
}
