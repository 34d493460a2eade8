"""The `<filepath@store>` codec: what others have put into a store, referred to where it lies."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any, ClassVar

from djupyter.codecs.base import Codec, Context, preview_bytes, store_of
from djupyter.codecs.object_ref import ObjectRef
from djupyter.errors import DataJointError
from djupyter.stores.paths import check_relative
from djupyter.stores.store import Entry, Store

_SECTIONS = ("hash_prefix", "schema_prefix")


class FilepathCodec(Codec):
    """Files and folders of the user in a store: the path within it goes in, an `ObjectRef` comes out."""

    name: ClassVar[str] = "filepath"

    def get_dtype(self, is_store: bool) -> str:
        """Return `json`: the row has the address."""
        if not is_store:
            raise DataJointError(
                "<filepath> refers to a store: write `<filepath@store>`, or `<filepath@>` for the default one."
            )
        return "json"

    def validate(self, value: Any) -> None:
        """Refuse all but paths."""
        if not isinstance(value, str | os.PathLike | ObjectRef):
            raise TypeError(f"<filepath> expects a path in the store, got {type(value).__name__}")

    def encode(
        self,
        value: Any,
        *,
        key: dict[str, Any] | None = None,
        context: Context | None = None,
        store_name: str | None = None,
    ) -> dict[str, Any]:
        """Return the address of what lies there; nothing is copied."""
        assert context is not None, "an insert says where"
        store = context["stores"].get(store_name, filepath=True)
        path = check_relative(value.path if isinstance(value, ObjectRef) else os.fspath(value))
        _refuse_sections(store, path)
        entry, is_dir = store.info(path), store.is_folder(path)
        if entry is None and not is_dir:
            raise FileNotFoundError(f"File not found in store {store.name!r}: {path}")
        if isinstance(value, ObjectRef) and _differ(value, entry):
            raise DataJointError(
                f"{path} in the store {store.name!r} is another file than the one that was fetched: its size differs."
            )
        return {
            "path": path,
            "store": store.name,
            "size": entry.size if entry is not None and not is_dir else None,
            "is_dir": is_dir,
            "timestamp": datetime.now(UTC).isoformat(),
        }

    def decode(
        self, stored: Any, *, key: dict[str, Any] | None = None, context: Context | None = None
    ) -> ObjectRef:
        """Return what reads the file or folder, without reading anything."""
        store = store_of(stored, context, filepath=True)
        return ObjectRef.from_json(stored, store, preview_bytes(context))

    def referenced_paths(self, stored: Any) -> list[tuple[str, str | None]]:
        """Return nothing: garbage collection never looks where the files of users lie."""
        return []


def _differ(ref: ObjectRef, entry: Entry | None) -> bool:
    return ref.is_dir is (entry is not None) or (
        entry is not None and ref.size not in (None, entry.size)
    )


def _refuse_sections(store: Store, path: str) -> None:
    for key in _SECTIONS:
        prefix = str(store.spec.get(key) or "").strip("/")
        if prefix and _is_below(path, prefix):
            raise ValueError(
                f"<filepath@> cannot use reserved section {prefix!r} ({key}) of the store {store.name!r}: {path}"
            )
    own = str(store.spec.get("filepath_prefix") or "").strip("/")
    if own and not _is_below(path, own):
        raise ValueError(
            f"<filepath@> of the store {store.name!r} lie below {own!r} (filepath_prefix), unlike {path}"
        )


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")
