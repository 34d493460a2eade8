"""From a class to a table: give it its name, declare it and its parts, insert what belongs to the design."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from djupyter.definition.model import TableDefinition
from djupyter.definition.names import TableName, to_table
from djupyter.definition.parser import parse
from djupyter.errors import DataJointError, DefinitionError
from djupyter.graph.dependencies import pipeline
from djupyter.heading.structure import TableStructure, resolve
from djupyter.sql import ddl
from djupyter.table.context import parent_finder
from djupyter.table.tiers import Lookup, Part, UserTable

if TYPE_CHECKING:
    from djupyter.table.schema import Schema


def bind(cls: type[UserTable], schema: Schema, schema_name: str) -> None:
    """Give a class, and the parts nested in it, their schema and names.

    Raises
    ------
    DataJointError
        A name is not CamelCase.
    """
    cls._name = TableName(schema_name, to_table(cls.__name__, cls.tier))
    cls._schema = schema
    for part in parts_of(cls):
        bind_part(part, cls)


def bind_part(part: type[Part], master: type[UserTable]) -> None:
    """Give a part its schema, name and master."""
    assert master._name is not None, "the master is bound first"
    part._name = TableName(master._name.schema, to_table(part.__name__, "Part", master._name.table))
    part.master = master
    part._schema = master._schema


def parts_of(cls: type[UserTable]) -> list[type[Part]]:
    """Return the part classes nested in a class, in the order they were written."""
    return [v for v in vars(cls).values() if isinstance(v, type) and issubclass(v, Part)]


def declare(cls: type[UserTable], names: Mapping[str, Any]) -> bool:
    """Declare the table of a bound class with its parts; return whether any of them is new.

    Tables that are there already stay as they are.

    Raises
    ------
    DefinitionError
        A definition cannot be read, or refers to what is not there.
    DependencyCycle
        A foreign key would close a cycle.
    """
    new = _declare_one(cls, names)
    for part in parts_of(cls):
        new = _declare_one(part, {**names, **vars(cls)}) or new
    if issubclass(cls, Lookup):
        insert_contents(cls)
    for part in parts_of(cls):
        if getattr(part, "contents", None):
            insert_contents(part)
    return new


def structure_of(
    cls: type[UserTable], names: Mapping[str, Any], definition: str | None = None
) -> TableStructure:
    """Return the structure that a bound class declares; nothing is changed.

    Parameters
    ----------
    cls
        The class.
    names
        What its definition may refer to.
    definition
        Another text than the class's own.

    Raises
    ------
    DefinitionError
        The definition cannot be read.
    """
    text = cls.definition if definition is None else definition
    if not isinstance(text, str):
        raise DataJointError(
            f"The definition of {cls.__name__} must be text, not {type(text).__name__}."
        )
    assert cls._name is not None, "the class is bound first"
    assert cls._schema is not None, "the class is bound first"
    parsed: TableDefinition = parse(text)
    find = parent_finder(cls, names, cls._schema.connection, cls._name.schema)
    try:
        return resolve(parsed, cls._name, find)
    except DefinitionError as error:
        lines = text.splitlines()
        raise error.moved(0, lines) if error.line else error from None


def _declare_one(cls: type[UserTable], names: Mapping[str, Any]) -> bool:
    table = cls()
    if table.is_declared:
        return False
    structure = structure_of(cls, names)
    connection = table.connection
    if structure.foreign_keys:
        pipeline(connection.catalog.load_all()).check(structure)
    return ddl.declare(connection, structure)


def insert_contents(cls: type[UserTable]) -> None:
    """Insert the rows that belong to the design; those that are there stay as they are.

    Raises
    ------
    DataJointError
        A row does not fit the table.
    """
    rows = list(getattr(cls, "contents", ()))
    table = cls()
    if len(rows) > len(table):
        table.insert(rows, skip_duplicates=True)
