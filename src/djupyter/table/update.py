"""Changing one row."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from djupyter.errors import DataJointError, MissingAttributeError, UnknownAttributeError
from djupyter.heading.attribute import Attribute
from djupyter.heading.structure import TableStructure
from djupyter.sql import write
from djupyter.table.encoding import encoded
from djupyter.table.objects import has_objects, transaction_for, writing
from djupyter.table.rows import Batch

if TYPE_CHECKING:
    from djupyter.table.table import Table


def update1(table: Table, row: Any) -> None:
    """Change the row that has the given key; see `Table.update1`."""
    structure = table.structure
    changes = _checked(table, structure, row)
    backend = table.connection.backend
    values = [
        _reset(structure.heading[name]) if row[name] is None else row[name] for name in changes
    ]
    names = [*structure.heading.primary_key, *changes]
    given = [row[name] for name in structure.heading.primary_key] + values
    connection, key = table.connection, structure.heading.primary_key
    sql, wanted = write.update(structure, tuple(changes), tuple(key), backend)
    with transaction_for(connection, structure) if has_objects(structure) else nullcontext():
        with writing(connection, structure, 1) as context:
            ready = encoded(
                Batch(tuple(names), tuple([value] for value in given), 1),
                structure,
                lambda attribute: backend.adapter(attribute.type),
                context,
                partial=True,
            )
        by_name = dict(zip(ready.names, (column[0] for column in ready.columns), strict=True))
        count = connection.execute(sql, [by_name[name] for name in wanted])
        if count != 1:
            shown = ", ".join(f"{name}={row[name]!r}" for name in key)
            raise DataJointError(
                "Update can only be applied to one existing entry: "
                f"{structure.name.class_name} has none{f' with {shown}' if shown else ''}."
            )


def _checked(table: Table, structure: TableStructure, row: Any) -> list[str]:
    """Return the names to change."""
    if not isinstance(row, Mapping):
        raise DataJointError(
            f"The argument of update1 must be a mapping, not {type(row).__name__}."
        )
    heading = structure.heading
    missing = [name for name in heading.primary_key if row.get(name) is None]
    if missing:
        raise DataJointError(
            "The argument of update1 must supply all primary key values; missing: "
            + ", ".join(missing)
            + "."
        )
    for name in row:
        if name not in heading:
            raise UnknownAttributeError.of(name, heading, structure.name.class_name)
    if table.is_restricted:
        raise DataJointError(
            "Update cannot be applied to a restricted table. Call it on the table itself; the key says which row."
        )
    changes = [name for name in heading.secondary_attributes if name in row]
    if not changes:
        raise DataJointError(
            "update1 was given only the key: name the attributes to change "
            f"({', '.join(heading.secondary_attributes)})."
        )
    return changes


def _reset(attribute: Attribute) -> Any:
    default = attribute.default
    if attribute.nullable:
        return None
    if default is None:
        raise MissingAttributeError(
            f"Attribute `{attribute.name}` has no default to reset it to and must not be NULL."
        )
    if default.kind == "now":
        raise DataJointError(
            f"Attribute `{attribute.name}` defaults to the time of insertion; give a time instead of None."
        )
    return default.text
