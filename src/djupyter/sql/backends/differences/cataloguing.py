"""Schemas, what is noted about their tables, and how all that is read again."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection

from djupyter.definition.names import TableName
from djupyter.heading.structure import TableStructure
from djupyter.sql.backends.differences.records import Fetch, Statement, TableRows
from djupyter.sql.backends.differences.writing import Writing


class Cataloguing(Writing):
    """The part of a backend that keeps schemas and reads the catalogue."""

    # Schemas and notes

    @abstractmethod
    def create_schema(self, schema: str) -> list[str]:
        """Return the statements that create a schema and its lineage table, if it is not there."""

    @abstractmethod
    def drop_schema(self, schema: str) -> list[Statement]:
        """Return the statements that remove what is left of a schema whose tables are gone."""

    def prepare_notes(self, schema: str) -> list[str]:
        """Return the statements that create what notes and lineage are kept in, where it is missing."""
        return []

    @abstractmethod
    def annotate(self, structure: TableStructure) -> list[Statement]:
        """Return the statements that note comments and types, where CREATE TABLE does not."""

    @abstractmethod
    def unannotate(self, name: TableName) -> list[Statement]:
        """Return the statements that remove such notes."""

    def as_kept(self, fetch: Fetch, structure: TableStructure) -> TableStructure:
        """Return a new table with what its schema, not its definition, decides."""
        return structure

    # Reading

    @abstractmethod
    def schemas(self, fetch: Fetch) -> list[str]:
        """Return the names of all schemas."""

    @abstractmethod
    def table_exists(self, fetch: Fetch, name: TableName) -> bool:
        """Whether there is such a table now."""

    @abstractmethod
    def catalog_version(self, fetch: Fetch) -> object:
        """Return a value that changes with every change of any table; None where there is none."""

    def schema_links(self, fetch: Fetch) -> list[tuple[str, str]]:
        """Return each pair of schemas of which the first has a foreign key to the second."""
        tables = self.read_tables(fetch, None)
        return list({(t.name.schema, key.parent.schema) for t in tables for key in t.foreign_keys})

    def codec_schemas(self, fetch: Fetch) -> list[str]:
        """Return the schemas with attributes that have a codec; some others may be among them."""
        return self.schemas(fetch)

    def sizes(self, fetch: Fetch, schema: str) -> dict[str, int]:
        """Return how many bytes tables of a schema take on disk, by their names; those that it tells at little cost."""
        return {}

    @abstractmethod
    def read_tables(self, fetch: Fetch, schemas: Collection[str] | None) -> list[TableRows]:
        """Return the tables of some or all schemas, with a constant number of statements."""
