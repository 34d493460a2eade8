"""What SQLite knows of tables, and the table of notes for what it cannot know.

`~comments` keeps, for all schemas of the file, each table's comment (attribute `''`), each
attribute's declared type and comment (`:int32:subject id`, as in column comments on servers), and
the entries of indexes over expressions (attribute `index 1`).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from itertools import groupby
from operator import itemgetter

import sqlalchemy as sa
from sqlalchemy.sql.elements import quoted_name

from djupyter.definition.names import TableName
from djupyter.definition.writer import write_marker
from djupyter.heading.structure import ForeignKey, TableStructure
from djupyter.sql.backends.differences.cataloguing import Cataloguing
from djupyter.sql.backends.differences.records import (
    AttributeRow,
    ColumnType,
    Fetch,
    Row,
    Statement,
    TableRows,
)
from djupyter.sql.backends.sqlite_types import read_default
from djupyter.sql.names import LINEAGE, logical, physical

_SUFFIX = f".{LINEAGE}"
_TEXT = ColumnType("TEXT")
_COUNTABLE = 64 * 2**20  # bytes of a file whose pages may be counted for the size of its tables
_SIZES = """SELECT m.tbl_name, SUM(d.pgsize) FROM dbstat AS d JOIN sqlite_master AS m ON m.name = d.name
    WHERE d.aggregate = 1 GROUP BY m.tbl_name"""

COMMENTS = sa.Table(
    quoted_name("~comments", True),
    sa.MetaData(),
    sa.Column("schema_name", _TEXT, nullable=False),
    sa.Column("table_name", _TEXT, nullable=False),
    sa.Column("attribute_name", _TEXT, nullable=False),
    sa.Column("comment", _TEXT, nullable=False),
    sa.PrimaryKeyConstraint("schema_name", "table_name", "attribute_name"),
)


def _lineage(schema: str) -> sa.Table:
    return sa.Table(
        quoted_name(physical(TableName(schema, LINEAGE)), True),
        sa.MetaData(),
        sa.Column("table_name", _TEXT, nullable=False),
        sa.Column("attribute_name", _TEXT, nullable=False),
        sa.Column("lineage", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("table_name", "attribute_name"),
    )


# Notes


def _annotate(structure: TableStructure) -> Iterator[sa.Insert | sa.Delete]:
    """Yield the statements that replace the notes on a table."""
    name = structure.name
    yield _unannotate(name)
    notes = {"": structure.comment}
    for attribute in structure.attributes:
        notes[attribute.name] = write_marker(attribute.type_text, attribute.comment)
    for number, index in enumerate(structure.indexes, 1):
        if any(entry not in structure.by_name for entry in index.attributes):
            notes[f"index {number}"] = json.dumps(index.attributes)
    yield sa.insert(COMMENTS).values(
        [
            {
                "schema_name": name.schema,
                "table_name": name.table,
                "attribute_name": noted,
                "comment": comment,
            }
            for noted, comment in notes.items()
        ]
    )


def _unannotate(name: TableName) -> sa.Delete:
    """Return the statement that removes the notes on a table."""
    return sa.delete(COMMENTS).where(
        COMMENTS.c.schema_name == name.schema, COMMENTS.c.table_name == name.table
    )


# Reading

# One statement for each kind of thing, however many tables there are. `?1` is a JSON list of
# schemas or NULL for all.
_OURS = """m.type = 'table' AND instr(m.name, '.') > 1
    AND (?1 IS NULL OR substr(m.name, 1, instr(m.name, '.') - 1) IN (SELECT value FROM
    json_each(?1)))"""
_COLUMNS = f"""SELECT m.name, x.name, x.type, x."notnull", x.dflt_value, x.pk
    FROM sqlite_master AS m, pragma_table_info(m.name) AS x WHERE {_OURS} ORDER BY m.rowid, x.cid"""
_KEYS = f"""SELECT m.name, x.id, x."table", x."from", x."to"
    FROM sqlite_master AS m, pragma_foreign_key_list(m.name) AS x WHERE {_OURS} ORDER BY m.name,
    x.id DESC, x.seq"""
_INDEXES = f"""SELECT m.name, i.name, i."unique", x.name
    FROM sqlite_master AS m, pragma_index_list(m.name) AS i, pragma_index_info(i.name) AS x
    WHERE {_OURS} AND i.origin = 'c' ORDER BY m.name, i.name, x.seqno"""
_NOTES = """SELECT schema_name || '.' || table_name, attribute_name, comment FROM "~comments"
    WHERE ?1 IS NULL OR schema_name IN (SELECT value FROM json_each(?1))"""
_SCHEMAS = f"""SELECT name FROM sqlite_master
    WHERE type = 'table' AND substr(name, -{len(_SUFFIX)}) = '{_SUFFIX}' ORDER BY name"""
# SQLite joins at most 500 SELECTs.
_MOST_SELECTS = 500

Notes = dict[str, dict[str, str]]


def _schemas(fetch: Fetch) -> list[str]:
    """Return the schemas of the file: a schema exists when it has a lineage table."""
    return [name.removesuffix(_SUFFIX) for (name,) in fetch(_SCHEMAS, ())]


def _read(
    fetch: Fetch, chosen: Collection[str] | None, quote: Callable[[str], str]
) -> list[TableRows]:
    """Return the tables of the chosen schemas, or of all.

    Parameters
    ----------
    fetch
        Runs a statement.
    chosen
        Names of schemas; None for all.
    quote
        Quotes an identifier.
    """
    existing = _schemas(fetch)
    wanted = existing if chosen is None else [name for name in existing if name in chosen]
    if not wanted:
        return []
    values = (None if chosen is None else json.dumps(wanted),)
    notes: Notes = defaultdict(dict)
    for table, attribute, comment in fetch(_NOTES, values):
        notes[table][attribute] = comment
    tables = _attributes(fetch(_COLUMNS, values), notes)
    tables = {table: rows for table, rows in tables.items() if rows.name.schema in wanted}
    _foreign_keys(fetch(_KEYS, values), tables)
    _indexes(fetch(_INDEXES, values), tables, notes)
    for table, attribute, lineage in _lineages(fetch, wanted, quote):
        if table in tables:
            tables[table].lineage[attribute] = lineage
    return list(tables.values())


def _attributes(rows: list[Row], notes: Notes) -> dict[str, TableRows]:
    tables: dict[str, TableRows] = {}
    for table, columns in groupby(rows, itemgetter(0)):
        name = logical(table)
        if name is None or name.table == LINEAGE:
            continue
        noted = notes[table]
        tables[table] = TableRows(
            name,
            noted.get("", ""),
            [
                AttributeRow(
                    column,
                    native.lower(),
                    nullable=not notnull,
                    default=read_default(default, nullable=not notnull),
                    comment=noted.get(column, ""),
                    in_key=key_position > 0,
                )
                for _, column, native, notnull, default, key_position in columns
            ],
        )
    return tables


def _foreign_keys(rows: list[Row], tables: dict[str, TableRows]) -> None:
    for (table, _, parent), pairs in groupby(rows, itemgetter(0, 1, 2)):
        parent_name = logical(parent)
        if table in tables and parent_name is not None:
            attributes = tuple((here, there) for *_, here, there in pairs)
            tables[table].foreign_keys.append(ForeignKey(parent_name, attributes))


def _indexes(rows: list[Row], tables: dict[str, TableRows], notes: Notes) -> None:
    declared: dict[str, dict[int, tuple[tuple[str, ...], bool]]] = defaultdict(dict)
    for (table, index, unique), entries in groupby(rows, itemgetter(0, 1, 2)):
        role, _, number = index.removeprefix(f"{table} ").partition(" ")
        if table not in tables or not number.isdigit():
            continue
        if role == "unique":
            keys = tables[table].foreign_keys
            key = keys[int(number) - 1]
            keys[int(number) - 1] = ForeignKey(key.parent, key.attributes, unique=True)
        elif role == "index":
            noted = notes[table].get(f"index {number}")
            names = json.loads(noted) if noted else [entry for *_, entry in entries]
            declared[table][int(number)] = (tuple(names), bool(unique))
    for table, by_number in declared.items():
        tables[table].indexes = [by_number[number] for number in sorted(by_number)]


def _lineages(fetch: Fetch, wanted: list[str], quote: Callable[[str], str]) -> Iterator[Row]:
    for start in range(0, len(wanted), _MOST_SELECTS):
        some = wanted[start : start + _MOST_SELECTS]
        tables = [quote(physical(TableName(schema, LINEAGE))) for schema in some]
        selects = " UNION ALL ".join(
            f"SELECT ? || table_name, attribute_name, lineage FROM {table}" for table in tables
        )
        yield from fetch(selects, [f"{schema}." for schema in some])


class SQLiteCatalog(Cataloguing):
    """How SQLite keeps schemas in its one file, and what it tells of them."""

    # Schemas and notes

    def create_schema(self, schema: str) -> list[str]:
        """Return the statements that create the notes, and the lineage table, which makes a schema."""
        notes = sa.schema.CreateTable(COMMENTS, if_not_exists=True)
        lineage = sa.schema.CreateTable(_lineage(schema), if_not_exists=True)
        return [self.compile(notes), self.compile(lineage)]

    def drop_schema(self, schema: str) -> list[Statement]:
        """Return the statements that remove the lineage table and all comments."""
        remove = sa.delete(COMMENTS).where(COMMENTS.c.schema_name == schema)
        drop = sa.schema.DropTable(_lineage(schema), if_exists=True)
        return [self.bound(remove), (self.compile(drop), ())]

    def annotate(self, structure: TableStructure) -> list[Statement]:
        """Return the statements that note comments and declared types."""
        return [self.bound(statement) for statement in _annotate(structure)]

    def unannotate(self, name: TableName) -> list[Statement]:
        """Return the statement that removes a table's comments."""
        return [self.bound(_unannotate(name))]

    # Reading

    def schemas(self, fetch: Fetch) -> list[str]:
        """Return the schemas in this file."""
        return _schemas(fetch)

    def catalog_version(self, fetch: Fetch) -> object:
        """Return SQLite's own counter of changes to tables, which all processes share."""
        return fetch("PRAGMA schema_version", ())[0][0]

    def table_exists(self, fetch: Fetch, name: TableName) -> bool:
        """Whether there is such a table now."""
        sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
        return bool(fetch(sql, (physical(name),)))

    def sizes(self, fetch: Fetch, schema: str) -> dict[str, int]:
        """Return how many bytes tables take, with their indexes, where SQLite can say it and the file is small.

        It is counted page by page.
        """
        if not fetch("SELECT 1 FROM pragma_module_list WHERE name = 'dbstat'", ()):
            return {}
        ((pages, size),) = fetch(
            "SELECT page_count, page_size FROM pragma_page_count, pragma_page_size", ()
        )
        if pages * size > _COUNTABLE:
            return {}
        found: dict[str, int] = {}
        for identifier, taken in fetch(_SIZES, ()):
            name = logical(identifier)
            if name is not None and name.schema == schema:
                found[name.table] = int(taken)
        return found

    def read_tables(self, fetch: Fetch, schemas: Collection[str] | None) -> list[TableRows]:
        """Return all tables of some or all schemas."""
        return _read(fetch, schemas, self.quote)
