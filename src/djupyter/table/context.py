"""Whom a foreign key means: `Subject`, `subject.Subject`, `master`, `self.source`, found without evaluating code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from itertools import chain
from types import ModuleType
from typing import TYPE_CHECKING, Any

from djupyter.definition.model import ForeignKeySpec
from djupyter.definition.names import TableName
from djupyter.errors import DefinitionError, nearest
from djupyter.heading.structure import TableStructure
from djupyter.table.table import Table

if TYPE_CHECKING:
    from djupyter.sql.connection import Connection

Names = Mapping[str, Any]


def names_around(cls: type, caller: Names) -> Names:
    """Return the names a definition may use: the caller's, then those of the class's module."""
    module = sys.modules.get(cls.__module__)
    return {**(vars(module) if module else {}), **caller}


def parent_finder(
    cls: type[Table], names: Names, connection: Connection, schema: str
) -> Callable[[ForeignKeySpec], TableStructure]:
    """Return what looks up the parent of each foreign key of a class.

    Names are tried among the class's surroundings, then among the tables of its schema (`Subject`), then among
    other schemas (`lab.Subject`).

    Parameters
    ----------
    cls
        The class being declared.
    names
        What its definition may refer to.
    connection, schema
        Where it is declared.
    """

    def parent_of(spec: ForeignKeySpec) -> TableStructure:
        found = _by_name(
            spec.parent, {**names, "self": cls, "master": getattr(cls, "master", None)}
        )
        if found is cls:
            raise _error(
                spec,
                f"'{spec.parent}' cannot refer to itself",
                "A table cannot depend on itself. For links between its rows declare a table with two renamed "
                "foreign keys to it.",
            )
        if isinstance(found, type) and issubclass(found, Table) or isinstance(found, Table):
            return _structure(found, spec)
        structure = _in_schemas(spec.parent, connection, schema)
        if structure is None:
            raise _unknown(spec, found, names, connection, schema)
        return structure

    return parent_of


def _by_name(dotted: str, names: Names) -> Any:
    first, *rest = dotted.split(".")
    found = names.get(first)
    for name in rest:
        found = _attribute(found, name)
    return found


def _attribute(owner: Any, name: str) -> Any:
    # Only modules and classes hold tables; asking other objects could run their code.
    return getattr(owner, name, None) if isinstance(owner, ModuleType | type) else None


def _structure(found: Any, spec: ForeignKeySpec) -> TableStructure:
    table = found() if isinstance(found, type) else found
    if table._schema is None and not table.is_restricted and isinstance(found, type):
        raise _error(
            spec,
            f"'{spec.parent}' is not declared yet",
            "Its class has no schema. Decorate it, or run its cell, before this one.",
        )
    if table.is_restricted:
        raise _error(
            spec,
            f"'{spec.parent}' is a restricted table",
            'A foreign key refers to a whole table or to its .proj(new="old").',
        )
    structure: TableStructure = table.structure
    return structure


def _in_schemas(dotted: str, connection: Connection, schema: str) -> TableStructure | None:
    first, _, rest = dotted.partition(".")
    catalog = connection.catalog
    for name, wanted in ((schema, dotted), (first, rest)):
        if wanted and catalog.exists(name):
            for structure in catalog.structures(name).values():
                if structure.name.class_name == wanted:
                    return structure
    return None


def _unknown(
    spec: ForeignKeySpec, found: Any, names: Names, connection: Connection, schema: str
) -> DefinitionError:
    if found is not None:
        return _error(
            spec,
            f"'{spec.parent}' is not a table but {type(found).__name__}",
            "A foreign key refers to a table class.",
        )
    here = [
        s.name.class_name
        for s in connection.catalog.structures(schema).values()
        if not s.name.is_system
    ]
    around = [n for n, v in names.items() if isinstance(v, type) and issubclass(v, Table)]
    around += list(
        chain.from_iterable(
            (
                f"{n}.{m}"
                for m, v in vars(module).items()
                if isinstance(v, type) and issubclass(v, Table)
            )
            for n, module in names.items()
            if isinstance(module, ModuleType) and getattr(module, "schema", None) is not None
        )
    )
    advice = nearest(spec.parent, [*here, *around]) or (
        "Declare the parent first; parents come before children, and references must not form a cycle."
    )
    return _error(spec, f"unknown table '{spec.parent}'", advice)


def _error(spec: ForeignKeySpec, problem: str, advice: str) -> DefinitionError:
    return DefinitionError(problem, spec.line, spec.column, width=len(spec.parent), advice=advice)
