"""Whether the rows of a table allow an alteration; every refusal says what stands in the way.

Asked within the transaction that alters, so that no row comes in between.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from djupyter.errors import DataJointError, DuplicateError, InvalidValueError
from djupyter.heading.alteration import Alteration
from djupyter.heading.attribute import Attribute
from djupyter.heading.structure import Index, TableStructure
from djupyter.sql.connection import Connection

_BEFORE, _EXACT = "~before", "~exact"

_shortened = reprlib.Repr()
_shortened.maxstring = _shortened.maxother = 60


def check_rows(connection: Connection, alteration: Alteration) -> None:
    """Refuse an alteration that the rows, or tables that refer to it, do not allow.

    Raises
    ------
    DataJointError
        Something would be lost, or a row has nothing to put in its place.
    InvalidValueError
        A value does not fit the new type.
    DuplicateError
        A new unique index would hold a value twice.
    """
    table = _Rows(connection, alteration.existing)
    children = [child for child, _ in connection.catalog.children(alteration.existing.name)]
    _check_keys(alteration, table, sorted({child.class_name for child in children}))
    if not table.count():
        return
    _check_presence(alteration, table)
    for attribute in alteration.removed:
        _check_is_void(attribute, table)
    for old, new in alteration.retyped:
        _check_fits(old, new, table)
    for old, new in alteration.required:
        _check_has_no_nulls(old, new, table)
    for index in alteration.new_indexes:
        if index.unique:
            _check_is_unique(index, alteration, table)


class _Rows:
    """The rows of one table, for counting."""

    def __init__(self, connection: Connection, structure: TableStructure) -> None:
        self._connection, self.structure = connection, structure
        self.backend = connection.backend
        self.name = structure.name.class_name
        self.source = self.backend.table(structure.name, structure.by_name)

    def fetch(self, statement: sa.Select[*tuple[Any, ...]]) -> tuple[Any, ...]:
        """Return the only row of a query."""
        return self._connection.fetch(*self.backend.bound(statement))[0]

    def count(self, *conditions: sa.ColumnElement[bool]) -> int:
        """Return how many rows fulfil the conditions."""
        select = sa.select(sa.func.count()).select_from(self.source).where(*conditions)
        return int(self.fetch(select)[0])

    def shown(self, attribute: Attribute, value: Any) -> str:
        """Return a value that the database gave, as a user writes it."""
        if isinstance(value, bytes):
            return f"{len(value)} bytes"
        decode: Callable[[Any], object] | None = self.backend.decoder(attribute.type)
        return _shortened.repr(value if decode is None else decode(value))

    def refusal(
        self, reason: str, advice: str, kind: type[DataJointError] = DataJointError
    ) -> DataJointError:
        """Return the error for what cannot be done."""
        return kind(f"{self.name} was not altered: {reason} {advice}")


def _check_keys(alteration: Alteration, table: _Rows, children: list[str]) -> None:
    touched = [f"change `{name}` of the primary key" for name in alteration.touched_key]
    steps = [*alteration.key_steps, *(touched if children else ())]
    count = table.count() if steps else 0
    if not steps or not (count or children):
        return
    name, others = table.name, ", ".join(children)
    reasons = [f"it has {_rows(count)}"] if count else []
    reasons += [f"{others} depend{'' if len(children) > 1 else 's'} on it"] if children else []
    keeping = f"keep the rows (`rows = {name}.to_dicts()`)"
    raise table.refusal(
        f"to {', '.join(steps)} is possible only while it is empty and no table depends on it, "
        f"but {' and '.join(reasons)}.",
        f"To do it all the same: (1) {keeping if count else 'keep the rows of those tables'}"
        f"{', and those of ' + others if count and children else ''}; (2) drop {name}"
        f"{', which drops ' + others + ' too,' if children else ''} and declare it anew, in a cell "
        f"with `--replace`; (3) {'declare ' + others + ' again and ' if children else ''}"
        f"insert the rows, with what the new definition asks for.",
    )


def _check_presence(alteration: Alteration, table: _Rows) -> None:
    for old, new in alteration.ambiguous:
        raise table.refusal(
            f"`{old}` would go and `{new}`, of the same type, would come.",
            f"If `{new}` is the new name of `{old}`, begin its comment with `{{{old}}}`: the values "
            f"stay. If it is something else, alter twice: first add `{new}`, then remove `{old}`.",
        )
    for attribute in alteration.added:
        if not attribute.nullable and attribute.default is None:
            raise table.refusal(
                f"`{attribute.name}` is new and must be given in every row, but "
                f"{_have(table.count())} nothing for it.",
                f"Give it a default, or declare it `{attribute.name} = null : "
                f"{attribute.type_text}`, fill it in with update1, then alter it to be required.",
            )


def _check_is_void(attribute: Attribute, table: _Rows) -> None:
    column = table.source.c[attribute.name]
    conditions: list[sa.ColumnElement[bool]] = [column.is_not(None)]
    if attribute.default is not None and attribute.default.kind == "literal":
        conditions.append(column.is_distinct_from(table.backend.default(attribute)))
    select = sa.select(sa.func.count(), sa.func.min(column)).where(*conditions)
    count, example = table.fetch(select)
    if count:
        name = attribute.name
        raise table.refusal(
            f"`{name}` would go, but {_have(count)} a value in it, for example "
            f"{table.shown(attribute, example)}.",
            f"If another attribute is its new name, begin that one's comment with `{{{name}}}`. To lose "
            f"the values, keep a copy where you need one (`{table.name}.proj('{name}').to_pandas()`), "
            "reset them with update1 to None, and alter again; or use `--replace`, which drops all rows.",
        )


def _check_fits(old: Attribute, new: Attribute, table: _Rows) -> None:
    assert old.type is not None, "a table's attribute always has a type"
    assert new.type is not None, "a table's attribute always has a type"
    column = table.source.c[old.name]
    found = table.backend.conversion(column, old.type, new.type)
    select = sa.select(sa.func.count(), sa.func.min(column)).where(column.is_not(None))
    if found is not None:
        converted = sa.select(
            column.label(_BEFORE), found.value.label(new.name), found.is_exact.label(_EXACT)
        )
        rows = converted.where(column.is_not(None)).subquery()
        check = table.backend.checks(new)
        conditions = [rows.c[_EXACT], *([] if check is None else [check])]
        fails = sa.or_(*(sa.case((condition, 0), else_=1) == 1 for condition in conditions))
        select = (
            sa.select(sa.func.count(), sa.func.min(rows.c[_BEFORE])).select_from(rows).where(fails)
        )
    count, example = table.fetch(select)
    if not count:
        return
    if found is None:
        raise table.refusal(
            f"`{old.name}` cannot change from {old.type_text} to {new.type_text}, because "
            f"{_have(count)} a value in it and there is no exact conversion.",
            "Add an attribute of the new type under another name, fill it with update1, then remove "
            "this one.",
            InvalidValueError,
        )
    raise table.refusal(
        f"`{old.name}` cannot change from {old.type_text} to {new.type_text}, because {_have(count)} "
        f"a value that does not fit, for example {table.shown(old, example)}.",
        "Change those values with update1, or declare a type that holds them.",
        InvalidValueError,
    )


def _check_has_no_nulls(old: Attribute, new: Attribute, table: _Rows) -> None:
    count = table.count(table.source.c[old.name].is_(None))
    if count:
        raise table.refusal(
            f"`{new.name}` would be required, but {_have(count)} none.",
            f"Find them with `{table.name} & '{old.name} IS NULL'`, fill them in with update1, or leave "
            "it nullable.",
        )


def _check_is_unique(index: Index, alteration: Alteration, table: _Rows) -> None:
    """Check an index over attributes that were there; others hold one value, or an expression."""
    origins = [alteration.origin.get(entry) for entry in index.attributes]
    columns = [table.source.c[origin] for origin in origins if origin is not None]
    if len(columns) < len(index.attributes):
        return
    groups = sa.select(*columns, sa.func.count().label("~rows")).group_by(*columns)
    groups = groups.where(*(c.is_not(None) for c in columns)).having(sa.func.count() > 1)
    found = groups.subquery()
    select = sa.select(sa.func.count(), *(sa.func.min(c) for c in found.c)).select_from(found)
    count, *example = table.fetch(select)
    if count:
        attributes = [table.structure.by_name[column.name] for column in columns]
        # With one attribute the least value; with several each one's least, which only hints at where.
        shown = ", ".join(table.shown(a, v) for a, v in zip(attributes, example, strict=False))
        raise table.refusal(
            f"the unique index ({', '.join(index.attributes)}) cannot be added, because "
            f"{count:,} value{'s are' if count > 1 else ' is'} there more than once, for example {shown}.",
            "Change or delete the rows that are doubled, or leave out `unique`.",
            DuplicateError,
        )


def _have(count: int) -> str:
    return f"{_rows(count)} {'has' if count == 1 else 'have'}"


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"
