"""Another table in the place of an old one, because SQLite can hardly change a table.

```
create "lab.mouse new"  ->  copy the rows  ->  drop "lab.mouse"  ->  rename, indexes, triggers
```
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import quoted_name

from djupyter.definition.model import TypeSpec
from djupyter.sql.backends.differences.records import Conversion, Fetch, TableChange
from djupyter.sql.names import physical
from djupyter.sql.types import COUNTABLE, NUMBERS, TEXTS, Family, Storage, storage_of

Column = sa.ColumnElement[Any]

Type = sa.types.TypeEngine[Any]

_TEXT: Type = sa.Text()
_SEQUENCE = sa.table("sqlite_sequence", sa.column("name"), sa.column("seq"))
# Triggers and indexes that are not of our making go with the old table and come back.
_OTHERS = """SELECT sql FROM sqlite_master WHERE tbl_name = ?1 AND sql IS NOT NULL AND
    (type = 'trigger' OR (type = 'index' AND substr(name, 1, length(?1) + 1) <> ?1 || ' '))"""


# The table


def alter(
    fetch: Fetch,
    changes: Sequence[TableChange],
    quote: Callable[[str], str],
    compiled: Callable[[sa.ClauseElement], str],
) -> Iterator[str | sa.Insert | sa.Update]:
    """Yield the statements that alter tables; see `Backend`."""
    for change in changes:
        if change.alteration.rebuilds:
            yield from _rebuild(fetch, change, quote)
        elif change.alteration.reindexes:
            for index in sorted(change.before.indexes, key=lambda index: str(index.name)):
                yield compiled(sa.schema.DropIndex(index, if_exists=True))
            yield from change.create[1:]


def _rebuild(
    fetch: Fetch, change: TableChange, quote: Callable[[str], str]
) -> Iterator[str | sa.Insert | sa.Update]:
    old = physical(change.alteration.existing.name)
    name = physical(change.alteration.wanted.name)
    new = f"{name} new"  # no table of ours has a blank in its name
    table, *indexes = change.create
    others = [sql.replace(quote(old), quote(name)) for (sql,) in fetch(_OTHERS, (old,))]
    yield table.replace(quote(name), quote(new), 1)
    if change.values:
        yield _copy(new, change.values)
    if any(attribute.autoincrement for attribute in change.alteration.wanted.attributes):
        yield from _counted_on(fetch, old, new)
    yield f"DROP TABLE {quote(old)}"
    yield f"ALTER TABLE {quote(new)} RENAME TO {quote(name)}"
    yield from (*indexes, *others)


def _copy(new: str, values: Mapping[str, Column]) -> sa.Insert:
    target = sa.table(
        quoted_name(new, True), *(sa.column(quoted_name(attribute, True)) for attribute in values)
    )
    return sa.insert(target).from_select(list(values), sa.select(*values.values()))


def _counted_on(fetch: Fetch, name: str, new: str) -> Iterator[sa.Insert | sa.Update]:
    """Go on counting where the old table stopped, so that no number is given twice."""
    has_counter = fetch("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'", ())
    rows = fetch("SELECT seq FROM sqlite_sequence WHERE name = ?", (name,)) if has_counter else []
    for (last,) in rows:
        row = sa.literal(new), sa.literal(last)
        missing = ~sa.exists().where(_SEQUENCE.c.name == new)
        yield sa.update(_SEQUENCE).where(_SEQUENCE.c.name == new).values(seq=last)
        yield sa.insert(_SEQUENCE).from_select(["name", "seq"], sa.select(*row).where(missing))


# Its values

_SPELLED: tuple[Family, ...] = ("text", "enum", "date", "time", "datetime", "uuid", "json")
_CAST: dict[Family, Type] = {
    "integer": sa.Integer(),
    "boolean": sa.Integer(),
    "real": sa.REAL(),
    "decimal": sa.Numeric(),
}


def conversion(column: Column, old: TypeSpec, new: TypeSpec) -> Conversion | None:
    """Return how values of one type become those of another; the new type's check is not in it.

    Examples
    --------
    >>> from djupyter.definition.types import parse_type
    >>> number, text = parse_type("int32"), parse_type("varchar(9)")
    >>> print(conversion(sa.column("a"), text, number).is_exact)
    CAST(CAST(a AS INTEGER) AS TEXT) = a
    >>> conversion(sa.column("a"), parse_type("<blob>"), text) is None
    True
    """
    if "codec" in (old.kind, new.kind):
        return None  # only the codec knows what its bytes mean
    before, after = storage_of(old), storage_of(new)
    if before.family in NUMBERS and after.family in NUMBERS:
        return _between_numbers(column, before, after, is_single=_is_single(new, old))
    if before.family in COUNTABLE and after.family in TEXTS:
        value = _spelled(column, before)
        return Conversion(value, sa.cast(value, _CAST[before.family]) == column)
    if before.family in TEXTS and after.family in COUNTABLE:
        return _number_of_text(column, after)
    return _between_texts(column, before, after, is_padded=new.name in ("char", "character"))


def _between_numbers(
    column: Column, before: Storage, after: Storage, *, is_single: bool
) -> Conversion:
    value = column if before.family == after.family else sa.cast(column, _CAST[after.family])
    return Conversion(value, _fits_single(value) if is_single else value == column)


def _is_single(new: TypeSpec, old: TypeSpec) -> bool:
    return new.name in ("float32", "float") and old.name not in ("float32", "float")


def _fits_single(value: Column) -> sa.ColumnElement[bool]:
    """Whether a double survives single precision: Veltkamp's way to keep its leading 24 bits."""
    spread = value * sa.literal_column("536870913.0")  # 2 ** 29 + 1
    return sa.or_(
        spread - (spread - value) == value, sa.func.abs(value) == sa.literal_column("9e999")
    )


def _spelled(column: Column, storage: Storage) -> Column:
    if storage.family == "decimal":
        # printf takes NULL for 0.
        return sa.case((column.is_not(None), sa.func.printf(f"%.{storage.scale}f", column)))
    return sa.cast(column, _TEXT)


def _number_of_text(column: Column, after: Storage) -> Conversion:
    """Only a text that the number would be written as: `007` is no number, nor is `7 mm`."""
    value = sa.cast(column, _CAST[after.family])
    exact = [_spelled(value, after) == column]
    if after.family != "integer":
        whole = sa.cast(column, _CAST["integer"])
        exact += [
            sa.cast(value, _TEXT) == column,
            sa.and_(sa.cast(whole, _TEXT) == column, value == whole),
        ]
    return Conversion(value, sa.or_(*exact) if len(exact) > 1 else exact[0])


def _between_texts(
    column: Column, before: Storage, after: Storage, *, is_padded: bool
) -> Conversion | None:
    families = before.family, after.family
    if families == ("date", "datetime"):
        return Conversion(column.concat(" 00:00:00"), sa.true())
    if families == ("datetime", "date"):
        return Conversion(sa.func.substr(column, 1, 10), sa.func.substr(column, 11) == " 00:00:00")
    if before.family == after.family or _is_respelled(*families):
        # Blanks at the end have no meaning in `char`.
        return Conversion(column, sa.func.rtrim(column, " ") == column if is_padded else sa.true())
    return None


def _is_respelled(before: Family, after: Family) -> bool:
    """Whether one is text, of which the other is a spelling that its check knows."""
    return {before, after} <= set(_SPELLED) and bool({before, after} & set(TEXTS))
