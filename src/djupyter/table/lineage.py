"""Where attributes were first declared, and keeping `~lineage` as the foreign keys have it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from djupyter.definition.names import TableName
from djupyter.heading.inheritance import completed
from djupyter.heading.structure import TableStructure
from djupyter.sql import ddl, lineage
from djupyter.sql.names import LINEAGE
from djupyter.table.schema_part import SchemaPart

if TYPE_CHECKING:
    from djupyter.sql.connection import Connection


def _is_kept(connection: Connection, schema: str) -> bool:
    """Whether a schema has a `~lineage`."""
    return connection.backend.table_exists(connection.fetch, TableName(schema, LINEAGE))


def _rebuild(connection: Connection, schema: str) -> None:
    """Write the lineage of all tables of a schema anew, from its foreign keys.

    Raises
    ------
    DataJointError
        A transaction is open. After any error the old rows are still there.
    """
    ddl.refuse_in_transaction(connection, f"The lineage of `{schema}` cannot be rebuilt")
    backend = connection.backend
    if not _is_kept(connection, schema):
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


class Tracing(SchemaPart):
    """The part of a schema that tells where attributes come from; `Schema` is one."""

    @property
    def lineage(self) -> dict[str, str]:
        """Where each attribute was first declared: `schema.table.attribute` to that of the origin.

        Attributes of the same name meet in a join, a restriction by a query or an aggregation only when their
        origins are equal. An attribute that a foreign key brought has the origin of the one it refers to; any other
        attribute of a primary key is its own origin; other attributes have none. The database's table `~lineage`
        notes this, for datajoint too. Where it has no row for an attribute, or is missing or may not be read, the
        foreign keys tell the same: matching never depends on whether someone has noted it. Opening a schema
        writes nothing; decorating a class of a table whose rows are missing adds them, and `rebuild_lineage` writes
        all of them.

        Examples
        --------
        >>> import djupyter as dj
        >>> schema = dj.Schema("lab", connection=dj.Connection("sqlite://"))
        >>> _ = schema(type("Subject", (dj.Manual,), {"definition": "subject_id : int32"}))
        >>> _ = schema(type("Session", (dj.Manual,), {"definition": "-> Subject.proj(who='subject_id')"}))
        >>> schema.lineage["lab.session.who"]
        'lab.subject.subject_id'
        """
        return {
            f"{self.name}.{table}.{attribute.name}": attribute.lineage
            for table, structure in self.connection.catalog.structures(self.name).items()
            for attribute in structure.attributes
            if attribute.lineage
        }

    @property
    def lineage_table_exists(self) -> bool:
        """Whether the database notes the lineage of this schema's attributes."""
        return _is_kept(self.connection, self.name)

    def rebuild_lineage(self) -> None:
        """Write `~lineage` anew from the foreign keys, also those to other schemas: all of it or nothing.

        What other schemas note of their own attributes counts; where that is wrong, rebuild theirs first.

        Raises
        ------
        AccessError
            The user may not write to the schema.
        DataJointError
            A transaction is open.
        """
        _rebuild(self.connection, self.name)
