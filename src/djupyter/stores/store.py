"""A store: where the bytes of large values lie; and the stores of the settings, by name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeVar
from uuid import uuid4

from djupyter.errors import DataJointError, MissingExternalFile
from djupyter.settings.stores import store_name, store_names, store_spec
from djupyter.stores.failures import chained, failure, is_missing, translated, without_secrets
from djupyter.stores.files import Files, MemoryFiles, Upload
from djupyter.stores.local import LocalFiles, check_links
from djupyter.stores.paths import Bytes, check_relative
from djupyter.stores.protocols import get_storage_adapter
from djupyter.stores.s3 import S3Files
from djupyter.stores.transfers import shielded
from djupyter.stores.writing import WritingText

_FILES: dict[str, type[Files]] = {"file": LocalFiles, "s3": S3Files, "memory": MemoryFiles}
T = TypeVar("T")
_MODES = ("rb", "r", "rt", "wb", "w", "wt")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in a store.

    Parameters
    ----------
    path
        Relative to the store.
    size
        In bytes.
    modified
        When it was last changed, in seconds since 1970; now, where a filesystem does not tell.
    """

    path: str
    size: int
    modified: float


class Store:
    """A store by its name and its completed entry in the settings.

    It is cheap to make: the filesystem is made when first used, once a process. All threads may use one.
    Paths are relative to the store and cannot lead out of it. Errors are ours, name the store, and show no
    secrets: `MissingExternalFile`, `BucketInaccessible`, `AccessError`.

    Examples
    --------
    >>> store = Store("scratch", store_spec({"scratch": {"protocol": "memory", "location": "doc"}}, "scratch"))
    >>> store.put("a/b.txt", b"hello")
    >>> store.get("a/b.txt"), store.exists("a/c.txt"), store.url("a/b.txt")
    (b'hello', False, 'memory://doc/a/b.txt')
    >>> [entry.path for entry in store.entries("a")]
    ['a/b.txt']
    """

    def __init__(self, name: str, spec: Mapping[str, Any]) -> None:
        self.name, self.spec = name, spec
        self._adapter = get_storage_adapter(spec["protocol"])
        self._root = self._adapter.full_path(spec, "")
        self._made: tuple[int, Files] | None = None

    def __repr__(self) -> str:
        return f"Store({self.name!r}, {self.url('')})"

    def __reduce__(self) -> tuple[type[Store], tuple[str, dict[str, Any]]]:
        return Store, (self.name, dict(self.spec))

    @property
    def fs(self) -> Any:
        """The filesystem of fsspec."""
        return self._files.fs

    def full_path(self, path: str) -> str:
        """Return the path in the filesystem.

        Raises
        ------
        DataJointError
            It would lead out of the store.
        """
        full = self._adapter.full_path(self.spec, check_relative(path))
        if self.spec["protocol"] == "file":
            check_links(self._root, full)
        return full

    def url(self, path: str) -> str:
        """Return the URL of a path."""
        return self._adapter.get_url(self.spec, self.full_path(path))

    def put(self, path: str, data: Bytes | Sequence[Bytes]) -> None:
        """Write an object, whole or not at all, over one that is there.

        Parameters
        ----------
        path
            Where; folders are made.
        data
            Its bytes, or the pieces of them in order.
        """
        full = self._file_path(path)
        parts = [data] if isinstance(data, Bytes) else list(data)
        with self._translated(full):
            self._whole(lambda: self._files.put(full, parts))

    def put_file(self, path: str, local: str | Path) -> int:
        """Write a copy of a local file, whole or not at all, in bounded memory; return its size."""
        full, local = self._file_path(path), Path(local)
        if not local.is_file():
            raise FileNotFoundError(f"There is no local file {local}.")
        with self._translated(full):
            return self._whole(lambda: self._files.put_file(full, local))

    def get(self, path: str) -> bytes:
        """Return an object.

        Raises
        ------
        MissingExternalFile
            There is none.
        """
        full = self._file_path(path)
        with self._translated(full):
            return self._files.get(full)

    def parts(self, path: str, ranges: Sequence[tuple[int | None, int | None]]) -> list[bytes]:
        """Return parts of an object, asked for at once; a negative number counts from the end.

        Raises
        ------
        MissingExternalFile
            There is none.
        """
        full = self._file_path(path)
        with self._translated(full):
            return self._files.parts(full, ranges)

    def get_file(self, path: str, local: str | Path) -> None:
        """Write an object to a local file in bounded memory; the file appears when it is whole.

        Raises
        ------
        MissingExternalFile
            There is none.
        """
        full, local = self._file_path(path), Path(local)
        local.parent.mkdir(parents=True, exist_ok=True)
        temporary = local.with_name(f".{uuid4().hex}.part")
        try:
            with self._translated(full):
                self._files.get_file(full, temporary)
            os.replace(temporary, local)
        finally:
            with suppress(FileNotFoundError):
                temporary.unlink()

    def open(self, path: str, mode: str = "rb") -> IO[Any]:
        """Open an object for reading (`rb`, `r`), or a new one for writing (`wb`, `w`).

        What is written appears when the file is closed; an error inside its `with` block leaves nothing.

        Raises
        ------
        MissingExternalFile
            There is nothing to read.
        """
        if mode not in _MODES:
            raise DataJointError(
                f"An object is opened as one of {', '.join(_MODES)}, not {mode!r}."
            )
        full = self._file_path(path)
        with self._translated(full):
            if "r" in mode:
                return self._files.open_read(full, mode)
            writing = self._files.open_write(full).guarded(partial(self._translated, full))
        return writing if mode == "wb" else WritingText(writing)  # type: ignore[return-value]

    def mapping(self, path: str) -> Any:
        """Return a mutable mapping of the files below a folder, as Zarr and others take."""
        full = self.full_path(path)
        with self._translated(full):
            return self.fs.get_mapper(full)

    def info(self, path: str) -> Entry | None:
        """Return what is known of an object; None when it is absent or a folder."""
        full = self._file_path(path)
        with self._translated(full):
            found = self._files.info(full)
        return Entry(path, found.size, found.modified) if found else None

    def need(self, path: str) -> Entry:
        """Return what is known of an object.

        Raises
        ------
        MissingExternalFile
            There is none.
        """
        entry = self.info(path)
        if entry is None:
            raise MissingExternalFile(
                f"Missing external file {self.full_path(path)} in the store '{self.name}'."
            )
        return entry

    def exists(self, path: str) -> bool:
        """Whether there is an object or a folder."""
        return (bool(path) and self.info(path) is not None) or self.is_folder(path)

    def is_folder(self, path: str) -> bool:
        """Whether there is a folder; in a bucket, whether something lies below the path."""
        full = self.full_path(path)
        with self._translated(full):
            return self._files.is_folder(full)

    def names(self, path: str) -> list[str]:
        """Return the names of the files and folders in a folder, sorted."""
        full = self.full_path(path)
        with self._translated(full):
            listed = self.fs.ls(full, detail=False)
        return sorted(item.rstrip("/").rpartition("/")[2] for item in listed)

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        """Yield every file below a folder, in no particular order and in bounded memory.

        An absent folder has none; a listing that fails, or a store that is not there, raises. Files that are
        still being written on `file` are among them, under names like `.f3a….part`.
        """
        folder = self.full_path(prefix)
        with self._translated(folder):
            for found in self._files.entries(folder):
                yield Entry(self._path(found.path), found.size, found.modified)

    def uploads(self, prefix: str = "") -> Iterator[Upload]:
        """Yield what somebody has begun to send to a folder and not finished, as servers of S3 keep it."""
        folder = self.full_path(prefix)
        with self._translated(folder):
            for found in self._files.uploads(folder):
                yield Upload(self._path(found.path), found.name, found.began)

    def give_up(self, upload: Upload) -> None:
        """Throw away what was sent of an object that was not finished; that it is gone is fine."""
        full = self._file_path(upload.path)
        with self._translated(full):
            self._files.give_up(Upload(full, upload.name, upload.began))

    def remove(self, path: str) -> None:
        """Remove an object, or a folder with all in it; absent is fine.

        On `file`, the folders above go too when they are empty then.
        """
        full = self._file_path(path)
        with self._translated(full):
            self._files.remove(full)

    def remove_many(self, paths: Iterable[str]) -> list[tuple[str, str]]:
        """Remove many objects in few requests; return those that could not be, each with the reason.

        Absent ones are fine. The paths may come from a generator: they are never all in memory.
        """
        failures = []
        with self._translated(self._root):
            for full, error in self._files.remove_many(self._file_path(path) for path in paths):
                if not is_missing(error):
                    reason = without_secrets(str(error), self.spec)
                    failures.append((self._path(full), reason))
        return failures

    def persist(self, paths: Iterable[str], workers: int = 1) -> None:
        """Return when objects, and all in folders, would outlast a loss of power; absent ones are fine.

        Parameters
        ----------
        paths
            Which.
        workers
            How many are written out at a time.
        """
        with self._translated(self._root):
            self._files.persist((self._file_path(path) for path in paths), workers)

    @property
    def _files(self) -> Files:
        made = self._made
        # A filesystem does not survive a fork. Two threads may make one each: fsspec gives both the same.
        if made is None or made[0] != os.getpid():
            with self._translated(self._root):
                made = self._made = (os.getpid(), self._new_files())
        return made[1]

    def _new_files(self) -> Files:
        protocol = self.spec["protocol"]
        try:
            fs = self._adapter.create_filesystem(self.spec)
        except Exception as error:  # someone else's code, which may show what it was given
            raise failure(error, self.name, self.spec, self.url("")) from chained(error, self.spec)
        root = getattr(self._adapter, "root", lambda spec: None)(self.spec)
        return _FILES.get(protocol, Files)(fs, root, makes_folders=root is None)

    def _whole(self, task: Callable[[], T]) -> T:
        """Return the result of a task that writes; Ctrl-C comes before or after it."""
        return task() if self._files.is_near else shielded(task)

    def _path(self, full: str) -> str:
        return full[len(self._root) :].replace(os.sep, "/").lstrip("/")

    def _file_path(self, path: str) -> str:
        if not path:
            raise DataJointError(f"A path in the store '{self.name}' is missing.")
        return self.full_path(path)

    def _translated(self, full: str) -> AbstractContextManager[None]:
        return translated(self.name, self.spec, full)


class Stores:
    """All stores of the settings.

    Parameters
    ----------
    stores_setting
        Returns the setting `stores`; asked each time, so that changes count.

    Examples
    --------
    >>> stores = Stores(lambda: {"default": "raw", "raw": {"protocol": "memory"}})
    >>> stores.get(), stores.names
    (Store('raw', memory://), ['raw'])
    """

    def __init__(self, stores_setting: Callable[[], Mapping[str, Any]]) -> None:
        self._setting = stores_setting
        self._made: dict[str, Store] = {}

    @property
    def names(self) -> list[str]:
        """The names of all stores."""
        return store_names(self._setting())

    def get(self, name: str | None = None, *, filepath: bool = False) -> Store:
        """Return a store: for None or an empty name the default one, or that for files of the user's own.

        Raises
        ------
        DataJointError
            It is not configured, or not as its protocol needs it.
        """
        setting = self._setting()
        name = store_name(setting, name, use_filepath_default=filepath)
        spec = store_spec(setting, name)
        store = self._made.get(name)
        if store is None or store.spec != spec:
            store = self._made[name] = Store(name, spec)
        return store
