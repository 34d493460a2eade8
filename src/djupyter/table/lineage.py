"""Keeping `~lineage` as the foreign keys have it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from djupyter.definition.names import TableName
from djupyter.heading.inheritance import completed
from djupyter.heading.structure import TableStructure
from djupyter.sql import ddl, lineage
from djupyter.sql.names import LINEAGE

if TYPE_CHECKING:
    from djupyter.sql.connection import Connection


def is_kept(connection: Connection, schema: str) -> bool:
    """Whether a schema has a `~lineage`."""
    return connection.backend.table_exists(connection.fetch, TableName(schema, LINEAGE))


def rebuild(connection: Connection, schema: str) -> None:
    """Write the lineage of all tables of a schema anew, from its foreign keys.

    Raises
    ------
    DataJointError
        A transaction is open. After any error the old rows are still there.
    """
    ddl.refuse_in_transaction(connection, f"The lineage of `{schema}` cannot be rebuilt")
    backend = connection.backend
    if not is_kept(connection, schema):
        connection.ddl(backend.prepare_notes(schema))
    with connection.transaction:
        connection.catalog.forget()
        tables = {
            each.name: _without_lineage(each) if each.name.schema == schema else each
            for found in connection.catalog.connected(schema).values()
            for each in found.values()
        }
        whole = completed(tables, {}).values()
        own = [structure for structure in whole if structure.name.schema == schema]
        for sql, params in lineage.rewrite(schema, own, backend):
            connection.execute(sql, params)
    connection.catalog.forget()


def _without_lineage(structure: TableStructure) -> TableStructure:
    attributes = tuple(replace(attribute, lineage=None) for attribute in structure.attributes)
    return replace(structure, attributes=attributes)
