"""Which files of a store no row refers to: a merge of two sorted streams. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

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


def _keep_above(folders: list[bytes], key: bytes) -> None:
    """Drop from nested folders those that a key is neither equal to nor in."""
    while folders and not (key == folders[-1] or key.startswith(folders[-1] + b"\0")):
        folders.pop()
