"""Columns that MySQL reads or compares in another way than every backend must."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import operators
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import quoted_name

from djupyter.definition.model import TypeSpec
from djupyter.definition.names import TableName
from djupyter.heading.attribute import Attribute
from djupyter.heading.structure import TableStructure
from djupyter.sql.types import storage_of

_ZERO: sa.ColumnElement[Any] = sa.literal_column("0e0")


class Single(sa.types.UserDefinedType[Any]):
    """A number of 32 bits, of which the server tells only six digits unless it calculates with it."""

    cache_ok = True

    def column_expression(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """Return what to select."""
        return sa.type_coerce(column, sa.types.NullType()).op("+")(_ZERO)


class Exact(sa.ColumnElement[Any]):
    """A text compared by its characters, though its column compares in another way."""

    inherit_cache = False
    type = sa.String()

    def __init__(self, column: sa.ColumnElement[Any], converts: bool, collation: str) -> None:
        self.column, self.converts, self.collation = column, converts, collation

    @property
    def _from_objects(self) -> list[Any]:
        return list(self.column._from_objects)


@compiles(Exact)
def _exact(element: Exact, compiler: SQLCompiler, **options: Any) -> str:
    text = compiler.process(element.column, **options)
    whole = f"CONVERT({text} USING utf8mb4)" if element.converts else text
    return f"({whole} COLLATE {element.collation})"


class Folded(sa.types.UserDefinedType[Any]):
    """A text whose column takes 'a' and 'A' for equal, as datajoint's do.

    Compared by its characters; equality looks the value up by the column's own index, too.
    """

    cache_ok = True

    def __init__(self, own: str, collation: str) -> None:
        self.own, self.collation = own, collation

    def exact(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """Return the text as it is compared."""
        return Exact(column, not self.own.startswith("utf8mb4"), self.collation)

    class Comparator(sa.types.UserDefinedType.Comparator[Any]):
        """Compares exactly."""

        _INDEXED = (operators.eq, operators.is_not_distinct_from)

        def operate(self, op: Any, *other: Any, **options: Any) -> sa.ColumnElement[Any]:
            """Return a comparison."""
            assert isinstance(self.type, Folded), "the type it belongs to"
            exact: sa.ColumnElement[Any] = self.type.exact(self.expr).operate(op, *other, **options)
            if op not in self._INDEXED:
                return exact
            return sa.and_(super().operate(op, *other, **options), exact)

    comparator_factory = Comparator


class Choice(sa.types.UserDefinedType[Any]):
    """One of several texts, which the server orders as they were declared."""

    cache_ok = True

    def __init__(self, collation: str) -> None:
        self.collation = collation

    def ordered(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """Return the text, to order by."""
        return Exact(column, False, self.collation)


class FoldedChoice(Folded):
    """One of several texts, whose column takes 'a' and 'A' for equal."""

    ordered = Folded.exact


class Document(sa.types.UserDefinedType[Any]):
    """A document that equals no text, not even the one that it was stored as."""

    cache_ok = True

    def parsed(self, text: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """Return what a text must become to be compared with documents."""
        plain = sa.type_coerce(text, sa.types.NullType())
        return sa.func.json_extract(plain, sa.literal_column("'$'"))

    def bind_expression(self, bindvalue: sa.BindParameter[Any]) -> sa.ColumnElement[Any]:
        """Return what a parameter becomes that is compared with a document."""
        return self.parsed(bindvalue)


def relation(
    structure: TableStructure, collation: str, *, has_documents: bool = False
) -> sa.TableClause:
    """Return a table whose columns are read and compared as on every backend.

    Parameters
    ----------
    structure
        The table.
    collation
        By which texts compare.
    has_documents
        Whether the server keeps JSON in a type of its own, not as text.
    """
    name: TableName = structure.name
    columns = (
        sa.column(
            quoted_name(attribute.name, True),
            Document() if has_documents and attribute.is_json else _type(attribute, collation),
        )
        for attribute in structure.attributes
    )
    return sa.table(quoted_name(name.table, True), *columns, schema=quoted_name(name.schema, True))


def _type(attribute: Attribute, collation: str) -> sa.types.TypeEngine[Any] | None:
    is_choice = attribute.type is not None and attribute.type.name == "enum"
    if attribute.collation:
        return (FoldedChoice if is_choice else Folded)(attribute.collation, collation)
    if is_choice:
        return Choice(collation)
    return Single() if is_single(attribute.type) else None


def is_single(type: TypeSpec | None) -> bool:
    """Whether values of a type are kept in 32 bits."""
    if type is None or type.kind == "codec":
        return False
    storage = storage_of(type)
    return storage.family == "real" and storage.high is not None
