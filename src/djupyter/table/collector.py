"""Garbage collection in the words of datajoint: the same methods and report keys, with our safety."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from djupyter.errors import CollectionRefused
from djupyter.stores.store import Store, Stores
from djupyter.table.aliases import Aliases
from djupyter.table.collect import carried_out, connection_of, grace_of
from djupyter.table.collection import Collection
from djupyter.table.litter import stored
from djupyter.table.placing import Sections
from djupyter.table.references import Reference, read_references
from djupyter.table.telling import teller


class GarbageCollector:
    """Collects the objects of some schemas in one store.

    `dj.gc.scan` and `dj.gc.collect` tell more and hold less in memory.

    Parameters
    ----------
    *schemas
        Schemas, or virtual ones, of one connection.
    store
        The name of a store; the default one when None.
    config
        Settings with the stores; those of the connection when None.

    Raises
    ------
    DataJointError
        No schema is given, or the store is not configured.
    """

    def __init__(self, *schemas: Any, store: str | None = None, config: Any = None) -> None:
        self._connection, self._schemas = connection_of(schemas)
        stores = self._connection.stores if config is None else Stores(lambda: config["stores"])
        self._stores: Stores = stores
        self._store: Store = stores.get(store)

    def hash_references(self, verbose: bool = False) -> set[str]:
        """Return the paths of objects by content that rows refer to in the store."""
        return self._referenced("hash")

    def schema_references(self, verbose: bool = False) -> set[str]:
        """Return the paths of objects by schema that rows refer to in the store."""
        return self._referenced("schema")

    def list_hash_paths(self, schema_name: str) -> dict[str, int]:
        """Return the objects by content that lie in the store for a schema, with their sizes."""
        return self._listed(schema_name, "hash")

    def list_schema_paths(self, schema_name: str) -> dict[str, int]:
        """Return the files by schema that lie in the store for a schema, manifests included, with their sizes."""
        return self._listed(schema_name, "schema")

    def delete_schema_path(self, path: str) -> bool:
        """Remove a file and the folders above that are empty then; return whether it was there."""
        there = self._store.exists(path)
        self._store.remove(path)
        return there

    def collect(self, dry_run: bool = True, verbose: bool = False) -> dict[str, Any]:
        """Return what no row refers to; remove it unless `dry_run`.

        Raises
        ------
        CollectionRefused
            Something that may refer to an object could not be read. Nothing was removed.
        """
        connection = self._connection
        with teller(verbose) as tell:
            work = Collection(
                connection,
                self._schemas,
                [self._store],
                grace_of(connection, None),
                tell,
                known=self._stores,
            )
            carried_out(work, dry_run=dry_run)
            return self._told(work, dry_run)

    def _told(self, work: Collection, dry_run: bool) -> dict[str, Any]:
        tallies = work.tallies()
        referenced = work.referenced()
        found: dict[str, Any] = {}
        for kind in ("hash", "schema"):
            of_kind = [tally for tally in tallies if tally.section == kind]
            found[f"{kind}_paths_referenced"] = referenced[kind]
            found[f"{kind}_paths_stored"] = sum(tally.files for tally in of_kind)
            found[f"{kind}_paths_orphaned"] = sum(tally.orphans for tally in of_kind)
            found[f"{kind}_paths_orphaned_bytes"] = sum(tally.orphan_bytes for tally in of_kind)
            found[f"orphaned_{kind}_paths"] = sorted(work.orphan_paths(kind))
            found[f"{kind}_paths_deleted"] = sum(tally.removed for tally in of_kind)
        deleted, freed = sum(t.removed for t in tallies), sum(t.removed_bytes for t in tallies)
        errors = {"errors": len(work.failures), "scan_errors": list(work.problems)}
        return {**found, "deleted": deleted, "bytes_freed": freed, **errors, "dry_run": dry_run}

    def _referenced(self, kind: str) -> set[str]:
        sections = Sections.of(self._store.spec, self._schemas)
        aliases = Aliases(self._stores, [self._store])
        found: set[str] = set()

        def take(references: Iterable[Reference]) -> None:
            for _, path in aliases.places(references):
                placed = sections.place(path)
                if placed is not None and placed.kind == kind:
                    found.add(path)

        problems = read_references(self._connection, self._schemas, take)
        if problems:
            raise CollectionRefused(problems)
        return found

    def _listed(self, schema_name: str, kind: str) -> dict[str, int]:
        sections = Sections.of(self._store.spec, [schema_name])
        found = {}
        for entry in stored(self._store, sections):
            placed = sections.place(entry.path)
            if placed is not None and placed.kind == kind:
                found[entry.path] = entry.size
        return found
