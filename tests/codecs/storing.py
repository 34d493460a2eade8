"""A codec with a store, without a database: for tests of what codecs write and read."""

from __future__ import annotations

from typing import Any

from djupyter.codecs.base import Context
from djupyter.codecs.registry import get_codec
from djupyter.stores.staging import Staging
from djupyter.stores.store import Store, Stores


class Place:
    """Where an attribute `x` of a table `lab.scan` keeps its objects."""

    def __init__(self, codec: str, entry: dict[str, Any], **others: dict[str, Any]) -> None:
        setting = {"default": "raw", "raw": entry, **others}
        self.codec, self.stores = get_codec(codec), Stores(lambda: setting)
        self.staging = Staging(self.stores)

    @property
    def store(self) -> Store:
        """The store `raw`."""
        return self.stores.get("raw")

    def put(self, value: Any, store: str = "raw") -> dict[str, Any]:
        """Return the document of the row for a value."""
        context: Context = {"schema": "lab", "table": "scan", "field": "x"}
        self.codec.validate(value)
        given = {**context, "stores": self.stores, "staging": self.staging}
        document: dict[str, Any] = self.codec.encode(
            value, key={"id": 1}, context=given, store_name=store
        )
        return document

    def get(self, document: dict[str, Any]) -> Any:
        """Return what a query gives for the document."""
        return self.codec.decode(document, context={"stores": self.stores})

    def trip(self, value: Any, store: str = "raw") -> Any:
        """Return what a query gives for a value that was put in."""
        return self.get(self.put(value, store))

    def files(self, document: dict[str, Any]) -> dict[str, int]:
        """Return the files of an object with their sizes."""
        store, path = self.stores.get(document["store"]), document["path"]
        found = [entry for entry in store.entries() if entry.path.startswith(path)]
        return {entry.path: entry.size for entry in found}
