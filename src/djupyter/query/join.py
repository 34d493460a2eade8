"""Natural join: inner or left, on every attribute that both operands have by lineage."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from djupyter.errors import DataJointError
from djupyter.heading.heading import Heading
from djupyter.heading.matching import matched_names
from djupyter.query.node import Node
from djupyter.query.select import Element, Lowering, Selection, same


class Join(Node):
    """Pairs of rows that agree on the matched attributes.

    Parameters
    ----------
    left, right
        The operands.
    outer
        Keep rows of the left operand that match nothing.
    check
        Whether matched attributes need equal lineage.
    nulls
        Attributes on which NULL matches NULL.

    Raises
    ------
    DataJointError
        Lineages differ.
    """

    __slots__ = ("left", "names", "nulls", "outer", "right")

    def __init__(
        self,
        left: Node,
        right: Node,
        *,
        outer: bool = False,
        check: bool = True,
        nulls: Sequence[str] = (),
    ) -> None:
        self.left, self.right, self.outer, self.nulls = left, right, outer, tuple(nulls)
        self.names = tuple(matched_names(left.heading, right.heading, check=check))
        self.heading = left.heading.join(right.heading, left=outer)
        self.shape = ("join", left.shape, right.shape, self.names, self.nulls, outer)
        self.values = left.values + right.values

    @property
    def is_restricted(self) -> bool:
        """Whether one of its operands is."""
        return self.left.is_restricted or self.right.is_restricted

    def lower(self, lowering: Lowering) -> Selection:
        """Join the two sources, each nested only where it cannot be merged."""
        left = self.left.lower(lowering).flat(lowering)
        right = self.right.lower(lowering).flat(lowering)
        if self.outer:
            right = independent(right, lowering)
        condition = same(left, right, self.names, self.nulls)
        # What holds the whole key comes first, and gives it: rows by key are then read in the order of its index.
        if not self.outer and self._is_led_by_the_right:
            left, right = right, left
        return joined(left, right, condition, self.heading, outer=self.outer)

    @property
    def _is_led_by_the_right(self) -> bool:
        left, right = self.left.heading, self.right.heading
        return right.determines(left) and not left.determines(right)


def left_join(left: Node, right: Node, *, check: bool, allow_nullable_pk: bool) -> Join:
    """Return the left join that users ask for.

    A restricted right operand leaves out rows without a match, as datajoint has it: its conditions hold for
    the result.

    Parameters
    ----------
    left, right, check
        As for `Join`.
    allow_nullable_pk
        Let it have the key that the inner join would have, although the right part may be NULL.

    Raises
    ------
    DataJointError
        The left operand does not determine the right one, or lineages differ.
    """
    missing = [name for name in right.heading.primary_key if name not in left.heading]
    if missing and not allow_nullable_pk:
        raise DataJointError(
            "Left join requires the left operand to determine the right operand (A → B). "
            f"These attributes of the right primary key are not in the left operand: {missing}. "
            "Swap the operands, or aggregate the right one first."
        )
    return Join(left, right, outer=not right.is_restricted, check=check)


def independent(right: Selection, lowering: Lowering) -> Selection:
    """Return the right operand of an outer join, nested unless it is a bare source.

    It must not be judged by, or computed from, the NULLs of rows without a match.
    """
    return right.nested(lowering) if right.where or not right.is_plain else right


def joined(
    left: Selection,
    right: Selection,
    condition: Iterable[Element],
    heading: Heading,
    *,
    outer: bool,
) -> Selection:
    """Return the join of two flat selections; an outer one keeps rows of the left without a match."""
    return Selection(
        {
            name: left.columns[name] if name in left.columns else right.columns[name]
            for name in heading
        },
        left.source.join(right.source, sa.and_(sa.true(), *condition), isouter=outer),
        left.where + right.where,
    )
