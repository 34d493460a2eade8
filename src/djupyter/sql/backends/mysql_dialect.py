"""SQLAlchemy's dialect, with indexes inside CREATE TABLE.

MySQL commits with each statement that defines data: in one statement a table comes with its indexes
or not at all. An index over an expression says in its comment what was declared. MariaDB has no such
indexes; there a hidden generated column holds what the index is over.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.mysql.base import MySQLDDLCompiler
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql

GENERATED = "_index"  # begins the name of a generated column
_LONGEST = 255  # characters of a text that an index on MariaDB tells apart


class _DDLCompiler(MySQLDDLCompiler):
    def create_table_constraints(
        self, table: sa.Table, _include_foreign_key_constraints: Any = None, **options: Any
    ) -> str:
        """Return the constraints of a table, followed by its indexes without names."""
        constraints: Any = super().create_table_constraints
        parts: list[str] = [constraints(table, _include_foreign_key_constraints, **options)]
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            parts += self._index(index)
        return ", \n\t".join(part for part in parts if part)

    def _index(self, index: sa.Index) -> Iterator[str]:
        """Yield what CREATE TABLE or ALTER TABLE says of an index: columns that it needs, and itself."""
        yield from self.generated_columns(index)
        yield f"{'UNIQUE ' if index.unique else ''}INDEX ({self.index_entries(index)}){self._note(index)}"

    def generated_columns(self, index: sa.Index) -> Iterator[str]:
        """Yield the definitions of the generated columns that an index needs."""
        if not self.dialect.is_mariadb:
            return
        for place, entry in enumerate(index.expressions):
            if not isinstance(entry, sa.Column):
                value = self._entry(entry)
                yield (
                    f"{self._generated(index, place)} varchar({_LONGEST}) "
                    f"GENERATED ALWAYS AS (left({value}, {_LONGEST})) VIRTUAL"
                )

    def index_entries(self, index: sa.Index) -> str:
        """Return what an index holds."""
        return ", ".join(
            self._generated(index, place)
            if self.dialect.is_mariadb and not isinstance(entry, sa.Column)
            else self._entry(entry)
            for place, entry in enumerate(index.expressions)
        )

    def _note(self, index: sa.Index) -> str:
        """Return the comment that keeps what was declared, where the catalogue would not tell it."""
        if all(isinstance(entry, sa.Column) for entry in index.expressions):
            return ""
        entries = json.dumps(index.info["entries"], ensure_ascii=False)
        literal = self.sql_compiler.render_literal_value(entries, sa.String())
        return f" COMMENT {literal}"

    def _entry(self, entry: Any) -> str:
        return self.sql_compiler.process(entry, include_table=False, literal_binds=True)

    def _generated(self, index: sa.Index, place: int) -> str:
        number = "".join(char for char in str(index.name) if char.isdigit())
        return self.preparer.quote_identifier(f"{GENERATED}_{number}_{place + 1}")


class Dialect(MySQLDialect_pymysql):
    """MySQL as SQLAlchemy writes it, with our way of creating tables."""

    supports_statement_cache = True
    supports_default_values = False
    supports_empty_insert = True
    ddl_compiler = _DDLCompiler
