"""Types of one database: accepted, passed through unchanged, and better replaced by a core type."""

from __future__ import annotations

import re
from dataclasses import dataclass

from djupyter.definition.model import TypeSpec


@dataclass(frozen=True, slots=True)
class _Native:
    """How a native type may be written: parameters, words after them, core type to prefer."""

    parameters: int
    words: re.Pattern[str]
    instead: str


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{pattern})*+")


_NONE = _words("")
_INTEGER = _words(" unsigned| zerofill| auto_increment")
_UNSIGNED = _words(" unsigned| zerofill")
_ZONE = re.compile("(?: with time zone| without time zone)?")
_CHARSET = _words(r" binary| character set \w+| charset \w+| collate \w+")

_TYPES: dict[str, _Native] = {
    "tinyint": _Native(1, _INTEGER, "int8"),
    "smallint": _Native(1, _INTEGER, "int16"),
    "mediumint": _Native(1, _INTEGER, "int32"),
    "int": _Native(1, _INTEGER, "int32"),
    "integer": _Native(1, _INTEGER, "int32"),
    "bigint": _Native(1, _INTEGER, "int64"),
    "serial": _Native(0, _NONE, "int64"),
    "float": _Native(2, _UNSIGNED, "float32"),
    "real": _Native(2, _UNSIGNED, "float64"),
    "double": _Native(2, _UNSIGNED, "float64"),
    "double precision": _Native(2, _UNSIGNED, "float64"),
    "decimal": _Native(2, _UNSIGNED, "decimal(p,s)"),
    "numeric": _Native(2, _UNSIGNED, "decimal(p,s)"),
    "dec": _Native(2, _UNSIGNED, "decimal(p,s)"),
    "fixed": _Native(2, _UNSIGNED, "decimal(p,s)"),
    "boolean": _Native(0, _NONE, "bool"),
    "time": _Native(1, _ZONE, ""),
    "timestamp": _Native(1, _ZONE, "datetime"),
    "year": _Native(1, _NONE, "int16"),
    "char": _Native(1, _CHARSET, "char(n)"),
    "varchar": _Native(1, _CHARSET, "varchar(n)"),
    "character": _Native(1, _CHARSET, "char(n)"),
    "character varying": _Native(1, _CHARSET, "varchar(n)"),
    "binary": _Native(1, _NONE, "bytes"),
    "varbinary": _Native(1, _NONE, "bytes"),
    "bytea": _Native(0, _NONE, "bytes"),
}
_TYPES |= {f"{size}blob": _Native(1, _NONE, "<blob>") for size in ("", "tiny", "medium", "long")}
_TYPES |= {
    f"{size}text": _Native(1, _CHARSET, "varchar(n)") for size in ("", "tiny", "medium", "long")
}

NATIVE_TYPES = tuple(_TYPES)
_LARGER = {"int8": "int16", "int16": "int32", "int32": "int64", "int64": "int64"}

_SHAPE = re.compile(
    r"(?P<name>[a-z]+(?:\s+precision|\s+varying)?)"
    r"(?:\s*\(\s*(?P<numbers>\d{1,9}(?:\s*,\s*\d{1,9})?)\s*\))?"
    r"(?P<words>(?:\s+\w+)*)",
    re.ASCII,
)


def parse_native(text: str) -> TypeSpec | None:
    """Return the native type a text stands for, None when it is none.

    Examples
    --------
    >>> parse_native("int( 11 )  unsigned").text
    'int(11) unsigned'
    >>> parse_native("int unsigned").name
    'int unsigned'
    >>> parse_native("integral") is None
    True
    """
    match = _SHAPE.fullmatch(text)
    if not match:
        return None
    name = " ".join(match["name"].split())
    words = "".join(f" {word}" for word in match["words"].split())
    numbers = tuple(int(number) for number in (match["numbers"] or "").split(",") if number)
    native = _TYPES.get(name)
    if native is None or len(numbers) > native.parameters or not native.words.fullmatch(words):
        return None
    if name.endswith("char") and not (numbers and words):
        # With a length and nothing more it is a core type; without a length it is a mistake.
        return None
    parameters = f"({','.join(map(str, numbers))})" if numbers else ""
    return TypeSpec(name + parameters + words, "native", name + words, numbers)


def core_type_for(spec: TypeSpec) -> str:
    """Return the core type or codec to write instead of a native type, empty where there is none.

    Examples
    --------
    >>> core_type_for(parse_native("int unsigned"))
    'int64'
    >>> core_type_for(parse_native("numeric(6,2)"))
    'decimal(6,2)'
    """
    words = spec.name.split()
    name = spec.name if spec.name in _TYPES else words[0]
    instead = _TYPES[name].instead
    if spec.text == "tinyint(1)":
        return "bool"
    if "auto_increment" in words or "with" in words:
        return ""
    if instead == "decimal(p,s)" and spec.arguments:
        precision, scale = (*spec.arguments, 0)[:2]
        return f"decimal({precision},{scale})"
    if instead in ("char(n)", "varchar(n)", "datetime") and spec.arguments:
        return f"{instead.removesuffix('(n)')}({spec.arguments[0]})"
    return _LARGER.get(instead, instead) if "unsigned" in words else instead
