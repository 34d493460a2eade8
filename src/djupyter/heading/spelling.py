"""A table as the database tells it, in the words of the definition that it is compared with.

A database rewrites what it is told: a default of `1.5` for a `decimal(6,2)` comes back as `1.50`, a
native `integer` as `int`, and a foreign key brings a comment on one backend that it lacks on
another. None of these is a difference.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from djupyter.definition.model import Default, TypeSpec
from djupyter.errors import InvalidValueError
from djupyter.heading.attribute import Attribute
from djupyter.heading.coerce import coercer
from djupyter.heading.structure import Index, TableStructure

# What servers call a native type that may be written in another way.
_SYNONYMS = {
    "integer": "int",
    "int4": "int",
    "int2": "smallint",
    "boolean": "tinyint",
    "dec": "decimal",
    "fixed": "decimal",
    "numeric": "decimal",
    "double precision": "double",
    "float8": "double",
    "float4": "float",
    "character varying": "varchar",
    "character": "char",
    "timestamp without time zone": "timestamp",
    "time without time zone": "time",
    "serial": "bigint unsigned auto_increment",
}
# What one server makes of a type that it was told, as datajoint does: MySQL of `real`, PostgreSQL of the others.
_ELSEWHERE = {
    ("double", "real"),
    ("double precision", "float"),
    ("integer auto_increment", "serial"),
}
_DISPLAY_WIDTH = re.compile(r"((?:tiny|small|medium|big)?int)\s*\(\d+\)")
_WITHOUT_SCALE = re.compile(r"decimal\((\d+)\)")
_NOT_SAID = {"decimal": "decimal(10,0)", "char": "char(1)", "year(4)": "year"}


def as_written(existing: TableStructure, wanted: TableStructure) -> TableStructure:
    """Return a table as it is, spelled like another one where both say the same.

    Parameters
    ----------
    existing
        The table as the database tells it.
    wanted
        The table as a definition declares it.

    Examples
    --------
    >>> from djupyter.definition.names import TableName
    >>> from djupyter.definition.parser import parse
    >>> from djupyter.heading.structure import resolve
    >>> def mouse(text):
    ...     return resolve(parse(text), TableName("lab", "mouse"), lambda key: None)
    >>> told, declared = mouse("w = 1.50 : decimal(6,2)"), mouse("w = 1.5 : decimal(6,2)")
    >>> as_written(told, declared) == declared
    True
    """
    inherited = {here for s in (existing, wanted) for key in s.foreign_keys for here in key.names}
    attributes = tuple(
        _attribute(attribute, wanted.by_name.get(attribute.name), attribute.name in inherited)
        for attribute in existing.attributes
    )
    indexes = tuple(_index(index, wanted.indexes) for index in existing.indexes)
    return replace(existing, attributes=attributes, indexes=indexes)


def means_the_same(one: Default | None, other: Default | None, attribute: Attribute) -> bool:
    """Whether two defaults leave the same value in an attribute.

    >>> from djupyter.definition.types import parse_type
    >>> flag = Attribute("flag", parse_type("bool"))
    >>> means_the_same(Default("literal", "true"), Default("literal", "1"), flag)
    True
    """
    if one is None or other is None or one.kind != other.kind:
        return one == other
    if one.kind == "now":
        return _clock(one, attribute) == _clock(other, attribute)
    if one.kind == "null" or one == other:
        return True
    coerce = coercer(attribute)
    try:
        return bool(coerce(_truth(one.text, attribute)) == coerce(_truth(other.text, attribute)))
    except InvalidValueError:
        return False


def _attribute(there: Attribute, written: Attribute | None, is_inherited: bool) -> Attribute:
    if written is None:
        return there
    if _is_same_type(there.type, written.type):
        there = replace(there, type=written.type)
        if means_the_same(there.default, written.default, there):
            there = replace(there, default=written.default)
    # Its comment is the parent's, of which a database may keep a copy or none.
    return replace(there, comment=written.comment) if is_inherited else there


def _index(there: Index, written: Sequence[Index]) -> Index:
    """Return an index whose expressions, which a server rewrites, are spelled as in a definition."""
    entries = tuple(map(_expression, there.attributes))
    for index in written:
        if index.unique == there.unique and tuple(map(_expression, index.attributes)) == entries:
            return index
    return there


def _expression(entry: str) -> str:
    """Return an entry of an index as all spell it.

    >>> _expression("(lower(name))"), _expression("lower(`name`)")
    ('lower(name)', 'lower(name)')
    """
    text = "".join(entry.replace("`", "").lower().split())
    while text.startswith("(") and _closes_at_end(text):
        text = text[1:-1]
    return text


def _closes_at_end(text: str) -> bool:
    """Whether the bracket that opens a text is the one that ends it."""
    depth = 0
    for place, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if depth == 0:
            return place == len(text) - 1
    return False


def _is_same_type(there: TypeSpec | None, written: TypeSpec | None) -> bool:
    if there is None or written is None or there == written:
        return there == written
    if "codec" in (there.kind, written.kind) or there.kind == written.kind == "core":
        return False
    return _native(there) == _native(written) or (there.text, written.text) in _ELSEWHERE


def _native(type: TypeSpec) -> str:
    text = _DISPLAY_WIDTH.sub(r"\1", type.text.lower())
    base, bracket, arguments = text.partition("(")
    text = _SYNONYMS.get(base.strip(), base.strip()) + bracket + arguments.replace(" ", "")
    return _NOT_SAID.get(text) or _WITHOUT_SCALE.sub(r"decimal(\1,0)", text)


def _clock(default: Default, attribute: Attribute) -> int:
    """Return with how many digits a clock is read: with those that are kept where nothing is said."""
    digits = re.sub(r"\D", "", default.text)
    kept = re.search(r"\((\d)\)", attribute.type_text)
    return int(digits or (kept[1] if kept else 0))


def _truth(text: str, attribute: Attribute) -> object:
    if attribute.type is not None and attribute.type.name in ("bool", "boolean"):
        return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)
    return text
