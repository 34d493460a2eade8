"""A folder of one of our stores as a store of Zarr, for all protocols, with our errors.

zarr's own FsspecStore wants a second, asynchronous filesystem with a session of its own, shows the errors of the
storage libraries, and takes a chunk that is gone for an empty one. This module imports zarr: it is imported when the
first value is written or read.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from functools import partial
from typing import Any, Literal

import numpy as np
from zarr.abc.store import (
    ByteRequest,
    OffsetByteRequest,
    RangeByteRequest,
    Store,
    SuffixByteRequest,
)
from zarr.core.buffer import Buffer, BufferPrototype, default_buffer_prototype

from djupyter.codecs.array_card import BUDGET
from djupyter.errors import DataJointError, MissingExternalFile
from djupyter.stores.staging import Staging
from djupyter.stores.store import Store as ObjectStore

InThread = Callable[..., Coroutine[Any, Any, Any]]

# Absent ones tell Zarr what a folder is not; all other files are chunks.
_METADATA = frozenset({"zarr.json", ".zarray", ".zgroup", ".zattrs", ".zmetadata"})


class ZarrFiles(Store):
    """A folder of a store.

    Parameters
    ----------
    store, path
        Where it is.
    read_only
        Whether writing is refused.
    complete
        Whether every chunk was written, so that an absent one is an error. Otherwise it is filled by `fill_value`,
        as Zarr means it.
    staging
        Of the row that the folder belongs to. Zarr's own thread goes on to write when Ctrl-C ends what it writes for.
    preview_bytes
        How much a card may read of an array.
    in_thread
        Runs a function that waits for the store. Those of asyncio are joined when the program ends.

    Attributes
    ----------
    chunks, chunk_bytes
        What was written: the number of chunks, and their bytes.
    metadata
        The sizes of the other files that were written.
    """

    supports_writes = True
    supports_deletes = True
    supports_listing = True

    def __init__(
        self,
        store: ObjectStore,
        path: str,
        *,
        read_only: bool = False,
        complete: bool = False,
        staging: Staging | None = None,
        preview_bytes: int = BUDGET,
        in_thread: InThread = asyncio.to_thread,
    ) -> None:
        super().__init__(read_only=read_only)
        self._in_thread = in_thread
        self._staging, self.preview_bytes = staging, preview_bytes
        self.objects, self.path, self.complete = store, path, complete
        self.chunks = self.chunk_bytes = 0
        self.metadata: dict[str, int] = {}

    def previewed(self, in_thread: InThread) -> ZarrFiles:
        """Return the same folder for a preview, which may be abandoned."""
        return ZarrFiles(
            self.objects, self.path, read_only=True, complete=self.complete, in_thread=in_thread
        )

    def with_read_only(self, read_only: bool = False) -> ZarrFiles:
        """Return the same folder for reading, or for writing."""
        return ZarrFiles(
            self.objects,
            self.path,
            read_only=read_only,
            complete=self.complete,
            staging=self._staging,
            preview_bytes=self.preview_bytes,
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ZarrFiles):
            return False
        mine, its = self.objects, other.objects
        return (mine.name, mine.spec, self.path) == (its.name, its.spec, other.path)

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.objects.url(self.path)

    def __repr__(self) -> str:
        return f"ZarrFiles({self.objects.name!r}, {self.path!r})"

    @property
    def item_count(self) -> int:
        """How many files were written."""
        return self.chunks + len(self.metadata)

    @property
    def size(self) -> int:
        """How many bytes were written."""
        return self.chunk_bytes + sum(self.metadata.values())

    # Reading

    async def get(
        self,
        key: str,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        """Return a file or a part of one; None when it is absent and may be."""
        kind = (prototype or default_buffer_prototype()).buffer
        try:
            return kind.from_bytes(await self._in_thread(self._read, key, byte_range))
        except MissingExternalFile as error:
            if self.complete and not is_metadata(key):
                raise MissingExternalFile(
                    f"The chunk {key} of {self.path} in the store '{self.objects.name}' is missing."
                ) from error
            return None

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Return parts of files."""
        return await asyncio.gather(*(self.get(key, prototype, part) for key, part in key_ranges))

    async def exists(self, key: str) -> bool:
        """Whether there is a file."""
        return await self._in_thread(self.objects.info, self._at(key)) is not None

    def _read(self, key: str, part: ByteRequest | None) -> bytes:
        path = self._at(key)
        if part is None:
            return self.objects.get(path)
        (contents,) = self.objects.parts(path, [_bounds(part)])
        return contents

    # Writing

    async def set(self, key: str, value: Buffer) -> None:
        """Write a file, whole or not at all."""
        self._check_writable()
        contents = memoryview(value.as_numpy_array().view(np.uint8).data)
        await asyncio.to_thread(self._put, self._at(key), contents)
        # Counted on the one thread of Zarr's event loop.
        if is_metadata(key):
            self.metadata[key] = contents.nbytes
        else:
            self.chunks += 1
            self.chunk_bytes += contents.nbytes

    def _put(self, path: str, contents: memoryview) -> None:
        work = partial(self.objects.put, path, contents)
        work() if self._staging is None else self._staging.guarded(work)

    async def delete(self, key: str) -> None:
        """Remove a file, or a folder with all in it."""
        self._check_writable()
        await asyncio.to_thread(self.objects.remove, self._at(key))

    # Listing

    async def list(self) -> AsyncIterator[str]:
        """Yield all files."""
        async for key in self.list_prefix(""):
            yield key

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Yield the files whose names begin so."""
        for key in await self._in_thread(self._keys, prefix):
            yield key

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Yield the names of the files and folders in a folder."""
        for name in await self._in_thread(self._names, prefix):
            yield name

    def sizes(self, folder: str) -> Iterator[int]:
        """Yield the size of each file in a folder, as they are listed."""
        return (entry.size for entry in self.objects.entries(self._at(folder)))

    def _keys(self, prefix: str) -> Iterable[str]:
        folder = self._at(prefix.rpartition("/")[0])
        start = len(self.path) + 1
        keys = [entry.path[start:] for entry in self.objects.entries(folder)]
        return [key for key in keys if key.startswith(prefix)]

    def _names(self, prefix: str) -> Iterable[str]:
        try:
            return self.objects.names(self._at(prefix.rstrip("/")))
        except MissingExternalFile:
            return []

    def _at(self, key: str) -> str:
        return f"{self.path}/{key}" if key else self.path


def is_metadata(key: str) -> bool:
    """Whether a file says what a folder is; others are chunks."""
    return key.rpartition("/")[2] in _METADATA


def _bounds(part: ByteRequest) -> tuple[int | None, int | None]:
    """Return where a part of a file begins and ends; negative numbers count from the end."""
    match part:
        case RangeByteRequest(start, stop):
            return start, stop
        case OffsetByteRequest(start):
            return start, None
        case SuffixByteRequest(length):
            return -length, None
    raise DataJointError(f"Not a part of a file: {part!r}.")


def opened(files: ZarrFiles, zarr_format: Literal[2, 3] | None = None) -> Any:
    """Return the array or the group in a folder, open for reading only.

    Parameters
    ----------
    files
        The folder.
    zarr_format
        Its version, which saves requests; found out when None.

    Raises
    ------
    MissingExternalFile
        There is none.
    DataJointError
        Its metadata is damaged.
    """
    import zarr

    where = f"{files.path} in the store '{files.objects.name}'"
    try:
        return zarr.open(files, mode="r", zarr_format=zarr_format)
    except DataJointError:
        raise
    except FileNotFoundError as error:
        raise MissingExternalFile(
            f"There is no Zarr array or group at {where} any more."
        ) from error
    except Exception as error:  # damaged metadata makes zarr raise nearly anything
        raise DataJointError(
            f"The metadata of {where} is damaged: {type(error).__name__}: {error}."
        ) from error
