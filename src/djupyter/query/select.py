"""A SELECT under construction.

Names are already resolved: `columns` maps each attribute to the SQLAlchemy element that computes it. An
operator adds to the selection where SQL allows it, and otherwise nests it as a subquery first:

| operator above     | nests a selection that has           |
|--------------------|--------------------------------------|
| restriction        | a limit, groups, or DISTINCT         |
| projection         | DISTINCT, or one group of all rows   |
| join, aggregation  | an order, a limit, groups, DISTINCT  |
| top                | an order, a limit or DISTINCT        |
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import quoted_name

Element = sa.ColumnElement[Any]

_FENCED = 4  # every fourth subquery: each at least doubles what a planner has that merges them


class Lowering:
    """Hands out bind parameters and aliases while one expression is lowered.

    Parameters are numbered in the order in which they are asked for, which must be the order of `Node.values`.
    """

    def __init__(self, backend: Any) -> None:
        self.backend = backend
        self.binds = 0
        self._aliases = self._repetitions = 0

    def bind(self) -> Element:
        """Return the parameter for the next value."""
        return self._parameter(f"v{self.binds}", 1)

    def bind_rows(self, rows: int, width: int) -> Element:
        """Return one parameter for the next `rows * width` values, which travel together as JSON."""
        return self._parameter(f"v{self.binds}x{rows}x{width}", rows * width)

    def alias(self) -> str:
        """Return a name that no other table in the statement has, nor any table of a pipeline."""
        self._aliases += 1
        return f"_{self._aliases}"

    def is_fenced(self) -> bool:
        """Whether the planner must not merge the next subquery that is there to avoid a repetition.

        Only some: a fence also keeps conditions from reaching the indexes behind it.
        """
        self._repetitions += 1
        return bool(self.backend.merges_subqueries) and self._repetitions % _FENCED == 0

    def _parameter(self, name: str, values: int) -> Element:
        self.binds += values
        parameter: Element = sa.bindparam(name, type_=sa.types.NullType())
        return parameter


@dataclass(frozen=True, slots=True)
class Selection:
    """What has been said of a SELECT so far; never changed, only replaced."""

    columns: Mapping[str, Element]
    source: sa.FromClause
    where: tuple[Element, ...] = ()
    group: tuple[Element, ...] | None = None
    order: tuple[Element, ...] = ()
    limit: Element | None = None
    offset: Element | None = None
    distinct: bool = False
    prefix: str = ""  # what follows the word SELECT

    @property
    def is_limited(self) -> bool:
        """Whether only some of the rows are taken, or in a certain order."""
        return self.limit is not None or self.offset is not None or bool(self.order)

    @property
    def is_flat(self) -> bool:
        """Whether it is only a source with conditions, so that it can be merged into another."""
        return not (self.is_limited or self.distinct or self.group is not None)

    @property
    def is_plain(self) -> bool:
        """Whether every attribute is a bare column of a table or subquery."""
        return all(isinstance(column, sa.ColumnClause) for column in self.columns.values())

    @property
    def depends_on_columns(self) -> bool:
        """Whether other attributes would give other rows: DISTINCT ones, or one for all."""
        return self.distinct or self.group == ()

    def leads(self, order: Iterable[Element]) -> bool:
        """Whether the first table of a join has the order, and all conditions, so that it is best read first."""
        source = self.source
        if not isinstance(source, sa.Join):
            return False
        while isinstance(source, sa.Join):
            source = source.left
        elements = (*order, *self.where)
        return all({*element._from_objects} <= {source} for element in elements)

    def with_columns(self, columns: Mapping[str, Element]) -> Selection:
        """Return the same rows with other attributes."""
        return replace(self, columns=columns)

    def statement(self, columns: Iterable[Element] | None = None) -> sa.Select[Any]:
        """Return the SELECT of all attributes, or of the given elements instead."""
        chosen = (
            [named(column, name) for name, column in self.columns.items()]
            if columns is None
            else list(columns)
        )
        # A relation without attributes (the projection of a singleton table) still has rows.
        select = sa.select(*(chosen or [sa.literal_column("1").label("_")])).select_from(
            self.source
        )
        if self.prefix:
            select = select.prefix_with(sa.literal_column(self.prefix))
        if self.where:
            select = select.where(*self.where)
        if self.group:
            select = select.group_by(*self.group)
        if self.order:
            select = select.order_by(*self.order)
        if self.limit is not None or self.offset is not None:
            select = cut(select, self.limit, self.offset)
        return select.distinct() if self.distinct else select

    def nested(self, lowering: Lowering) -> Selection:
        """Return the same relation as a subquery with bare columns."""
        subquery = self.statement().subquery(lowering.alias())
        return Selection({name: subquery.c[name] for name in self.columns}, subquery)

    def unrepeated(self, lowering: Lowering) -> Selection:
        """Return the same relation as a subquery, so that nothing in it is written out twice."""
        selection = replace(self, offset=_NO_OFFSET) if lowering.is_fenced() else self
        return selection.nested(lowering)

    def flat(self, lowering: Lowering) -> Selection:
        """Return the same relation in a form that can be merged, nested only if it must be."""
        return self if self.is_flat else self.nested(lowering)


def named(column: Element, name: str) -> Element:
    """Return an element under a name that is always quoted: each database has reserved words of its own."""
    return column.label(quoted_name(name, True))


def same(
    left: Selection, right: Selection, names: Iterable[str], nulls: Container[str] = ()
) -> list[Element]:
    """Return the conditions that two relations agree on attributes; NULL agrees with NULL on those in `nulls`."""
    pairs = ((name, left.columns[name], right.columns[name]) for name in names)
    return [a.is_not_distinct_from(b) if name in nulls else a == b for name, a, b in pairs]


# SQLAlchemy would bind a limit or an offset of its own where only the other one is given.
_NO_LIMIT: Element = sa.literal_column(str(2**63 - 1))
_NO_OFFSET: Element = sa.literal_column("0")


def cut(
    select: sa.Select[Any], limit: Element | None, offset: Element | None = None
) -> sa.Select[Any]:
    """Limit a SELECT by elements."""
    return select.limit(_NO_LIMIT if limit is None else limit).offset(
        _NO_OFFSET if offset is None else offset
    )
