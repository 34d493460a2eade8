"""ALTER TABLE on PostgreSQL, all of it within one transaction.

```
drop keys and indexes that stand in the way  ->  rename  ->  attributes  ->  keys and indexes again
```

A column can only be added at the end. Where an attribute is to stand further up, those that follow it
are written anew behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.elements import quoted_name

from djupyter.heading.attribute import Attribute
from djupyter.heading.structure import ForeignKey
from djupyter.sql.backends.altered_table import AlteredTable, Signature
from djupyter.sql.backends.differences.records import Fetch, TableChange
from djupyter.sql.backends.postgresql_catalog import literal, read_note
from djupyter.sql.backends.postgresql_conversion import conversion
from djupyter.sql.backends.postgresql_indexes import note

Statement = str

_KEYS = """SELECT conname, contype::text, ARRAY(SELECT a.attname::text
    FROM unnest(conkey) WITH ORDINALITY AS k(number, place)
    JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = k.number ORDER BY place),
    (SELECT relname FROM pg_class WHERE oid = confrelid)
    FROM pg_constraint WHERE conrelid = %s::regclass AND contype IN ('f', 'p')"""
_INDEXES = """SELECT c.relname::text, i.indisunique, obj_description(c.oid, 'pg_class'),
    ARRAY(SELECT coalesce(a.attname,
    pg_get_indexdef(i.indexrelid, k.place::int, true))::text
    FROM unnest(i.indkey) WITH ORDINALITY AS k(number, place)
    LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number ORDER BY place)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid = %s::regclass AND NOT i.indisprimary"""
_CHILDREN = """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), conrelid
    FROM pg_constraint WHERE confrelid = %s::regclass AND contype = 'f'"""


def alter(
    fetch: Fetch,
    changes: Sequence[TableChange],
    dialect: Dialect,
    create_index: Callable[[sa.Index], Statement],
) -> Iterator[Statement]:
    """Yield the statements that alter tables; see `Backend`."""
    tables = [_Table(fetch, change, dialect, create_index) for change in changes]
    together = {table.place for table in tables}
    others = [key for table in tables for key in table.foreign_children(fetch, together)]
    touched = {table.name: table.touched_key for table in tables}
    for table in tables:
        table.remade = frozenset(table.keys_to_remake(touched))
    for child, key, _ in others:
        yield f"ALTER TABLE {child} DROP CONSTRAINT {key}"
    for table in tables:
        yield from table.drops()
    for table in tables:
        yield from table.attributes()
    for table in tables:
        yield from table.primary_key()
    for table in tables:
        yield from table.keys_and_indexes()
    for child, key, definition in others:
        yield f"ALTER TABLE {child} ADD CONSTRAINT {key} {definition}"


class _Table(AlteredTable):
    """One table on its way."""

    remade: frozenset[ForeignKey] = frozenset()  # as they are to be

    def __init__(
        self,
        fetch: Fetch,
        change: TableChange,
        dialect: Dialect,
        create_index: Callable[[sa.Index], Statement],
    ) -> None:
        super().__init__(change, dialect)
        self._dialect, self._create_index = dialect, create_index
        self._fetch = fetch

    # What has to be done anew

    @cached_property
    def retyped(self) -> set[str]:
        """New names of the attributes that get another column type."""
        return {
            new.name
            for old, new in self.alteration.kept
            if self._type(self.change.before, old.name) != self._type(self.change.after, new.name)
        }

    @cached_property
    def in_place(self) -> list[str]:
        """New names of the visible attributes at the front that stay where they are."""
        before = [a.name for a in self.alteration.existing.attributes]
        staying: list[str] = []
        last = -1
        for attribute in self.alteration.wanted.attributes:
            origin = self.alteration.origin.get(attribute.name)
            if attribute.hidden and not attribute.in_key:
                continue
            if origin is None or before.index(origin) < last:
                break
            last = before.index(origin)
            staying.append(attribute.name)
        return staying

    @cached_property
    def moved(self) -> set[str]:
        """New names of the attributes that are written anew behind others."""
        return {
            new.name
            for _, new in self.alteration.kept
            if new.name not in self.in_place and (not new.hidden or new.in_key)
        }

    @cached_property
    def touched_key(self) -> set[str]:
        """Old names of the key's attributes that other tables cannot refer to meanwhile."""
        anew = self.retyped | self.moved
        names = {old for new, old in self.alteration.origin.items() if new in anew}
        return names & set(self.alteration.existing.full_key)

    def keys_to_remake(self, touched: dict[Any, set[str]]) -> Iterator[ForeignKey]:
        """Yield the foreign keys that stay but have to be dropped meanwhile."""
        own = self.retyped | self.moved
        for old, new in self.alteration.kept_keys:
            referred = {there for _, there in old.attributes}
            if set(new.names) & own or referred & touched.get(old.parent, set()):
                yield new

    def foreign_children(self, fetch: Fetch, together: set[str]) -> list[tuple[str, str, str]]:
        """Return the foreign keys of tables that are not altered but refer to what is written anew."""
        if not self.touched_key:
            return []
        rows = fetch(_CHILDREN, (self.place,))
        altered = {fetch("SELECT %s::regclass::oid", (place,))[0][0] for place in together}
        return [
            (child, self.quote(name), definition)
            for child, name, definition, number in rows
            if number not in altered
        ]

    # Statements

    def drops(self) -> Iterator[str]:
        """Yield what takes keys and indexes away, and gives the table its name."""
        table = f"ALTER TABLE {self.place}"
        old_of = {new: old for old, new in self.alteration.kept_keys}
        gone = [*self.alteration.gone_keys, *(old_of[new] for new in self.remade)]
        keys = self._fetch(_KEYS, (self.place,))
        for key in gone:
            for name, kind, names, parent in keys:
                if kind == "f" and tuple(names) == key.names and parent == key.parent.table:
                    yield f"{table} DROP CONSTRAINT {self.quote(name)}"
        for index in self._gone_indexes:
            yield f"DROP INDEX {self._placed(self._actual_names[index])}"
        if self._remakes_primary_key:
            yield from (
                f"{table} DROP CONSTRAINT {self.quote(name)}"
                for name, kind, *_ in keys
                if kind == "p"
            )
        for name in self._checks(self.change.before):
            if name not in self._kept_checks:
                yield f"{table} DROP CONSTRAINT IF EXISTS {self.quote(name)}"
        if self.place != self.target:
            name = self.quote(self.alteration.wanted.name.table)
            yield f"{table} RENAME TO {name}"

    def attributes(self) -> Iterator[Statement]:
        """Yield what makes the attributes what they are to be."""
        table = f"ALTER TABLE {self.target}"
        for attribute in self.alteration.removed:
            yield f"{table} DROP COLUMN {self.quote(attribute.name)}"
        yield from self._renames(table)
        for old, new in self.alteration.kept:
            yield from self._retyped(table, old, new)
        for attribute in self.alteration.wanted.attributes:
            if attribute.name not in self.alteration.origin:
                yield f"{table} ADD COLUMN {self._specification(attribute)}"
            elif attribute.name in self.moved:
                yield from self._rewritten(table, attribute)
        for name, check in self._checks(self.change.after).items():
            if name not in self._kept_checks:
                yield f"{table} ADD CONSTRAINT {self.quote(name)} CHECK ({check})"

    def _renames(self, table: str) -> Iterator[str]:
        # By way of a name that nobody has: two attributes may change places.
        for _, old in self.alteration.renames:
            yield f"{table} RENAME COLUMN {self.quote(old)} TO {self.quote('_was_' + old)}"
        for new, old in self.alteration.renames:
            yield f"{table} RENAME COLUMN {self.quote('_was_' + old)} TO {self.quote(new)}"

    def _retyped(self, table: str, old: Attribute, new: Attribute) -> Iterator[str]:
        column = f"{table} ALTER COLUMN {self.quote(new.name)}"
        is_retyped = new.name in self.retyped
        before, after = (
            self._default(self.change.before, old.name),
            self._default(self.change.after, new.name),
        )
        # The default NULL of a text is kept with its type, and like any other is not always cast.
        if is_retyped or (before is not None and before != after):
            yield f"{column} DROP DEFAULT"
        if is_retyped:
            type = self._type(self.change.after, new.name)
            yield f"{column} TYPE {type} USING ({self._converted(old, new)})::{type}"
        if after is not None and (is_retyped or before != after):
            yield f"{column} SET DEFAULT {after}"
        if old.nullable != new.nullable:
            yield f"{column} {'DROP' if new.nullable else 'SET'} NOT NULL"

    def _converted(self, old: Attribute, new: Attribute) -> str:
        assert old.type is not None, "a table's attribute always has a type"
        assert new.type is not None, "a table's attribute always has a type"
        found = conversion(sa.column(quoted_name(new.name, True)), old.type, new.type)
        # Without a conversion there are only NULLs, as the rows were checked.
        value = found.value if found else sa.null()
        return str(value.compile(dialect=self._dialect, compile_kwargs={"literal_binds": True}))

    def _rewritten(self, table: str, attribute: Attribute) -> Iterator[Statement]:
        name, was = self.quote(attribute.name), self.quote(f"_was_{attribute.name}")
        yield f"{table} RENAME COLUMN {name} TO {was}"
        yield f"{table} ADD COLUMN {self._specification(attribute, is_open=True)}"
        yield f"UPDATE {self.target} SET {name} = {was}"
        yield f"{table} DROP COLUMN {was}"
        if not attribute.nullable:
            yield f"{table} ALTER COLUMN {name} SET NOT NULL"
        if attribute.autoincrement:
            sequence = f"pg_get_serial_sequence('{self.target}', '{attribute.name}')"
            last = f"(SELECT coalesce(max({name}), 0) + 1 FROM {self.target})"
            yield f"SELECT setval({sequence}, {last}, false)"

    def primary_key(self) -> Iterator[str]:
        """Yield what adds the primary key again."""
        if self._remakes_primary_key:
            names = ", ".join(map(self.quote, self.alteration.wanted.full_key))
            yield f"ALTER TABLE {self.target} ADD PRIMARY KEY ({names})"

    def keys_and_indexes(self) -> Iterator[str]:
        """Yield what adds foreign keys and indexes again."""
        new = {*self.alteration.new_keys, *self.remade}
        for key in self.alteration.wanted.foreign_keys:
            if key in new:
                here = ", ".join(map(self.quote, key.names))
                there = ", ".join(self.quote(name) for _, name in key.attributes)
                parent = f"{self.quote(key.parent.schema)}.{self.quote(key.parent.table)}"
                yield (
                    f"ALTER TABLE {self.target} ADD FOREIGN KEY ({here}) REFERENCES {parent} ({there}) "
                    "ON UPDATE CASCADE ON DELETE RESTRICT"
                )
        for signature, index in self._after.items():
            if signature in self._kept_indexes:
                yield from self._kept_index(signature, index)
            else:
                yield self._create_index(index)

    def _kept_index(self, signature: Signature, index: sa.Index) -> Iterator[str]:
        before, name = self._before[signature], str(index.name)
        actual = self._actual_names[signature]
        old, new = note(before), note(index)
        if old != new:
            words = "NULL" if new is None else literal(new)
            yield f"COMMENT ON INDEX {self._placed(actual)} IS {words}"
        if actual == str(before.name) != name:
            yield (
                f"DO $dj$ BEGIN IF to_regclass({literal(self._placed(name))}) IS NULL THEN "
                f"ALTER INDEX {self._placed(actual)} RENAME TO {self.quote(name)}; END IF; END $dj$"
            )

    # Parts

    @cached_property
    def _remakes_primary_key(self) -> bool:
        return self.alteration.changes_key or bool(
            self.moved & set(self.alteration.wanted.full_key)
        )

    def _signature(self, index: sa.Index, new_name: dict[str, str]) -> Signature:
        entries = index.info["entries"]
        return tuple(new_name.get(entry, entry) for entry in entries), bool(index.unique)

    @cached_property
    def _actual_names(self) -> dict[Signature, str]:
        """The indexes that are there, by the names that attributes get."""
        new_name = self.alteration.new_name
        found: dict[Signature, str] = {}
        for name, unique, noted, entries in self._fetch(_INDEXES, (self.place,)):
            found[tuple(new_name.get(e, e) for e in read_note(noted) or entries), unique] = name
        return found

    @cached_property
    def _kept_indexes(self) -> set[Signature]:
        anew = self.moved | {a.name for a in self.alteration.removed}
        return {
            signature
            for signature, index in self._after.items()
            if signature in self._before
            and signature in self._actual_names
            and not anew & {str(column.name) for column in index.columns}
        }

    @cached_property
    def _gone_indexes(self) -> list[Signature]:
        return [s for s in self._before if s not in self._kept_indexes and s in self._actual_names]

    def _checks(self, table: sa.Table) -> dict[str, str]:
        return {
            str(check.name): self._ddl.sql_compiler.process(check.sqltext, literal_binds=True)
            for check in table.constraints
            if isinstance(check, sa.CheckConstraint)
        }

    @cached_property
    def _kept_checks(self) -> set[str]:
        before, after = (self._checks(t) for t in (self.change.before, self.change.after))
        origin = self.alteration.origin
        return {
            name
            for name, check in after.items()
            if before.get(name) == check and origin.get(name) == name and name not in self.moved
        }

    def _type(self, table: sa.Table, name: str) -> str:
        return str(self._dialect.type_compiler_instance.process(table.c[name].type))

    def _default(self, table: sa.Table, name: str) -> str | None:
        default: str | None = self._ddl.get_column_default_string(table.c[name])
        return None if default == "NULL" else default

    def _specification(self, attribute: Attribute, *, is_open: bool = False) -> str:
        column = self.change.after.c[attribute.name]
        text: str = self._ddl.get_column_specification(column)
        return text.replace(" NOT NULL", "", 1) if is_open else text
