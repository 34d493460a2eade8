"""Which namesakes may meet: two attributes are the same thing only when they have the same origin.

A join, a restriction by a query and an aggregation match rows on all attributes that carry the same name. Equal
names are no proof of equal meaning; equal lineage is.
"""

from __future__ import annotations

from djupyter.errors import DataJointError
from djupyter.heading.heading import Heading


def matched_names(left: Heading, right: Heading, *, check: bool = True) -> list[str]:
    """Return the names on which two relations match, in the left one's order.

    Parameters
    ----------
    left, right
        Headings of the operands.
    check
        Whether to insist on equal lineage.

    Raises
    ------
    DataJointError
        A common name has different lineages, or lacks one on either side.

    Examples
    --------
    >>> from djupyter.definition.types import parse_type
    >>> from djupyter.heading.attribute import Attribute
    >>> int32 = parse_type("int32")
    >>> a = Heading([Attribute("a", int32, in_key=True, lineage="s.a.a")])
    >>> b = Heading([Attribute("a", int32, in_key=True, lineage="s.b.a")])
    >>> matched_names(a, a)
    ['a']
    >>> matched_names(a, b)
    Traceback (most recent call last):
    ...
    djupyter.errors.DataJointError: Cannot join on attribute `a`: different lineages (s.a.a vs s.b.a)...
    """
    names = [name for name in left if name in right]
    if check:
        for name in names:
            _check(name, left[name].lineage, right[name].lineage)
    return names


def _check(name: str, left: str | None, right: str | None) -> None:
    if left is None or right is None:
        raise DataJointError(
            f"Cannot join on attribute `{name}`: lineage missing on {_sides(left, right)}. "
            "It is not the same attribute by declaration, only by name. Rename one of them or leave it "
            f'out: .proj({name}2="{name}") or .proj().'
        )
    if left != right:
        raise DataJointError(
            f"Cannot join on attribute `{name}`: different lineages ({left} vs {right}). "
            "Use .proj() to rename one of the attributes."
        )


def _sides(left: str | None, right: str | None) -> str:
    return "both sides" if left is right else f"one side ({left} vs {right})"
