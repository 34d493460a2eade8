"""Which rule the values of a type obey."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from djupyter.definition.model import TypeSpec
from djupyter.heading import moment_rules as moments
from djupyter.heading import number_rules as numbers
from djupyter.heading import value_rules as values
from djupyter.heading.attribute import Attribute
from djupyter.heading.rule import Rule

_BITS = {
    "int8": 8,
    "int16": 16,
    "int32": 32,
    "int64": 64,
    "tinyint": 8,
    "smallint": 16,
    "mediumint": 24,
    "int": 32,
    "integer": 32,
    "bigint": 64,
}
_TEXTS = ("tinytext", "text", "mediumtext", "longtext")
_BYTES = ("bytes", "tinyblob", "blob", "mediumblob", "longblob", "bytea")

_Maker = Callable[[TypeSpec], Rule]


# A table has few types and a pipeline not many more; each is looked up once for every insert.
@lru_cache(maxsize=4096)
def rule_of(spec: TypeSpec | None) -> Rule | None:
    """Return the rule of a type, None for codecs, which take what they are given.

    A type of another tool, and that of a computed attribute, is left to the database.

    Examples
    --------
    >>> from djupyter.definition.types import parse_type
    >>> rule_of(parse_type("tinyint unsigned")).expected
    'a whole number from 0 to 255'
    >>> rule_of(parse_type("<blob>")) is None
    True
    """
    if spec is None:
        return values.anything()
    if spec.kind == "codec":
        return None
    name = spec.name.split()[0]
    if name == "char" or spec.name == "character" or spec.name.startswith("character "):
        # `character varying` keeps its blanks, unlike `character`.
        return values.text(_first(spec, None), strips_blanks="varying" not in spec.name)
    maker = _MAKERS.get(name)
    return maker(spec) if maker else values.anything()


def rule_for(attribute: Attribute) -> Rule | None:
    """Return the rule of an attribute: that of its type, or of what its column keeps beyond it."""
    return rule_of(attribute.type) if attribute.digits is None else moments.moment(attribute.digits)


def _first(spec: TypeSpec, default: int | None) -> int | None:
    return int(spec.arguments[0]) if spec.arguments else default


def _whole_number(spec: TypeSpec) -> Rule:
    words = spec.name.split()
    bits = _BITS[words[0]]
    if "unsigned" in words:
        return numbers.whole_number(0, 2**bits - 1)
    return numbers.whole_number(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _double(spec: TypeSpec) -> Rule:
    return numbers.double(unsigned="unsigned" in spec.name)


def _decimal(spec: TypeSpec) -> Rule:
    if not spec.arguments:
        return numbers.any_decimal()
    precision, scale = (*map(int, spec.arguments), 0)[:2]
    return numbers.decimal(precision, scale, unsigned="unsigned" in spec.name)


def _moment(spec: TypeSpec) -> Rule:
    return moments.moment(_first(spec, 0) or 0)


def _time(spec: TypeSpec) -> Rule:
    digits = _first(spec, 6)
    return moments.time_of_day(6 if digits is None else digits)


_MAKERS: dict[str, _Maker] = {
    **dict.fromkeys(_BITS, _whole_number),
    **dict.fromkeys(("float64", "float", "real", "double"), _double),
    **dict.fromkeys(("decimal", "numeric", "dec", "fixed"), _decimal),
    **dict.fromkeys(("bool", "boolean"), lambda spec: numbers.truth()),
    **dict.fromkeys(("datetime", "timestamp"), _moment),
    **dict.fromkeys(_TEXTS, lambda spec: values.text(None)),
    **dict.fromkeys(_BYTES, lambda spec: values.raw_bytes()),
    **dict.fromkeys(("binary", "varbinary"), lambda spec: values.raw_bytes(_first(spec, None))),
    "float32": lambda spec: numbers.single(),
    "serial": lambda spec: numbers.whole_number(0, 2**63 - 1),
    "year": lambda spec: numbers.whole_number(1901, 2155),
    "date": lambda spec: moments.day(),
    "time": _time,
    "varchar": lambda spec: values.text(_first(spec, None)),
    "enum": lambda spec: values.member(spec.arguments),
    "uuid": lambda spec: values.uuid(),
    "json": lambda spec: values.json_document(),
}
