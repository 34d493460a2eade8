"""What a diagram is made from: tables, queries, schemas, modules."""

from __future__ import annotations

from collections.abc import Set
from types import ModuleType

from djupyter.definition.names import TableName
from djupyter.errors import DataJointError
from djupyter.query.algebra import Algebra, instance
from djupyter.sql.connection import Connection
from djupyter.table import planning
from djupyter.table.schema import Schema
from djupyter.table.table import Table


def name_of(table: object) -> TableName | None:
    """Return the name that a table goes by; None for what names no table."""
    found = instance(table)
    if isinstance(found, Table):
        return found.name
    if isinstance(found, str):
        schema, dot, name = found.replace("`", "").replace('"', "").partition(".")
        return TableName(schema, name) if dot else None
    return found if isinstance(found, TableName) else None


def tables_of(source: object) -> tuple[Connection, Set[TableName]]:
    """Return the tables that a source of a diagram stands for, and where they are.

    Raises
    ------
    DataJointError
        It stands for none.
    """
    found = instance(source)
    if isinstance(found, Table):
        return found.connection, {found.name}
    if isinstance(found, Algebra):
        return found.connection, planning.tables_in([found.node])
    if isinstance(found, Schema):
        structures = found.connection.catalog.structures(found.name).values()
        return found.connection, {s.name for s in structures if not s.name.is_system}
    if isinstance(getattr(found, "schema", None), Schema):
        return tables_of(found.schema)
    if isinstance(found, ModuleType):
        return _tables_in_module(found)
    raise DataJointError(
        f"A diagram shows a schema, a module with tables or a table, not {type(found).__name__}. "
        "For several of them write dj.Diagram.from_sequence([...])."
    )


def _tables_in_module(module: ModuleType) -> tuple[Connection, Set[TableName]]:
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
    return first.connection, {each().name for each in classes}
