"""What stands right of `&` and `-`: a tree of conditions, made from what users write.

| written as                  | means                                                  |
|-----------------------------|--------------------------------------------------------|
| text                        | a condition in the portable language                   |
| mapping, record             | equality on every key that is an attribute, AND-ed     |
| list, tuple, set, frame ... | any of the items (OR)                                  |
| `AndList`                   | all of the items                                       |
| `Not(c)`                    | negation                                               |
| query, table                | rows with a match on the common attributes             |
| True, False                 | every row, no row                                      |
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from djupyter.query.node import Node
from djupyter.query.select import Element, Lowering, Selection
from djupyter.query.text import Computation
from djupyter.sql.fragment import JsonPath, json_element


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
    >>> Not(Not("a > 1")).restriction.restriction
    'a > 1'
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
    def lower(self, selection: Selection, lowering: Lowering) -> Element:
        """Return the SQLAlchemy element; parameters are asked for in the order of `values`."""


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
        return self.truth

    @property
    def values(self) -> tuple[object, ...]:  # type: ignore[override]
        return ()

    def lower(self, selection: Selection, lowering: Lowering) -> Element:
        return sa.true() if self.truth else sa.false()


class Equals(Condition):
    """An attribute, or a place in a JSON attribute, has a value; None asks for NULL."""

    __slots__ = ("name", "path", "shape", "values")

    def __init__(self, name: str, value: object, path: JsonPath | None = None) -> None:
        self.name, self.path = name, path
        self.shape = ("=", path or name, value is None)
        self.values = () if value is None else (value,)

    def lower(self, selection: Selection, lowering: Lowering) -> Element:
        column = selection.columns[self.name]
        if self.path is not None:
            column = json_element(self.path, column, lowering.backend.language)
        return column == lowering.bind() if self.values else column.is_(None)


class Text(Condition):
    """A condition in the portable language."""

    __slots__ = ("computation", "shape", "values")

    def __init__(self, computation: Computation) -> None:
        self.computation = computation
        self.shape = ("text", computation.shape)
        self.values = computation.values

    def lower(self, selection: Selection, lowering: Lowering) -> Element:
        return self.computation.lower(selection.columns, lowering)


class OneOf(Condition):
    """The named attributes, taken together, are one of many keys: what a list of alike mappings asks for."""

    __slots__ = ("names", "shape", "values")

    def __init__(self, names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        self.names = tuple(names)
        self.values = tuple(value for row in rows for value in row)
        self.shape = ("in", self.names, len(rows))

    def lower(self, selection: Selection, lowering: Lowering) -> Element:
        columns = [selection.columns[name] for name in self.names]
        return _InRows(columns, [lowering.bind() for _ in self.values])


class Matches(Condition):
    """A related row exists.

    EXISTS rather than IN: one NULL on the right makes NOT IN empty (SQL:2016, 8.4).
    """

    __slots__ = ("names", "node", "shape", "values")

    def __init__(self, node: Node, names: Sequence[str]) -> None:
        self.node, self.names = node, tuple(names)
        self.shape = ("exists", node.shape, self.names)
        self.values = node.values

    def lower(self, selection: Selection, lowering: Lowering) -> Element:
        inner = self.node.lower(lowering).flat(lowering)
        matched = [inner.columns[name] == selection.columns[name] for name in self.names]
        select = inner.statement([sa.literal_column("1")]).where(*matched)
        return sa.exists(select.correlate_except(inner.source))


class AllOf(Condition):
    """Every one of the conditions holds."""

    __slots__ = ("conditions", "shape", "values")

    def __init__(self, conditions: Iterable[Condition]) -> None:
        self.conditions = tuple(conditions)
        self.shape = ("and", *(condition.shape for condition in self.conditions))
        self.values = tuple(v for condition in self.conditions for v in condition.values)

    def lower(self, selection: Selection, lowering: Lowering) -> Element:
        return sa.and_(sa.true(), *[c.lower(selection, lowering) for c in self.conditions])


class AnyOf(Condition):
    """At least one of the conditions holds."""

    __slots__ = ("conditions", "shape", "values")

    def __init__(self, conditions: Iterable[Condition]) -> None:
        self.conditions = tuple(conditions)
        self.shape = ("or", *(condition.shape for condition in self.conditions))
        self.values = tuple(v for condition in self.conditions for v in condition.values)

    def lower(self, selection: Selection, lowering: Lowering) -> Element:
        return sa.or_(sa.false(), *[c.lower(selection, lowering) for c in self.conditions])


class Negation(Condition):
    """The condition does not hold; unknown (NULL) stays unknown, as in SQL."""

    __slots__ = ("condition", "shape", "values")

    def __init__(self, condition: Condition) -> None:
        self.condition = condition
        self.shape = ("not", condition.shape)
        self.values = condition.values

    def lower(self, selection: Selection, lowering: Lowering) -> Element:
        return sa.not_(self.condition.lower(selection, lowering))


class _InRows(sa.ColumnElement[bool]):
    """`(a, b) IN ((?, ?), ...)`, which SQLAlchemy renders for literal values only."""

    inherit_cache = False
    type = sa.types.Boolean()

    def __init__(self, columns: Sequence[Element], binds: Sequence[Element]) -> None:
        self.columns, self.binds = columns, binds

    @property
    def _from_objects(self) -> list[Any]:
        return [source for column in self.columns for source in column._from_objects]


@compiles(_InRows)
def _compile_in_rows(rows: _InRows, compiler: Any, **options: Any) -> str:
    left = [compiler.process(column, **options) for column in rows.columns]
    binds = [compiler.process(bind, **options) for bind in rows.binds]
    width = len(left)
    if width == 1:
        return f"{left[0]} IN ({', '.join(binds)})"
    # SQLite takes a list of rows only as VALUES; SQLAlchemy's dialects say so.
    values = "VALUES " if compiler.dialect.tuple_in_values else ""
    tuples = (f"({', '.join(binds[i : i + width])})" for i in range(0, len(binds), width))
    return f"({', '.join(left)}) IN ({values}{', '.join(tuples)})"
