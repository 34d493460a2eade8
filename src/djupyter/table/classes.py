"""Classes for tables that have none yet, made from what the database says."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from djupyter.definition.names import TableName
from djupyter.graph.dependencies import pipeline
from djupyter.heading.structure import TableStructure
from djupyter.table.meta import TableMeta
from djupyter.table.table import Table
from djupyter.table.tiers import TIER_CLASS

if TYPE_CHECKING:
    from djupyter.table.schema import Schema

Structures = Mapping[str, TableStructure]
Namespace = MutableMapping[str, Any]


class _Described:
    """The definition of a class made from the database: what `describe` says when it is asked for."""

    def __get__(self, instance: object, owner: type[Table]) -> str:
        return owner().describe()


def make_classes(schema: Schema, into: Namespace, module: str) -> None:
    """Add a class for each table that a namespace lacks; parts become attributes of their masters.

    Tables whose name belongs to no tier, and those of the system, are passed over.

    Parameters
    ----------
    schema
        An activated schema.
    into
        The namespace.
    module
        What the new classes call their module.
    """
    structures = schema.connection.catalog.structures(schema.name)
    parts: list[TableStructure] = []
    for structure in _in_order(structures, schema.name):
        name = structure.name
        if name.tier == "Part":
            parts.append(structure)
        elif name.class_name not in into:
            into[name.class_name] = _new(schema, structure, module)
        elif not _is_class_of(into[name.class_name], name, schema):
            _warn_of_namesake(into[name.class_name], name)
    for structure in parts:
        _add_part(schema, structure, into, module)


def classes_with_jobs(schema: Schema, known: Mapping[str, Any]) -> Iterator[Any]:
    """Yield a class for each table that has a table of jobs: the known one, or one made from the database.

    Parameters
    ----------
    schema
        An activated schema.
    known
        Classes by the names of their tables.
    """
    structures = schema.connection.catalog.current(schema.name)
    for structure in _in_order(structures, schema.name):
        name = structure.name
        if name.tier in ("Imported", "Computed") and f"~~{name.table.lstrip('_')}" in structures:
            yield known.get(name.table) or _new(schema, structure, __name__)


def _in_order(structures: Structures, schema: str) -> Iterator[TableStructure]:
    graph = pipeline({schema: structures})
    return (graph.structures[name] for name in graph.in_order() if name.tier is not None)


def _add_part(schema: Schema, structure: TableStructure, into: Namespace, module: str) -> None:
    name = structure.name
    master, _, own = name.class_name.rpartition(".")
    found = into.get(master)
    assert name.master is not None, "parts have masters"
    if _is_class_of(found, name.master, schema) and own not in vars(found):
        part = _new(schema, structure, module)
        part.master = found
        setattr(found, own, part)


def _new(schema: Schema, structure: TableStructure, module: str) -> Any:
    name = structure.name
    assert name.tier is not None, "only tables of a tier have classes"
    base = TIER_CLASS[name.tier]
    body = {
        "__module__": module,
        "__qualname__": name.class_name,
        "__doc__": structure.comment or None,
        "definition": _Described(),
        "_name": name,
        "_schema": schema,
    }
    return TableMeta(name.class_name.rpartition(".")[2], (base,), body)


def _is_table(found: object) -> bool:
    return isinstance(found, type) and issubclass(found, Table)


def _is_class_of(found: Any, name: TableName, schema: Schema) -> bool:
    return (
        _is_table(found)
        and found._name == name
        and found._schema is not None
        and found._schema.connection is schema.connection
    )


def _warn_of_namesake(found: Any, name: TableName) -> None:
    what = f"the table {found._name}" if _is_table(found) else f"a {type(found).__name__}"
    warnings.warn(
        f"`{name.class_name}` is {what} already, so that there is no class for the table {name}. "
        f'Reach it by schema["{name.table}"].',
        UserWarning,
        stacklevel=4,
    )
