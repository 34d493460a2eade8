"""A store by the names that codecs written for datajoint call."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import IO, Any

from djupyter.errors import MissingExternalFile
from djupyter.stores.store import Store

RemotePath = str | PurePath


class StorageBackend:
    """What `SchemaCodec._get_backend` returns.

    Objects that are written by it are not removed when the row is not inserted; garbage collection finds them. A
    codec of your own writes by `context["staging"]` instead.

    Parameters
    ----------
    store
        The store.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def spec(self) -> Mapping[str, Any]:
        """The complete entry of the store."""
        return self._store.spec

    @property
    def protocol(self) -> str:
        """Its protocol."""
        return str(self.spec["protocol"])

    @property
    def fs(self) -> Any:
        """The filesystem of fsspec."""
        return self._store.fs

    def put_buffer(self, buffer: bytes, remote_path: RemotePath) -> None:
        """Write bytes."""
        self._store.put(_text(remote_path), buffer)

    def get_buffer(self, remote_path: RemotePath) -> bytes:
        """Return the bytes of an object."""
        return self._store.get(_text(remote_path))

    def put_file(
        self, local_path: str | Path, remote_path: RemotePath, metadata: Any = None
    ) -> None:
        """Write a copy of a local file; metadata have no effect."""
        self._store.put_file(_text(remote_path), local_path)

    def get_file(self, remote_path: RemotePath, local_path: str | Path) -> None:
        """Write an object to a local file."""
        self._store.get_file(_text(remote_path), local_path)

    def put_folder(self, local_path: str | Path, remote_path: RemotePath) -> dict[str, Any]:
        """Write a copy of a local folder, with a manifest beside it; return the manifest."""
        source, path = Path(local_path), _text(remote_path)
        files = list(files_in(source))
        for file in files:
            self._store.put_file(f"{path}/{file.relative_to(source).as_posix()}", file)
        made = manifest(source, files)
        self._store.put(f"{path}.manifest.json", written(made))
        return made

    def get_fsmap(self, remote_path: RemotePath) -> Any:
        """Return a mutable mapping of the files in a folder."""
        return self._store.mapping(_text(remote_path))

    def get_url(self, path: RemotePath) -> str:
        """Return the URL of a path."""
        return self._store.url(_text(path))

    def open(self, remote_path: RemotePath, mode: str = "rb") -> IO[Any]:
        """Open an object."""
        return self._store.open(_text(remote_path), mode)

    def exists(self, remote_path: RemotePath) -> bool:
        """Whether there is an object or a folder."""
        return self._store.exists(_text(remote_path))

    def isdir(self, remote_path: RemotePath) -> bool:
        """Whether there is a folder."""
        return self._store.is_folder(_text(remote_path))

    def size(self, remote_path: RemotePath) -> int:
        """Return the number of bytes of an object."""
        entry = self._store.info(_text(remote_path))
        if entry is None:
            raise MissingExternalFile(f"Missing external file {self.get_url(remote_path)}.")
        return entry.size

    def remove(self, remote_path: RemotePath) -> None:
        """Remove an object; absent is fine."""
        self._store.remove(_text(remote_path))

    def remove_folder(self, remote_path: RemotePath) -> None:
        """Remove a folder with all in it; absent is fine."""
        self._store.remove(_text(remote_path))


def files_in(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder in a fixed order; links to folders are not followed."""
    for here, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            yield Path(here, name)


def manifest(folder: Path, files: list[Path]) -> dict[str, Any]:
    """Return what stands beside a folder in a store: each of its files with the size."""
    listed = [
        {"path": file.relative_to(folder).as_posix(), "size": file.stat().st_size} for file in files
    ]
    return {
        "files": listed,
        "total_size": sum(item["size"] for item in listed),
        "item_count": len(listed),
        "created": datetime.now(UTC).isoformat(),
    }


def written(document: Mapping[str, Any]) -> bytes:
    """Return a manifest as bytes."""
    return json.dumps(document, indent=2).encode()


def _text(path: RemotePath) -> str:
    return path if isinstance(path, str) else path.as_posix()
