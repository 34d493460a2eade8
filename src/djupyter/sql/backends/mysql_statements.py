"""Parts of statements that MySQL and MariaDB share."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa

from djupyter.heading.structure import TableStructure

_PLACEHOLDER = re.compile(
    r"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\"|`(?:[^`]|``)*`|%s|%\(\w+\)s|%%|%", re.DOTALL
)


def placeholders(sql: str) -> str:
    """Return SQL in which `%` stands for itself, except in placeholders.

    >>> placeholders("SELECT 5 % 2, a LIKE 'x%' FROM t WHERE a = %s")
    "SELECT 5 %% 2, a LIKE 'x%%' FROM t WHERE a = %s"
    """

    def spelled(match: re.Match[str]) -> str:
        text = match[0]
        if text[0] == "%":
            return "%%" if text == "%" else text
        return text.replace("%%", "%").replace("%", "%%")

    return _PLACEHOLDER.sub(spelled, sql)


def changes(
    table: sa.TableClause, structure: TableStructure, conflict: str
) -> list[tuple[str, sa.ColumnElement[Any]]]:
    """Return what ON DUPLICATE KEY UPDATE changes, to skip or to replace the row that is there."""
    new = {name: sa.func.values(sa.column(name)) for name in structure.by_name}
    first, *_ = structure.full_key
    same = sa.and_(*(table.c[name] == new[name] for name in structure.full_key))
    found: list[tuple[str, sa.ColumnElement[Any]]] = [
        (first, sa.func.if_(same, table.c[first], sa.literal_column("NULL")))
    ]
    if conflict == "replace":
        others = (name for name in structure.by_name if name not in structure.full_key)
        found += [(name, new[name]) for name in others]
    return found


def create_lineage(place: str) -> str:
    """Return the statement that creates the table of lineage where it is missing."""
    return (
        f"CREATE TABLE IF NOT EXISTS {place} ("
        "`table_name` varchar(64) NOT NULL COMMENT 'table name within the schema', "
        "`attribute_name` varchar(64) NOT NULL COMMENT 'attribute name', "
        "`lineage` varchar(255) NOT NULL COMMENT 'origin: schema.table.attribute', "
        "PRIMARY KEY (`table_name`, `attribute_name`)) ENGINE=InnoDB"
    )
