"""ALTER TABLE on MySQL and MariaDB, where each statement that changes a table is final.

A table is changed by one statement with all clauses, which is carried out as a whole or not at all.
More are needed only

- for tables that get another name: one RENAME TABLE for all of them;
- for attributes of foreign keys that get another name: the servers rename them in a statement of its own;
- for values that MODIFY would misread (a uuid is no text there): they are first written into a hidden
  attribute, which takes the place of the old one in the statement that changes the table.

After an interrupt between them no row is lost, and altering again goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.elements import quoted_name

from djupyter.heading.alteration import LEFT_OVER
from djupyter.heading.attribute import Attribute
from djupyter.heading.structure import ForeignKey
from djupyter.sql.backends.altered_table import AlteredTable, Signature
from djupyter.sql.backends.differences.records import Fetch, TableChange
from djupyter.sql.backends.mysql_conversion import conversion

Statement = str | sa.Update

_KEYS = """SELECT CONSTRAINT_NAME, REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME, COLUMN_NAME
    FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s
    AND REFERENCED_TABLE_NAME IS NOT NULL ORDER BY CONSTRAINT_NAME, ORDINAL_POSITION"""
_CHILDREN = """SELECT DISTINCT REFERENCED_COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE
    WHERE REFERENCED_TABLE_SCHEMA = %s AND REFERENCED_TABLE_NAME = %s"""
_INDEXES = """SELECT INDEX_NAME, NON_UNIQUE, COLUMN_NAME FROM information_schema.STATISTICS
    WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s AND INDEX_NAME <> 'PRIMARY'
    ORDER BY INDEX_NAME, SEQ_IN_INDEX"""


def alter(
    fetch: Fetch, changes: Sequence[TableChange], dialect: Dialect, entry: Callable[[sa.Index], str]
) -> Iterator[Statement]:
    """Yield the statements that alter tables; see `Backend`.

    `entry` writes the entries of an index.
    """
    tables = [_Table(fetch, change, dialect, entry) for change in changes]
    moved = [f"{t.place} TO {t.target}" for t in tables if t.place != t.target]
    if moved:
        yield f"RENAME TABLE {', '.join(moved)}"
    # Children first: as long as the table itself is as before, altering it again does what is left.
    for table in reversed(tables):
        yield from table.statements()


class _Table(AlteredTable):
    """One table on its way."""

    def __init__(
        self,
        fetch: Fetch,
        change: TableChange,
        dialect: Dialect,
        entry: Callable[[sa.Index], str],
    ) -> None:
        super().__init__(change, dialect)
        self._entry = entry
        where = self.name.schema, self.name.table
        self._keys = fetch(_KEYS, where)
        self._referred = {column for (column,) in fetch(_CHILDREN, where)}
        self._indexes = fetch(_INDEXES, where)

    def statements(self) -> Iterator[Statement]:
        """Yield what changes the table, in as few statements as there can be."""
        table = f"ALTER TABLE {self.target}"
        if self._renamed_first:
            pairs = self._renamed_first.items()
            renames = (f"RENAME COLUMN {self.quote(o)} TO {self.quote(n)}" for o, n in pairs)
            yield f"{table} {', '.join(renames)}"
        for new, helper in self._helpers.items():
            column = self._specification(new).partition(" ")[2].replace(" NOT NULL", "", 1)
            yield f"{table} ADD COLUMN {self.quote(helper)} {column}"
            yield self._filled(new, helper)
        clauses = list(self._clauses())
        if clauses:
            yield f"{table} {', '.join(clauses)}"

    def _filled(self, new: str, helper: str) -> sa.Update:
        old = self.alteration.existing.by_name[self.alteration.origin[new]]
        found = self._converted(old, self.alteration.wanted.by_name[new])
        target = self.alteration.wanted.name
        table = sa.table(
            quoted_name(target.table, True),
            sa.column(quoted_name(helper, True)),
            schema=quoted_name(target.schema, True),
        )
        return sa.update(table).values({helper: found})

    def _clauses(self) -> Iterator[str]:
        for key in self.alteration.gone_keys:
            yield from (f"DROP FOREIGN KEY {self.quote(name)}" for name in self._names_of(key))
        for signature, name in self._actual_indexes.items():
            if signature in self._before and signature not in self._kept_indexes:
                yield f"DROP INDEX {self.quote(name)}"
        if self._remakes_primary_key:
            yield "DROP PRIMARY KEY"
        for attribute in self.alteration.removed:
            yield f"DROP COLUMN {self.quote(attribute.name)}"
        for name in self._helpers:
            yield f"DROP COLUMN {self.quote(self._now[self.alteration.origin[name]])}"
        yield from self._columns()
        if self._remakes_primary_key:
            names = ", ".join(map(self.quote, self.alteration.wanted.full_key))
            yield f"ADD PRIMARY KEY ({names})"
        for signature, index in self._after.items():
            if signature not in self._kept_indexes:
                yield f"ADD {'UNIQUE ' if index.unique else ''}INDEX ({self._entry(index)})"
        yield from map(self._key, self.alteration.new_keys)
        if self.alteration.existing.comment != self.alteration.wanted.comment:
            yield f"COMMENT = {self._literal(self.alteration.wanted.comment)}"

    def _key(self, key: ForeignKey) -> str:
        here = ", ".join(map(self.quote, key.names))
        there = ", ".join(self.quote(name) for _, name in key.attributes)
        parent = f"{self.quote(key.parent.schema)}.{self.quote(key.parent.table)}"
        return (
            f"ADD FOREIGN KEY ({here}) REFERENCES {parent} ({there}) "
            "ON UPDATE CASCADE ON DELETE RESTRICT"
        )

    def _columns(self) -> Iterator[str]:
        origin = self.alteration.origin
        before = None
        for attribute in self.alteration.wanted.attributes:
            name = attribute.name
            is_hidden = attribute.hidden and not attribute.in_key
            place = f" AFTER {self.quote(before)}" if before else " FIRST"
            place = "" if is_hidden else place
            specification = self._specification(name)
            if name not in origin:
                yield f"ADD COLUMN {specification}{place}"
            elif name in self._helpers:
                yield f"CHANGE COLUMN {self.quote(self._helpers[name])} {specification}{place}"
            else:
                now = self._now[origin[name]]
                stays = is_hidden or not self._is_reordered
                if not stays or now != name or self._differs(name):
                    moved = "" if stays else place
                    yield f"CHANGE COLUMN {self.quote(now)} {specification}{moved}"
            before = before if is_hidden else name

    # Parts

    @cached_property
    def _renamed_first(self) -> dict[str, str]:
        """Old to new names of the attributes that a foreign key holds."""
        bound = {column for *_, column in self._keys} | self._referred
        return {old: new for new, old in self.alteration.renames if old in bound}

    @cached_property
    def _now(self) -> dict[str, str]:
        """What each attribute is called when the clauses come."""
        names = self.alteration.existing.by_name
        return {name: self._renamed_first.get(name, name) for name in names}

    @cached_property
    def _helpers(self) -> dict[str, str]:
        """New names of the attributes whose values are written anew, and where."""
        taken = self.alteration.existing.by_name
        helpers = {}
        for old, new in self.alteration.retyped:
            if self._converted(old, new) is not None:
                name = f"{LEFT_OVER}{new.name}"[:60]
                helpers[new.name] = f"{name}_" if name in taken else name
        return helpers

    def _converted(self, old: Attribute, new: Attribute) -> sa.ColumnElement[Any] | None:
        """Return what MODIFY would not make of a value; None where it does right."""
        if old.type is None or new.type is None:
            return None
        column: sa.ColumnElement[Any] = sa.column(quoted_name(self._now[old.name], True))
        found = conversion(column, old.type, new.type)
        return None if found is None or found.value is column else found.value

    @cached_property
    def _is_reordered(self) -> bool:
        origin = self.alteration.origin
        after = [
            origin[a.name]
            for a in self.alteration.wanted.attributes
            if a.name in origin and (not a.hidden or a.in_key) and a.name not in self._helpers
        ]
        return after != [a.name for a in self.alteration.existing.attributes if a.name in after]

    def _specification(self, name: str) -> str:
        text: str = self._ddl.get_column_specification(self.change.after.c[name])
        return text

    def _differs(self, name: str) -> bool:
        old = self.alteration.origin[name]
        before: str = self._ddl.get_column_specification(self.change.before.c[old])
        return before.replace(self.quote(old), self.quote(name), 1) != self._specification(name)

    @cached_property
    def _remakes_primary_key(self) -> bool:
        return self.alteration.changes_key or bool(
            set(self._helpers) & set(self.alteration.wanted.full_key)
        )

    def _names_of(self, key: ForeignKey) -> Iterator[str]:
        for (name, *parent), columns in groupby(self._keys, itemgetter(0, 1, 2)):
            place = [key.parent.schema, key.parent.table]
            if parent == place and tuple(c for *_, c in columns) == key.names:
                yield name

    def _signature(self, index: sa.Index, new_name: dict[str, str]) -> Signature:
        entries = (
            new_name.get(e.name, e.name) if isinstance(e, sa.Column) else self._entry(index)
            for e in index.expressions
        )
        return tuple(entries), bool(index.unique)

    @cached_property
    def _actual_indexes(self) -> dict[Signature, str]:
        """The indexes that are there, by the names that attributes get."""
        new_name = self.alteration.new_name
        found: dict[Signature, str] = {}
        rows: Any
        for (name, not_unique), rows in groupby(self._indexes, itemgetter(0, 1)):
            entries = tuple(str(new_name.get(column, column)) for *_, column in rows)
            found[entries, not not_unique] = name
        return found

    @cached_property
    def _kept_indexes(self) -> set[Signature]:
        return {
            signature
            for signature, index in self._after.items()
            if signature in self._actual_indexes
            and not set(self._helpers) & {str(column.name) for column in index.columns}
        }

    def _literal(self, text: str) -> str:
        rendered: str = self._ddl.sql_compiler.render_literal_value(text, sa.String())
        return rendered
