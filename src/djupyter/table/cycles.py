"""Cycles of foreign keys are refused when a table is declared or altered."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

from djupyter.graph.dependencies import Dependencies, DependencyCycle, pipeline
from djupyter.heading.structure import TableStructure
from djupyter.sql.connection import Connection


def refuse_cycles(
    connection: Connection, structure: TableStructure, graph: Dependencies | None = None
) -> None:
    """Refuse a table whose foreign keys would close a cycle of tables or of schemas.

    With the setting `database.allow_schema_cycles` a cycle of schemas is only warned of.

    Parameters
    ----------
    connection
        Where the table would be.
    structure
        The table as it would be declared.
    graph
        All tables that may lie on a cycle; loaded when None.

    Raises
    ------
    DependencyCycle
        It would depend on itself; the message names the way round.
    """
    if graph is None:
        schemas = {structure.name.schema, *(key.parent.schema for key in structure.foreign_keys)}
        is_local = len(schemas) == 1
        catalog, (schema, *_) = connection.catalog, schemas
        if is_local and not _has_child(catalog.structures(schema).values(), structure):
            return  # the end of every way
        # Only keys between schemas can close a cycle of schemas.
        graph = pipeline(
            {schema: catalog.structures(schema)} if is_local else catalog.connected(*schemas)
        )
    graph.check_tables(structure)
    try:
        graph.check_schemas(structure)
    except DependencyCycle as cycle:
        if not connection.settings["database.allow_schema_cycles"]:
            raise
        warnings.warn(
            f"{structure.name.class_name} closes a cycle of schemas ({' → '.join(cycle.path)}), which the setting "
            "`database.allow_schema_cycles` allows.",
            UserWarning,
            stacklevel=2,
        )


def _has_child(tables: Iterable[TableStructure], parent: TableStructure) -> bool:
    """Whether any table, be it the parent itself, refers to a table."""
    return any(key.parent == parent.name for t in (*tables, parent) for key in t.foreign_keys)
