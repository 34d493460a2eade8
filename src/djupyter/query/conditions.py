"""What stands right of `&` and `-`, as a tree that is checked and ready to become SQL.

`reading` makes it from what users write.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from djupyter.query.elements import InJson, InRows, Junction, Packing, reads_json
from djupyter.query.node import Node
from djupyter.query.select import Element, Lowering, Selection, same
from djupyter.query.text import Computation
from djupyter.sql.fragment import JsonPath, json_document, json_element

# SQLAlchemy writes AND and OR as chains; SQLite takes them up to a depth of 1000.
_LONG_CHAIN = 100


class AndList(list[Any]):
    """Conditions that must all hold; an ordinary list asks for any of them.

    Examples
    --------
    >>> AndList(["a > 1", {"b": 2}])
    AndList(['a > 1', {'b': 2}])
    """

    def __repr__(self) -> str:
        return f"AndList({list.__repr__(self)})"


class Not:
    """The negation of a condition.

    Parameters
    ----------
    restriction
        Anything that can stand right of `&`.

    Examples
    --------
    >>> Not("a > 1")
    Not('a > 1')
    """

    def __init__(self, restriction: object) -> None:
        self.restriction = restriction

    def __repr__(self) -> str:
        return f"Not({self.restriction!r})"


class Condition(ABC):
    """A checked condition over the attributes of one heading."""

    __slots__ = ()

    shape: Hashable
    values: tuple[object, ...]

    @abstractmethod
    def lower(self, selection: Selection, lowering: Lowering, *, listed: bool = False) -> Element:
        """Return the SQLAlchemy element; parameters are asked for in the order of `values`.

        Parameters
        ----------
        selection
            Whose rows are judged.
        lowering
            Hands out parameters.
        listed
            Whether the rows of a relation may be listed once rather than looked up for each row; only
            where unknown is as good as false, so never below a negation.
        """


@dataclass(frozen=True, slots=True)
class Constant(Condition):
    """Every row or none.

    Parameters
    ----------
    truth
        Which of the two.
    ignored
        Names that were given but are not attributes: a mapping of only such names restricts nothing,
        which `delete` refuses to take for an answer.
    """

    truth: bool
    ignored: tuple[str, ...] = ()

    @property
    def shape(self) -> Hashable:  # type: ignore[override]
        """The truth."""
        return self.truth

    @property
    def values(self) -> tuple[object, ...]:  # type: ignore[override]
        """Nothing."""
        return ()

    def lower(self, selection: Selection, lowering: Lowering, *, listed: bool = False) -> Element:
        """Return TRUE or FALSE."""
        return sa.true() if self.truth else sa.false()


class Equals(Condition):
    """An attribute, or a place in a JSON attribute, has a value; None asks for NULL."""

    __slots__ = ("name", "path", "shape", "values")

    def __init__(self, name: str, value: object, path: JsonPath | None = None) -> None:
        self.name, self.path = name, path
        self.shape = ("=", path or name, value is None)
        self.values = () if value is None else (value,)

    def lower(self, selection: Selection, lowering: Lowering, *, listed: bool = False) -> Element:
        """Compare for equality."""
        if self.path is not None:
            return self._place(self.path, selection, lowering, listed=listed)
        column = selection.columns[self.name]
        return column == lowering.bind() if self.values else column.is_(None)

    def _place(
        self, path: JsonPath, selection: Selection, lowering: Lowering, *, listed: bool
    ) -> Element:
        def place(type: str) -> Element:
            column = selection.columns[self.name]
            return json_element(replace(path, type=type), column, lowering.backend.language)

        if not self.values:
            return place(path.type).is_(None)
        bind = lowering.bind()
        if path.type == "document":
            return place("document") == json_document(bind, lowering.backend.language)
        equal: Element = place(path.type) == bind
        # An index finds what is written alike, which a number may be; where unknown is as good as false.
        return (
            sa.and_(place("indexed") == bind, equal) if path.type == "string" and listed else equal
        )


class Text(Condition):
    """A condition in the portable language."""

    __slots__ = ("computation", "shape", "values")

    def __init__(self, computation: Computation) -> None:
        self.computation = computation
        self.shape = ("text", computation.shape)
        self.values = computation.values

    def lower(self, selection: Selection, lowering: Lowering, *, listed: bool = False) -> Element:
        """Return the condition with attributes and values in place."""
        return self.computation.lower(selection.columns, lowering)


class OneOf(Condition):
    """The named attributes, taken together, are one of many keys: what a list of alike mappings asks for."""

    __slots__ = ("names", "packing", "shape", "values")

    def __init__(self, names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        self.names = tuple(names)
        self.values = tuple(value for row in rows for value in row)
        self.packing = _packing(self.values)
        self.shape = ("in", self.names, len(rows), self.packing)

    def lower(self, selection: Selection, lowering: Lowering, *, listed: bool = False) -> Element:
        """Look the attributes up among the keys."""
        columns = [selection.columns[name] for name in self.names]
        if reads_json(lowering.backend.dialect.name, self.packing, columns):
            width = len(self.names)
            return InJson(columns, lowering.bind_rows(len(self.values) // width, width))
        return InRows(columns, [lowering.bind() for _ in self.values])


def _packing(values: Sequence[object]) -> Packing:
    """Return how values could travel as JSON: not every database reads fractions as exactly."""
    packing: Packing = "exact"
    for value in values:
        if isinstance(value, bytes) or (type(value) is str and "\0" in value):
            return "none"  # NUL would end the text
        if isinstance(value, float | Decimal):
            if not math.isfinite(value):
                return "none"
            packing = "fractions"
    return packing


class Matches(Condition):
    """A related row exists.

    Parameters
    ----------
    node
        The related rows.
    names
        The attributes that are matched.
    nulls
        Those on which NULL matches NULL.
    there
        What the attributes are called in the related rows; the same where left out.

    Notes
    -----
    EXISTS, because one NULL on the right makes NOT IN empty (SQL:2016, 8.4). IN where that cannot matter and
    the related rows are few by a condition of their own: SQLite then finds them once, not for each row (17 ms
    rather than 510 ms for a million sessions of 2,500 subjects), while an unrestricted relation is found through its
    index anyway (9 ms rather than 85 ms for subjects with any of a million sessions).
    """

    __slots__ = ("names", "node", "nulls", "shape", "there", "values")

    def __init__(
        self,
        node: Node,
        names: Sequence[str],
        nulls: Sequence[str] = (),
        there: Sequence[str] | None = None,
    ) -> None:
        self.node, self.names, self.nulls = node, tuple(names), tuple(nulls)
        self.there = self.names if there is None else tuple(there)
        self.shape = ("exists", node.shape, self.names, self.nulls, self.there)
        self.values = node.values

    def lower(self, selection: Selection, lowering: Lowering, *, listed: bool = False) -> Element:
        """Return EXISTS or IN."""
        inner = self.node.lower(lowering).flat(lowering)
        found = [inner.columns[name] for name in self.there]
        if listed and inner.where and self.names and not self.nulls:
            outer = [selection.columns[name] for name in self.names]
            rows = inner.statement(found).correlate(None)
            return (outer[0] if len(outer) == 1 else sa.tuple_(*outer)).in_(rows)
        named = inner.with_columns(dict(zip(self.names, found, strict=True)))
        matched = same(named, selection, self.names, self.nulls)
        select = inner.statement([sa.literal_column("1")]).where(*matched)
        return sa.exists(select.correlate_except(inner.source))


class AllOf(Condition):
    """Every one of the conditions holds."""

    __slots__ = ("conditions", "shape", "values")

    def __init__(self, conditions: Iterable[Condition]) -> None:
        self.conditions = tuple(conditions)
        self.shape = ("and", *[condition.shape for condition in self.conditions])
        self.values = tuple([v for condition in self.conditions for v in condition.values])

    def lower(self, selection: Selection, lowering: Lowering, *, listed: bool = False) -> Element:
        """Join by AND."""
        parts = [c.lower(selection, lowering, listed=listed) for c in self.conditions]
        return Junction("AND", parts) if len(parts) > _LONG_CHAIN else sa.and_(sa.true(), *parts)


class AnyOf(Condition):
    """At least one of the conditions holds."""

    __slots__ = ("conditions", "shape", "values")

    def __init__(self, conditions: Iterable[Condition]) -> None:
        self.conditions = tuple(conditions)
        self.shape = ("or", *[condition.shape for condition in self.conditions])
        self.values = tuple([v for condition in self.conditions for v in condition.values])

    def lower(self, selection: Selection, lowering: Lowering, *, listed: bool = False) -> Element:
        """Join by OR."""
        parts = [c.lower(selection, lowering, listed=listed) for c in self.conditions]
        return Junction("OR", parts) if len(parts) > _LONG_CHAIN else sa.or_(sa.false(), *parts)


class Negation(Condition):
    """The condition does not hold; unknown (NULL) stays unknown, as in SQL."""

    __slots__ = ("condition", "shape", "values")

    def __init__(self, condition: Condition) -> None:
        self.condition = condition
        self.shape = ("not", condition.shape)
        self.values = condition.values

    def lower(self, selection: Selection, lowering: Lowering, *, listed: bool = False) -> Element:
        """Negate."""
        return sa.not_(self.condition.lower(selection, lowering))
