"""SQLAlchemy's dialect, with indexes inside CREATE TABLE.

MySQL commits with each statement that defines data: in one statement a table comes with its indexes
or not at all.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.mysql.base import MySQLDDLCompiler
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql


class _DDLCompiler(MySQLDDLCompiler):
    def create_table_constraints(
        self, table: sa.Table, _include_foreign_key_constraints: Any = None, **options: Any
    ) -> str:
        """Return the constraints of a table, followed by its indexes without names."""
        constraints: Any = super().create_table_constraints  # type: ignore[no-untyped-call]
        parts: list[str] = [constraints(table, _include_foreign_key_constraints, **options)]
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            parts.append(f"{'UNIQUE ' if index.unique else ''}INDEX ({self.index_entries(index)})")
        return ", \n\t".join(part for part in parts if part)

    def index_entries(self, index: sa.Index) -> str:
        """Return what an index holds."""
        return ", ".join(self._entry(entry) for entry in index.expressions)

    def _entry(self, entry: Any) -> str:
        return self.sql_compiler.process(entry, include_table=False, literal_binds=True)


class Dialect(MySQLDialect_pymysql):
    """MySQL as SQLAlchemy writes it, with our way of creating tables."""

    supports_statement_cache = True
    ddl_compiler = _DDLCompiler
