"""One attribute of a relation: what is known about a column without asking the database."""

from __future__ import annotations

from dataclasses import dataclass, replace

from djupyter.definition.model import Default, TypeSpec

_INTEGERS = {
    *("int8", "int16", "int32", "int64"),
    *("tinyint", "smallint", "mediumint", "int", "integer", "bigint", "serial"),
}
_FLOATS = {"float32", "float64", "float", "double", "real"}


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
    collation
        How the database compares its text, where that is not as we compare.
    digits
        Digits of a second that its column keeps, where its type does not say so.

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
    collation: str = ""
    digits: int | None = None

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
    def dtype(self) -> str:
        """The NumPy dtype of values without NULL: int64, float64, bool or object.

        >>> from djupyter.definition.types import parse_type
        >>> Attribute("x", parse_type("float32")).dtype
        'float64'
        """
        name = self.type.name.split()[0] if self.type else ""
        if name in _INTEGERS:
            return "int64"
        if name in _FLOATS:
            return "float64"
        return "bool" if name == "bool" else "object"

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
