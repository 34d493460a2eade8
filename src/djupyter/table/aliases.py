"""One place may have several names: which path of which store a row means, seen from the stores that are looked at."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from djupyter.errors import DataJointError
from djupyter.stores.store import Store, Stores
from djupyter.table.placing import joined, normal
from djupyter.table.references import ANY, Reference


@dataclass(frozen=True, slots=True)
class _Way:
    """How a path of one store is written in another: without a folder at its beginning, or with one more."""

    to: int
    without: str = ""
    prefix: str = ""

    def path(self, path: str) -> str | None:
        if not (self.without or self.prefix):
            return path
        if self.without:
            if not path.startswith(f"{self.without}/"):
                return None
            path = path[len(self.without) + 1 :]
        return joined(self.prefix, path)


class Aliases:
    """Tells where references lead.

    A store that is not configured here may be any: its paths count in all.

    Parameters
    ----------
    stores
        All that are configured.
    looked_at
        Those of interest, to which the numbers refer.
    """

    def __init__(self, stores: Stores, looked_at: Sequence[Store]) -> None:
        self._stores, self._looked_at = stores, looked_at
        self._roots = [_root(store) for store in looked_at]
        self._ways: dict[str | None, list[_Way]] = {}

    def places(self, references: Iterable[Reference]) -> Iterator[tuple[int, str]]:
        """Yield the number of each store that references lead to, and the path there."""
        for number, paths in enumerate(self.by_place(references)):
            yield from ((number, path) for path in paths)

    def by_place(self, references: Iterable[Reference]) -> list[list[str]]:
        """Return the paths that references lead to, a list for each store that is looked at."""
        found: list[list[str]] = [[] for _ in self._looked_at]
        for written, store in references:
            ways = self._ways.get(store)
            if ways is None:
                ways = self._ways[store] = list(self._found(store))
            path = normal(written) if ways else ""
            for way in ways:
                if there := path and way.path(path):
                    found[way.to].append(there)
        return found

    def _found(self, name: str | None) -> Iterator[_Way]:
        try:
            store = None if name == ANY else self._stores.get(name)
        except DataJointError:  # not configured, or not as it must be
            store = None
        for number, (protocol, root) in enumerate(self._roots):
            if store is None:
                yield _Way(number)
                continue
            other_protocol, other = _root(store)
            if protocol != other_protocol:
                continue
            if other == root:
                yield _Way(number)
            elif _is_in(root, other):
                yield _Way(number, without=root[len(other) :].strip("/"))
            elif _is_in(other, root):
                yield _Way(number, prefix=other[len(root) :].strip("/"))


def distinct(stores: Sequence[Store]) -> list[Store]:
    """Return the stores without those that are another name of one before."""
    return list({_root(store): store for store in reversed(stores)}.values())[::-1]


def _root(store: Store) -> tuple[str, str]:
    """Return the protocol and the place of a store; endpoints are left out: they may have several names, too."""
    protocol = str(store.spec["protocol"])
    root = store.full_path("")
    path = os.path.realpath(root).replace(os.sep, "/") if protocol == "file" else root
    return protocol, path.strip("/")


def _is_in(path: str, folder: str) -> bool:
    return not folder or path.startswith(f"{folder}/")
