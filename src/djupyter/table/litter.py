"""What lies in one store for some schemas: files as listed, what rows refer to, and what is left."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import groupby
from math import inf
from typing import NamedTuple

from djupyter.stores.files import Upload
from djupyter.stores.store import Entry, Store
from djupyter.table.collected import Tally
from djupyter.table.covering import uncovered
from djupyter.table.placing import Kind, Sections, key_of, path_of
from djupyter.table.spool import Spool
from djupyter.table.telling import Teller

_TOLD_AT_ONCE = 100  # telling of each would take longer than listing it


class Listed(NamedTuple):
    """A file in a store that may be removed; they sort as `uncovered` takes them."""

    key: bytes
    path: str
    size: int
    modified: float
    schema: str
    kind: Kind
    unit: str


class Litter:
    """One store in a collection.

    Parameters
    ----------
    store
        The store.
    sections
        The parts of it that are looked at.

    Attributes
    ----------
    limits
        When the youngest object of each section was written that is old enough to be removed.
    references
        Keys of what rows refer to.
    removed
        Keys of content that was removed.
    uploads
        Objects that somebody has begun to send so long ago that it is nobody any more.
    """

    def __init__(self, store: Store, sections: Sections) -> None:
        self.store, self.sections = store, sections
        self.limits: dict[Kind, float] = {"hash": inf, "schema": inf}
        self.references: Spool[bytes] = Spool()
        self.removed: Spool[bytes] = Spool()
        self.uploads: list[Upload] = []
        self._listed: Spool[Listed] = Spool()
        self._orphans: Spool[Listed] = Spool()
        self._ages: Spool[tuple[int, float]] = Spool()
        self._tallies: dict[tuple[str, Kind], Tally] = {}

    def list(self, entries: Iterable[Entry], tell: Teller) -> None:
        """Note the files of the store."""
        self._listed.add(self._placed(entries, tell))

    def _placed(self, entries: Iterable[Entry], tell: Teller) -> Iterator[Listed]:
        place, untold = self.sections.place, 0
        for entry in entries:
            untold += 1
            if untold == _TOLD_AT_ONCE:
                tell.advance(untold)
                untold = 0
            placed = place(entry.path)
            if placed is not None:
                schema, kind, unit = placed
                tally = self._tally(schema, kind)
                tally.files += 1
                tally.bytes += entry.size
                key = key_of(entry.path)
                yield Listed(key, entry.path, entry.size, entry.modified, schema, kind, unit)
        tell.advance(untold)

    def list_uploads(self) -> None:
        """Note what somebody has begun to send, long ago, and not finished."""
        for prefix in dict.fromkeys((self.sections.hash_prefix, self.sections.schema_prefix)):
            for upload in self.store.uploads(prefix):
                placed = self.sections.place(upload.path)
                if placed is not None and upload.began <= self.limits[placed.kind]:
                    self.uploads.append(upload)
                    self._tally(placed.schema, placed.kind).uploads += 1

    def give_up(self, upload: Upload) -> None:
        """Remove what was sent of an object."""
        self.store.give_up(upload)
        placed = self.sections.place(upload.path)
        assert placed is not None, "others were not noted"
        self._tally(placed.schema, placed.kind).uploads_removed += 1

    def forget_references(self) -> None:
        """Begin to read them anew."""
        self.references = Spool()

    def refer(self, paths: Iterable[str]) -> None:
        """Note that rows refer to some paths."""
        self.references.add(map(key_of, paths))

    def judge(self) -> None:
        """Find the files that no row refers to, and how old they are."""
        self._orphans.add(uncovered(self._listed, self.references.distinct()))
        self._ages.add(enumerate(self._youngest()))
        for each in self.old():
            tally = self._tally(each.schema, each.kind)
            tally.young, tally.orphans = tally.young - 1, tally.orphans + 1
            tally.orphan_bytes += each.size

    def _youngest(self) -> Iterator[float]:
        """Yield when each object was written last, counting all as young."""
        for _, files in self._units():
            # An object is as old as the youngest of its files: a folder may take hours to write.
            youngest = -inf
            for each in files:
                youngest = max(youngest, each.modified)
                self._tally(each.schema, each.kind).young += 1
            yield youngest

    def _units(self) -> Iterator[tuple[str, Iterator[Listed]]]:
        # All files of an object come one after the other.
        return groupby(self._orphans, lambda each: each.unit)

    def old(self) -> Iterator[Listed]:
        """Yield the orphans that are old enough, in order."""
        for (_, files), (_, youngest) in zip(self._units(), self._ages, strict=True):
            yield from (each for each in files if youngest <= self.limits[each.kind])

    def still_orphans(self) -> Iterator[Listed]:
        """Yield those that no row refers to now that rows were read again."""
        return uncovered(self.old(), self.references.distinct())

    def note_removed(self, batch: Iterable[Listed], paths: Collection[str]) -> None:
        """Note which files of some are gone."""
        for each in batch:
            if each.path in paths:
                tally = self._tally(each.schema, each.kind)
                tally.removed, tally.removed_bytes = (
                    tally.removed + 1,
                    tally.removed_bytes + each.size,
                )
                if each.kind == "hash":
                    self.removed.append(each.key)

    def missed(self) -> Iterator[str]:
        """Yield what was removed and is referred to now that rows were read once more."""
        keys = ((key,) for key in self.removed.distinct())
        left = uncovered(keys, self.references.distinct())
        unmissed = next(left, None)
        for key in self.removed.distinct():
            if unmissed == (key,):
                unmissed = next(left, None)
            else:
                yield path_of(key)

    def referenced(self) -> Iterator[Kind]:
        """Yield the section of each object that rows refer to."""
        for key in self.references.distinct():
            placed = self.sections.place(path_of(key))
            if placed is not None:
                yield placed.kind

    def all_tallies(self) -> Iterator[Tally]:
        """Yield the tallies in order."""
        return (self._tallies[key] for key in sorted(self._tallies))

    def _tally(self, schema: str, kind: Kind) -> Tally:
        found = self._tallies.get((schema, kind))
        if found is None:
            found = self._tallies[schema, kind] = Tally(self.store.name, schema, kind)
        return found


def stored(store: Store, sections: Sections) -> Iterator[Entry]:
    """Yield the files in the sections of a store."""
    for folder in sections.folders():
        yield from store.entries(folder)
    if store.is_folder(sections.schema_prefix):
        for name in store.names(sections.schema_prefix):
            if (partition := sections.partition(name)) is not None:
                yield from store.entries(partition)
