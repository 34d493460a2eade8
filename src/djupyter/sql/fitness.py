"""Whether the rows of a table allow an alteration; every refusal says what stands in the way.

Asked within the transaction that alters, so that no row comes in between.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from djupyter.errors import (
    DataJointError,
    DuplicateError,
    IntegrityError,
    InvalidValueError,
)
from djupyter.heading.alteration import LEFT_OVER, Alteration
from djupyter.heading.attribute import Attribute
from djupyter.heading.structure import ForeignKey, TableStructure
from djupyter.sql.connection import Connection

_BEFORE, _EXACT = "~before", "~exact"

_shortened = reprlib.Repr()
_shortened.maxstring = _shortened.maxother = 60


def check_rows(connection: Connection, alterations: Sequence[Alteration]) -> None:
    """Refuse an alteration that the rows, or tables that refer to it, do not allow.

    Parameters
    ----------
    connection
        Where the tables are.
    alterations
        What is to change: the table first, then those that follow it, whose values are the table's.

    Raises
    ------
    DataJointError
        Something would be lost, or a row has nothing to put in its place.
    InvalidValueError
        A value does not fit the new type.
    DuplicateError
        A new key or unique index would hold a value twice.
    IntegrityError
        A row refers to no row of a new parent.
    """
    alteration = alterations[0]
    table = _Rows(connection, alteration.existing)
    children = {child.class_name for child, _ in connection.catalog.children(table.structure.name)}
    _check_keys(alteration, table, sorted(children))
    if not table.count():
        return
    _check_presence(alteration, table)
    for old, new in alteration.retyped:
        _check_fits(old, new, table)
    for old, new in alteration.required:
        _check_has_no_nulls(old, new, table)
    if alteration.changes_key:
        _check_is_unique(alteration.wanted.full_key, "primary key", alteration, table)
    for index in alteration.newly_unique:
        _check_is_unique(index.attributes, "unique index", alteration, table)
    for key in alteration.new_keys:
        _check_has_parents(key, alteration, table)


def losses(connection: Connection, alteration: Alteration) -> list[str]:
    """Return what values would be lost, a sentence for each attribute that goes with some."""
    table = _Rows(connection, alteration.existing)
    lost = ((attribute, *_values_in(attribute, table)) for attribute in alteration.removed)
    return [
        f"`{attribute.name}` would go, but {_have(count)} a value in it, for example "
        f"{table.shown(attribute, example)}"
        for attribute, count, example in lost
        if count and not attribute.name.startswith(LEFT_OVER)
    ]


def refuse_losses(connection: Connection, alteration: Alteration) -> None:
    """Refuse to lose values that nobody has said may go.

    Raises
    ------
    DataJointError
        An attribute would go that holds values.
    """
    lost = losses(connection, alteration)
    if lost:
        name = alteration.existing.name.class_name
        gone = alteration.removed[0].name
        raise DataJointError(
            f"{name} was not altered: {'; '.join(lost)}. If another attribute is its new name, begin that "
            f"one's comment with `{{{gone}}}`. To lose the values, keep a copy where you need one "
            f"(`{name}.proj('{gone}').to_pandas()`), then call `{name}.alter()` and answer yes, or reset "
            "them with update1 to None and alter again."
        )


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

    def count(
        self, *conditions: sa.ColumnElement[bool], source: sa.FromClause | None = None
    ) -> int:
        """Return how many rows fulfil the conditions."""
        rows = self.source if source is None else source
        select = sa.select(sa.func.count()).select_from(rows).where(*conditions)
        return int(self.fetch(select)[0])

    def example(
        self,
        column: sa.ColumnElement[Any],
        *conditions: sa.ColumnElement[bool],
        source: sa.FromClause | None = None,
    ) -> Any:
        """Return the least value of the rows that fulfil the conditions."""
        rows = self.source if source is None else source
        select = sa.select(column).select_from(rows).where(*conditions)
        return self.fetch(select.order_by(column).limit(1))[0]

    def unaccepted(
        self, column: sa.ColumnElement[Any], accepts: Callable[[Any], bool]
    ) -> tuple[int, Any]:
        """Return how many values cannot be converted, and one of them."""
        statement = self.backend.bound(sa.select(column).where(column.is_not(None)))
        count, example = 0, None
        for batch in self._connection.stream(*statement):
            others = [value for (value,) in batch if not accepts(value)]
            count += len(others)
            example = others[0] if others and example is None else example
        return count, example

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
    """Refuse to take from other tables what they refer to."""
    steps = [step for step in alteration.steps if step.startswith("change the primary key")]
    if not table.backend.retypes_keys:
        steps += [
            f"change `{old.name}` of the primary key from {old.type_text} to {new.type_text}"
            for old, new in alteration.retyped
            if old.in_key
        ]
    if not (steps and children):
        return
    name, others = table.name, ", ".join(children)
    raise table.refusal(
        f"to {', '.join(steps)} is possible only while no table depends on it, but {others} "
        f"depend{'' if len(children) > 1 else 's'} on it.",
        f"To do it all the same: (1) keep the rows (`rows = {name}.to_dicts()`), and those of {others}; "
        f"(2) drop {name}, which drops {others} too, and declare it anew, in a cell with `--replace`; "
        f"(3) declare {others} again and insert the rows, with what the new definition asks for.",
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


def _values_in(attribute: Attribute, table: _Rows) -> tuple[int, Any]:
    """Return in how many rows an attribute has another value than its default, and one of them."""
    column = table.source.c[attribute.name]
    conditions: list[sa.ColumnElement[bool]] = [column.is_not(None)]
    if attribute.default is not None and attribute.default.kind == "literal":
        default = table.backend.default(attribute)
        conditions.append(column.is_distinct_from(default))
    count = table.count(*conditions)
    return count, table.example(column, *conditions) if count else None


def _check_fits(old: Attribute, new: Attribute, table: _Rows) -> None:
    assert old.type is not None, "a table's attribute always has a type"
    assert new.type is not None, "a table's attribute always has a type"
    column: sa.ColumnElement[Any] = table.source.c[old.name]
    found = table.backend.conversion(column, old.type, new.type)
    source: sa.FromClause = table.source
    conditions: list[sa.ColumnElement[bool]] = [column.is_not(None)]
    if found is not None:
        converted = sa.select(
            column.label(_BEFORE), found.value.label(new.name), found.is_exact.label(_EXACT)
        )
        source = converted.where(column.is_not(None)).subquery()
        column = source.c[_BEFORE]
        check = table.backend.checks(new)
        wanted = [source.c[_EXACT], *([] if check is None else [check])]
        fails = (sa.case((condition, 0), else_=1) == 1 for condition in wanted)
        conditions = [sa.or_(*fails)]
    count = table.count(*conditions, source=source)
    example = table.example(column, *conditions, source=source) if count else None
    if found is not None and found.accepts is not None:
        count, example = table.unaccepted(table.source.c[old.name], found.accepts)
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


def _check_is_unique(names: Sequence[str], what: str, alteration: Alteration, table: _Rows) -> None:
    """Check that rows differ in what was there; new attributes hold the same in each, or an expression."""
    entries = [name for name in names if name not in alteration.wanted.by_name]
    origins = [alteration.origin[name] for name in names if name in alteration.origin]
    added = [a for a in alteration.added if a.name in names]
    if entries or any(a.nullable or a.autoincrement for a in added):
        return
    columns = [table.source.c[origin] for origin in origins]
    groups = sa.select(*columns, sa.func.count().label("~rows")).group_by(*columns)
    groups = groups.where(*(c.is_not(None) for c in columns)).having(sa.func.count() > 1)
    count = table.count(source=groups.subquery())
    if count:
        example = table.fetch(groups.order_by(*columns).limit(1))
        attributes = [table.structure.by_name[column.name] for column in columns]
        shown = ", ".join(table.shown(a, v) for a, v in zip(attributes, example, strict=False))
        raise table.refusal(
            f"the {what} ({', '.join(names)}) cannot be {'that' if 'key' in what else 'added'}, because "
            f"{count:,} value{'s are' if count > 1 else ' is'} there more than once"
            f"{', for example ' + shown if shown else ''}.",
            "Change or delete the rows that are doubled, or leave out "
            f"{'what makes them equal' if 'key' in what else '`unique`'}.",
            DuplicateError,
        )


def _check_has_parents(key: ForeignKey, alteration: Alteration, table: _Rows) -> None:
    """Check that each row's parent is there; new attributes are NULL and refer to nothing."""
    if any(here not in alteration.origin for here, _ in key.attributes):
        return
    parent = table.backend.table(key.parent, [there for _, there in key.attributes]).alias(
        "~parent"
    )
    columns = [table.source.c[alteration.origin[here]] for here in key.names]
    pairs = zip(columns, key.attributes, strict=True)
    there = sa.exists().where(*(parent.c[name] == column for column, (_, name) in pairs))
    conditions = [*(column.is_not(None) for column in columns), ~there]
    count = table.count(*conditions)
    if count:
        example = [table.example(column, *conditions) for column in columns[:1]]
        attribute = alteration.existing.by_name[columns[0].name]
        raise table.refusal(
            f"the foreign key to {key.parent.class_name} cannot be added, because {_have(count)} no row "
            f"there, for example with `{attribute.name}` = {table.shown(attribute, example[0])}.",
            f"Insert those into {key.parent.class_name}, or delete the rows that refer to nothing.",
            IntegrityError,
        )


def _have(count: int) -> str:
    return f"{_rows(count)} {'has' if count == 1 else 'have'}"


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"
