"""Copying the objects of a schema from one store to another, and letting the rows refer to the copies.

```
some rows -> copy what is not there yet -> compare -> (rewrite: one transaction for these rows) -> the next ones
```

An object is copied and compared before its row is changed, and the old one stays until garbage collection; so at every
moment each row has its object, and a copy that was interrupted goes on where it ended.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from threading import Lock
from typing import Any

from djupyter.errors import DataJointError, ObjectIntegrityError
from djupyter.heading.structure import TableStructure
from djupyter.query import statement
from djupyter.query.conditions import AllOf, Condition, Equals
from djupyter.query.restriction import Restriction
from djupyter.query.source import Source
from djupyter.render.characters import visible
from djupyter.render.markup import caption, join, muted, output, tag
from djupyter.sql.connection import Connection
from djupyter.sql.json_path import JsonPath
from djupyter.stores.paths import content_hash
from djupyter.stores.store import Entry, Store
from djupyter.stores.transfers import run_all
from djupyter.table.collected import size_text
from djupyter.table.placing import MANIFEST, joined, normal
from djupyter.table.references import ObjectAttribute, object_attributes, rows_of
from djupyter.table.telling import Teller

_ROWS = 200
_PIECE = 1 << 20


@dataclass(slots=True)
class Copied:
    """What was copied between two stores; true when nothing failed.

    Attributes
    ----------
    source, target
        The stores.
    objects
        How many objects rows refer to in the source, each row counted.
    files, bytes
        How much was copied.
    skipped
        How many files lay there already.
    rows
        How many values were rewritten.
    failures
        What could not be copied, with the reason; their rows are as they were.
    """

    source: str
    target: str
    objects: int = 0
    files: int = 0
    bytes: int = 0
    skipped: int = 0
    rows: int = 0
    failures: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return not self.failures

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values, for JSON."""
        return asdict(self)

    def __repr__(self) -> str:
        return "\n".join([self._summary(), *map(visible, self.failures[:20])])

    def _repr_html_(self) -> str:
        failures = join(tag("li", text) for text in self.failures[:20])
        return output(
            caption(f"{self.source} → {self.target}", None, muted(self._summary())),
            tag("ul", failures) if failures else "",
        )

    def _summary(self) -> str:
        return (
            f"{self.objects:,} objects: {self.files:,} files copied ({size_text(self.bytes)}), "
            f"{self.skipped:,} there already, {self.rows:,} values rewritten, {len(self.failures):,} failures."
        )


@dataclass(frozen=True, slots=True)
class _Move:
    """A value of a row that refers to an object of the source."""

    each: ObjectAttribute
    key: tuple[Any, ...]
    document: dict[str, Any]
    path: str
    to: str


class Mover:
    """Copies the objects of a schema.

    Parameters
    ----------
    connection
        The database.
    schema
        Its name.
    source, target
        The stores.
    rewrite
        Whether the rows are to refer to the copies.
    hashes
        Whether to compare the contents too, rather than sizes only.
    tell
        Hears of the progress.
    """

    def __init__(
        self,
        connection: Connection,
        schema: str,
        source: Store,
        target: Store,
        *,
        rewrite: bool,
        hashes: bool,
        tell: Teller,
    ) -> None:
        if source.name == target.name:
            raise DataJointError(
                f"Objects cannot be copied from the store '{source.name}' to itself."
            )
        self._connection, self._schema = connection, schema
        self._source, self._target = source, target
        self._rewrite, self._hashes, self._tell = rewrite, hashes, tell
        self._workers: int = connection.settings["objects.workers"]
        self._grace: float = connection.settings["objects.grace_period"]
        self._lock = Lock()
        self.result = Copied(source.name, target.name)

    def move(self) -> Copied:
        """Copy everything.

        Raises
        ------
        DataJointError
            A transaction is open, a table cannot be read, or a store is not there.
        """
        if self._connection.in_transaction:
            raise DataJointError("A transaction is open: end it before objects are copied.")
        self._target.exists("")  # raises when it is not there, before anything is read
        self._tell.begin("copying")
        for structure in self._connection.catalog.current(self._schema).values():
            attributes = [
                each
                for each in object_attributes(self._connection, [structure])
                if not each.is_of_user
            ]
            if attributes:
                self._move_table(structure, attributes)
        return self.result

    def _move_table(self, structure: TableStructure, attributes: Sequence[ObjectAttribute]) -> None:
        key = structure.full_key
        names = [*key, *(each.attribute.name for each in attributes)]
        for rows in rows_of(self._connection, structure, names):
            for start in range(0, len(rows), _ROWS):
                some = rows[start : start + _ROWS]
                moves = [move for row in some for move in self._moves(key, attributes, row)]
                self._move_rows(structure, moves)

    def _moves(
        self, key: Sequence[str], attributes: Sequence[ObjectAttribute], row: tuple[Any, ...]
    ) -> Iterator[_Move]:
        for each, value in zip(attributes, row[len(key) :], strict=True):
            if value is None:
                continue
            document = each.document(value)
            for path, name in each.owned(document):
                if self._connection.stores.get(name).name != self._source.name:
                    continue
                self.result.objects += 1
                if document.get("path") != path:  # only its codec knows what else to change
                    self.result.failures.append(
                        f"{path}: {each.place} has it in a form that only its codec can rewrite"
                    )
                    continue
                clean = normal(path)
                yield _Move(each, row[: len(key)], document, clean, self._renamed(clean))

    def _renamed(self, path: str) -> str:
        """Return the path in the target, whose sections may have other names."""
        for name in ("hash_prefix", "schema_prefix"):
            here, there = (
                str(store.spec.get(name) or "").strip("/") for store in (self._source, self._target)
            )
            if here and path.startswith(f"{here}/"):
                return joined(there, path[len(here) + 1 :])
        return path

    def _move_rows(self, structure: TableStructure, moves: Sequence[_Move]) -> None:
        once = {move.path: move.to for move in moves}
        works = [partial(self._copied, path, to) for path, to in once.items()]
        done = dict(zip(once, run_all(works, self._workers), strict=True))
        if self._rewrite:
            if self._connection.settings["objects.durable"]:  # the originals may be collected then
                copies = [to for path, to in once.items() if done[path]]
                manifests = [f"{to}{MANIFEST}" for to in copies]
                self._target.persist([*copies, *manifests], self._workers)
            with self._connection.transaction:
                for move in moves:
                    if done[move.path]:
                        self.result.rows += self._rewritten(structure, move)

    # Copying

    def _copied(self, path: str, to: str) -> bool:
        """Copy an object unless it is there; return whether it is as it should be."""
        try:
            files = _files(self._source, path)
            if not files:
                raise ObjectIntegrityError("there is nothing in the source")
            there = {entry.path: entry for entry in _files(self._target, to)}
            for entry in files:
                self._copy_file(entry, to + entry.path[len(path) :], there)
            return True
        except (DataJointError, OSError) as error:
            with self._lock:
                self.result.failures.append(f"{path}: {error}")
            return False
        finally:
            with self._lock:
                self._tell.advance()

    def _copy_file(self, entry: Entry, to: str, there: dict[str, Entry]) -> None:
        found = there.get(to)
        if found is not None and found.size == entry.size and not self._may_go(found):
            if self._hashes:
                self._compare(entry, to)
            with self._lock:
                self.result.skipped += 1
            return
        with self._source.open(entry.path) as source, self._target.open(to, "wb") as target:
            while piece := source.read(_PIECE):
                target.write(piece)
        written = self._target.info(to)
        if written is None or written.size != entry.size:
            size = "nothing" if written is None else f"{written.size:,} bytes"
            raise ObjectIntegrityError(f"{size} arrived of {entry.size:,} bytes")
        if self._hashes:
            self._compare(entry, to)
        with self._lock:
            self.result.files += 1
            self.result.bytes += entry.size
            self._tell.advance(0, entry.size)

    def _may_go(self, found: Entry) -> bool:
        """Whether a collection may be about to remove what lies there, for no row refers to it yet."""
        return self._rewrite and time.time() - found.modified > self._grace / 2

    def _compare(self, entry: Entry, to: str) -> None:
        if _hash(self._source, entry.path) != _hash(self._target, to):
            raise ObjectIntegrityError("the contents differ")

    # Rewriting

    def _rewritten(self, structure: TableStructure, move: _Move) -> int:
        """Let a row refer to the copy, unless it refers to something else by now."""
        backend, name = self._connection.backend, move.each.attribute.name
        conditions: list[Condition] = [
            Equals(each, value) for each, value in zip(structure.full_key, move.key, strict=True)
        ]
        for part in ("path", "store"):
            place = JsonPath(name, (part,), "string")
            conditions.append(Equals(name, move.document.get(part), place))
        node = Restriction(Source(structure), AllOf(conditions))
        prepared = statement.update(node, backend, backend.relation(structure), name)
        document = json.dumps({**move.document, "path": move.to, "store": self._target.name})
        # The key came from the driver, which takes it as it is.
        values = prepared.parameters([*node.values, document], lambda value: value)
        return self._connection.execute(prepared.text, values)


def _files(store: Store, path: str) -> list[Entry]:
    """Return the files of an object: itself, or those in its folder and its manifest."""
    entry = store.info(path)
    if entry is not None:
        return [entry]
    inside = list(store.entries(path))
    manifest = store.info(path + MANIFEST) if inside else None
    return inside if manifest is None else [*inside, manifest]


def _hash(store: Store, path: str) -> str:
    with store.open(path) as file:
        return content_hash(iter(lambda: file.read(_PIECE), b""))
