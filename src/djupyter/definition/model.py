"""What a definition says, as plain frozen data.

```
TableDefinition
├── comment
├── primary    AttributeSpec | ForeignKeySpec, ...   above the ``---``
├── secondary  AttributeSpec | ForeignKeySpec, ...   below it
└── indexes    IndexSpec, ...
```

The parser makes these from text, the writer makes text from these, and `heading.structure` turns
them into the structure of a table once the parents are known. Positions in the source never take
part in comparisons: two definitions are equal when they declare the same table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

TypeKind = Literal["core", "native", "codec"]


@dataclass(frozen=True, slots=True)
class TypeSpec:
    """The declared type of an attribute, in its normal form.

    Parameters
    ----------
    text
        Normal form, as stored in column comments: ``int32``, ``varchar(100)``, ``enum('M','F')``,
        ``<blob@raw>``, ``int unsigned``.
    kind
        ``core`` means the same on every backend, ``native`` is passed through to the database,
        ``codec`` is written ``<name>`` and decoded by a codec.
    name
        Without parameters: ``varchar``, ``int unsigned``, ``blob``.
    arguments
        ``(100,)`` for a length, ``(6, 2)`` for a precision, the values of an enum.
    store
        Codecs only: None lies in the row, ``""`` in the default store, else in the named store.
    """

    text: str
    kind: TypeKind
    name: str
    arguments: tuple[int | str, ...] = ()
    store: str | None = None

    def __hash__(self) -> int:
        # Looked up for every value that restricts; Python keeps the hash of a text.
        return hash(self.text)

    def __str__(self) -> str:
        return self.text

    @property
    def in_store(self) -> bool:
        """Whether values live in an object store rather than in the row."""
        return self.store is not None


@dataclass(frozen=True, slots=True)
class Default:
    """What an attribute holds when an insert says nothing.

    Parameters
    ----------
    kind
        ``null``, a ``literal``, or ``now`` (the server's clock).
    text
        The literal without quotes, or ``CURRENT_TIMESTAMP(3)``; empty for null.
    quoted
        Whether the literal was written in quotes; it does not change the default.
    """

    kind: Literal["null", "literal", "now"]
    text: str = ""
    quoted: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class AttributeSpec:
    """One line ``name = default : type  # comment``."""

    name: str
    type: TypeSpec
    default: Default | None = None
    comment: str = ""
    line: int = field(default=0, compare=False)
    column: int = field(default=0, compare=False)

    @property
    def nullable(self) -> bool:
        """Whether the attribute may be NULL, which its default says."""
        return self.default is not None and self.default.kind == "null"


@dataclass(frozen=True, slots=True)
class ForeignKeySpec:
    """One line ``-> [nullable, unique] module.Parent.proj(new="old")``.

    Parameters
    ----------
    parent
        The reference as written, without options and projection: ``subject.Subject``, ``master``.
    renames
        Pairs (new name here, name in the parent's primary key).
    nullable, unique
        The options in brackets.
    """

    parent: str
    renames: tuple[tuple[str, str], ...] = ()
    nullable: bool = False
    unique: bool = False
    line: int = field(default=0, compare=False)
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class IndexSpec:
    """One line ``index (a, b)`` or ``unique index (a, b)``; entries may be expressions."""

    attributes: tuple[str, ...]
    unique: bool = False
    line: int = field(default=0, compare=False)
    column: int = field(default=0, compare=False)


Item = AttributeSpec | ForeignKeySpec


@dataclass(frozen=True, slots=True)
class TableDefinition:
    """A whole definition. No primary item declares a singleton, a table of at most one row."""

    comment: str = ""
    primary: tuple[Item, ...] = ()
    secondary: tuple[Item, ...] = ()
    indexes: tuple[IndexSpec, ...] = ()

    @property
    def items(self) -> tuple[Item, ...]:
        """Attributes and foreign keys in the order they were written."""
        return self.primary + self.secondary

    @property
    def foreign_keys(self) -> tuple[ForeignKeySpec, ...]:
        """The foreign keys in the order they were written."""
        return tuple(item for item in self.items if isinstance(item, ForeignKeySpec))
