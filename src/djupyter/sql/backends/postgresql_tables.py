"""The tables of PostgreSQL: columns, the types of enums, indexes, alterations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from djupyter.definition.model import TypeSpec
from djupyter.definition.names import TableName
from djupyter.heading.attribute import Attribute
from djupyter.heading.structure import TableStructure
from djupyter.sql.backends import (
    postgresql_alter,
    postgresql_conversion,
    postgresql_enums,
    postgresql_indexes,
    postgresql_types,
)
from djupyter.sql.backends.differences.altering import Altering
from djupyter.sql.backends.differences.records import (
    ColumnType,
    Conversion,
    Fetch,
    Statement,
    TableChange,
)
from djupyter.sql.backends.postgresql_names import check_length
from djupyter.sql.types import storage_of


class PostgreSQLTables(Altering):
    """How PostgreSQL creates and alters tables."""

    # Creating

    def column_type(
        self, attribute: Attribute, structure: TableStructure
    ) -> sa.types.TypeEngine[Any]:
        """Return the column type; that of an enum lies in the schema where it was declared."""
        if not postgresql_types.is_enum(attribute):
            return ColumnType(postgresql_types.column(attribute))
        assert attribute.type is not None, "a table's attribute always has a type"
        schema = postgresql_enums.enum_schema(attribute, structure)
        name = postgresql_types.enum_name(storage_of(attribute.type).members)
        return ColumnType(f"{self.quote(schema)}.{self.quote(name)}")

    def checks(self, attribute: Attribute) -> sa.ColumnElement[bool] | None:
        """Return the condition on the attribute's values that its column type does not imply."""
        assert attribute.type is not None, "a table's attribute always has a type"
        return postgresql_types.check(attribute, storage_of(attribute.type))

    def check_name(self, name: TableName, attribute: Attribute) -> str:
        """Return the name of the attribute: names of checks belong to their table."""
        return attribute.name

    def default(self, attribute: Attribute) -> sa.ColumnElement[Any] | str | None:
        """Return the default of the attribute's column."""
        assert attribute.type is not None, "a table's attribute always has a type"
        return postgresql_types.default(attribute, storage_of(attribute.type))

    def index_name(self, name: TableName, role: str, number: int, entries: Sequence[str]) -> str:
        """Return the name that datajoint gives an index."""
        return postgresql_indexes.index_name(name, entries)

    def create_index(self, index: sa.Index) -> str:
        """Return the statement that creates an index, and notes its entries where the server does not tell them."""
        return postgresql_indexes.create_index(index, self)

    def before_table(self, structure: TableStructure) -> list[str]:
        """Return the statements that create the types of enums."""
        _check_names(structure)
        return list(postgresql_enums.create_enums(structure, self.quote))

    def after_drop(self, structures: Iterable[TableStructure]) -> list[str]:
        """Return the statement that drops the types of enums that no table has any more."""
        return postgresql_enums.drop_enums(structures, self.quote)

    # Altering: see postgresql_conversion and postgresql_alter

    def conversion(
        self, column: sa.ColumnElement[Any], old: TypeSpec, new: TypeSpec
    ) -> Conversion | None:
        """Return how the values of a column become those of another type."""
        return postgresql_conversion.conversion(column, old, new)

    def alter(self, fetch: Fetch, changes: Sequence[TableChange]) -> list[Statement]:
        """Return the statements that alter tables, with the types of their enums."""
        enums = [e for c in changes for e in self.before_table(c.alteration.wanted)]
        statements = postgresql_alter.alter(fetch, changes, self.dialect, self.create_index)
        drops = self.after_drop(c.alteration.existing for c in changes)
        return [(sql, ()) for sql in (*enums, *statements, *drops)]


def _check_names(structure: TableStructure) -> None:
    check_length(structure.name.table, "table")
    for attribute in structure.attributes:
        check_length(attribute.name, "attribute")
