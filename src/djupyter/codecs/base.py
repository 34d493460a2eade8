"""How one kind of Python value lives in a column and, when large, in a store.

```
value --encode--> what the column holds, or what the next codec of a chain takes --decode--> value
```
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict

from djupyter.codecs.blob_summary import readable_size
from djupyter.errors import DataJointError

if TYPE_CHECKING:
    from djupyter.stores.staging import Staging
    from djupyter.stores.store import Store, Stores

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_on_definition: list[Callable[[type[Codec]], object]] = []


class Context(TypedDict, total=False):
    """Where a value belongs, and what a codec may use.

    Attributes
    ----------
    schema, table, field
        By the names the database uses; empty where a query does not know them.
    config
        The settings of the connection.
    stores
        The object stores that are configured.
    staging
        What writes objects for a row that is not committed yet; only for `encode`.
    """

    schema: str
    table: str
    field: str
    config: Any
    stores: Stores
    staging: Staging


class Codec(ABC):
    """Base class of codecs: how values of one kind become what a column holds, and back.

    Defining a subclass makes it known by its `name`, which is what stands between the angle brackets of a
    definition. Defining the same class again, as a notebook cell does, replaces it. With
    `class X(Codec, register=False)` it stays unknown, as a base of others must.

    Examples
    --------
    >>> class Fraction(Codec):
    ...     name = "fraction"
    ...     def get_dtype(self, is_store):
    ...         return "varchar(40)"
    ...     def encode(self, value, *, key=None, context=None, store_name=None):
    ...         return f"{value.numerator}/{value.denominator}"
    ...     def decode(self, stored, *, key=None, context=None):
    ...         import fractions
    ...         return fractions.Fraction(stored)
    >>> Fraction().decode("3/4")
    Fraction(3, 4)
    """

    name: ClassVar[str]

    def __init_subclass__(cls, *, register: bool = True, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.registers = register
        if register:
            for note in _on_definition:
                note(cls)

    registers: ClassVar[bool] = False

    @abstractmethod
    def get_dtype(self, is_store: bool) -> str:
        """Return the type of the column: a core or native type, or `<codec>` for the next of a chain.

        Parameters
        ----------
        is_store
            Whether a store was named (`<name@store>`, `<name@>`). A next codec gets the same store.

        Raises
        ------
        DataJointError
            Values of this codec cannot lie there.
        """

    @abstractmethod
    def encode(
        self,
        value: Any,
        *,
        key: dict[str, Any] | None = None,
        context: Context | None = None,
        store_name: str | None = None,
    ) -> Any:
        """Return what the column, or the next codec, takes for a value; never called with None.

        `context` and `store_name` may be left out of the signature of a subclass.

        Parameters
        ----------
        value
            What the user gave.
        key
            The values of the primary key, as far as they are known, beside `_schema`, `_table`, `_field` and
            `_config`.
        context
            Where the value belongs.
        store_name
            The store; empty for the default one, None in the row.
        """

    @abstractmethod
    def decode(
        self, stored: Any, *, key: dict[str, Any] | None = None, context: Context | None = None
    ) -> Any:
        """Return the value for what the column, or the next codec, has; never called with None."""

    def validate(self, value: Any) -> None:  # noqa: B027 - optional for subclasses
        """Raise when a value cannot be encoded; called before anything is written."""

    def referenced_paths(self, stored: Any) -> list[tuple[str, str | None]]:
        """Return the objects that a column's value refers to: path and store, None for the default store.

        Garbage collection keeps these. Unless a subclass knows better: the `path` of a JSON document.
        """
        document = json.loads(stored) if isinstance(stored, str) else stored
        if not isinstance(document, dict) or not isinstance(document.get("path"), str):
            return []
        return [(document["path"], document.get("store") or None)]

    def summarize(self, prefix: bytes, size: int) -> str:
        """Return what a repr shows for a value in the row, of which only the first bytes are known."""
        return f"<{self.name}> {size} bytes"

    def summarize_document(self, document: dict[str, Any]) -> str:
        """Return what a repr shows for an object: kind, shape or size, from what the row says alone."""
        size = document.get("size")
        if "shape" in document and "dtype" in document:
            return f"{self.name} {document['dtype']} {tuple(document['shape'])}"
        if "is_dir" not in document:
            return self.name if size is None else f"{self.name} {_shown_size(size)}"
        parts = ["folder" if document["is_dir"] else "file"]
        count = document.get("item_count")
        if count is not None:
            parts.append(f"{count} file{'s' * (count != 1)}")
        if size is not None:
            parts.append(_shown_size(size))
        return " ".join(parts)


def _shown_size(size: int) -> str:
    return readable_size(size) if size >= 1000 else f"{size} byte{'s' * (size != 1)}"


def store_of(
    stored: dict[str, Any], context: Context | None, *, filepath: bool = False
) -> Store | None:
    """Return the store with the object of a document; None where nobody tells which stores there are.

    Parameters
    ----------
    stored
        The document of the row.
    context
        As `decode` got it.
    filepath
        Whether the object is a user's own, so that the default is the store for those.
    """
    return context["stores"].get(stored.get("store"), filepath=filepath) if context else None


def preview_bytes(context: Context | None) -> int:
    """Return how much of an object a repr may read."""
    if context is None or "config" not in context:
        return 8_000_000
    return int(context["config"]["display.preview_bytes"])


def checked_name(codec_class: type[Codec], source: str) -> str:
    """Return the name of a codec.

    Raises
    ------
    DataJointError
        It has none that could stand in a definition.
    """
    name = getattr(codec_class, "name", "")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise DataJointError(
            f"Not a codec: {source} has no usable name. Set name = 'lower_case' in the class."
        )
    return name


def on_definition(note: Callable[[type[Codec]], object]) -> None:
    """Call something with each codec class that is defined from now on."""
    _on_definition.append(note)
