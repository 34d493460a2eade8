"""Garbage collection: objects in stores that no row refers to, found by listing and removed when they are old.

```
list the stores -> read all rows -> what is left, and old -> read all rows again -> look once more, remove
```

The stores are listed before the rows are read, so an object that is written later is never a candidate. An object
younger than the grace period may belong to a row that is being inserted. What cannot be read stops everything.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from math import inf
from uuid import uuid4

from djupyter.errors import CollectionRefused, DataJointError
from djupyter.sql.connection import Connection
from djupyter.stores.store import Entry, Store, Stores
from djupyter.stores.transfers import run_all
from djupyter.table.aliases import Aliases
from djupyter.table.collected import Report, Tally
from djupyter.table.litter import Listed, Litter, stored
from djupyter.table.placing import Sections
from djupyter.table.references import Reference, read_references
from djupyter.table.telling import Teller

_AT_ONCE = 500  # of those that are looked at and removed together
_FEW = 20  # that are removed sooner than a thread has begun
_EXAMPLES = 10
Removed = tuple[
    list[str], dict[str, str]
]  # what was as listed; what of it could not be removed, and why
ListFiles = Callable[[Store, Sections], Iterator[Entry]]


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
    tell
        Hears of the progress.
    known
        All stores that rows may name; those of the connection when None.
    list_files
        Yields the files of a store that may be removed; by default all in the sections of the schemas.
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
        tell: Teller,
        *,
        known: Stores | None = None,
        list_files: ListFiles = stored,
        spares_young: bool = True,
    ) -> None:
        self.connection, self.schemas, self.grace_period = connection, schemas, grace_period
        self._tell, self._list_files, self._spares_young = tell, list_files, spares_young
        self.problems: list[str] = []
        self.failures: list[str] = []
        self._litters = [Litter(store, Sections.of(store.spec, schemas)) for store in stores]
        self._aliases = Aliases(known or connection.stores, stores)

    # Looking

    def look(self, *, dry_run: bool) -> None:
        """Find the orphans."""
        for litter in self._litters:
            limit = self._youngest(litter.store, dry_run=dry_run)
            litter.limits = {"hash": limit, "schema": limit if self._spares_young else inf}
        self._tell.begin("listing")
        for litter in self._litters:
            try:
                litter.list(self._list_files(litter.store, litter.sections), self._tell)
            except DataJointError as error:
                self.problems.append(f"the store '{litter.store.name}' cannot be listed: {error}")
            if self._list_files is stored:
                self._list_uploads(litter)
        self._read_references()
        for litter in self._litters:
            litter.judge()

    def _list_uploads(self, litter: Litter) -> None:
        try:
            litter.list_uploads()
        except (
            DataJointError
        ) as error:  # a right of its own, which is no reason to keep the orphans
            self.failures.append(
                f"unfinished uploads to the store '{litter.store.name}', which cannot be listed: {error}"
            )

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

    def _read_references(self) -> None:
        self._tell.begin("reading rows")
        for litter in self._litters:
            litter.forget_references()
        self.problems += read_references(
            self.connection, self.schemas, self._note, self._tell.advance
        )

    def _note(self, references: Iterable[Reference]) -> None:
        for litter, paths in zip(self._litters, self._aliases.by_place(references), strict=True):
            litter.refer(paths)

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
        for litter in self._litters:
            self._give_up_uploads(litter)
        total = sum(tally.orphans for tally in self.tallies())
        if not total:
            return
        # Rows may have been copied from one table to another while the tables were read one after the other.
        self._read_references()
        if self.problems:
            raise CollectionRefused(self.problems)
        self._tell.begin("removing", total)
        for litter in self._litters:
            doomed = litter.still_orphans()
            while batch := list(islice(doomed, _AT_ONCE)):
                self._remove_batch(litter, batch)
        self._check_removed()

    def _give_up_uploads(self, litter: Litter) -> None:
        for upload in litter.uploads:
            try:
                litter.give_up(upload)
            except DataJointError as error:
                self.failures.append(f"the unfinished upload of {upload.path}: {error}")

    def _remove_batch(self, litter: Litter, batch: Sequence[Listed]) -> None:
        workers = self.connection.settings["objects.workers"]
        remove = _remove_near if _is_near(litter.store) else _remove_far
        chosen, failed = remove(litter.store, batch, workers)
        self.failures += [f"{path}: {reason}" for path, reason in failed.items()]
        litter.note_removed(batch, set(chosen) - failed.keys())
        self._tell.advance(len(batch))

    def _check_removed(self) -> None:
        """See that no row has come to refer to content between the last look and the removal.

        On this machine that is a moment in which no row is committed; elsewhere many are looked at, then removed.
        """
        far = [each for each in self._litters if len(each.removed) and not _is_near(each.store)]
        if not far:
            return
        self._read_references()
        for litter in far:
            self.failures += [
                f"{path} in the store '{litter.store.name}' was inserted again in the moment of its removal: "
                "insert the rows that refer to it once more, with replace=True"
                for path in litter.missed()
            ]

    # Reporting

    def tallies(self) -> tuple[Tally, ...]:
        """Return what was found, by store, schema and section."""
        return tuple(tally for litter in self._litters for tally in litter.all_tallies())

    def report(self, *, dry_run: bool) -> Report:
        """Return what was found."""
        return Report(
            self.tallies(),
            tuple(dict.fromkeys(self.problems)),
            tuple(self.failures),
            tuple(islice(self.orphan_paths(), _EXAMPLES)),
            sum(1 for litter in self._litters for _ in litter.references.distinct()),
            self.grace_period,
            dry_run,
        )

    def referenced(self) -> Counter[str]:
        """Return how many objects rows refer to, by section."""
        return Counter(kind for litter in self._litters for kind in litter.referenced())

    def orphan_paths(self, kind: str | None = None) -> Iterator[str]:
        """Yield the paths of orphans that are old enough, of one section or both."""
        for litter in self._litters:
            yield from (each.path for each in litter.old() if kind in (None, each.kind))


def _is_near(store: Store) -> bool:
    return store.spec["protocol"] in ("file", "memory")


def _remove_near(store: Store, batch: Sequence[Listed], workers: int) -> Removed:
    """Remove content that is as it was listed, one by one, and all other files with threads.

    Content is looked at in the very moment of its removal, which other threads would lengthen. Nobody writes
    the others again. Neighbours are left to one thread, which empties their folder.
    """
    chosen: list[str] = []

    def looked_at() -> Iterator[str]:
        for each in batch:
            if each.kind == "hash" and _is_as_listed(store, each):
                chosen.append(each.path)
                yield each.path

    failures = store.remove_many(looked_at())
    others = [each.path for each in batch if each.kind != "hash"]
    if store.spec["protocol"] == "memory":  # a plain dict of fsspec, not made for threads
        workers = 1
    size = max(_FEW, -(-len(others) // workers))
    parts = [others[start : start + size] for start in range(0, len(others), size)]
    for failed in run_all([partial(store.remove_many, part) for part in parts], workers):
        failures += failed
    return [*chosen, *others], dict(failures)


def _remove_far(store: Store, batch: Sequence[Listed], workers: int) -> Removed:
    """Remove files that are as they were listed: all are looked at, then removed in one request."""
    same = run_all([partial(_is_as_listed, store, each) for each in batch], workers)
    chosen = [each.path for each, is_same in zip(batch, same, strict=True) if is_same]
    return chosen, dict(store.remove_many(chosen))


def _is_as_listed(store: Store, each: Listed) -> bool:
    """Whether a file is what it was: an insert that needs old content writes it again."""
    if each.kind != "hash":
        return True
    found = store.info(each.path)
    return found is not None and found.modified <= each.modified
