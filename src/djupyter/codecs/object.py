"""The `<object@store>` codec: files and folders in a store, read lazily through an `ObjectRef`."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from djupyter.codecs.addressed import SchemaCodec
from djupyter.codecs.backend import files_in, manifest, written
from djupyter.codecs.base import Context, preview_bytes, store_of
from djupyter.codecs.object_ref import ObjectRef
from djupyter.errors import DataJointError
from djupyter.stores.store import Store

_BYTES = (bytes, bytearray, memoryview)


class ObjectCodec(SchemaCodec):
    """Files and folders: bytes, `(ext, bytes or a file object)`, or the path of a file or folder goes in."""

    name: ClassVar[str] = "object"
    takes_staged: ClassVar[bool] = True

    def validate(self, value: Any) -> None:
        """Refuse what is no content, and paths to nothing."""
        if isinstance(value, str | os.PathLike) and not Path(value).exists():
            raise DataJointError(f"Source path not found: {value}")
        is_known = _is_pair(value) or isinstance(value, (*_BYTES, str, os.PathLike, ObjectRef))
        if not (is_known or (isinstance(value, dict) and "path" in value)):
            raise TypeError(
                "<object> expects bytes, (ext, bytes or a file object), the path of a file or folder, or an "
                f"ObjectRef, got {type(value).__name__}"
            )

    def encode(
        self,
        value: Any,
        *,
        key: dict[str, Any] | None = None,
        context: Context | None = None,
        store_name: str | None = None,
    ) -> dict[str, Any]:
        """Write the object and return its address."""
        assert context is not None, "an insert says where"
        if isinstance(value, dict):
            return value  # recorded as it is
        if isinstance(value, ObjectRef):
            return self._from_ref(value, key, context, store_name)
        staging = context["staging"]
        if isinstance(value, str | os.PathLike):
            return self._from_path(Path(value), key, context, store_name)
        ext, content = value if isinstance(value, tuple) else (None, value)
        store, path = self.place(key, context, store_name, ext)
        if isinstance(content, _BYTES):
            staging.put(store, path, content)
            size = memoryview(content).nbytes
        else:
            size = staging.put_stream(store, path, content)
        return _document(store, path, size, ext)

    def _from_path(
        self,
        source: Path,
        key: dict[str, Any] | None,
        context: Context,
        store_name: str | None,
    ) -> dict[str, Any]:
        staging = context["staging"]
        if not source.is_dir():
            ext = source.suffix or None
            store, path = self.place(key, context, store_name, ext)
            staging.put_file(store, path, source)
            return _document(store, path, source.stat().st_size, ext)
        store, path = self.place(key, context, store_name)
        files = list(files_in(source))
        for file in files:
            staging.put_file(store, f"{path}/{file.relative_to(source).as_posix()}", file)
        made = manifest(source, files)
        staging.put(store, f"{path}.manifest.json", written(made))
        return _document(store, path, made["total_size"], None, made["item_count"])

    def _from_ref(
        self,
        ref: ObjectRef,
        key: dict[str, Any] | None,
        context: Context,
        store_name: str | None,
    ) -> dict[str, Any]:
        """Refer to what a row of this connection refers to; copy what lies elsewhere."""
        source = ref.backend
        if source is None or source is context["stores"].get(ref.store):
            return ref.to_json()
        staging = context["staging"]
        store, path = self.place(key, context, store_name, None if ref.is_dir else ref.ext)
        if not ref.is_dir:
            with source.open(ref.path) as file:
                size = staging.put_stream(store, path, file)
            return _document(store, path, size, ref.ext)
        total, count = 0, 0
        for entry in source.entries(ref.path):
            with source.open(entry.path) as file:
                total += staging.put_stream(store, path + entry.path[len(ref.path) :], file)
            count += 1
        listed = f"{ref.path}.manifest.json"
        if source.exists(listed):
            staging.put(store, f"{path}.manifest.json", source.get(listed))
        return _document(store, path, total, ref.ext, count)

    def describe_written(self, store: Store, path: str, ext: str | None) -> dict[str, Any]:
        """Return the document for what lies at a path: a file, or a folder with all its files."""
        entry = store.info(path)
        if entry is not None:
            return _document(store, path, entry.size, ext)
        sizes = [item.size for item in store.entries(path)]
        if not sizes:
            raise DataJointError(f"Nothing was written to {path} of the store {store.name!r}.")
        return _document(store, path, sum(sizes), ext, len(sizes))

    def decode(
        self, stored: Any, *, key: dict[str, Any] | None = None, context: Context | None = None
    ) -> ObjectRef:
        """Return what reads the object, without reading anything."""
        return ObjectRef.from_json(stored, store_of(stored, context), preview_bytes(context))


def _document(
    store: Store, path: str, size: int, ext: str | None, items: int | None = None
) -> dict[str, Any]:
    return {
        "path": path,
        "store": store.name,
        "size": size,
        "ext": ext,
        "is_dir": items is not None,
        "item_count": items,
        "timestamp": _now(),
    }


def _is_pair(value: Any) -> bool:
    if not (isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str | None)):
        return False
    return isinstance(value[1], _BYTES) or hasattr(value[1], "read")


def _now() -> str:
    return datetime.now(UTC).isoformat()
