"""What the column of an attribute has to hold, told the same way for core, native and codec types.

```
TypeSpec  --physical_type-->  TypeSpec without codec  --storage_of-->  Storage  --backend-->  column
type, checks
```
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from djupyter.codecs.chain import column_type_of
from djupyter.definition.model import TypeSpec
from djupyter.errors import DataJointError

Family = Literal[
    "integer",
    "real",
    "decimal",
    "boolean",
    "text",
    "enum",
    "date",
    "time",
    "datetime",
    "uuid",
    "json",
    "bytes",
]
NUMBERS: tuple[Family, ...] = ("integer", "boolean", "real", "decimal")
COUNTABLE: tuple[Family, ...] = ("integer", "real", "decimal")  # what a text may spell as well
TEXTS: tuple[Family, ...] = ("text", "enum")


@dataclass(frozen=True, slots=True)
class Storage:
    """What a column holds.

    Parameters
    ----------
    family
        Decides the column type, the checks and how values are written and read.
    low, high
        Least and greatest number; None without a bound.
    length
        Most characters or bytes; None without a bound.
    precision
        Digits of a decimal (0 when unlimited); digits of the fraction of seconds.
    scale
        Digits of a decimal behind the point.
    members
        Values of an enum.
    """

    family: Family
    low: float | None = None
    high: float | None = None
    length: int | None = None
    precision: int = 0
    scale: int = 0
    members: tuple[str, ...] = ()


_FLOAT32_MAX = 3.4028234663852886e38


def _signed(bits: int) -> Storage:
    return Storage("integer", -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


_PLAIN: dict[str, Storage] = {
    "int8": _signed(8),
    "int16": _signed(16),
    "int32": _signed(32),
    "int64": _signed(64),
    "float32": Storage("real", -_FLOAT32_MAX, _FLOAT32_MAX),
    "float64": Storage("real"),
    "bool": Storage("boolean"),
    "date": Storage("date"),
    "uuid": Storage("uuid"),
    "json": Storage("json"),
    "bytes": Storage("bytes"),
    "tinyint": _signed(8),
    "smallint": _signed(16),
    "mediumint": _signed(24),
    "int": _signed(32),
    "integer": _signed(32),
    "bigint": _signed(64),
    "serial": Storage("integer", 0, 2**63 - 1),
    "float": Storage("real", -_FLOAT32_MAX, _FLOAT32_MAX),
    "double": Storage("real"),
    "double precision": Storage("real"),
    "real": Storage("real"),
    "boolean": Storage("boolean"),
    "time": Storage("time"),
    "year": Storage("integer", 1901, 2155),
    "tinytext": Storage("text", length=2**8 - 1),
    "text": Storage("text"),
    "mediumtext": Storage("text"),
    "longtext": Storage("text"),
    "tinyblob": Storage("bytes", length=2**8 - 1),
    "blob": Storage("bytes", length=2**16 - 1),
    "mediumblob": Storage("bytes", length=2**24 - 1),
    "longblob": Storage("bytes"),
    "bytea": Storage("bytes"),
}
_DECIMAL = {"decimal", "numeric", "dec", "fixed"}
_SECONDS = {"datetime", "timestamp"}
_CHARACTERS = {"char", "varchar", "character", "character varying"}
_BYTES = {"binary", "varbinary"}
_TEXT = re.compile(
    r"(?P<base>[a-z][a-z0-9]*(?: precision| varying)?)\s*(?:\((?P<arguments>[\d\s,]*)\))?"
)


def physical_type(type: TypeSpec) -> TypeSpec:
    """Return the type of the column: the codec's column type for a codec, else the type itself."""
    return column_type_of(type)


@lru_cache(maxsize=1024)
def storage_of(type: TypeSpec) -> Storage:
    """Return what the column of a type holds.

    Raises
    ------
    DataJointError
        A native type that is not known here.

    Examples
    --------
    >>> storage_of(TypeSpec("varchar(20)", "core", "varchar", (20,)))
    Storage(family='text', low=None, high=None, length=20, precision=0, scale=0, members=())
    >>> storage_of(TypeSpec("tinyint unsigned", "native", "tinyint unsigned")).high
    255
    """
    type = physical_type(type)
    if type.name == "enum":
        return Storage("enum", members=tuple(map(str, type.arguments)))
    match = _TEXT.match(type.text.lower())
    if match is None:
        raise _unknown(type)
    base = match["base"]
    numbers = [int(number) for number in re.findall(r"\d+", match["arguments"] or "")]
    storage = _parametric(base, numbers) or _PLAIN.get(base)
    if storage is None:
        raise _unknown(type)
    return _unsigned(storage) if "unsigned" in type.text.lower() else storage


def _parametric(base: str, numbers: list[int]) -> Storage | None:
    first = numbers[0] if numbers else None
    if base in _DECIMAL:
        return Storage(
            "decimal", precision=first or 10, scale=numbers[1] if len(numbers) > 1 else 0
        )
    if base in _SECONDS:
        return Storage("datetime", precision=first or 0)
    if base in _CHARACTERS:
        return Storage("text", length=first if first is not None or base.endswith("varying") else 1)
    if base in _BYTES:
        return Storage("bytes", length=first or 1)
    return None


def _unsigned(storage: Storage) -> Storage:
    if storage.family != "integer" or storage.high is None:
        return replace(storage, low=0)
    # The widest unsigned integer is cut to what every backend can hold.
    return replace(storage, low=0, high=min(int(storage.high) * 2 + 1, 2**63 - 1))


def _unknown(type: TypeSpec) -> DataJointError:
    return DataJointError(
        f"The type `{type.text}` is not known on this backend. Use a core type, for "
        "example `int32`, `float64`, `varchar(100)`, `datetime` or `<blob>`."
    )
