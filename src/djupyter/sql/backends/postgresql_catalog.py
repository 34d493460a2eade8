"""What PostgreSQL knows of tables, and what is written beside them: comments.

Everything is kept as datajoint keeps it: comments with the declared type, enum types in the schema,
`~lineage`. A declared index that could be taken for one of a foreign key, or that is over an
expression, has its entries in a comment of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from itertools import groupby
from operator import itemgetter

from djupyter.definition.names import TableName
from djupyter.definition.writer import write_marker
from djupyter.errors import DataJointError, QueryError
from djupyter.heading.attribute import Attribute
from djupyter.heading.structure import ForeignKey, TableStructure
from djupyter.sql.backends.differences.cataloguing import Cataloguing
from djupyter.sql.backends.differences.records import AttributeRow, Fetch, Row, Statement, TableRows
from djupyter.sql.backends.postgresql_names import check_length
from djupyter.sql.backends.postgresql_types import (
    digits_kept,
    is_translated,
    read_default,
)
from djupyter.sql.names import LINEAGE

Quote = Callable[[str], str]

_ATTEMPTS = 5  # to read a catalogue that others change meanwhile

# Schemas and notes

# Tables of a schema are defined by one transaction at a time: names of tables, types and indexes would collide.
_LOCKS = 0x646A


def lock(schema: str) -> str:
    """Return the statement that waits for the others that define tables of a schema, until the transaction ends."""
    return f"SELECT pg_advisory_xact_lock({_LOCKS}, hashtext({literal(schema)}))"


def literal(text: str) -> str:
    """Return a text as it is written in a statement that cannot have parameters."""
    return "'" + text.replace("'", "''").replace("%", "%%") + "'"


_LINEAGE_COLUMNS = (
    "table_name VARCHAR(64) NOT NULL, attribute_name VARCHAR(64) NOT NULL, "
    "lineage VARCHAR(255) NOT NULL, PRIMARY KEY (table_name, attribute_name)"
)


def inherited(structure: TableStructure) -> set[str]:
    """Return the attributes that foreign keys brought; the database tells nothing else of them."""
    return {name for key in structure.foreign_keys for name in key.names}


def _notes(structure: TableStructure, quote: Quote) -> Iterator[str]:
    """Yield the statements that write the comments of a table, its attributes and its indexes."""
    schema = quote(structure.name.schema)
    table = f"{schema}.{quote(structure.name.table)}"
    yield f"COMMENT ON TABLE {table} IS {literal(structure.comment)}"
    derived = inherited(structure)
    for attribute in structure.attributes:
        if attribute.name not in derived:
            comment = literal(_column_comment(attribute))
            yield f"COMMENT ON COLUMN {table}.{quote(attribute.name)} IS {comment}"


def _column_comment(attribute: Attribute) -> str:
    assert attribute.type is not None, "a table's attribute always has a type"
    if is_translated(attribute.type):
        return write_marker(attribute.type_text, attribute.comment)
    return attribute.comment


# Reading

# One statement for each kind of thing, however many tables there are.
_OURS = """n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND has_schema_privilege(n.oid, 'USAGE')"""
_CHOSEN = f"{_OURS} AND (%s::text[] IS NULL OR n.nspname = ANY(%s))"
_TABLES = "c.relkind IN ('r', 'p') AND NOT c.relispartition"
_SCHEMAS = f"SELECT n.nspname FROM pg_catalog.pg_namespace n WHERE {_OURS} ORDER BY 1"
_COLUMNS = f"""SELECT n.nspname, c.relname, obj_description(c.oid, 'pg_class'),
    c.relname = '{LINEAGE}' AND has_table_privilege(c.oid, 'SELECT'), a.attname,
    format_type(a.atttypid, a.atttypmod),
    ARRAY(SELECT e.enumlabel::text FROM pg_catalog.pg_enum e WHERE e.enumtypid = a.atttypid
        ORDER BY e.enumsortorder), a.attnotnull,
    CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END, a.attidentity <> '',
    col_description(c.oid, a.attnum), coalesce(a.attnum = ANY(p.conkey), false)
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    LEFT JOIN pg_catalog.pg_constraint p ON p.conrelid = c.oid AND p.contype = 'p'
    WHERE {_TABLES} AND {_CHOSEN} ORDER BY c.oid, a.attnum"""
_KEYS = f"""SELECT n.nspname, c.relname, f.oid, pn.nspname, pc.relname, here.attname, there.attname
    FROM pg_catalog.pg_constraint f
    JOIN pg_catalog.pg_class c ON c.oid = f.conrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_class pc ON pc.oid = f.confrelid
    JOIN pg_catalog.pg_namespace pn ON pn.oid = pc.relnamespace
    CROSS JOIN LATERAL unnest(f.conkey, f.confkey) WITH ORDINALITY AS k(here, there, place)
    JOIN pg_catalog.pg_attribute here ON here.attrelid = c.oid AND here.attnum = k.here
    JOIN pg_catalog.pg_attribute there ON there.attrelid = pc.oid AND there.attnum = k.there
    WHERE f.contype = 'f' AND f.conparentid = 0 AND {_TABLES} AND {_CHOSEN}
    ORDER BY f.oid, k.place"""
_INDEXES = f"""SELECT n.nspname, c.relname, i.indexrelid, i.indisunique,
    obj_description(i.indexrelid, 'pg_class'),
    coalesce(a.attname, pg_get_indexdef(i.indexrelid, k.place::int, true))
    FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(number, place)
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number
    WHERE NOT i.indisprimary AND i.indisvalid AND i.indpred IS NULL AND k.place <= i.indnkeyatts
    AND {_TABLES} AND {_CHOSEN} ORDER BY i.indexrelid, k.place"""


_LINKS = """SELECT DISTINCT here.nspname, there.nspname FROM pg_constraint AS key
    JOIN pg_class AS child ON child.oid = key.conrelid
    JOIN pg_namespace AS here ON here.oid = child.relnamespace
    JOIN pg_class AS parent ON parent.oid = key.confrelid
    JOIN pg_namespace AS there ON there.oid = parent.relnamespace WHERE key.contype = 'f'"""


_EXISTS = f"""SELECT 1 FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE {_TABLES} AND n.nspname = %s AND c.relname = %s"""
_SIZES = f"""SELECT c.relname, pg_total_relation_size(c.oid) FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE {_TABLES} AND n.nspname = %s"""
_CODECS = f"""SELECT DISTINCT n.nspname FROM pg_catalog.pg_description d
    JOIN pg_catalog.pg_class c ON c.oid = d.objoid AND d.classoid = 'pg_catalog.pg_class'::regclass
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE d.objsubid > 0 AND d.description LIKE %s AND {_OURS}"""


def _read_patiently(fetch: Fetch, chosen: Collection[str] | None, quote: Quote) -> list[TableRows]:
    """Return the tables of the chosen schemas, or of all."""
    for _ in range(_ATTEMPTS):
        try:
            return _read(fetch, chosen, quote)
        except QueryError as error:
            # A type or an index was dropped after the statement had found it.
            if getattr(error.__cause__, "sqlstate", None) != "XX000":
                raise
    return _read(fetch, chosen, quote)


def _read(fetch: Fetch, chosen: Collection[str] | None, quote: Quote) -> list[TableRows]:
    names = None if chosen is None else list(chosen)
    values = (names, names)
    columns = fetch(_COLUMNS, values)
    tables = _attributes(columns)
    _foreign_keys(fetch(_KEYS, values), tables)
    _indexes(fetch(_INDEXES, values), tables)
    noted = list(dict.fromkeys(schema for schema, _, _, is_lineage, *_ in columns if is_lineage))
    for schema, table, attribute, lineage in _lineages(fetch, noted, quote):
        if (schema, table) in tables:
            tables[schema, table].lineage[attribute] = lineage
    return list(tables.values())


Tables = dict[tuple[str, str], TableRows]


def _attributes(rows: list[Row]) -> Tables:
    tables: Tables = {}
    for (schema, table, comment), columns in groupby(rows, itemgetter(0, 1, 2)):
        if table != LINEAGE:
            attributes = [_attribute(column[4:]) for column in columns]
            tables[schema, table] = TableRows(TableName(schema, table), comment or "", attributes)
    return tables


def _attribute(row: Row) -> AttributeRow:
    name, native, members, required, default, identity, comment, in_key = row
    native = native.replace(" without time zone", "")  # which goes without saying
    if members:
        values = ",".join("'" + value.replace("'", "''") + "'" for value in members)
        native = f"enum({values})"
    if identity or (default or "").startswith("nextval("):
        native += " auto_increment"
    nullable = not required
    return AttributeRow(
        name,
        native,
        nullable,
        read_default(default, nullable),
        comment or "",
        in_key,
        digits=digits_kept(native),
    )


def _with_digits(structure: TableStructure) -> TableStructure:
    """Return a table that was just created with the digits of a second that its native types keep."""
    attributes = tuple(
        replace(each, digits=digits_kept(each.type.text.removesuffix(" without time zone")))
        if each.type is not None and each.type.kind == "native"
        else each
        for each in structure.attributes
    )
    return replace(structure, attributes=attributes)


def _foreign_keys(rows: list[Row], tables: Tables) -> None:
    for (schema, table, _, *parent), pairs in groupby(rows, itemgetter(0, 1, 2, 3, 4)):
        if (schema, table) in tables:
            attributes = tuple((here, there) for *_, here, there in pairs)
            tables[schema, table].foreign_keys.append(ForeignKey(TableName(*parent), attributes))


def _indexes(rows: list[Row], tables: Tables) -> None:
    for (schema, table, _, unique, note), entries in groupby(rows, itemgetter(0, 1, 2, 3, 4)):
        if (schema, table) not in tables:
            continue
        found = tables[schema, table]
        names = tuple(entry for *_, entry in entries)
        if note is None and _belongs_to_key(names, found, unique=unique):
            continue
        found.indexes.append((read_note(note) or names, unique))


def _belongs_to_key(names: tuple[str, ...], table: TableRows, *, unique: bool) -> bool:
    """Whether an index comes with a foreign key; a unique one makes the key so."""
    places = [i for i, key in enumerate(table.foreign_keys) if key.names == names]
    for place in places if unique else ():
        table.foreign_keys[place] = replace(table.foreign_keys[place], unique=True)
    return bool(places)


def read_note(note: str | None) -> tuple[str, ...]:
    """Return the entries that an index was declared with, as its comment tells them; none if it does not."""
    try:
        entries = json.loads(note or "null")
    except ValueError:  # somebody else's comment
        return ()
    return tuple(map(str, entries)) if isinstance(entries, list) else ()


def _lineages(fetch: Fetch, noted: list[str], quote: Quote) -> Iterator[Row]:
    if noted:
        selects = (
            f"SELECT %s, table_name, attribute_name, lineage FROM {quote(schema)}.{quote(LINEAGE)}"
            for schema in noted
        )
        yield from fetch(" UNION ALL ".join(selects), noted)


class PostgreSQLCatalog(Cataloguing):
    """How PostgreSQL keeps schemas, and what it tells of them."""

    # Schemas and notes

    def create_schema(self, schema: str) -> list[str]:
        """Return the statement that creates a schema."""
        check_length(schema, "schema")
        if schema.startswith("pg_"):
            raise DataJointError(
                f"The name of the schema `{schema}` begins with `pg_`, which PostgreSQL keeps for itself. "
                "Choose another one."
            )
        alone = lock(schema)
        return [alone, f"CREATE SCHEMA IF NOT EXISTS {self.quote(schema)}"]

    def drop_schema(self, schema: str) -> list[Statement]:
        """Return the statement that removes the schema."""
        return [(f"DROP SCHEMA IF EXISTS {self.quote(schema)} CASCADE", ())]

    def prepare_notes(self, schema: str) -> list[str]:
        """Return the statement that creates the table of lineage where it is missing."""
        place = f"{self.quote(schema)}.{self.quote(LINEAGE)}"
        return [f"CREATE TABLE IF NOT EXISTS {place} ({_LINEAGE_COLUMNS})"]

    def annotate(self, structure: TableStructure) -> list[Statement]:
        """Return the statement that writes all comments, in one go."""
        return [(";\n".join(_notes(structure, self.quote)), ())]

    def unannotate(self, name: TableName) -> list[Statement]:
        """Return nothing: comments go with the table."""
        return []

    def as_kept(self, fetch: Fetch, structure: TableStructure) -> TableStructure:
        """Return a new table with the digits of its moments, of which native types do not tell."""
        return _with_digits(structure)

    # Reading

    def schemas(self, fetch: Fetch) -> list[str]:
        """Return the schemas of the database."""
        return [name for (name,) in fetch(_SCHEMAS, ())]

    def catalog_version(self, fetch: Fetch) -> object:
        """Return nothing: there is no cheap count of changes."""
        return None

    def table_exists(self, fetch: Fetch, name: TableName) -> bool:
        """Whether there is such a table now."""
        return bool(fetch(_EXISTS, (name.schema, name.table)))

    def schema_links(self, fetch: Fetch) -> list[tuple[str, str]]:
        """Return each pair of schemas of which the first has a foreign key to the second."""
        return [(child, parent) for child, parent in fetch(_LINKS, ())]

    def sizes(self, fetch: Fetch, schema: str) -> dict[str, int]:
        """Return how many bytes tables take with their indexes and large values."""
        return {name: int(size) for name, size in fetch(_SIZES, (schema,))}

    def codec_schemas(self, fetch: Fetch) -> list[str]:
        """Return the schemas with attributes whose comment marks a codec."""
        return [name for (name,) in fetch(_CODECS, (":%<%",))]

    def read_tables(self, fetch: Fetch, schemas: Collection[str] | None) -> list[TableRows]:
        """Return all tables of some or all schemas."""
        return _read_patiently(fetch, schemas, self.quote)
