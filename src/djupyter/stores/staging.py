r"""Objects of rows that are being inserted: written first, kept by the commit, discarded by a rollback.

```
put (several at a time) -> settle, on the disk -> INSERT -> COMMIT -> published
                                           \-> error or rollback -> discarded
```

An object is complete before its row can be seen, so no row is without its object. What a killed process leaves
are objects without a row, which garbage collection finds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, TypeVar

from djupyter.errors import DataJointError
from djupyter.stores.paths import Bytes
from djupyter.stores.store import Store, Stores
from djupyter.stores.transfers import Crew

Data = Bytes | Sequence[Bytes]
T = TypeVar("T")

_MANIFEST = ".manifest.json"
_PIECE = 1 << 20


class Staging:
    """Writes the objects of one statement.

    Parameters
    ----------
    stores
        Where they go.
    workers
        How many are written at a time; 1 writes each before the next one is encoded.
    grace
        Seconds for which garbage collection leaves an object alone that no row refers to.
    durable
        How many files are brought to the disk at a time, so that a loss of power does not take what a row
        refers to; 0 leaves that to the system.
    """

    def __init__(
        self, stores: Stores, *, workers: int = 1, grace: float = 3600.0, durable: int = 0
    ) -> None:
        self.stores = stores
        self._workers, self._grace, self._durable = workers, grace, durable
        # Few wait to be written: that bounds the memory they take.
        self._crew = Crew(workers, "dj-objects", 2 * workers)
        self._own: list[tuple[Store, str]] = []
        self._contents: dict[tuple[str, str], Store] = {}
        self._given_up: frozenset[str] = frozenset()
        self._found: list[tuple[Store, str]] = []
        self._renewed: list[tuple[Store, str]] = []
        self._began = time.monotonic()

    # Writing

    def put(self, store: Store, path: str, data: Data) -> None:
        """Write an object at a path that no other object has."""
        self.claim(store, path)
        self._do(lambda: store.put(path, data))

    def put_file(self, store: Store, path: str, local: Path) -> None:
        """Write a file at a path that no other object has."""
        self.claim(store, path)
        self._do(lambda: _discard_result(store.put_file(path, local)))

    def put_stream(self, store: Store, path: str, source: IO[Any]) -> int:
        """Write what a file object still has at a path that no other object has; return its size."""
        self.claim(store, path)
        size = 0
        with store.open(path, "wb") as target:
            while piece := source.read(_PIECE):
                if not isinstance(piece, bytes):
                    raise DataJointError("The file object gives text: open it in binary mode.")
                size += target.write(piece)
        return size

    def put_content(self, store: Store, path: str, data: Data) -> None:
        """Write an object whose path says what it contains, unless it lies there.

        One that lies there for long is written again: garbage collection may be about to remove it, and spares
        what is young.
        """
        if (store.name, path) in self._contents:
            return
        self._contents[store.name, path] = store

        def work() -> None:
            there = store.info(path)
            if there is not None and time.time() - there.modified <= self._grace / 2:
                self._found.append((store, path))
                return
            store.put(path, data)
            if there is not None:
                self._renewed.append((store, path))

        self._do(work)

    def claim(self, store: Store, path: str) -> None:
        """Note an object that the caller writes, so that it is removed with all others."""
        self._own.append((store, path))

    def give_up(self, paths: Iterable[str]) -> None:
        """Note objects that no row refers to after all, to be removed with the commit; those by content stay."""
        self._given_up |= frozenset(paths)

    def guarded(self, task: Callable[[], T]) -> T:
        """Return the result of a task that writes a claimed object; once the row is given up, it is refused."""
        return self._crew.gate.run(task)

    def settle(self) -> None:
        """Wait until all is written, and lies where a loss of power does not take it.

        Raises
        ------
        DataJointError
            Something could not be written.
        """
        self._crew.finish()
        if not self._durable:
            return
        # Content that lay there may be another insert's that is not so far yet.
        used = [*self._own, *((store, path) for (_, path), store in self._contents.items())]
        for store in {id(store): store for store, _ in used}.values():
            store.persist((path for where, path in used if where is store), self._durable)

    def _do(self, work: Callable[[], None]) -> None:
        if self._workers == 1:
            work()
        else:
            self._crew.give(work)

    # Ending, as the transaction of the rows does

    def published(self) -> None:
        """See after the commit that content which lay there before still does.

        Old content may have been written again in the very moment in which a collection removed it; young content
        is removed only when the transaction took long.

        Raises
        ------
        DataJointError
            It was removed meanwhile.
        """
        if self._given_up:
            self._remove((store, path) for store, path in self._own if self._is_given_up(path))
        is_long = time.monotonic() - self._began >= self._grace / 2
        for store, path in [*self._renewed, *(self._found if is_long else ())]:
            if not store.exists(path):
                raise DataJointError(
                    f"The object {path} in the store {store.name!r} was removed while a row was inserted that "
                    "refers to it. The row is there: insert it again with replace=True, or delete it."
                )

    def discarded(self) -> None:
        """Remove what belongs to the rows that are not inserted; what fails is left to garbage collection.

        Nothing is written any more then. Objects named by their content stay: another row may have come to refer to
        them.
        """
        try:
            self._crew.stop()
        finally:
            self._remove(self._own)
        self._own.clear()

    def _is_given_up(self, path: str) -> bool:
        """Whether a file is such an object, lies in one or lists what lies there."""
        path = path.removesuffix(_MANIFEST)
        above = (path[:end] for end, letter in enumerate(path) if letter == "/")
        return path in self._given_up or any(each in self._given_up for each in above)

    def _remove(self, objects: Iterable[tuple[Store, str]]) -> None:
        for store, path in objects:
            with suppress(Exception):
                store.remove(path)


def _discard_result(_: object) -> None:
    return None
