"""How one kind of Python value lives in a column and, when large, in a store."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Address:
    """Where a value belongs: what a codec may use to name an object and an error.

    Parameters
    ----------
    schema, table, attribute
        By the names the database uses.
    key
        Primary-key values of the row, as far as they are known.
    store
        Name of the store; None in the row.
    """

    schema: str
    table: str
    attribute: str
    key: Mapping[str, object] = field(default_factory=dict)
    store: str | None = None

    def __str__(self) -> str:
        return f"`{self.schema}`.`{self.table}`.`{self.attribute}`"


class Codec(ABC):
    """Base class of codecs; `name` is what stands between the angle brackets of a definition."""

    name: ClassVar[str]

    @abstractmethod
    def column_type(self, *, in_store: bool) -> str:
        """Return the core type of the column: `bytes` or `json`."""

    @abstractmethod
    def encode(self, value: Any, address: Address) -> Any:
        """Return what the column holds for a value."""

    @abstractmethod
    def decode(self, stored: Any, address: Address) -> Any:
        """Return the value for what the column holds."""

    def validate(self, value: Any) -> None:  # noqa: B027 - optional for subclasses
        """Raise when a value cannot be encoded; called before anything is written."""

    def summarize(self, prefix: bytes, size: int) -> str:
        """Return what a repr shows for a value of which only the first bytes are known."""
        return f"<{self.name}> {size} bytes"
