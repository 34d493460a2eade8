"""Indexes: their names, and the notes of what PostgreSQL does not tell of them.

A declared index that could be taken for one of a foreign key, or that is over an expression, has its entries in a
comment of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

import sqlalchemy as sa

from djupyter.definition.names import TableName
from djupyter.sql.backends.differences.writing import Writing
from djupyter.sql.backends.postgresql_catalog import literal
from djupyter.sql.backends.postgresql_names import LONGEST_NAME

_LONGEST_COLUMNS = 30  # of an index name

# Names of indexes are those of the schema: `a_b (c)` gets the same as `a (b_c)`. The one that comes second is numbered.
_CREATE = """DO $dj$ DECLARE wanted text := {name}; free text := wanted; number int := 1; BEGIN
WHILE to_regclass(format('%%I.%%I', {schema}, free)) IS NOT NULL LOOP
    number := number + 1; free := left(wanted, 50) || '_' || number; END LOOP;
EXECUTE {before} || quote_ident(free) || {after};
{note}END $dj$"""
_NOTE = "EXECUTE format('COMMENT ON INDEX %%I.%%I IS %%L', {schema}, free, {entries});\n"


def index_name(name: TableName, entries: Iterable[str]) -> str:
    """Return the name of an index, as datajoint gives it and PostgreSQL cuts it.

    >>> index_name(TableName("lab", "scan"), ["day", "room"])
    'idx_scan_day_room'
    """
    columns = "_".join(entries)[:_LONGEST_COLUMNS]
    whole = f"idx_{name.table}_{columns}".encode()
    return whole[:LONGEST_NAME].decode(errors="ignore")


def create_index(index: sa.Index, backend: Writing) -> str:
    """Return the statement that creates an index of a table, with its note."""
    assert index.table is not None, "an index belongs to a table"
    schema, name = literal(str(index.table.schema)), str(index.name)
    quoted = backend.quote(name)
    before, _, after = backend.compile(sa.schema.CreateIndex(index)).partition(f" {quoted} ON ")
    noted = note(index)
    return _CREATE.format(
        name=literal(name),
        schema=schema,
        before=_text(f"{before} "),
        after=_text(f" ON {after}"),
        note="" if noted is None else _NOTE.format(schema=schema, entries=literal(noted)),
    )


def note(index: sa.Index) -> str | None:
    """Return what is noted beside an index; None where the server tells all of it."""
    assert index.table is not None, "an index belongs to a table"
    if not index.info["declared"]:
        return None
    entries = index.info["entries"]
    keys = [tuple(key.column_keys) for key in index.table.foreign_key_constraints]
    if entries in keys or any(entry not in index.table.c for entry in entries):
        return json.dumps(entries)
    return None


def _text(sql: str) -> str:
    """Return SQL that is compiled already as a text."""
    return "'" + sql.replace("'", "''") + "'"
