"""How statements on rows are written, and what values become in them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.elements import quoted_name

from djupyter.definition.model import TypeSpec
from djupyter.definition.names import TableName
from djupyter.heading.attribute import Attribute
from djupyter.heading.structure import TableStructure
from djupyter.sql.backends.differences.records import Convert, Statement
from djupyter.sql.json_path import JsonPath


class Writing(ABC):
    """The part of a backend that writes statements; all that write any stand on it.

    Attributes
    ----------
    language
        What the translation of conditions writes.
    dialect
        Compiles SQLAlchemy elements, with positional parameters.
    merges_subqueries
        Whether the planner writes a subquery's expressions out wherever the statement around it names them, so that
        those that are named twice, level upon level, fill the memory.
    joins_in_order
        What follows SELECT so that tables are read in the order in which they are named, for a planner that else sorts
        a whole join to find its first rows; empty where it knows better.
    """

    language: ClassVar[str]
    dialect: Dialect
    merges_subqueries: ClassVar[bool] = False
    joins_in_order: ClassVar[str] = ""

    # Names and texts

    def locate(self, name: TableName) -> tuple[str | None, str]:
        """Return the physical schema (None without) and the physical name of a table."""
        return name.schema, name.table

    def table(self, name: TableName, names: Iterable[str] = ()) -> sa.TableClause:
        """Return a table with the given columns, for building statements."""
        schema, table = self.locate(name)
        return sa.table(
            quoted_name(table, True),
            *(sa.column(quoted_name(column, True)) for column in names),
            schema=None if schema is None else quoted_name(schema, True),
        )

    def relation(self, structure: TableStructure) -> sa.TableClause:
        """Return a table with its columns, which know their types where statements depend on them."""
        return self.table(structure.name, structure.by_name)

    def quote(self, identifier: str) -> str:
        """Return an identifier as it is written in a statement."""
        return self.dialect.identifier_preparer.quote_identifier(identifier)

    def compile(self, statement: sa.ClauseElement) -> str:
        """Return the text of a statement without values, or of one that defines data."""
        return str(statement.compile(dialect=self.dialect)).strip()

    def bound(self, statement: Any) -> Statement:
        """Return the text of a statement and its values in the driver's order."""
        # A list of values gets a placeholder for each.
        compiled = statement.compile(
            dialect=self.dialect, compile_kwargs={"render_postcompile": True}
        )
        values = compiled.params
        return str(compiled), tuple(self.adapt(values[name]) for name in compiled.positiontup or ())

    @abstractmethod
    def placeholders(self, sql: str) -> str:
        """Return user-written SQL with `%s` and `%(name)s` in the driver's own spelling."""

    def stream_cursor(self, raw: Any, *, nested: bool) -> Any:
        """Return a cursor that does not hold the whole result in memory.

        `nested` tells that the connection is in a transaction; else it is the cursor's own.
        """
        return raw.cursor()

    # Values

    @abstractmethod
    def adapt(self, value: object) -> object:
        """Return what the driver takes for a canonical Python value of any type."""

    @abstractmethod
    def adapter(self, type: TypeSpec | None) -> Convert | None:
        """Return what turns an attribute's values into the driver's; None for identity.

        It is never given None.
        """

    @abstractmethod
    def decoder(self, type: TypeSpec | None) -> Convert | None:
        """Return what turns the driver's values into an attribute's; None for identity.

        It is never given None. JSON stays text.
        """

    def typed(self, value: sa.ColumnElement[Any], type: TypeSpec | None) -> sa.ColumnElement[Any]:
        """Return a computed value in the type that its expression has on every database."""
        return value

    def held(
        self, value: sa.ColumnElement[Any], attribute: Attribute, structure: TableStructure
    ) -> sa.ColumnElement[Any]:
        """Return a value in the type of the column that a SELECT puts it into."""
        return value

    def given(
        self, structure: TableStructure, name: str, value: sa.ColumnElement[Any]
    ) -> sa.ColumnElement[Any]:
        """Return what an INSERT of one row stores for a value that is given for an attribute."""
        return value

    @abstractmethod
    def json_value(self, column: sa.ColumnElement[Any], path: JsonPath) -> sa.ColumnElement[Any]:
        """Return what an index over a place inside a JSON attribute holds."""

    # Rows

    @abstractmethod
    def insert(self, table: sa.TableClause) -> sa.Insert:
        """Return the dialect's own INSERT, which `on_conflict` can extend."""

    @abstractmethod
    def on_conflict(
        self, statement: sa.Insert, structure: TableStructure, conflict: str
    ) -> sa.Insert:
        """Return an INSERT that skips or replaces a row whose primary key is there already.

        A conflict in another unique index is always an error.
        """

    def delete(self, table: sa.TableClause, condition: sa.ColumnElement[bool]) -> sa.Delete:
        """Return the DELETE of the rows that meet a condition, in the form that is planned best."""
        return sa.delete(table).where(condition)
