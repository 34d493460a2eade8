"""A table's definition as the database has it, its parents called by the names that a context has for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

from djupyter.definition.names import TableName
from djupyter.definition.writer import write
from djupyter.heading.structure import to_definition

if TYPE_CHECKING:
    from djupyter.table.table import Table


def describe(table: Table, context: Mapping[str, Any] | None = None) -> str:
    """Return the definition that would declare a table again.

    Parameters
    ----------
    table
        The table.
    context
        Names of classes and modules to call parents by; None calls them `Class` and `schema.Class`.
    """
    own = table.name
    known = None if context is None else {name: each for each, name in _tables(context)}

    def name_of(parent: TableName) -> str:
        if parent == own.master:
            return "master"
        if known is not None:
            return known.get(parent, str(parent))
        if not _is_told_by_class(parent, table):
            return str(parent)
        prefix = "" if parent.schema == own.schema else f"{parent.schema}."
        return prefix + parent.class_name

    return write(to_definition(table.structure, name_of))


def _is_told_by_class(name: TableName, table: Table) -> bool:
    """Whether a class name says which table is meant."""
    catalog = table.connection.catalog
    others = catalog.structures(name.schema) if catalog.exists(name.schema) else {}
    namesakes = [each.name for each in others.values() if each.name.class_name == name.class_name]
    return name.tier is not None and len(namesakes) < 2


def _tables(context: Mapping[str, Any]) -> Iterator[tuple[str, TableName]]:
    """Yield each table class among some names and in modules among them, parts included."""
    for name, value in context.items():
        if isinstance(value, ModuleType) and getattr(value, "schema", None) is not None:
            for inner, each in vars(value).items():
                yield from _classes(f"{name}.{inner}", each)
        else:
            yield from _classes(name, value)


def _classes(name: str, value: object) -> Iterator[tuple[str, TableName]]:
    own = getattr(value, "_name", None) if isinstance(value, type) else None
    if isinstance(own, TableName):
        yield name, own
        for inner, each in vars(value).items():
            if isinstance(each, type) and inner != "master":
                yield from _classes(f"{name}.{inner}", each)
