"""What stands for an object in a store, by the document of its row: nothing is read before it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from djupyter.errors import DataJointError
from djupyter.stores.store import Store


class StoredRef:
    """Base of what a query gives for an object that a codec has described in the row.

    Parameters
    ----------
    document
        The value of the column.
    backend
        The store; without one only what the document says is known.

    Raises
    ------
    DataJointError
        The document has no path.
    """

    __slots__ = ("_backend", "_document")

    _what: ClassVar[str]
    """What the object is, in errors."""

    def __init__(self, document: Mapping[str, Any], backend: Store | None = None) -> None:
        if not isinstance(document.get("path"), str):
            raise DataJointError(
                f"This is no {self._what} of a store: the document in the row has no path."
            )
        self._document, self._backend = dict(document), backend

    @property
    def path(self) -> str:
        """Where the file is, relative to the store."""
        return str(self._document["path"])

    @property
    def store(self) -> str | None:
        """Name of the store; None for the default one."""
        return self._document.get("store")

    def to_json(self) -> dict[str, Any]:
        """Return the document for a row."""
        return dict(self._document)

    def need_store(self) -> Store:
        """Return the store.

        Raises
        ------
        DataJointError
            It was made without one.
        """
        if self._backend is None:
            raise DataJointError(
                f"{type(self).__name__} has no storage backend configured: {self.path} can be read once it is "
                "fetched from a table."
            )
        return self._backend
