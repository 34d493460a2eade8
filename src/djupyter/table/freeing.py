"""Objects of rows that are being deleted: removed when the deletion is permanent and no other row refers to them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import islice

from djupyter.definition.names import TableName
from djupyter.errors import DataJointError
from djupyter.heading.structure import TableStructure
from djupyter.query import statement
from djupyter.query.node import Node
from djupyter.sql.connection import Connection
from djupyter.stores.store import Entry, Store
from djupyter.stores.transfers import run_all
from djupyter.table.aliases import distinct
from djupyter.table.collect import grace_of
from djupyter.table.collection import Collection
from djupyter.table.placing import MANIFEST, Sections, normal
from djupyter.table.references import object_attributes
from djupyter.table.spool import Spool
from djupyter.table.telling import Teller, frames_of_ours

_AT_ONCE = 500


class Freeing:
    """What deleted rows referred to; an `Ending` of their transaction.

    Parameters
    ----------
    connection
        The database.
    schemas
        Those of the tables whose rows go; objects of others are left to collections of theirs.
    """

    def __init__(self, connection: Connection, schemas: Iterable[str]) -> None:
        self._connection, self._schemas = connection, sorted(set(schemas))
        self._stores: dict[str, Store] = {}
        self._paths: dict[str, Spool[str]] = {}  # of each store

    def note(self, structure: TableStructure, node: Node) -> None:
        """Note the objects of some rows of a table, before they are deleted."""
        connection = self._connection
        attributes = [
            each for each in object_attributes(connection, [structure]) if not each.is_of_user
        ]
        if not attributes:
            return
        names = [each.attribute.name for each in attributes]
        prepared = statement.rows(node, connection.backend, names)
        parameters = prepared.parameters(node.values, connection.backend.adapt)
        for rows in connection.stream(prepared.text, parameters):
            for each, column in zip(attributes, zip(*rows, strict=True), strict=True):
                documents = (each.document(value) for value in column if value is not None)
                self._note(found for document in documents for found in each.owned(document))

    def _note(self, references: Iterable[tuple[str, str | None]]) -> None:
        for path, name in references:
            store = self._connection.stores.get(name)
            self._stores[store.name] = store
            self._paths.setdefault(store.name, Spool()).append(normal(path))

    def published(self) -> None:
        """Remove what no other row refers to; what cannot be removed is left to garbage collection."""
        try:
            if self._stores:
                self._remove()
        except DataJointError as error:
            warnings.warn(
                f"The rows are deleted, their objects were left for dj.gc.collect. {error}",
                UserWarning,
                stacklevel=frames_of_ours(),
            )

    def discarded(self) -> None:
        """Leave all objects where they are: so do the rows."""

    def _remove(self) -> None:
        connection = self._connection
        collection = Collection(
            connection,
            self._schemas,
            distinct(list(self._stores.values())),
            grace_of(connection, None),
            Teller(lambda _: None),
            list_files=self._files,
            spares_young=False,
        )
        collection.look(dry_run=False)
        collection.remove()

    def _files(self, store: Store, sections: Sections) -> Iterator[Entry]:
        """Yield the files of the noted objects of a store."""
        paths = self._doomed(store, sections)
        while some := list(islice(paths, _AT_ONCE)):
            workers = self._connection.settings["objects.workers"]
            for found in run_all([partial(_files_of, store, path) for path in some], workers):
                yield from found

    def _doomed(self, store: Store, sections: Sections) -> Iterator[str]:
        return (path for path in self._paths[store.name].distinct() if sections.place(path))


def freeing(
    connection: Connection,
    structures: Mapping[TableName, TableStructure],
    rows: Mapping[TableName, Node],
) -> Freeing:
    """Return what frees the objects of rows that are about to be deleted, once it hears that they are."""
    found = Freeing(connection, (name.schema for name in rows))
    for name, node in rows.items():
        found.note(structures[name], node)
    return found


def _files_of(store: Store, path: str) -> Iterable[Entry]:
    entry = store.info(path)
    if entry is not None:
        return [entry]
    manifest = store.info(path + MANIFEST)
    inside = store.entries(path)
    return inside if manifest is None else [*inside, manifest]
