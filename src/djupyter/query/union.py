"""Union: the rows of either relation, one row for each key."""

from __future__ import annotations

import sqlalchemy as sa

from djupyter.heading.heading import Heading
from djupyter.query.conditions import Matches, Negation
from djupyter.query.elements import exactly
from djupyter.query.join import Join
from djupyter.query.node import Node
from djupyter.query.restriction import Restriction
from djupyter.query.select import Lowering, Selection


class Union(Node):
    """Rows of both operands, matched on their common key.

    Secondary attributes are those of both, NULL where a row has none: a full outer join, written as the
    left join of the first with the second, and the rest of the second.
    """

    __slots__ = ("parts",)

    def __init__(self, left: Node, right: Node) -> None:
        self.heading = left.heading.union(right.heading)
        if left.heading.secondary_attributes or right.heading.secondary_attributes:
            key = left.heading.primary_key
            # NULL is a key like any other, as `U` gives it.
            nulls = [n for n in key if left.heading[n].nullable and right.heading[n].nullable]
            both = Join(left, right, outer=True, check=False, nulls=nulls)
            rest = Restriction(right, Negation(Matches(left, key, nulls)))
            self.parts: tuple[Node, Node] = (both, rest)
        else:
            self.parts = (left, right)
        self.shape = ("union", self.parts[0].shape, self.parts[1].shape)
        self.values = self.parts[0].values + self.parts[1].values

    def lower(self, lowering: Lowering) -> Selection:
        """Combine both SELECTs in a subquery."""
        first, second = (
            _padded(part.lower(lowering), self.heading, lowering) for part in self.parts
        )
        # With secondary attributes the two have no key in common, and documents cannot be compared.
        combine = sa.union_all if self.heading.secondary_attributes else sa.union
        both = combine(first, second).subquery(lowering.alias())
        return Selection({name: both.c[name] for name in self.heading}, both)


def _padded(
    selection: Selection, heading: Heading, lowering: Lowering
) -> sa.Select[tuple[object, ...]]:
    if selection.is_limited:
        selection = selection.nested(lowering)
    columns = {name: selection.columns.get(name, sa.null()) for name in heading}
    if not heading.secondary_attributes:
        columns = {name: exactly(column) for name, column in columns.items()}
    return selection.with_columns(columns).statement()
