"""What a repr may show, as plain data: no database, no live object, bounded in size."""

from __future__ import annotations

from dataclasses import dataclass, field

from djupyter.heading.differences import Change


@dataclass(frozen=True, slots=True)
class Summary:
    """Stands for a value too large or too opaque to show: `float64 (1000, 3)`, `dict 4 keys`.

    Parameters
    ----------
    text
        What the value is.
    size
        Its bytes, as far as the row says.
    trace
        What may be drawn beside the text, a few finite numbers; empty for nothing.
    """

    text: str
    size: int | None = field(default=None, compare=False)
    trace: tuple[float, ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class PreviewColumn:
    """A column's head: name, declared type, whether it is in the key, the user's comment."""

    name: str
    type: str
    in_key: bool = False
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """The first rows of a query.

    Parameters
    ----------
    title
        Class name or a short description of the query; may be empty.
    tier
        Tier of a plain table, which colours the caption; None for other queries.
    comment
        The table's comment.
    columns
        Heads, key columns first.
    rows
        Values in column order: plain Python values, None for NULL, `Summary` for what is not shown.
    more
        Whether there are rows beyond these.
    total
        Number of rows, None when not counted.
    bounded
        The count stopped at `total`; there may be more.
    """

    title: str
    tier: str | None
    comment: str
    columns: tuple[PreviewColumn, ...]
    rows: tuple[tuple[object, ...], ...]
    more: bool = False
    total: int | None = None
    bounded: bool = False


@dataclass(frozen=True, slots=True)
class CardAttribute:
    """One attribute on a table card."""

    name: str
    type: str
    in_key: bool
    nullable: bool = False
    default: str = ""
    comment: str = ""
    parent: str = ""  # class name of the table a foreign key took it from


@dataclass(frozen=True, slots=True)
class CardLink:
    """A foreign key on a table card, or a neighbour in its small diagram."""

    name: str  # class name, with the schema in front where it is another one
    tier: str | None
    in_key: bool  # solid line: the key of the child; dashed: secondary
    renames: tuple[tuple[str, str], ...] = ()
    nullable: bool = False
    unique: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """A table at a glance: what a `%%dj_table` cell shows."""

    schema: str
    name: str
    tier: str | None
    comment: str
    attributes: tuple[CardAttribute, ...]
    parents: tuple[CardLink, ...] = ()
    children: tuple[CardLink, ...] = ()
    indexes: tuple[str, ...] = ()
    rows: int | None = None
    rows_bounded: bool = False
    note: str = ""  # what this cell did: declared, already there, altered


@dataclass(frozen=True, slots=True)
class Difference:
    """A changed definition: what differs and what can be done about it."""

    schema: str
    name: str
    tier: str | None
    changes: tuple[Change, ...]
    advice: tuple[str, ...] = field(default=())
