"""Pieces of SQL that SQLAlchemy does not write the way we need them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from djupyter.query.select import Element

# Databases that read many keys from one JSON parameter, and how. On SQLite this is also the only
# form that uses an index: for `(a, b) IN (VALUES ...)` it reads the whole table.
_KEYS_IN_JSON = {
    "sqlite": ("json_extract(value, '$[{}]')", "SELECT {} FROM json_each({})"),
}


class _Element(sa.ColumnElement[bool]):
    """A condition made of other elements."""

    inherit_cache = False
    type = sa.types.Boolean()

    parts: Sequence[Element]

    @property
    def _from_objects(self) -> list[Any]:
        return [source for part in self.parts for source in part._from_objects]

    def self_group(self, against: object = None) -> Any:
        """Return itself: its text has parentheses where it needs them."""
        return self


class Junction(_Element):
    """Conditions joined by AND or OR as a balanced tree: parsers limit the depth of a plain chain."""

    def __init__(self, word: str, parts: Sequence[Element]) -> None:
        self.word, self.parts = word, parts


class InRows(_Element):
    """`(a, b) IN (...)` with one parameter for each value."""

    def __init__(self, left: Sequence[Element], binds: Sequence[Element]) -> None:
        self.left, self.binds, self.parts = left, binds, left


class InJson(_Element):
    """`(a, b) IN (...)` with all values in one parameter."""

    def __init__(self, left: Sequence[Element], bind: Element) -> None:
        self.left, self.bind, self.parts = left, bind, left


class Ordered(sa.ColumnElement[Any]):
    """A key to order by; NULL comes before everything else, as MySQL and SQLite have it."""

    inherit_cache = False

    def __init__(self, column: Element, *, descending: bool) -> None:
        self.column, self.descending = column, descending

    @property
    def _from_objects(self) -> list[Any]:
        return list(self.column._from_objects)


def reads_json(dialect: str) -> bool:
    """Whether `InJson` can be written for a database."""
    return dialect in _KEYS_IN_JSON


@compiles(Junction)
def _junction(element: Junction, compiler: SQLCompiler, **options: Any) -> str:
    return _balanced(
        [f"({compiler.process(part, **options)})" for part in element.parts], f" {element.word} "
    )


def _balanced(texts: Sequence[str], word: str) -> str:
    if len(texts) <= 2:
        return f"({word.join(texts)})"
    half = len(texts) // 2
    return f"({_balanced(texts[:half], word)}{word}{_balanced(texts[half:], word)})"


@compiles(InRows)
def _in_rows(element: InRows, compiler: SQLCompiler, **options: Any) -> str:
    left = [compiler.process(column, **options) for column in element.left]
    binds = [compiler.process(bind, **options) for bind in element.binds]
    width = len(left)
    if width == 1:
        return f"({left[0]} IN ({', '.join(binds)}))"
    # SQLite takes a list of rows only as VALUES; SQLAlchemy's dialects say so.
    values = "VALUES " if compiler.dialect.tuple_in_values else ""
    rows = (f"({', '.join(binds[i : i + width])})" for i in range(0, len(binds), width))
    return f"(({', '.join(left)}) IN ({values}{', '.join(rows)}))"


@compiles(InJson)
def _in_json(element: InJson, compiler: SQLCompiler, **options: Any) -> str:
    value, select = _KEYS_IN_JSON[compiler.dialect.name]
    left = [compiler.process(column, **options) for column in element.left]
    values = ", ".join(value.format(place) for place in range(len(left)))
    rows = select.format(values, compiler.process(element.bind, **options))
    return f"({left[0] if len(left) == 1 else '(' + ', '.join(left) + ')'} IN ({rows}))"


@compiles(Ordered)
def _ordered(element: Ordered, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.column, **options) + (" DESC" if element.descending else "")


@compiles(Ordered, "postgresql")
def _ordered_nulls(element: Ordered, compiler: SQLCompiler, **options: Any) -> str:
    nulls = "LAST" if element.descending else "FIRST"
    return f"{_ordered(element, compiler, **options)} NULLS {nulls}"
