"""One attribute of a relation: what is known about a column without asking the database."""

from __future__ import annotations

from dataclasses import dataclass, replace

from djupyter.definition.model import Default, TypeSpec


@dataclass(frozen=True, slots=True)
class Attribute:
    """A column of a table or of a query.

    Parameters
    ----------
    name
        Lower case; a leading underscore hides it from headings.
    type
        The declared type; None for a computed attribute, whose type the database decides.
    in_key
        Whether it belongs to the primary key.
    nullable
        Whether it may hold NULL.
    default
        What an insert that says nothing leaves there.
    comment
        The user's comment.
    lineage
        Where the attribute was first declared, `schema.table.attribute`; None for secondary attributes
        that no foreign key brought, and for computed ones. Attributes meet in a join only when
        their lineages are equal.

    Examples
    --------
    >>> from djupyter.definition.types import parse_type
    >>> Attribute("subject_id", parse_type("int32"), in_key=True).type.text
    'int32'
    """

    name: str
    type: TypeSpec | None
    in_key: bool = False
    nullable: bool = False
    default: Default | None = None
    comment: str = ""
    lineage: str | None = None

    @property
    def hidden(self) -> bool:
        """Whether the attribute belongs to the system and is never shown."""
        return self.name.startswith("_")

    @property
    def is_codec(self) -> bool:
        """Whether values pass through a codec."""
        return self.type is not None and self.type.kind == "codec"

    @property
    def is_json(self) -> bool:
        """Whether values are JSON documents of the user."""
        return self.type is not None and self.type.name == "json"

    @property
    def autoincrement(self) -> bool:
        """Whether the database numbers the rows."""
        return self.type is not None and (
            "auto_increment" in self.type.text or self.type.name == "serial"
        )

    @property
    def type_text(self) -> str:
        """The type as written in definitions; `computed` where there is none."""
        return self.type.text if self.type else "computed"

    def merged(self, other: Attribute) -> Attribute:
        """Return the attribute that holds values of this one and of another, in a union."""
        return replace(
            self,
            nullable=self.nullable or other.nullable,
            lineage=self.lineage if self.lineage == other.lineage else None,
        )
