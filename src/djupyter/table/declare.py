"""From a class to a table: give it its name, declare it and its parts, insert what belongs to the design."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from djupyter.definition.attributes import LONGEST_NAME
from djupyter.definition.names import TableName, to_table
from djupyter.definition.parser import parse
from djupyter.errors import DataJointError, DefinitionError
from djupyter.heading.differences import changed
from djupyter.heading.job_metadata import with_job_metadata
from djupyter.heading.structure import TableStructure, resolve
from djupyter.sql import ddl
from djupyter.table.alter import in_other_tier
from djupyter.table.context import ParentFinder
from djupyter.table.cycles import refuse_cycles
from djupyter.table.rows import batches
from djupyter.table.telling import frames_of_ours
from djupyter.table.tiers import Lookup, Part, UserTable

if TYPE_CHECKING:
    from djupyter.sql.connection import Connection
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

    Tables that are there already stay as they are; a warning says what differs. After an error none of the
    new ones is left.

    Raises
    ------
    DefinitionError
        A definition cannot be read, or refers to what is not there.
    DependencyCycle
        A foreign key would close a cycle.
    """
    with all_or_none(cls().connection) as new:
        if _declare_one(cls, names, new):
            complete(cls, names, new)
    return bool(new)


@contextmanager
def all_or_none(connection: Connection) -> Iterator[list[TableName]]:
    """Give a list for the names of new tables, which are dropped again if the block fails."""
    new: list[TableName] = []
    try:
        yield new
    except BaseException:
        if new:
            ddl.drop(connection, *new)
        raise


def complete(cls: type[UserTable], names: Mapping[str, Any], new: list[TableName]) -> None:
    """Declare the parts nested in the class of a declared table, and insert what belongs to the design.

    Parameters
    ----------
    cls
        The class.
    names
        What definitions may refer to.
    new
        Gets the names of the parts that were not there.

    Raises
    ------
    DataJointError
        A part cannot be declared, or a row of the contents does not fit.
    """
    parts = parts_of(cls)
    for part in parts:
        _declare_one(part, {**names, **vars(cls)}, new)
    for table in (cls, *parts):
        if issubclass(table, Lookup | Part):
            insert_contents(table)


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
    lines = text.splitlines()
    find = ParentFinder(cls, names, cls._schema.connection, cls._name.schema, lines)
    try:
        return resolve(parse(text), cls._name, find)
    except DefinitionError as error:
        raise error.moved(0, lines) if error.line else error from None


def _declare_one(cls: type[UserTable], names: Mapping[str, Any], new: list[TableName]) -> bool:
    """Declare one table; return whether it is there, rather than in another tier."""
    structure = structure_of(cls, names)
    connection = cls().connection
    existing = connection.catalog.structure(structure.name)
    if existing is not None:
        _warn_of_changes(structure, existing)
        return True
    other = in_other_tier(connection.catalog, structure.name)
    if other is not None:
        _warn_of_tier(structure.name, other.name)
        return False
    create(connection, structure, new)
    return True


def create(connection: Connection, structure: TableStructure, new: list[TableName]) -> None:
    """Create a table that is not there and add its name to the new ones.

    Raises
    ------
    DataJointError
        Its name is too long, or it is a part that does not refer to its master.
    DependencyCycle
        A foreign key would close a cycle.
    """
    _check_name(structure.name)
    _check_master(structure)
    if connection.settings["jobs.add_job_metadata"]:
        structure = with_job_metadata(structure)
    if structure.foreign_keys:
        refuse_cycles(connection, structure)
    if ddl.declare(connection, structure):
        new.append(structure.name)


def _check_name(name: TableName) -> None:
    if len(name.table) > LONGEST_NAME:
        raise DataJointError(
            f"The table name `{name.table}` exceeds the max length of {LONGEST_NAME} characters by "
            f"{len(name.table) - LONGEST_NAME}. Shorten the name of the class {name.class_name}."
        )


def _check_master(structure: TableStructure) -> None:
    master = structure.name.master
    if master is not None and not any(
        master in (key.parent, key.parent.master) for key in structure.foreign_keys
    ):
        raise DataJointError(
            f"The part table {structure.name.class_name} does not refer to its master. "
            "Add `-> master` as the first line of its definition."
        )


def _warn_of_changes(declared: TableStructure, existing: TableStructure) -> None:
    found = changed(declared, existing) if declared != existing else []
    if found:
        told = "".join(f"\n  {change}" for change in found)
        warnings.warn(
            f"The definition of {declared.name.class_name} is not that of the table in the database, "
            f"which stays as it is:{told}",
            UserWarning,
            stacklevel=frames_of_ours(),
        )


def _warn_of_tier(name: TableName, other: TableName) -> None:
    warnings.warn(
        f"{name.class_name} is declared as {name.tier}, but in the database it is {other.tier}, with its rows. "
        f"Nothing was declared. Call `{name.class_name}.alter()` to make it {name.tier}, or declare the class "
        f"as dj.{other.tier} as before.",
        UserWarning,
        stacklevel=frames_of_ours(),
    )


def insert_contents(cls: type[UserTable]) -> None:
    """Insert the rows that belong to the design; those that are there stay, and a warning says if they differ.

    Raises
    ------
    DataJointError
        A row does not fit the table.
    """
    table = cls()
    # An instance is asked, because contents may be a property.
    rows = list(getattr(table, "contents", ()))
    before = len(table) if rows else 0
    if len(rows) > before:
        table.insert(rows, skip_duplicates=True)
    if before:
        _warn_of_other_rows(table, rows)


def _warn_of_other_rows(table: UserTable, rows: Sequence[Any]) -> None:
    names = [a.name for a in table.heading.values() if not (a.is_codec or a.is_json)]
    given = []
    for batch in batches(rows, table.heading.names, len(rows)):
        kept = [name for name in names if name in batch.names]
        columns = [batch.columns[batch.names.index(name)] for name in kept]
        given += [dict(zip(kept, values, strict=True)) for values in zip(*columns, strict=True)]
    if len(table & given) < len(rows) and (other := [row for row in given if row not in table]):
        warnings.warn(
            f"The contents of {table.name.class_name} are not all in the table as they are written: {other[0]} is "
            f"not ({len(other)} of {len(rows)}). Rows that were there stay as they are: change them with update1, or "
            "delete them and declare the table again.",
            UserWarning,
            stacklevel=frames_of_ours(),
        )
