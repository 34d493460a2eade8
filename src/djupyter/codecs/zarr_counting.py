"""How much lies in a Zarr folder that others have written, and whether all of its chunks do.

Zarr leaves chunks out that hold nothing but the fill value. Only where none was left out, one that is missing later
can be told from one that never was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import prod
from typing import Any, NamedTuple

from djupyter.codecs.zarr_files import ZarrFiles

_NUMBER = re.compile(r"\d+")


class Written(NamedTuple):
    """What lies in a folder: bytes, files, and whether every chunk of every array is among them."""

    size: int
    items: int
    is_complete: bool


class _Grid:
    """The chunks, or the shards where there are some, of an open array: each is one file."""

    def __init__(self, array: Any) -> None:
        unit = getattr(array, "shards", None) or array.chunks
        self._shape = tuple(-(-n // max(1, u)) for n, u in zip(array.shape, unit, strict=True))
        self._name_of = array.metadata.encode_chunk_key
        self.count = prod(self._shape)

    def has(self, name: str) -> bool:
        """Whether a file is one of them; some lie outside of the shape, or are not Zarr's."""
        rank = len(self._shape)
        place = tuple(map(int, _NUMBER.findall(name)))[-rank:] if rank else ()
        if len(place) != rank or any(i >= n for i, n in zip(place, self._shape, strict=True)):
            return False
        return bool(self._name_of(place) == name)


def written(found: Any, files: ZarrFiles) -> Written:
    """Return what lies in the folder of an open array or group; it is listed once, in bounded memory."""
    grids = dict(_grids(found))
    size = items = chunks = 0
    start = len(files.path) + 1
    for entry in files.objects.entries(files.path):
        size, items = size + entry.size, items + 1
        chunks += _is_chunk(entry.path[start:], grids)
    return Written(size, items, chunks == sum(grid.count for grid in grids.values()))


def _grids(found: Any) -> Iterator[tuple[str, _Grid]]:
    """Yield each array of the folder by its path."""
    if hasattr(found, "shape"):
        yield "", _Grid(found)
        return
    for name, member in found.members(max_depth=None):
        if hasattr(member, "shape"):
            yield f"{name}/", _Grid(member)


def _is_chunk(key: str, grids: dict[str, _Grid]) -> bool:
    """Whether a file is a chunk of one of the arrays, of which none lies in another."""
    end = len(key)
    while end > 0:
        end = key.rfind("/", 0, end)
        grid = grids.get(key[: end + 1])
        if grid is not None:
            return grid.has(key[end + 1 :])
    return False
