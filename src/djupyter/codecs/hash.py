"""The `<hash@store>` codec: bytes in a store, named by their content, so that equal ones lie there once.

Format: base32 of the MD5 digest, lower case and without padding, below `{hash_prefix}/{schema}`.
"""

from __future__ import annotations

from typing import Any, ClassVar

from djupyter.codecs.base import Codec, Context, store_of
from djupyter.errors import DataJointError
from djupyter.stores.paths import content_hash, hash_path


class HashCodec(Codec):
    """Bytes in a store by their content; `<blob@store>` and `<attach@store>` end here."""

    name: ClassVar[str] = "hash"

    def get_dtype(self, is_store: bool) -> str:
        """Return `json`: the row has the address."""
        if not is_store:
            raise DataJointError(
                "<hash> keeps bytes in a store: write `<hash@store>`, or `<hash@>` for the default store."
            )
        return "json"

    def validate(self, value: Any) -> None:
        """Refuse all but bytes."""
        if not isinstance(value, bytes | bytearray | memoryview):
            raise TypeError(f"<hash> expects bytes, got {type(value).__name__}")

    def encode(
        self,
        value: Any,
        *,
        key: dict[str, Any] | None = None,
        context: Context | None = None,
        store_name: str | None = None,
    ) -> dict[str, Any]:
        """Return the address of the bytes, which are written unless they lie there already."""
        assert context is not None, "an insert says where"
        store = context["stores"].get(store_name)
        digest = content_hash([value])
        path = hash_path(store.spec, context["schema"], digest)
        context["staging"].put_content(store, path, value)
        return {
            "hash": digest,
            "path": path,
            "schema": context["schema"],
            "store": store.name,
            "size": memoryview(value).nbytes,
        }

    def decode(
        self, stored: Any, *, key: dict[str, Any] | None = None, context: Context | None = None
    ) -> bytes:
        """Return the bytes, which are those that were written.

        Raises
        ------
        MissingExternalFile
            The object is gone.
        DataJointError
            It has changed.
        """
        store = store_of(stored, context)
        assert store is not None, "a query knows the stores"
        data = store.get(stored["path"])
        found = content_hash([data])
        if found != stored["hash"]:
            raise DataJointError(
                f"Hash mismatch: expected {stored['hash']}, got {found}. "
                f"Data at {store.url(stored['path'])} may be corrupted."
            )
        return data
