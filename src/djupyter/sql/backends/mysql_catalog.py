"""What MySQL and MariaDB know of tables, in one statement for each kind of thing.

Each query of `information_schema` fills one temporary table, however many schemas it is about; a UNION of
queries of one schema each would need one for every schema.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from typing import ClassVar

from djupyter.definition.names import TableName
from djupyter.errors import MissingTableError
from djupyter.heading.attribute import Attribute
from djupyter.heading.structure import ForeignKey, TableStructure
from djupyter.sql.backends import mysql_statements
from djupyter.sql.backends.differences.cataloguing import Cataloguing
from djupyter.sql.backends.differences.records import AttributeRow, Fetch, Row, Statement, TableRows
from djupyter.sql.backends.mysql_dialect import GENERATED
from djupyter.sql.backends.mysql_types import read_comment, read_default
from djupyter.sql.names import LINEAGE
from djupyter.sql.types import storage_of

_SYSTEM = {"information_schema", "mysql", "performance_schema", "sys"}
_TABLES = "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_COMMENT FROM information_schema.TABLES"
_COLUMNS = """SELECT TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION, COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE,
    COLUMN_DEFAULT, COLUMN_KEY, EXTRA, COLUMN_COMMENT, COLLATION_NAME, GENERATION_EXPRESSION
    FROM information_schema.COLUMNS"""
_KEYS = """SELECT TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME,
    ORDINAL_POSITION, COLUMN_NAME, REFERENCED_COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE"""
_INDEXES = """SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, NON_UNIQUE, SEQ_IN_INDEX, COLUMN_NAME, {entry},
    INDEX_COMMENT FROM information_schema.STATISTICS"""
_EXISTS = "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s"
_LINKS = """SELECT DISTINCT CONSTRAINT_SCHEMA, UNIQUE_CONSTRAINT_SCHEMA
    FROM information_schema.REFERENTIAL_CONSTRAINTS"""
_SIZES = "SELECT TABLE_NAME, DATA_LENGTH + INDEX_LENGTH FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s"
_CODECS = (
    "SELECT DISTINCT TABLE_SCHEMA FROM information_schema.COLUMNS WHERE COLUMN_COMMENT LIKE %s"
)
_WIDTH = re.compile(r"^((?:tiny|small|medium|big)?int)\(\d+\)")

# No more parts of a UNION than that.
_AT_ONCE = 10

Place = tuple[str, str]


def _schemas(fetch: Fetch) -> list[str]:
    return [name for (name,) in fetch("SHOW DATABASES", ()) if name not in _SYSTEM]


def _read(
    fetch: Fetch,
    chosen: Collection[str] | None,
    *,
    own_collation: str,
    has_expressions: bool,
) -> list[TableRows]:
    """Return the tables of the chosen schemas, or of all.

    Parameters
    ----------
    fetch
        Runs a statement.
    chosen
        Names of schemas; None for all.
    own_collation
        The collation that our own columns have, which goes without saying.
    has_expressions
        Whether the server reports the expressions of indexes and quotes no defaults: MySQL does.
    """
    wanted = sorted(_schemas(fetch) if chosen is None else set(chosen) - _SYSTEM)
    if not wanted:
        return []
    tables = {
        (schema, table): TableRows(TableName(schema, table), read_comment(comment))
        for schema, table, comment in _of(wanted, fetch, _TABLES, "TABLE_TYPE = 'BASE TABLE'")
    }
    columns = sorted(_of(wanted, fetch, _COLUMNS), key=itemgetter(0, 1, 2))
    _attributes(columns, tables, own_collation, is_sql=not has_expressions)
    keys = _of(wanted, fetch, _KEYS, "REFERENCED_TABLE_NAME IS NOT NULL")
    _foreign_keys(sorted(keys, key=_key_order), tables)
    entry = "EXPRESSION" if has_expressions else "NULL"
    indexes = _of(wanted, fetch, _INDEXES.format(entry=entry), "INDEX_NAME <> 'PRIMARY'")
    _indexes(sorted(indexes, key=itemgetter(0, 1, 2, 3, 4)), tables)
    _lineages(fetch, tables)
    return [rows for rows in tables.values() if rows.name.table != LINEAGE]


def _of(schemas: Sequence[str], fetch: Fetch, select: str, condition: str = "TRUE") -> list[Row]:
    """Return the rows of a table of `information_schema` that are about some schemas."""
    # Of one schema `IN` is as fast as `=`, of several MariaDB opens no tables but theirs.
    places = ", ".join(["%s"] * len(schemas))
    rows = fetch(f"{select} WHERE TABLE_SCHEMA IN ({places}) AND {condition}", schemas)
    # MariaDB compares these names without regard to case.
    return [row for row in rows if row[0] in schemas]


def _attributes(
    rows: Iterable[Row], tables: dict[Place, TableRows], own: str, *, is_sql: bool
) -> None:
    for schema, table, _, name, native, null, default, key, extra, comment, collation, of in rows:
        is_view = (schema, table) not in tables
        if is_view or (of and name.startswith(GENERATED)):
            continue
        nullable = null == "YES"
        counts = " auto_increment" if "auto_increment" in extra.lower() else ""
        tables[schema, table].attributes.append(
            AttributeRow(
                name,
                _WIDTH.sub(r"\1", native) + counts,
                nullable=nullable,
                default=read_default(default, nullable, is_sql=is_sql),
                comment=read_comment(comment),
                in_key=key == "PRI",
                collation="" if collation in (None, own) else collation,
            )
        )


_COLLATIONS = """SELECT COLUMN_NAME, COLLATION_NAME FROM information_schema.COLUMNS
    WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s"""


def _with_collations(fetch: Fetch, structure: TableStructure, own: str) -> TableStructure:
    """Return a table that was just created with the collations that the server gave its texts."""
    if not any(map(_is_text, structure.attributes)):
        return structure
    place = (structure.name.schema, structure.name.table)
    found = {name: "" if told in (None, own) else told for name, told in fetch(_COLLATIONS, place)}
    attributes = tuple(
        replace(each, collation=found.get(each.name, "")) if _is_text(each) else each
        for each in structure.attributes
    )
    return replace(structure, attributes=attributes)


def _is_text(attribute: Attribute) -> bool:
    return attribute.type is not None and storage_of(attribute.type).family in ("text", "enum")


def _quoted(name: str) -> str:
    return f"`{name.replace('`', '``').replace('%', '%%')}`"


def _key_order(row: Row) -> tuple[str, str, int, str, int]:
    """Return what orders the rows of foreign keys: the servers count them at the end of their names."""
    schema, table, name, *_, position, _, _ = row
    number = re.search(r"\d*$", name)
    return schema, table, int(number[0] or 0) if number else 0, name, position


def _foreign_keys(rows: Iterable[Row], tables: dict[Place, TableRows]) -> None:
    for (schema, table, _, *parent), pairs in groupby(rows, itemgetter(0, 1, 2, 3, 4)):
        attributes = tuple((here, there) for *_, here, there in pairs)
        if (schema, table) in tables:
            key = ForeignKey(TableName(*parent), attributes)
            tables[schema, table].foreign_keys.append(key)


def _indexes(rows: Iterable[Row], tables: dict[Place, TableRows]) -> None:
    """Add the declared indexes; those that serve a foreign key say only whether that is unique."""
    declared: dict[Place, list[tuple[tuple[str, ...], bool]]] = defaultdict(list)
    for (schema, table, _, not_unique), entries in groupby(rows, itemgetter(0, 1, 2, 3)):
        if (schema, table) not in tables:
            continue
        names = _entries(list(entries))
        if not _belongs_to_key(tables[schema, table], names, unique=not not_unique):
            declared[schema, table].append((names, not not_unique))
    for place, found in declared.items():
        # The catalogue does not tell in which order they were declared.
        places = {row.name: number for number, row in enumerate(tables[place].attributes)}
        found.sort(key=lambda index: [(places.get(name, len(places)), name) for name in index[0]])
        tables[place].indexes = found


def _belongs_to_key(rows: TableRows, names: tuple[str, ...], *, unique: bool) -> bool:
    for place, key in enumerate(rows.foreign_keys):
        if key.names == names:
            if unique:
                rows.foreign_keys[place] = ForeignKey(key.parent, key.attributes, unique=True)
            return True
    return False


_JSON_VALUE = re.compile(
    r"json_value\(`(?P<attribute>\w+)`,\s*(?:_\w+)?\\?'\$(?P<path>.*?)\\?'(?: returning (?P<type>.*?))?\)"
)


def _entries(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return what an index is over, by its own comment where it has expressions."""
    names = tuple(column or _place_in_json(expression) for *_, column, expression, _ in rows)
    comment = rows[0][-1] or ""
    try:
        noted = json.loads(comment) if comment.startswith("[") else None
    except ValueError:  # somebody else's comment
        noted = None
    return tuple(map(str, noted)) if isinstance(noted, list) and len(noted) == len(names) else names


def _place_in_json(expression: str) -> str:
    r"""Return what datajoint was asked to index, from the expression that it made of that.

    >>> _place_in_json("json_value(`car`, _utf8mb4\\'$.l[0].s\\' returning decimal(5, 2))")
    'car.l[0].s:decimal(5,2)'
    """
    match = _JSON_VALUE.fullmatch(expression)
    if match is None:
        return expression
    type = f":{match['type'].replace(' ', '')}" if match["type"] else ""
    return match["attribute"] + match["path"].replace('"', "") + type


def _lineages(fetch: Fetch, tables: dict[Place, TableRows]) -> None:
    schemas = sorted(schema for schema, table in tables if table == LINEAGE)
    for start in range(0, len(schemas), _AT_ONCE):
        some = schemas[start : start + _AT_ONCE]
        for schema, table, attribute, lineage in _noted(fetch, some):
            if (schema, table) in tables:
                tables[schema, table].lineage[attribute] = lineage


def _noted(fetch: Fetch, schemas: Sequence[str]) -> list[Row]:
    """Return the lineage that some schemas note; none of one that another program has just dropped."""
    selects = (
        f"SELECT %s, table_name, attribute_name, lineage FROM {_quoted(schema)}.{_quoted(LINEAGE)}"
        for schema in schemas
    )
    try:
        return fetch(" UNION ALL ".join(selects), schemas)
    except MissingTableError:
        return [row for each in schemas if len(schemas) > 1 for row in _noted(fetch, (each,))]


class MySQLCatalog(Cataloguing):
    """How MySQL and MariaDB keep schemas, and what they tell of them."""

    product: ClassVar[str]
    collation: ClassVar[str]

    # Schemas and notes

    def create_schema(self, schema: str) -> list[str]:
        """Return the statement that creates a database, whose texts differ in case and in blanks."""
        return [
            f"CREATE DATABASE IF NOT EXISTS {self.quote(schema)} "
            f"CHARACTER SET utf8mb4 COLLATE {self.collation}"
        ]

    def drop_schema(self, schema: str) -> list[Statement]:
        """Return the statement that drops the database with all that is left in it."""
        return [(f"DROP DATABASE {self.quote(schema)}", ())]

    def prepare_notes(self, schema: str) -> list[str]:
        """Return the statement that creates the table of lineage where it is missing."""
        return [mysql_statements.create_lineage(f"{self.quote(schema)}.{self.quote(LINEAGE)}")]

    def annotate(self, structure: TableStructure) -> list[Statement]:
        """Return nothing: CREATE TABLE has the comments."""
        return []

    def unannotate(self, name: TableName) -> list[Statement]:
        """Return nothing: comments go with their table."""
        return []

    def as_kept(self, fetch: Fetch, structure: TableStructure) -> TableStructure:
        """Return a new table with the collations of its texts, which are those of the schema."""
        return _with_collations(fetch, structure, self.collation)

    # Reading

    def schemas(self, fetch: Fetch) -> list[str]:
        """Return the databases that are not the server's own."""
        return _schemas(fetch)

    def catalog_version(self, fetch: Fetch) -> object:
        """Return None: there is no counter that is cheap to read."""
        return None

    def table_exists(self, fetch: Fetch, name: TableName) -> bool:
        """Whether there is such a table now."""
        return bool(fetch(_EXISTS, (name.schema, name.table)))

    def schema_links(self, fetch: Fetch) -> list[tuple[str, str]]:
        """Return each pair of schemas of which the first has a foreign key to the second."""
        return [(child, parent) for child, parent in fetch(_LINKS, ())]

    def sizes(self, fetch: Fetch, schema: str) -> dict[str, int]:
        """Return how many bytes tables take by the server's statistics, with their indexes."""
        return {name: int(size) for name, size in fetch(_SIZES, (schema,)) if size is not None}

    def codec_schemas(self, fetch: Fetch) -> list[str]:
        """Return the schemas with attributes whose comment marks a codec."""
        return [name for (name,) in fetch(_CODECS, (":%<%",)) if name not in _SYSTEM]

    def read_tables(self, fetch: Fetch, schemas: Collection[str] | None) -> list[TableRows]:
        """Return all tables of some or all schemas."""
        return _read(
            fetch, schemas, own_collation=self.collation, has_expressions=self.product == "MySQL"
        )
