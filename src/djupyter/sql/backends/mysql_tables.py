"""The tables of MySQL and MariaDB: columns with their comments, options, alterations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import sqlalchemy as sa

from djupyter.definition.model import TypeSpec
from djupyter.definition.names import TableName
from djupyter.definition.writer import write_marker
from djupyter.heading.attribute import Attribute
from djupyter.heading.structure import TableStructure
from djupyter.sql.backends import mysql_alter, mysql_conversion, mysql_types
from djupyter.sql.backends.differences.altering import Altering
from djupyter.sql.backends.differences.records import (
    ColumnType,
    Conversion,
    Fetch,
    Statement,
    TableChange,
)


class MySQLTables(Altering):
    """How MySQL and MariaDB create and alter tables."""

    collation: ClassVar[str]
    retypes_keys = False

    # Creating

    def column_type(
        self, attribute: Attribute, structure: TableStructure
    ) -> sa.types.TypeEngine[Any]:
        """Return the column type.

        A text that refers compares as its parent's does, or the server refuses the foreign key. Others
        compare as the whole schema, so that tables that datajoint adds to it can refer to them.
        """
        refers = any(attribute.name in key.names for key in structure.foreign_keys)
        collation = attribute.collation or (self.collation if refers else "")
        return ColumnType(mysql_types.column(attribute, collation))

    def checks(self, attribute: Attribute) -> sa.ColumnElement[bool] | None:
        """Return nothing: the column types say it all."""
        return None

    def default(self, attribute: Attribute) -> sa.ColumnElement[Any] | str | None:
        """Return the default of the attribute's column."""
        return mysql_types.default(attribute)

    def column_comment(self, attribute: Attribute, structure: TableStructure) -> str | None:
        """Return the comment with the marker of the declared type, as datajoint writes it.

        What a foreign key brought has the type of its parent and needs no marker, but for a uuid.
        """
        assert attribute.type is not None, "a table's attribute always has a type"
        inherited = {name for key in structure.foreign_keys for name in key.names}
        marks = attribute.type.kind != "native" and attribute.name not in inherited
        if marks or attribute.type.name == "uuid":
            return mysql_types.write_comment(write_marker(attribute.type_text, attribute.comment))
        return mysql_types.write_comment(attribute.comment) or None

    def index_name(self, name: TableName, role: str, number: int, entries: Sequence[str]) -> str:
        """Return a name that only orders the indexes: the server names them."""
        return f"{role} {number}"

    def table_options(self, structure: TableStructure) -> Mapping[str, Any]:
        """Return the engine and the comment."""
        comment = mysql_types.write_comment(structure.comment)
        return {"mysql_engine": "InnoDB", **({"comment": comment} if comment else {})}

    def drop_tables(self, names: Sequence[TableName]) -> list[str]:
        """Return one statement, of which MySQL carries out all or nothing."""
        place = self.dialect.identifier_preparer.format_table
        places = ", ".join(place(self.table(name, ())) for name in names)
        return [f"DROP TABLE {places}"] if names else []

    # Altering: see mysql_conversion and mysql_alter

    def conversion(
        self, column: sa.ColumnElement[Any], old: TypeSpec, new: TypeSpec
    ) -> Conversion | None:
        """Return how the values of a column become those of another type."""
        return mysql_conversion.conversion(column, old, new)

    def alter(self, fetch: Fetch, changes: Sequence[TableChange]) -> list[Statement]:
        """Return the statements that alter tables and keep their rows."""
        new_compiler: Any = self.dialect.ddl_compiler
        compiler = new_compiler(self.dialect, None)
        statements = mysql_alter.alter(fetch, changes, self.dialect, compiler.index_entries)
        return [(s, ()) if isinstance(s, str) else self.bound(s) for s in statements]
