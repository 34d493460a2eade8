"""A file or folder in a store, as a query gives it: nothing is read before it is asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import IO, Any, Concatenate, ParamSpec, TypeVar

from djupyter.codecs.array_card import BUDGET
from djupyter.codecs.shown import bundle, object_ref_card
from djupyter.errors import DataJointError, ObjectIntegrityError
from djupyter.render.object_card import object_html
from djupyter.stores.paths import check_relative, content_hash
from djupyter.stores.store import Store

_CHUNK = 1 << 20
P = ParamSpec("P")
R = TypeVar("R")


def _with_origin(
    method: Callable[Concatenate[ObjectRef, P], R],
) -> Callable[Concatenate[ObjectRef, P], R]:
    """Let errors of a method say which row the object is of: paths of users do not."""

    @wraps(method)
    def told(ref: ObjectRef, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(ref, *args, **kwargs)
        except DataJointError as error:
            if not ref.origin or ref.origin in str(error):
                raise
            raise error.suggest(ref.origin) from error

    return told


@dataclass(frozen=True)
class ObjectRef:
    """A file or folder in a store; made by fetching an attribute `<object@store>` or `<filepath@store>`.

    Attributes
    ----------
    path
        Relative to the store.
    size
        In bytes, of a folder that of all its files; None where it was not recorded.
    store
        Name of the store; None for the default one.
    is_dir
        Whether it is a folder.
    ext
        What the name ends with, as it was given.
    item_count
        Number of files in a folder.
    timestamp
        When it was written.
    hash, url, mime_type
        Where others have recorded them.
    """

    path: str
    size: int | None = None
    store: str | None = None
    ext: str | None = None
    is_dir: bool = False
    timestamp: datetime | None = None
    item_count: int | None = None
    url: str | None = None
    hash: str | None = None
    mime_type: str | None = None
    backend: Store | None = field(default=None, repr=False, compare=False)
    preview_bytes: int = field(default=BUDGET, repr=False, compare=False)
    origin: str = field(default="", repr=False, compare=False)
    """Attribute, table and key that it was fetched from, for errors."""

    @classmethod
    def from_json(
        cls,
        document: Mapping[str, Any] | str,
        backend: Store | None = None,
        preview_bytes: int = BUDGET,
    ) -> ObjectRef:
        """Return the object that the document of a row stands for.

        Parameters
        ----------
        document
            The value of the column, a mapping or JSON text.
        backend
            Its store; without one nothing can be read.
        preview_bytes
            How much a repr in a notebook may read.

        Raises
        ------
        DataJointError
            The document has no path.
        """
        given = json.loads(document) if isinstance(document, str) else document
        if not isinstance(given, Mapping) or not isinstance(given.get("path"), str):
            raise DataJointError(
                "This is no object of a store: the document in the row has no path."
            )
        known: dict[str, Any] = {name: given.get(name) for name in _RECORDED}
        time = known["timestamp"]
        known["timestamp"] = datetime.fromisoformat(time) if isinstance(time, str) else time
        return cls(
            **known, is_dir=bool(given.get("is_dir")), backend=backend, preview_bytes=preview_bytes
        )

    def to_json(self) -> dict[str, Any]:
        """Return the document for a row."""
        always: dict[str, Any] = {"path": self.path, "size": self.size, "hash": self.hash}
        always |= {"ext": self.ext, "is_dir": self.is_dir}
        always["timestamp"] = self.timestamp.isoformat() if self.timestamp else None
        rest = {name: getattr(self, name) for name in ("store", "item_count", "url", "mime_type")}
        return always | {name: value for name, value in rest.items() if value is not None}

    def __str__(self) -> str:
        return self.path

    def __repr__(self) -> str:
        kind = "folder" if self.is_dir else "file"
        return f"ObjectRef({kind}: {self.path}, size={self.size})"

    def _repr_html_(self) -> str:
        return object_html(object_ref_card(self, self.preview_bytes))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return bundle(object_ref_card(self, self.preview_bytes), self)

    # Where it is

    @property
    def fs(self) -> Any:
        """The fsspec filesystem of its store."""
        return self.need_backend().fs

    @property
    def fsmap(self) -> Any:
        """A mapping of the names of its files to their contents, as Zarr takes it."""
        return self.need_backend().mapping(self.path)

    @property
    def full_path(self) -> str:
        """The URL; of a local file the path."""
        store = self.need_backend()
        return (
            store.full_path(self.path) if store.spec["protocol"] == "file" else store.url(self.path)
        )

    def exists(self, subpath: str | None = None) -> bool:
        """Whether it is there, or something in it."""
        return self.need_backend().exists(self._inside(subpath))

    # Reading

    @_with_origin
    def read(self) -> bytes:
        """Return the contents of a file.

        Raises
        ------
        DataJointError
            It is a folder.
        MissingExternalFile
            It is gone.
        """
        self._need_file("read() a directory")
        return self.need_backend().get(self.path)

    @_with_origin
    def open(self, subpath: str | None = None, mode: str = "rb") -> IO[Any]:
        """Return a file object for it, or for a file in it."""
        if subpath is None:
            self._need_file("open() a directory without a subpath")
        return self.need_backend().open(self._inside(subpath), mode)

    @_with_origin
    def listdir(self, subpath: str = "") -> list[str]:
        """Return the names of what lies in a folder."""
        self._need_folder("listdir()")
        return self.need_backend().names(self._inside(subpath or None))

    def walk(self) -> Iterator[tuple[str, list[str], list[str]]]:
        """Yield each folder in it, with its folders and files, as `os.walk` does; paths are relative to it."""
        self._need_folder("walk()")
        folders = [""]
        while folders:
            here = folders.pop(0)
            names = self.listdir(here)
            inside = [
                name
                for name in names
                if self.need_backend().is_folder(self._inside(_below(here, name)))
            ]
            yield here, inside, [name for name in names if name not in inside]
            folders += [_below(here, name) for name in inside]

    @_with_origin
    def download(self, destination: str | Path, subpath: str | None = None) -> Path:
        """Copy it, or something in it, to this machine, and return where it lies.

        Parameters
        ----------
        destination
            A new path, or a folder, in which it keeps its name in the store.
        subpath
            What of a folder; all when None.
        """
        path = self._inside(subpath)
        target = Path(destination)
        if target.is_dir():
            target = target / path.rpartition("/")[2]
        if not self.need_backend().is_folder(path):
            target.parent.mkdir(parents=True, exist_ok=True)
            self.need_backend().get_file(path, target)
            return target
        target.mkdir(parents=True, exist_ok=True)
        for entry in self.need_backend().entries(path):
            inside = target / check_relative(entry.path[len(path) + 1 :])
            inside.parent.mkdir(parents=True, exist_ok=True)
            self.need_backend().get_file(entry.path, inside)
        return target

    @_with_origin
    def verify(self) -> bool:
        """Return True when all of it is there as it was written.

        Of a file the size and, where recorded, the hash are compared; of a folder each file that its manifest names.

        Raises
        ------
        ObjectIntegrityError
            Something is missing or has changed.
        """
        return self._verify_folder() if self.is_dir else self._verify_file()

    def _verify_file(self) -> bool:
        entry = self.need_backend().info(self.path)
        if entry is None:
            raise ObjectIntegrityError(f"The object {self.path} is missing.")
        if self.size is not None and entry.size != self.size:
            raise ObjectIntegrityError(
                f"The object {self.path} has {entry.size:,} bytes, not {self.size:,} as recorded."
            )
        if self.hash is not None and self._hash() != self.hash:
            raise ObjectIntegrityError(
                f"The contents of {self.path} are not those that were written."
            )
        return True

    def _hash(self) -> str:
        with self.need_backend().open(self.path) as file:
            return content_hash(iter(lambda: file.read(_CHUNK), b""))

    def _verify_folder(self) -> bool:
        manifest = f"{self.path}.manifest.json"
        if not self.need_backend().exists(manifest):
            if not self.need_backend().exists(self.path):
                raise ObjectIntegrityError(f"The folder {self.path} is missing.")
            return True
        there = {entry.path: entry.size for entry in self.need_backend().entries(self.path)}
        for item in json.loads(self.need_backend().get(manifest))["files"]:
            path = f"{self.path}/{item['path']}"
            if there.get(path) != item["size"]:
                found = f"has {there[path]:,} bytes" if path in there else "is missing"
                raise ObjectIntegrityError(
                    f"The file {item['path']} of the folder {self.path} {found}; "
                    f"{item['size']:,} bytes were written."
                )
        return True

    # Inside

    def need_backend(self) -> Store:
        """Return its store.

        Raises
        ------
        DataJointError
            It was made without one.
        """
        if self.backend is None:
            raise DataJointError(
                f"ObjectRef has no storage backend configured: {self.path} can be read once it is fetched from a "
                "table, or made with from_json(document, backend=store)."
            )
        return self.backend

    def _inside(self, subpath: str | None) -> str:
        if not subpath:
            return self.path
        if not self.is_dir:
            raise DataJointError(f"{self.path} is a file, which has no {subpath!r} in it.")
        return _below(self.path, check_relative(subpath))

    def _need_file(self, what: str) -> None:
        if self.is_dir:
            raise DataJointError(
                f"Cannot {what}: {self.path} is a folder. Use listdir(), open(subpath) or download()."
            )

    def _need_folder(self, what: str) -> None:
        if not self.is_dir:
            raise DataJointError(f"Cannot {what} a file: {self.path}. Use read() or open().")


_RECORDED = ("path", "size", "store", "ext", "timestamp", "item_count", "url", "hash", "mime_type")


def _below(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
