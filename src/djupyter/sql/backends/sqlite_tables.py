"""The tables of SQLite: columns with checks in place of types, and alterations that rebuild."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from djupyter.definition.model import TypeSpec
from djupyter.definition.names import TableName
from djupyter.errors import DataJointError
from djupyter.heading.attribute import Attribute
from djupyter.heading.structure import TableStructure
from djupyter.sql.backends import sqlite_rebuild, sqlite_types
from djupyter.sql.backends.differences.altering import Altering
from djupyter.sql.backends.differences.records import (
    ColumnType,
    Conversion,
    Fetch,
    Statement,
    TableChange,
)
from djupyter.sql.names import physical
from djupyter.sql.types import storage_of


class SQLiteTables(Altering):
    """How SQLite creates and alters tables."""

    # Creating

    def column_type(
        self, attribute: Attribute, structure: TableStructure
    ) -> sa.types.TypeEngine[Any]:
        """Return the column type; the checks do the rest."""
        if attribute.autoincrement:
            return sa.Integer()
        assert attribute.type is not None, "a table's attribute always has a type"
        storage = storage_of(attribute.type)
        if storage.family == "decimal" and storage.precision > 15:
            raise DataJointError(
                f"The attribute `{attribute.name}` is declared as {attribute.type_text}, but "
                f"SQLite keeps only 15 digits exactly. Use decimal(15,{min(storage.scale, 15)}) or "
                "less, float64, or a server."
            )
        return ColumnType(sqlite_types.COLUMN[storage.family])

    def checks(self, attribute: Attribute) -> sa.ColumnElement[bool] | None:
        """Return the condition on the attribute's values."""
        assert attribute.type is not None, "a table's attribute always has a type"
        return sqlite_types.check(attribute, storage_of(attribute.type))

    def default(self, attribute: Attribute) -> sa.ColumnElement[Any] | str | None:
        """Return the default of the attribute's column."""
        assert attribute.type is not None, "a table's attribute always has a type"
        return sqlite_types.default(attribute, storage_of(attribute.type))

    def index_name(self, name: TableName, role: str, number: int, entries: Sequence[str]) -> str:
        """Return a name that is unique in the file and tells what the index is for."""
        return f"{physical(name)} {role} {number}"

    def table_options(self, structure: TableStructure) -> dict[str, Any]:
        """Let SQLite number the rows where an attribute asks for it."""
        counted = [attribute for attribute in structure.attributes if attribute.autoincrement]
        if counted and structure.full_key != (counted[0].name,):
            raise DataJointError(
                f"{structure.name}: SQLite can number only a primary key of one attribute, so "
                f"`{counted[0].name}` cannot be auto_increment. Make it the whole primary key, or "
                "give the numbers yourself."
            )
        return {"sqlite_autoincrement": True} if counted else {}

    # Altering: see sqlite_rebuild

    def conversion(
        self, column: sa.ColumnElement[Any], old: TypeSpec, new: TypeSpec
    ) -> Conversion | None:
        """Return how the values of a column become those of another type."""
        return sqlite_rebuild.conversion(column, old, new)

    def alter(self, fetch: Fetch, changes: Sequence[TableChange]) -> list[Statement]:
        """Return the statements that put new tables in the place of old ones."""
        statements = sqlite_rebuild.alter(fetch, changes, self.quote, self.compile)
        return [(s, ()) if isinstance(s, str) else self.bound(s) for s in statements]

    def has_broken_keys(self, fetch: Fetch, name: TableName) -> bool:
        """Whether a row of a table refers to a parent that is not there."""
        return bool(fetch("SELECT 1 FROM pragma_foreign_key_check(?) LIMIT 1", (physical(name),)))
