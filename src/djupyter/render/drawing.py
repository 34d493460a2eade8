"""The graph of some tables as plain data: what a text, a picture or a widget draws."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Direction = Literal["LR", "TB"]


@dataclass(frozen=True, slots=True)
class Box:
    """A table, or several tables of a schema drawn as one.

    Parameters
    ----------
    schema, name
        What it is called; the name of a collapsed schema is empty.
    tier
        None for tables of other tools and for collapsed schemas.
    tables
        How many tables it stands for.
    note
        What is told of it where there is room, such as the definition.
    """

    schema: str
    name: str
    tier: str | None = None
    tables: int = 1
    note: str = field(default="", compare=False, repr=False)

    @property
    def is_collapsed(self) -> bool:
        """Whether it stands for several tables."""
        return not self.name

    @property
    def full_name(self) -> str:
        """Schema and name, `lab.Subject`."""
        return f"{self.schema}.{self.name}" if self.name else self.schema

    @property
    def label(self) -> str:
        """What is written on it."""
        number = f"{self.tables} table{'' if self.tables == 1 else 's'}"
        return f"{self.schema}: {number}" if self.is_collapsed else self.name


@dataclass(frozen=True, slots=True)
class Line:
    """A foreign key, from the parent's box to the child's.

    Parameters
    ----------
    parent, child
        The boxes.
    in_key
        Whether the foreign key is part of the child's key.
    whole_key
        Whether it is all of the child's key.
    renames
        Pairs (attribute of the child, attribute of the parent) whose names differ.
    """

    parent: Box
    child: Box
    in_key: bool = True
    whole_key: bool = False
    renames: tuple[tuple[str, str], ...] = ()

    @property
    def words(self) -> str:
        """What the line says: where the foreign key stands, and its renames."""
        stands = (
            "all of the key" if self.whole_key else "in the key" if self.in_key else "secondary"
        )
        return ", ".join([stands, *(f"{here} = {there}" for here, there in self.renames)])


@dataclass(frozen=True, slots=True)
class Drawing:
    """Boxes, parents before children, and the lines between them."""

    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    direction: Direction = "LR"
