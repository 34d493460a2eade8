"""What passes between a backend and those who ask it: rows, statements, and what the catalogue tells of tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from djupyter.definition.model import Default
from djupyter.definition.names import TableName
from djupyter.heading.alteration import Alteration
from djupyter.heading.structure import ForeignKey

Row = tuple[Any, ...]
Fetch = Callable[[str, Sequence[object]], list[Row]]
Convert = Callable[[Any], Any]
Statement = tuple[str, Sequence[object]]


class ColumnType(sa.types.UserDefinedType[Any]):
    """A column type in the backend's own words; values pass through unchanged."""

    cache_ok = True

    def __init__(self, spec: str) -> None:
        self.spec = spec

    def get_col_spec(self, **_: Any) -> str:
        """Return the words for CREATE TABLE."""
        return self.spec


@dataclass(frozen=True, slots=True)
class AttributeRow:
    """One column as the catalogue tells it."""

    name: str
    native: str  # the database's own type
    nullable: bool
    default: Default | None
    comment: str  # with the marker of the declared type
    in_key: bool = False
    collation: str = ""  # of a text that is not compared as we compare it
    digits: int | None = None  # of a second that are kept though the declared type does not say so


@dataclass(slots=True)
class TableRows:
    """One table as the catalogue tells it; lineage by attribute is added for the whole schema."""

    name: TableName
    comment: str = ""
    attributes: list[AttributeRow] = field(default_factory=list)
    foreign_keys: list[ForeignKey] = field(default_factory=list)
    indexes: list[tuple[tuple[str, ...], bool]] = field(default_factory=list)
    lineage: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Conversion:
    """How values become those of another type.

    Parameters
    ----------
    value
        The new value.
    is_exact
        Whether it still says the same as the old one.
    accepts
        Whether a value that the database gave can be converted, where no condition can tell.
    """

    value: sa.ColumnElement[Any]
    is_exact: sa.ColumnElement[bool]
    accepts: Callable[[Any], bool] | None = None


@dataclass(frozen=True, slots=True)
class TableChange:
    """What is to become of one table.

    Parameters
    ----------
    alteration
        The way from its structure to the new one.
    before, after
        The table as it is and as it is to be, with constraints and indexes.
    create
        Statements that would create the new table: the table first, then its indexes.
    values
        What attributes get from the rows that are there; the others get their defaults.
    """

    alteration: Alteration
    before: sa.Table
    after: sa.Table
    create: Sequence[str]
    values: Mapping[str, sa.ColumnElement[Any]]
