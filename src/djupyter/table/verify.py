"""Whether every row has its objects: rows are read, stores are listed, and only what is missing then is asked for.

Nothing is repaired.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from math import prod
from typing import Any, NamedTuple

import numpy as np

from djupyter.errors import DataJointError
from djupyter.sql.connection import Connection
from djupyter.stores.paths import check_relative, content_hash
from djupyter.stores.store import Store
from djupyter.stores.transfers import run_all
from djupyter.table.covering import Measure, measured
from djupyter.table.litter import stored
from djupyter.table.placing import Sections, key_of, normal
from djupyter.table.references import ObjectAttribute, object_attributes, rows_of
from djupyter.table.spool import Spool
from djupyter.table.telling import Teller
from djupyter.table.verified import Finding, Kind, Verification

_AT_ONCE = 500
_PIECE = 1 << 20


class Wanted(NamedTuple):
    """An object that a row refers to, and what the row says of it."""

    key: bytes
    path: str
    size: int  # -1 where the row does not say
    least: int  # bytes that it must have at least
    items: int  # files of a folder; -1 for a file or where the row does not say
    hash: str
    table: str
    row: str
    attribute: str


class Verifier:
    """Checks the objects of a schema.

    Parameters
    ----------
    connection
        The database.
    schema
        Its name.
    hashes
        Whether to read contents and compare them.
    tell
        Hears of the progress.
    """

    def __init__(self, connection: Connection, schema: str, *, hashes: bool, tell: Teller) -> None:
        self._connection, self._schema, self._hashes, self._tell = connection, schema, hashes, tell
        self._workers: int = connection.settings["objects.workers"]
        self._listed: dict[str, Spool[Wanted]] = {}  # by store: what a listing will show
        self._elsewhere: dict[str, Spool[Wanted]] = {}
        self.result = Verification(schema)

    def verify(self) -> Verification:
        """Return what was found.

        Raises
        ------
        DataJointError
            A table or a store cannot be read.
        """
        self._tell.begin("reading rows")
        for structure in self._connection.catalog.current(self._schema).values():
            attributes = list(object_attributes(self._connection, [structure]))
            if attributes:
                self._read(attributes)
        for name in sorted({*self._listed, *self._elsewhere}):
            self._check(self._connection.stores.get(name))
        return self.result

    # Reading rows

    def _read(self, attributes: Sequence[ObjectAttribute]) -> None:
        structure = attributes[0].structure
        key = structure.full_key
        names = [*key, *(each.attribute.name for each in attributes)]
        for rows in rows_of(self._connection, structure, list(dict.fromkeys(names))):
            for row in rows:
                shown = ", ".join(f"{n}={v!r}" for n, v in zip(key, row, strict=False))[:200]
                for each, value in zip(attributes, row[len(key) :], strict=True):
                    if value is not None:
                        self._note(each, value, shown)
            self.result.rows += len(rows)
            self._tell.advance(len(rows))

    def _note(self, each: ObjectAttribute, value: Any, row: str) -> None:
        place = (each.structure.name.class_name, row, each.attribute.name)
        try:
            document = each.document(value)
            references = each.owned(document) or each.references([value])
            for path, name in references:
                self._want(each, document, path, name, place)
        except DataJointError as error:
            self._found("unreadable", place, "", "", str(error))

    def _want(
        self,
        each: ObjectAttribute,
        document: Any,
        path: str,
        name: str | None,
        place: tuple[str, str, str],
    ) -> None:
        given = document if isinstance(document, dict) and document.get("path") == path else {}
        store = self._connection.stores.get(None if name == "*" else name, filepath=each.is_of_user)
        clean = normal(check_relative(path))
        if not clean:
            raise DataJointError(f"The path {path!r} names no object.")
        wanted = Wanted(key_of(clean), clean, *_said(given), *place)
        sections = Sections.of(store.spec, [self._schema])
        kept = self._elsewhere if sections.place(clean) is None else self._listed
        kept.setdefault(store.name, Spool()).append(wanted)
        self.result.objects += 1

    # Looking into stores

    def _check(self, store: Store) -> None:
        wanted = self._listed.get(store.name, Spool())
        if len(wanted):
            files: Spool[tuple[bytes, str, int]] = Spool()
            self._tell.begin("listing")
            for entry in stored(store, Sections.of(store.spec, [self._schema])):
                files.append((key_of(entry.path), entry.path, entry.size))
                self._tell.advance()
            self._judge(store, measured(files, wanted))
        elsewhere = self._elsewhere.get(store.name, Spool())
        if len(elsewhere):
            self._judge(store, self._asked(store, elsewhere))

    def _asked(self, store: Store, wanted: Spool[Wanted]) -> Iterator[Measure[Wanted]]:
        rest = iter(wanted)
        while some := list(islice(rest, _AT_ONCE)):
            yield from run_all([partial(_ask, store, each) for each in some], self._workers)

    def _judge(self, store: Store, found: Iterator[Measure[Wanted]]) -> None:
        self._tell.begin("checking", self.result.objects)
        while some := list(islice(found, _AT_ONCE)):
            works = [partial(self._problem, store, each) for each in some]
            # Most need no look: threads are for what is read or asked for.
            workers = self._workers if self._hashes else 1
            for each, (size, problem) in zip(some, run_all(works, workers), strict=True):
                self.result.bytes += size
                self.result.hashed += bool(self._hashes and each.wanted.hash and not problem)
                self._tell.advance(1, size)
                if problem is not None:
                    kind, reason = problem
                    w = each.wanted
                    self._found(kind, (w.table, w.row, w.attribute), store.name, w.path, reason)

    def _problem(self, store: Store, each: Measure[Wanted]) -> tuple[int, tuple[Kind, str] | None]:
        problem = _compared(each)
        if problem is not None:
            # It may have been written after the listing.
            each = _ask(store, each.wanted)
            problem = _compared(each)
        size = each.size if each.own is None else each.own
        if problem is None and self._hashes and each.wanted.hash and each.own is not None:
            with store.open(each.wanted.path) as file:
                found = content_hash(iter(lambda: file.read(_PIECE), b""))
            if found != each.wanted.hash:
                problem = "changed", f"its content has the hash {found}, not {each.wanted.hash}"
        return size, problem

    def _found(
        self, kind: Kind, place: tuple[str, str, str], store: str, path: str, reason: str
    ) -> None:
        table, row, attribute = place
        self.result.note(Finding(kind, table, row, attribute, store, path, reason))


def _compared(found: Measure[Wanted]) -> tuple[Kind, str] | None:
    """Return what is wrong with an object, as far as its size tells."""
    wanted = found.wanted
    if found.own is None and not found.files:
        # An empty folder is nothing in a bucket.
        return None if wanted.items == 0 else ("missing", "there is nothing")
    size = found.size if found.own is None else found.own
    if wanted.size not in (-1, size):
        return "changed", f"{size:,} bytes, not {wanted.size:,}"
    if size < wanted.least:
        return "changed", f"{size:,} bytes, too few for its dtype and shape"
    if found.own is None and wanted.items not in (-1, found.files):
        return "changed", f"{found.files:,} files, not {wanted.items:,}"
    return None


def _ask(store: Store, wanted: Wanted) -> Measure[Wanted]:
    found = Measure(wanted)
    entry = store.info(wanted.path)
    if entry is not None:
        found.own = entry.size
        return found
    for inside in store.entries(wanted.path):
        found.files, found.size = found.files + 1, found.size + inside.size
    return found


def _said(document: dict[str, Any]) -> tuple[int, int, int, str]:
    """Return what a document says of its object: size, least size, number of files, hash."""
    size, items, digest = (document.get(name) for name in ("size", "item_count", "hash"))
    return (
        size if type(size) is int else -1,
        _least(document),
        items if type(items) is int else -1,
        digest if isinstance(digest, str) else "",
    )


def _least(document: dict[str, Any]) -> int:
    """Return the bytes of an array that is stored as it lies in memory."""
    dtype, shape = document.get("dtype"), document.get("shape")
    if not str(document.get("path")).endswith(".npy") or not isinstance(shape, list):
        return 0
    try:
        return int(np.dtype(str(dtype)).itemsize * prod(shape))
    except TypeError:  # the text of a structured dtype cannot be read back
        return 0
