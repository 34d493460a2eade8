"""Zarr arrays as a preview reads them: so many bytes at most, no chunk that becomes more than it says, in time.

This module imports zarr.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from math import prod
from typing import Any

import numpy as np
from zarr import Array, AsyncArray, AsyncGroup, Group
from zarr.abc.store import (
    ByteRequest,
    OffsetByteRequest,
    RangeByteRequest,
    Store,
    SuffixByteRequest,
)
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.core.sync import sync
from zarr.storage import StorePath, WrapperStore

from djupyter.codecs.deadline import Deadline
from djupyter.codecs.zarr_bombs import check_codecs, decompressed_size, stored_chunks
from djupyter.codecs.zarr_files import ZarrFiles, is_metadata
from djupyter.errors import DataJointError
from djupyter.render.object_card import bytes_text

_SLACK = 1 << 20

Check = Callable[[bytes, "ByteRequest | None"], None]


def previewed(array: Any, budget: int, deadline: Deadline | None = None) -> Any:
    """Return an open array for a preview.

    Parameters
    ----------
    array
        A `zarr.Array`.
    budget
        Bytes that may be read, compressed; a chunk becomes what its shape and type say, which others have bounded.
    deadline
        Until when.

    Raises
    ------
    DataJointError
        Reading it would run code.
    """
    check_codecs((*array.filters, *array.compressors))
    store = _store(array, budget, deadline, _Check(array))
    return Array(AsyncArray(array.metadata, StorePath(store, array.path)))


def previewed_group(group: Any, budget: int, deadline: Deadline | None = None) -> Any:
    """Return an open group for a preview, of whose metadata so many bytes are read."""
    store = _store(group, budget, deadline, _unchecked)
    return Group(AsyncGroup(group.metadata, StorePath(store, group.path)))


def listed(group: Any, most: int) -> list[str]:
    """Return names of what lies in the folder of a group, so many at most."""

    async def take() -> list[str]:
        names: list[str] = []
        async for name in group.store.list_dir(group.path):
            names.append(name)
            if len(names) == most:
                break
        return names

    return sync(take())


def _store(node: Any, budget: int, deadline: Deadline | None, check: Check) -> PreviewStore:
    files = node.store
    if isinstance(files, ZarrFiles):
        files = files.previewed(in_daemon)
    return PreviewStore(files, budget, deadline, check)


class _Check:
    """Raises before a chunk of an array is decompressed that becomes more than it says."""

    def __init__(self, array: Any) -> None:
        self._compressors = array.compressors
        self._limit = prod(array.chunks) * np.dtype(array.dtype).itemsize + _SLACK
        shards = getattr(array, "shards", None)
        self._shard = array.metadata.codecs[0] if shards else None
        self._count = prod(shards) // max(1, prod(array.chunks)) if shards else 1

    def __call__(self, data: bytes, part: ByteRequest | None) -> None:
        chunks: Iterable[bytes] = (data,)
        if self._shard is not None:
            chunks = stored_chunks(self._shard, self._count, data, _start(part))
        for chunk in chunks:
            size = decompressed_size(self._compressors, chunk, self._limit)
            if size is not None and size > self._limit:
                raise DataJointError(
                    f"a chunk becomes {bytes_text(size)} or more when it is decompressed, "
                    f"not {bytes_text(self._limit - _SLACK)}"
                )


def _unchecked(data: bytes, part: ByteRequest | None) -> None:
    """Take what is never decompressed."""


class PreviewStore(WrapperStore[Store]):
    """A store of which so many bytes can be read.

    Attributes
    ----------
    taken
        How many were.
    """

    def __init__(
        self,
        store: Store,
        budget: int,
        deadline: Deadline | None = None,
        check: Check = _unchecked,
    ) -> None:
        super().__init__(store)
        self._budget, self._deadline, self._check, self.taken = budget, deadline, check, 0

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """Return a file or a part of one.

        Raises
        ------
        DataJointError
            It is larger than what may be read, or becomes larger than it says.
        """
        if self._deadline is not None:
            self._deadline.check()
        left = self._budget - self.taken
        found = await self._store.get(key, prototype, _within(byte_range, left))
        if found is None:
            return None
        if len(found) > left:
            raise DataJointError(f"a preview reads {bytes_text(self._budget)}, this needs more")
        self.taken += len(found)
        if not is_metadata(key):
            self._check(found.to_bytes(), byte_range)
        return found

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Return parts of files."""
        return [await self.get(key, prototype, part) for key, part in key_ranges]


def _start(part: ByteRequest | None) -> int | None:
    match part:
        case OffsetByteRequest(start) | RangeByteRequest(start, _):
            return start
        case SuffixByteRequest(length):
            return -length
    return None


def _within(part: ByteRequest | None, left: int) -> ByteRequest:
    """Return which part to ask for: one byte too many tells that there is more than may be read."""
    match part:
        case None:
            return RangeByteRequest(0, left + 1)
        case OffsetByteRequest(start):
            return RangeByteRequest(start, start + left + 1)
        case RangeByteRequest(start, stop):
            return RangeByteRequest(start, min(stop, start + left + 1))
        case SuffixByteRequest(length):
            return SuffixByteRequest(min(length, left + 1))
    return part


async def in_daemon(function: Callable[..., Any], *args: Any) -> Any:
    """Run a function in a thread that does not keep the program from ending, as one of a pool would."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def settle(result: Any, error: BaseException | None) -> None:
        if future.done():
            return
        future.set_exception(error) if error is not None else future.set_result(result)

    def perform() -> None:
        result: Any = None
        failed: BaseException | None = None
        try:
            result = function(*args)
        except BaseException as error:  # it is raised where somebody waits
            failed = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, failed)

    threading.Thread(target=perform, daemon=True, name="djupyter-preview").start()
    return await future
