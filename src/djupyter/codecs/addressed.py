"""What codecs share whose objects lie in a store by schema, table and key, rather than by content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from djupyter.codecs.backend import StorageBackend
from djupyter.codecs.base import Codec, Context
from djupyter.errors import DataJointError
from djupyter.stores.paths import new_token, object_path
from djupyter.stores.store import Store, Stores


class SchemaCodec(Codec, register=False):
    """Base of codecs whose objects lie by schema, table and key: `{schema}/{table}/{key}/{attribute}_{token}`.

    A subclass asks `self.place(...)` where the object of a value goes, writes it through
    `context["staging"]`, and returns a document with the `path` and the `store` for the row.
    """

    takes_staged: ClassVar[bool] = False
    """Whether a staged insert may write an object by itself, for `describe_written` to look at."""

    def get_dtype(self, is_store: bool) -> str:
        """Return `json`: the row has the address."""
        if not is_store:
            raise DataJointError(
                f"<{self.name}> keeps objects in a store: write `<{self.name}@store>`, or `<{self.name}@>` for "
                "the default store."
            )
        return "json"

    def place(
        self,
        key: Mapping[str, Any] | None,
        context: Context | None,
        store_name: str | None,
        ext: str | None = None,
    ) -> tuple[Store, str]:
        """Return the store of a value, and a path there that no other object has.

        Parameters
        ----------
        key, context, store_name
            As `encode` got them.
        ext
            What the name ends with.
        """
        assert context is not None, "an insert says where"
        schema, table, field, primary_key = self._extract_context(key, context)
        store = context["stores"].get(store_name)
        return store, object_path(store.spec, schema, table, primary_key, field, ext)

    def staged_ext(self, ext: str | None, *, is_folder: bool) -> str | None:
        """Return what the name of an object ends with that a staged insert writes.

        Raises
        ------
        DataJointError
            Such objects are no folders, or no files.
        """
        return ext

    def describe_written(self, store: Store, path: str, ext: str | None) -> dict[str, Any]:
        """Return the document of the row for an object that a staged insert has written.

        Raises
        ------
        DataJointError
            Nothing was written there, or not what this codec reads.
        """
        raise NotImplementedError(f"<{self.name}> sets takes_staged, but describes nothing.")

    # Names of datajoint, for codecs written for it.

    def _extract_context(
        self, key: Mapping[str, Any] | None, context: Context | None = None
    ) -> tuple[str, str, str, dict[str, Any]]:
        """Return schema, table, attribute and the primary key of the row."""
        given, known = key or {}, context or {}
        schema = known.get("schema") or given.get("_schema", "unknown")
        table = known.get("table") or given.get("_table", "unknown")
        field = known.get("field") or given.get("_field", "unknown")
        plain = {name: value for name, value in given.items() if not name.startswith("_")}
        return str(schema), str(table), str(field), plain

    def _build_path(
        self,
        schema: str,
        table: str,
        field: str,
        primary_key: Mapping[str, Any],
        ext: str | None = None,
        store_name: str | None = None,
        config: Any = None,
    ) -> tuple[str, str]:
        """Return a new path for an object, and its token."""
        spec = self._get_backend(store_name, config).spec
        token = new_token(spec["token_length"])
        return object_path(spec, schema, table, primary_key, field, ext, token), token

    def _get_backend(self, store_name: str | None = None, config: Any = None) -> StorageBackend:
        """Return a store of some settings, by datajoint's names of what it does."""
        if config is None:
            raise DataJointError(
                f"<{self.name}> does not know the stores: give it the config of the connection."
            )
        return StorageBackend(Stores(lambda: config["stores"]).get(store_name))

    def _codec_config(
        self, key: Mapping[str, Any] | None = None, context: Context | None = None
    ) -> Any:
        """Return the settings that came with a value."""
        return (context or {}).get("config") or (key or {}).get("_config")
