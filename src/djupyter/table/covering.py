"""Which files of a store rows refer to, and how much there is of each object: merges of two sorted streams. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypeVar

Entry = TypeVar("Entry", bound=tuple[Any, ...])


def uncovered(entries: Iterable[Entry], references: Iterable[bytes]) -> Iterator[Entry]:
    r"""Yield the entries that are neither referred to nor lie in a folder that is.

    It holds one entry and the references to the folders above it, however many there are.

    Parameters
    ----------
    entries
        Each begins with its key (`placing.key_of`); sorted.
    references
        Keys of what rows refer to; sorted.

    Examples
    --------
    >>> entries = [(b"a",), (b"a\0x",), (b"b",), (b"b\0y\0z",), (b"ba",)]
    >>> [key for (key,) in uncovered(entries, [b"a", b"b\0y"])]
    [b'b', b'ba']
    """
    upcoming = iter(references)
    following = next(upcoming, None)
    above: list[bytes] = []
    for entry in entries:
        key: bytes = entry[0]
        while following is not None and following <= key:
            _keep_above(above, following)
            above.append(following)
            following = next(upcoming, None)
        _keep_above(above, key)
        if not above:
            yield entry


class Measure(Generic[Entry]):
    """What lies in a store where something is looked for.

    Attributes
    ----------
    wanted
        What is looked for.
    own
        The size of the file of exactly that path; None where there is none.
    files, size
        How many files lie in the folder of that path, and their size.
    """

    __slots__ = ("files", "own", "size", "wanted")

    def __init__(self, wanted: Entry) -> None:
        self.wanted = wanted
        self.own: int | None = None
        self.files = self.size = 0


def measured(
    files: Iterable[tuple[bytes, str, int]], wanted: Iterable[Entry]
) -> Iterator[Measure[Entry]]:
    r"""Yield for each path that is looked for what lies there, in bounded memory.

    Parameters
    ----------
    files
        Key, path and size of each file; sorted.
    wanted
        What is looked for: each begins with its key and its path; sorted.

    Examples
    --------
    >>> files = [(b"a", "a.manifest.json", 9), (b"a\0x", "a/x", 1), (b"a\0y", "a/y", 2), (b"b", "b", 5)]
    >>> found = measured(files, [(b"a", "a"), (b"b", "b"), (b"c", "c")])
    >>> [(each.wanted[1], each.own, each.files, each.size) for each in found]
    [('a', None, 2, 3), ('b', 5, 0, 0), ('c', None, 0, 0)]
    """
    upcoming = iter(wanted)
    following = next(upcoming, None)
    above: list[Measure[Entry]] = []
    for key, path, size in files:
        while following is not None and following[0] <= key:
            yield from _closed(above, following[0])
            above.append(Measure(following))
            following = next(upcoming, None)
        yield from _closed(above, key)
        for each in above:
            if each.wanted[1] == path:
                each.own = size
            elif each.wanted[0] != key:  # a manifest has the key of its folder
                each.files, each.size = each.files + 1, each.size + size
    yield from reversed(above)
    while following is not None:
        yield Measure(following)
        following = next(upcoming, None)


def _closed(above: list[Measure[Entry]], key: bytes) -> Iterator[Measure[Entry]]:
    """Yield and drop those of nested folders that a key is neither equal to nor in."""
    while above:
        last: bytes = above[-1].wanted[0]
        if key == last or key.startswith(last + b"\0"):
            return
        yield above.pop()


def _keep_above(folders: list[bytes], key: bytes) -> None:
    """Drop from nested folders those that a key is neither equal to nor in."""
    while folders and not (key == folders[-1] or key.startswith(folders[-1] + b"\0")):
        folders.pop()
