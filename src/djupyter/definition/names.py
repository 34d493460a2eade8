"""Names of tables: what the class is called, what the database calls it, what the tier is.

| tier     | table       | class     |
|----------|-------------|-----------|
| Manual   | `subject`   | `Subject` |
| Lookup   | `#kind`     | `Kind`    |
| Imported | `_scan`     | `Scan`    |
| Computed | `__stat`    | `Stat`    |
| Part     | `__stat__item` | `Stat.Item` |

Tables whose name begins with `~` belong to the system and are never listed.
Source: the storage format of datajoint 2.x.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Literal

from djupyter.errors import DataJointError

Tier = Literal["Manual", "Lookup", "Imported", "Computed", "Part"]

TIER_PREFIX: dict[Tier, str] = {"Manual": "", "Lookup": "#", "Imported": "_", "Computed": "__"}

_BASE = r"[a-z][a-z0-9]*(?:_[a-z][a-z0-9]*)*"
_MASTER = re.compile(rf"(?P<prefix>#|__|_|)(?P<base>{_BASE})")
_PART = re.compile(rf"(?P<master>(?:#|__|_|){_BASE})__(?P<base>{_BASE})")
_TIER_OF_PREFIX: dict[str, Tier] = {prefix: tier for tier, prefix in TIER_PREFIX.items()}


@dataclass(frozen=True, slots=True, order=True)
class TableName:
    """A table in a schema, by the names the database uses.

    Examples
    --------
    >>> TableName("lab", "__stat__item").class_name
    'Stat.Item'
    >>> TableName("lab", "#kind").tier
    'Lookup'
    """

    schema: str
    table: str

    def __str__(self) -> str:
        return f"`{self.schema}`.`{self.table}`"

    @property
    def tier(self) -> Tier | None:
        """The tier the name stands for; None for system tables and names of other tools."""
        if _PART.fullmatch(self.table):
            return "Part"
        match = _MASTER.fullmatch(self.table)
        return _TIER_OF_PREFIX[match["prefix"]] if match else None

    @property
    def class_name(self) -> str:
        """The name of the class, `Master.Part` for a part, the table's own name where none fits."""
        return _class_name(self.table)

    @property
    def master(self) -> TableName | None:
        """The master of a part table, None for every other table."""
        part = _PART.fullmatch(self.table)
        return TableName(self.schema, part["master"]) if part else None

    @property
    def is_system(self) -> bool:
        """Whether the table belongs to the system (lineage, jobs) rather than to the pipeline."""
        return self.table.startswith("~")


# Lists and completion ask for hundreds of names at a time, again and again.
@lru_cache(maxsize=4096)
def _class_name(table: str) -> str:
    part = _PART.fullmatch(table)
    if part:
        return f"{_class_name(part['master'])}.{to_class(part['base'])}"
    match = _MASTER.fullmatch(table)
    return to_class(match["base"]) if match else table


_NAME = r"""(?:`((?:[^`]|``)+)`|"((?:[^"]|"")+)"|([^.`"]+))"""
_FULL = re.compile(rf"{_NAME}\.{_NAME}")
_WHOLE = re.compile(r"""`([^`]+)`|"([^"]+)\"""")


def parse_full_name(text: str) -> TableName | None:
    """Return the table that `schema.table` means, quoted in the way of any database or not; None for other text.

    Examples
    --------
    >>> parse_full_name('"lab"."#kind"') == parse_full_name("`lab`.`#kind`") == parse_full_name("lab.#kind")
    True
    >>> parse_full_name('"lab.#kind"')  # one identifier, as in an SQLite file
    TableName(schema='lab', table='#kind')
    >>> parse_full_name("kind") is None
    True
    """
    whole = _WHOLE.fullmatch(text)
    match = _FULL.fullmatch(whole[1] or whole[2] if whole else text)
    if match is None:
        return None
    ticked, quoted, plain, *table = match.groups()
    return TableName(_unquoted(ticked, quoted, plain), _unquoted(*table))


def _unquoted(ticked: str | None, quoted: str | None, plain: str | None) -> str:
    if ticked is not None:
        return ticked.replace("``", "`")
    return quoted.replace('""', '"') if quoted is not None else str(plain)


def to_class(base: str) -> str:
    """Return the class name of a table's base name.

    >>> to_class("t2_abc3")
    'T2Abc3'
    """
    return "".join(piece[:1].upper() + piece[1:] for piece in base.split("_"))


def to_table(class_name: str, tier: Tier, master: str | None = None) -> str:
    """Return the database's name for a class.

    Parameters
    ----------
    class_name
        A CamelCase name.
    tier
        What decides the prefix.
    master
        Table name of the master; for parts only.

    Raises
    ------
    DataJointError
        The name is not CamelCase.

    Examples
    --------
    >>> to_table("ABCTable", "Computed")
    '__a_b_c_table'
    >>> to_table("Item", "Part", master="__stat")
    '__stat__item'
    """
    if "_" in class_name:
        warnings.warn(
            f"The class name {class_name} contains underscores; they are left out of the table's "
            "name. Use CamelCase.",
            UserWarning,
            stacklevel=2,
        )
    plain = class_name.replace("_", "")
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", plain):
        raise DataJointError(
            f"`{class_name}` cannot name a table: a class name must be CamelCase, "
            "begin with a capital and hold only ASCII letters and digits."
        )
    base = re.sub(r"(?<!^)(?=[A-Z])", "_", plain).lower()
    if tier == "Part":
        if master is None:
            raise DataJointError(f"The part table `{class_name}` has no master.")
        return f"{master}__{base}"
    return TIER_PREFIX[tier] + base


def best_match(text: str, names: Iterable[TableName]) -> TableName | None:
    """Return the table that a text names: by the database's own name, or else by that of its class.

    Parameters
    ----------
    text
        For example `__stat`, `Stat` or `stat`.
    names
        The tables there are.

    Examples
    --------
    >>> best_match("Stat", [TableName("lab", "__stat"), TableName("lab", "subject")]).table
    '__stat'
    """
    known = [name for name in names if not name.is_system]
    # The database's own name is exact; classes of two tiers may share theirs.
    exact = (name for name in known if text == name.table)
    alike = (name for name in known if text in (name.class_name, name.table.lstrip("#_")))
    return next(chain(exact, alike), None)
