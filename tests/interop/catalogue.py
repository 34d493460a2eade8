"""What a server itself says about schemas: the witness of what either library has declared."""

from __future__ import annotations

import re
from typing import Any

from djupyter.sql.connection import Connection

_MYSQL = {
    "columns": """
        SELECT table_schema, table_name, ordinal_position, column_name, column_type, is_nullable,
               column_default, extra, column_comment, column_key
        FROM information_schema.columns WHERE table_schema IN %s
        ORDER BY 1, 2, 3""",
    "tables": """
        SELECT table_schema, table_name, engine, table_comment FROM information_schema.tables
        WHERE table_schema IN %s ORDER BY 1, 2""",
    "indexes": """
        SELECT table_schema, table_name, index_name, non_unique, seq_in_index, column_name
        FROM information_schema.statistics WHERE table_schema IN %s ORDER BY 1, 2, 3, 5""",
    "keys": """
        SELECT k.table_schema, k.table_name, k.constraint_name, k.ordinal_position, k.column_name,
               k.referenced_table_schema, k.referenced_table_name, k.referenced_column_name,
               r.update_rule, r.delete_rule
        FROM information_schema.key_column_usage k
        JOIN information_schema.referential_constraints r
          ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name
         AND r.table_name = k.table_name
        WHERE k.table_schema IN %s ORDER BY 1, 2, 3, 4""",
}
_POSTGRESQL = {
    "columns": """
        SELECT n.nspname, c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod),
               a.attnotnull, pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE n.nspname = ANY(%s) AND a.attnum > 0 AND c.relkind = 'r' ORDER BY 1, 2, 3""",
    "tables": """
        SELECT n.nspname, c.relname, obj_description(c.oid) FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY(%s) AND c.relkind = 'r' ORDER BY 1, 2""",
    "indexes": """
        SELECT schemaname, tablename, indexname, indexdef FROM pg_indexes
        WHERE schemaname = ANY(%s) ORDER BY 1, 2, 3""",
    "keys": """
        SELECT n.nspname, t.relname, c.conname, pg_get_constraintdef(c.oid) FROM pg_constraint c
        JOIN pg_class t ON t.oid = c.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
        WHERE n.nspname = ANY(%s) AND c.contype IN ('f', 'p') ORDER BY 1, 2, 3""",
    "enums": """
        SELECT n.nspname, t.typname, e.enumlabel FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid
        JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = ANY(%s)
        ORDER BY 1, 2, e.enumsortorder""",
}


def snapshot(connection: Connection, *schemas: str) -> dict[str, Any]:
    """Return all that the server's catalogue says of some schemas, and their lineage.

    Parameters
    ----------
    connection
        To a server.
    schemas
        Their names.
    """
    is_postgresql = connection.backend.name == "postgresql"
    queries = _POSTGRESQL if is_postgresql else _MYSQL
    names: Any = list(schemas) if is_postgresql else tuple(schemas)
    found: dict[str, Any] = {what: connection.fetch(sql, (names,)) for what, sql in queries.items()}
    lineage = [row[:2] for row in found["tables"] if row[1] == "~lineage"]
    found["lineage"] = [
        (schema, *row)
        for schema, table in lineage
        for row in sorted(
            connection.fetch(
                f"SELECT * FROM {connection.backend.quote(schema)}.{connection.backend.quote(table)}"
            )
        )
    ]
    return found


def alike(found: dict[str, Any], schema: str) -> dict[str, Any]:
    """Return a snapshot without what tells one schema from another, to compare what two libraries made."""
    name = re.compile(rf"\b{re.escape(schema)}\b")

    def plain(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        # Blanks inside a declared type mean nothing; a datetime without digits gets whole seconds from us.
        value = value.replace("', '", "','").replace("CURRENT_TIMESTAMP(0)", "CURRENT_TIMESTAMP")
        value = value.replace("timestamp(0) without", "timestamp without")
        return name.sub("SCHEMA", value)

    return {what: [tuple(map(plain, row)) for row in rows] for what, rows in found.items()}
