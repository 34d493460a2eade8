"""Pieces of SQL that SQLAlchemy does not write the way we need them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from djupyter.query.select import Element

# Databases that read many keys from one JSON parameter, and how. On SQLite this is also the only
# form that uses an index: for `(a, b) IN (VALUES ...)` it reads the whole table.
Packing = Literal["exact", "fractions", "none"]


@dataclass(frozen=True, slots=True)
class _Reader:
    """How a database reads keys from JSON.

    Parameters
    ----------
    value
        One value of a key; `{place}` is its place and `{type}` its type.
    select
        All keys; `{values}` are those of one, `{keys}` is the parameter.
    fractions
        Whether it reads fractions exactly.
    types
        What values become, for a database that must be told; by the type of the attribute, the first
        that fits.
    """

    value: str
    select: str
    fractions: bool = False
    types: tuple[tuple[type[sa.types.TypeEngine[Any]], str], ...] = ()

    def type_of(self, column: Element) -> str | None:
        """Return what values become that are compared with an attribute; None where that is not known."""
        return next((name for kind, name in self.types if isinstance(column.type, kind)), None)


_READERS = {
    "sqlite": _Reader(
        "json_extract(value, '$[{place}]')", "SELECT {values} FROM json_each({keys})"
    ),
    "postgresql": _Reader(
        "CAST(packed.value ->> {place} AS {type})",
        "SELECT {values} FROM jsonb_array_elements(CAST({keys} AS JSONB)) AS packed(value)",
        fractions=True,
        types=(
            (sa.Boolean, "BOOLEAN"),
            (sa.CHAR, "BPCHAR"),
            (sa.Enum, "TEXT"),
            (sa.String, "TEXT"),
            (sa.Integer, "BIGINT"),
            (sa.Float, "DOUBLE PRECISION"),
            (sa.Numeric, "NUMERIC"),
            (sa.Date, "DATE"),
            (sa.DateTime, "TIMESTAMP"),
            (sa.Uuid, "UUID"),
        ),
    ),
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

    def __init__(self, column: Element, *, descending: bool, nullable: bool) -> None:
        self.column, self.descending, self.nullable = column, descending, nullable

    @property
    def _from_objects(self) -> list[Any]:
        return list(self.column._from_objects)


class Beyond(_Element):
    """`column > bind` or `column < bind`, by the order in which `Ordered` puts values."""

    def __init__(self, column: Element, operator: Literal["<", ">"], bind: Element) -> None:
        self.operator, self.bind = operator, bind
        self.column = Ordered(column, descending=False, nullable=False)
        self.parts = (column,)


def reads_json(dialect: str, packing: Packing, columns: Sequence[Element]) -> bool:
    """Whether `InJson` can be written for a database, for the values and attributes at hand."""
    reader = _READERS.get(dialect)
    if reader is None or packing == "none" or (packing == "fractions" and not reader.fractions):
        return False
    return not reader.types or all(map(reader.type_of, columns))


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
    exact = [exactly(column) for column in element.left]
    if any(a is not b for a, b in zip(element.left, exact, strict=True)):
        # An index finds what is alike, of which the exact comparison keeps what is equal.
        return f"({_rows(element.left, element, compiler, options)} AND {_rows(exact, element, compiler, options)})"
    return _rows(element.left, element, compiler, options)


def exactly(column: Element) -> Element:
    """Return what compares a column by its characters, also where the database takes 'a' and 'A' for equal."""
    exact = getattr(column.type, "exact", None)
    return column if exact is None else exact(column)


def _rows(
    columns: Sequence[Element], element: InRows, compiler: SQLCompiler, options: dict[str, Any]
) -> str:
    left = [compiler.process(column, **options) for column in columns]
    width = len(left)
    # What a column holds may equal no text.
    parsed = [getattr(column.type, "parsed", None) for column in columns]
    given = element.binds
    if any(parsed):
        given = [parse(b) if parse else b for parse, b in zip(cycle(parsed), given, strict=False)]
    binds = [compiler.process(bind, **options) for bind in given]
    if width == 1:
        return f"({left[0]} IN ({', '.join(binds)}))"
    # SQLite takes a list of rows only as VALUES; SQLAlchemy's dialects say so.
    values = "VALUES " if compiler.dialect.tuple_in_values else ""
    rows = (f"({', '.join(binds[i : i + width])})" for i in range(0, len(binds), width))
    return f"(({', '.join(left)}) IN ({values}{', '.join(rows)}))"


@compiles(InJson)
def _in_json(element: InJson, compiler: SQLCompiler, **options: Any) -> str:
    reader = _READERS[compiler.dialect.name]
    left = [compiler.process(_spelled(column), **options) for column in element.left]
    values = ", ".join(
        reader.value.format(place=place, type=reader.type_of(column))
        for place, column in enumerate(element.left)
    )
    keys = compiler.process(element.bind, **options)
    rows = reader.select.format(values=values, keys=keys)
    return f"({left[0] if len(left) == 1 else '(' + ', '.join(left) + ')'} IN ({rows}))"


def _spelled(column: Element) -> Element:
    # An enum is a type of its own, and its values have an order of their own.
    return sa.cast(column, sa.Text()) if isinstance(column.type, sa.Enum) else column


@compiles(Beyond)
def _beyond(element: Beyond, compiler: SQLCompiler, **options: Any) -> str:
    column = compiler.process(element.column, **options)
    return f"({column} {element.operator} {compiler.process(element.bind, **options)})"


@compiles(Ordered)
def _ordered(element: Ordered, compiler: SQLCompiler, **options: Any) -> str:
    ordered = getattr(element.column.type, "ordered", None)
    column = element.column if ordered is None else ordered(element.column)
    return compiler.process(column, **options) + (" DESC" if element.descending else "")


@compiles(Ordered, "postgresql")
def _ordered_nulls(element: Ordered, compiler: SQLCompiler, **options: Any) -> str:
    # Where there is no NULL, an index knows the order only if nothing is said of them.
    nulls = (" NULLS LAST" if element.descending else " NULLS FIRST") if element.nullable else ""
    column = compiler.process(_spelled(element.column), **options)
    if getattr(compiler.dialect, "collates", False) and isinstance(element.column.type, sa.String):
        column = f'{column} COLLATE "C"'
    return f"{column}{' DESC' if element.descending else ''}{nulls}"
