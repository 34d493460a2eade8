"""Garbage collection: objects in stores that no row refers to, found by listing and removed when they are old.

```
list the stores -> read all rows -> what is left, and old -> read all rows again -> look once more, remove
```

The stores are listed before the rows are read, so an object that is written later is never a candidate. An object
younger than the grace period may belong to a row that is being inserted. What cannot be read stops everything.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from math import inf
from typing import Any
from uuid import uuid4

from djupyter.errors import CollectionRefused, DataJointError
from djupyter.sql.connection import Connection
from djupyter.stores.store import Entry, Store, Stores
from djupyter.stores.transfers import run_all
from djupyter.table.aliases import Aliases
from djupyter.table.collected import Report, Tallies
from djupyter.table.covering import uncovered
from djupyter.table.ledger import Ledger
from djupyter.table.placing import Sections, as_bytes, as_path, key_of
from djupyter.table.references import Reference, read_references
from djupyter.table.telling import Teller

_REMOVED_AT_ONCE = 500
_EXAMPLES = 10
_ORPHANS = "SELECT key, store, path, size, modified, owner, kind, unit FROM {} WHERE store = ? ORDER BY key"
# An object is as old as the youngest of its files: a folder may take hours to write.
_OLD = """SELECT o.path, o.size, o.modified, o.owner, o.kind, o.key FROM orphans AS o
    JOIN (SELECT unit, MAX(modified) AS youngest FROM orphans WHERE store = ? GROUP BY unit) AS u
    ON u.unit = o.unit WHERE o.store = ? AND u.youngest <= CASE o.kind WHEN 'hash' THEN ? ELSE ? END"""
List = Callable[[Store, Sections], Iterator[Entry]]


class Collection:
    """One look at some stores for the objects of some schemas.

    Parameters
    ----------
    connection
        The database; all of its schemas count.
    schemas
        Names of those whose objects are looked for.
    stores
        Where.
    grace_period
        Seconds for which an object without a row is left alone.
    ledger
        Keeps the lists.
    tell
        Hears of the progress.
    known
        All stores that rows may name; those of the connection when None.
    list_files
        Yields the files of a store that may be removed; all in the sections of the schemas when None.
    spares_young
        Whether the grace period protects objects by schema too, and not only those by content, which another
        insert may just have found.
    """

    def __init__(
        self,
        connection: Connection,
        schemas: Sequence[str],
        stores: Sequence[Store],
        grace_period: float,
        ledger: Ledger,
        tell: Teller,
        *,
        known: Stores | None = None,
        list_files: List | None = None,
        spares_young: bool = True,
    ) -> None:
        self.connection, self.schemas, self.stores = connection, schemas, stores
        self.grace_period, self._ledger, self._tell = grace_period, ledger, tell
        self._list_files, self._spares_young = list_files or stored, spares_young
        self.tallies = Tallies(store.name for store in stores)
        self.problems: list[str] = []
        self.failures: list[str] = []
        self._aliases = Aliases(known or connection.stores, stores)

    # Looking

    def look(self, *, dry_run: bool) -> None:
        """Find the orphans."""
        self._limits = [self._youngest(store, dry_run=dry_run) for store in self.stores]
        self._tell.begin("listing")
        for number, store in enumerate(self.stores):
            try:
                self._ledger.add("files", self._listed(number, store), 8)
            except DataJointError as error:
                self.problems.append(f"the store '{store.name}' cannot be listed: {error}")
        self._ledger.execute("CREATE INDEX files_key ON files (store, key)")
        self._read_references()
        self._write_uncovered("files")
        for number in range(len(self.stores)):
            for _, size, _, owner, kind, _ in self._old(number):
                tally = self.tallies.of(number, owner, kind)
                tally.young, tally.orphans = tally.young - 1, tally.orphans + 1
                tally.orphan_bytes += size

    def _youngest(self, store: Store, *, dry_run: bool) -> float:
        """Return when the youngest object was written that is old enough."""
        if not self.grace_period:
            return inf
        return self._now(store, dry_run=dry_run) - self.grace_period

    def _now(self, store: Store, *, dry_run: bool) -> float:
        """Return the time by the clock of a store, which gives objects their age; ours where nothing is written."""
        now = time.time()
        if dry_run:
            return now
        folder = Sections.of(store.spec, self.schemas).folders()[0]
        probe = f"{folder}/.{uuid4().hex}.part"
        try:
            store.put(probe, b"")
            written = store.info(probe)
            with suppress(DataJointError):
                store.remove(probe)
        except DataJointError as error:
            self.problems.append(f"the store '{store.name}' cannot be written to: {error}")
            return now
        return min(now, written.modified) if written else now

    def _listed(self, number: int, store: Store) -> Iterator[tuple[Any, ...]]:
        sections = Sections.of(store.spec, self.schemas)
        for entry in self._list_files(store, sections):
            placed = sections.place(entry.path)
            self._tell.advance()
            if placed is not None:
                tally = self.tallies.of(number, placed.schema, placed.kind)
                tally.files, tally.bytes = tally.files + 1, tally.bytes + entry.size
                yield (
                    number,
                    key_of(entry.path),
                    as_bytes(entry.path),
                    entry.size,
                    entry.modified,
                    placed.schema,
                    placed.kind,
                    as_bytes(placed.unit),
                )

    def _read_references(self) -> None:
        self._tell.begin("reading rows")
        self._ledger.execute("DELETE FROM refs")
        self.problems += read_references(
            self.connection, self.schemas, self._note, self._tell.advance
        )

    def _note(self, references: Iterable[Reference]) -> None:
        places = (place for reference in references for place in self._aliases.places(reference))
        self._ledger.add("refs", ((number, key_of(path)) for number, path in places), 2)

    def _write_uncovered(self, table: str) -> None:
        """Make the orphans those of a list that no row refers to."""
        for number in range(len(self.stores)):
            listed = self._ledger.read(_ORPHANS.format(table), (number,))
            found = self._counted(uncovered(listed, self._ledger.references(number)))
            self._ledger.add("orphans", found, 8)

    def _counted(self, found: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        for key, number, path, size, modified, owner, kind, unit in found:
            self.tallies.of(number, owner, kind).young += 1
            yield number, key, path, size, modified, owner, kind, unit

    def _old(self, number: int) -> Iterator[tuple[Any, ...]]:
        return self._ledger.read(_OLD, self._old_values(number))

    def _old_values(self, number: int) -> tuple[float, ...]:
        limit = self._limits[number]
        return number, number, limit, limit if self._spares_young else inf

    # Removing

    def remove(self) -> None:
        """Remove the orphans that are old and still are orphans.

        Raises
        ------
        CollectionRefused
            Something that may refer to them could not be read.
        """
        if self.problems:
            raise CollectionRefused(self.problems)
        total = sum(tally.orphans for tally in self.tallies.all())
        if not total:
            return
        # Rows may have been copied from one table to another while the tables were read one after the other.
        self._read_references()
        if self.problems:
            raise CollectionRefused(self.problems)
        self._tell.begin("removing", total)
        for number, store in enumerate(self.stores):
            doomed = self._still_uncovered(number)
            while batch := list(islice(doomed, _REMOVED_AT_ONCE)):
                self._remove_batch(number, store, batch)
        self._check_removed()

    def _still_uncovered(self, number: int) -> Iterator[tuple[Any, ...]]:
        rows = self._ledger.read(f"{_OLD} ORDER BY o.key", self._old_values(number))
        keyed = ((key, *rest) for *rest, key in rows)
        return uncovered(keyed, self._ledger.references(number))

    def _remove_batch(self, number: int, store: Store, batch: Sequence[tuple[Any, ...]]) -> None:
        paths = [as_path(path) for _, path, *_ in batch]
        # Content that lies there for long is written again by an insert that refers to it anew.
        looks = [
            partial(_is_as_listed, store, path, modified) if kind == "hash" else (lambda: True)
            for path, (_, _, _, modified, _, kind) in zip(paths, batch, strict=True)
        ]
        same = run_all(looks, self.connection.settings["objects.workers"])
        chosen = [path for path, is_same in zip(paths, same, strict=True) if is_same]
        failed = dict(store.remove_many(chosen))
        self.failures += [f"{path}: {reason}" for path, reason in failed.items()]
        removed = set(chosen) - failed.keys()
        gone = []
        for path, (key, _, size, _, owner, kind) in zip(paths, batch, strict=True):
            if path in removed:
                tally = self.tallies.of(number, owner, kind)
                tally.removed, tally.removed_bytes = tally.removed + 1, tally.removed_bytes + size
                if kind == "hash":
                    gone.append((number, key))
        self._ledger.add("removed", gone, 2)
        self._tell.advance(len(batch))

    def _check_removed(self) -> None:
        """See that no row has come to refer to content in the moment between the last look and the removal."""
        if not next(self._ledger.read("SELECT COUNT(*) FROM removed"))[0]:
            return
        self._read_references()
        for number, store in enumerate(self.stores):
            sql = "SELECT DISTINCT key FROM removed WHERE store = ? ORDER BY key"
            removed = {key for (key,) in self._lost(number, sql)}
            for key in sorted(removed):
                path = as_path(key.replace(b"\0", b"/"))
                self.failures.append(
                    f"{path} in the store '{store.name}' was inserted again in the moment of its removal: "
                    "insert the rows that refer to it once more, with replace=True"
                )

    def _lost(self, number: int, sql: str) -> Iterator[tuple[bytes]]:
        left = {
            key
            for key, *_ in uncovered(
                self._ledger.read(sql, (number,)), self._ledger.references(number)
            )
        }
        return ((key,) for (key,) in self._ledger.read(sql, (number,)) if key not in left)

    # Reporting

    def report(self, *, dry_run: bool) -> Report:
        """Return what was found."""
        (references,) = next(
            self._ledger.read("SELECT COUNT(*) FROM (SELECT DISTINCT store, key FROM refs)")
        )
        return Report(
            self.tallies.all(),
            tuple(dict.fromkeys(self.problems)),
            tuple(self.failures),
            tuple(islice(self.orphan_paths(), _EXAMPLES)),
            references,
            self.grace_period,
            dry_run,
        )

    def referenced_paths(self, kind: str) -> Iterator[str]:
        """Yield what rows refer to in one section."""
        for number, store in enumerate(self.stores):
            sections = Sections.of(store.spec, self.schemas)
            for key in self._ledger.references(number):
                placed = sections.place(path := as_path(key.replace(b"\0", b"/")))
                if placed is not None and placed.kind == kind:
                    yield path

    def orphan_paths(self, kind: str | None = None) -> Iterator[str]:
        """Yield the paths of orphans that are old enough, of one section or both."""
        for number in range(len(self.stores)):
            for path, _, _, _, each, _ in self._old(number):
                if kind in (None, each):
                    yield as_path(path)


def _is_as_listed(store: Store, path: str, modified: float) -> bool:
    found = store.info(path)
    return found is not None and found.modified <= modified


def stored(store: Store, sections: Sections) -> Iterator[Entry]:
    """Yield the files in the sections of a store."""
    for folder in sections.folders():
        yield from store.entries(folder)
    if store.is_folder(sections.schema_prefix):
        for name in store.names(sections.schema_prefix):
            if (partition := sections.partition(name)) is not None:
                yield from store.entries(partition)
