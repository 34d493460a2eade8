"""What a diagram is made from: tables, queries, schemas, modules."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from types import ModuleType

from djupyter.definition.names import TableName
from djupyter.errors import DataJointError
from djupyter.graph.dependencies import pipeline
from djupyter.graph.shown import Shown
from djupyter.query.algebra import Algebra, instance
from djupyter.sql.connection import Connection
from djupyter.table import planning
from djupyter.table.schema import Schema
from djupyter.table.table import FreeTable, Table


def name_of(table: object) -> TableName | None:
    """Return the name that a table goes by; None for what names no table."""
    found = instance(table)
    if isinstance(found, Table):
        return found.name
    if isinstance(found, str):
        schema, dot, name = found.replace("`", "").replace('"', "").partition(".")
        return TableName(schema, name) if dot else None
    return found if isinstance(found, TableName) else None


@dataclass(frozen=True, slots=True)
class Origin:
    """What a source of a diagram stands for.

    Parameters
    ----------
    connection
        Where its tables are.
    tables
        Single tables.
    schemas
        Schemas with all their tables, which need not be known yet.
    """

    connection: Connection
    tables: Set[TableName] = frozenset()
    schemas: Set[str] = frozenset()


def origin_of(source: object) -> Origin:
    """Return what a source of a diagram stands for.

    Raises
    ------
    DataJointError
        It stands for no tables.
    """
    found = instance(source)
    if isinstance(found, Table):
        return Origin(found.connection, {found.name})
    if isinstance(found, Algebra):
        return Origin(found.connection, planning.tables_in([found.node]))
    if isinstance(found, Schema):
        return Origin(found.connection, schemas={found.name})
    if isinstance(getattr(found, "schema", None), Schema):
        return origin_of(found.schema)
    if isinstance(found, ModuleType):
        return _tables_in_module(found)
    raise DataJointError(
        f"A diagram shows a schema, a module with tables or a table, not {type(found).__name__}. "
        "For several of them write dj.Diagram.from_sequence([...])."
    )


def shown(origins: Sequence[Origin]) -> Shown:
    """Return the tables of some origins on one connection, in the graph of all that is joined with them.

    What the database has is read once for all of them.

    Raises
    ------
    MissingTableError
        A table is not declared.
    DataJointError
        There is no such schema, or they are on several connections.
    """
    connection = origins[0].connection
    if any(origin.connection is not connection for origin in origins):
        raise DataJointError("The tables of a diagram must all be on one connection.")
    tables = {name for origin in origins for name in origin.tables}
    schemas = {schema for origin in origins for schema in origin.schemas}
    catalog = connection.catalog
    related = catalog.related(*schemas, *(name.schema for name in tables))
    for schema in schemas - related.keys():
        catalog.structures(schema)  # says that there is none
    graph = pipeline(related)
    for name in tables:
        if name not in graph.structures:
            raise FreeTable(connection, name)._missing()
    return Shown(graph, frozenset(tables | {n for n in graph.structures if n.schema in schemas}))


def _tables_in_module(module: ModuleType) -> Origin:
    classes = [
        each
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, Table) and each._schema is not None
    ]
    if not classes:
        raise DataJointError(
            f"The module {module.__name__} has no schema and no tables that belong to one."
        )
    first = classes[0]()
    return Origin(first.connection, {each().name for each in classes})
