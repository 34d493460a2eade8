"""What tables are made of: columns, checks, defaults, indexes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from djupyter.definition.names import TableName
from djupyter.heading.attribute import Attribute
from djupyter.heading.structure import TableStructure
from djupyter.sql.backends.differences.writing import Writing


class Defining(Writing):
    """The part of a backend that creates and drops tables."""

    @abstractmethod
    def column_type(
        self, attribute: Attribute, structure: TableStructure
    ) -> sa.types.TypeEngine[Any]:
        """Return the type of the column of an attribute of a table."""

    @abstractmethod
    def checks(self, attribute: Attribute) -> sa.ColumnElement[bool] | None:
        """Return what the database must check for an attribute beyond its column type."""

    def check_name(self, name: TableName, attribute: Attribute) -> str:
        """Return the name of a check, which tells the attribute: the database reports it."""
        return ".".join(part for part in (*self.locate(name), attribute.name) if part)

    @abstractmethod
    def default(self, attribute: Attribute) -> sa.ColumnElement[Any] | str | None:
        """Return the column's default; None for none."""

    def column_comment(self, attribute: Attribute, structure: TableStructure) -> str | None:
        """Return the comment that CREATE TABLE gives a column; None where notes are kept elsewhere."""
        return None

    def table_options(self, structure: TableStructure) -> Mapping[str, Any]:
        """Return further arguments of `sqlalchemy.Table`."""
        return {}

    @abstractmethod
    def index_name(self, name: TableName, role: str, number: int, entries: Sequence[str]) -> str:
        """Return the name of an index that is declared (`index`) or of a key (`unique`, `support`)."""

    def create_index(self, index: sa.Index) -> str:
        """Return the statement that creates an index of a new table."""
        return self.compile(sa.schema.CreateIndex(index))

    def before_table(self, structure: TableStructure) -> list[str]:
        """Return the statements that create what the columns of a new table need."""
        return []

    def drop_tables(self, names: Sequence[TableName]) -> list[str]:
        """Return the statements that drop tables, given with children before their parents."""
        place = self.dialect.identifier_preparer.format_table
        return [f"DROP TABLE {place(self.table(name, ()))}" for name in names]

    def after_drop(self, structures: Iterable[TableStructure]) -> list[str]:
        """Return the statements that remove what the columns of tables needed that are gone, if none else does."""
        return []
