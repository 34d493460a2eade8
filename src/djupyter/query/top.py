"""Top: the first rows in some order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from djupyter.query.elements import Ordered
from djupyter.query.node import Node
from djupyter.query.projection import Projection
from djupyter.query.select import Element, Lowering, Selection
from djupyter.sql.fragment import parse_ordering

Order = tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Top:
    """A restriction to the first rows: ``query & dj.Top(5, "score desc")``.

    Parameters
    ----------
    limit
        How many rows; None for all.
    order_by
        Names of attributes, ``"KEY"`` for the primary key, each optionally followed by ``desc``; None keeps
        the order that the query has.
    offset
        How many rows to pass over first.

    Raises
    ------
    TypeError
        An argument has another type.
    ValueError
        A limit or offset is negative.

    Examples
    --------
    >>> Top(3, "score desc", offset=1)
    Top(limit=3, order_by='score desc', offset=1)
    """

    limit: int | None = 1
    order_by: str | Sequence[str] | None = "KEY"
    offset: int = 0

    def __post_init__(self) -> None:
        if self.limit is not None and not _is_int(self.limit):
            raise TypeError(f"Top limit must be an integer or None, not {self.limit!r}.")
        if not _is_int(self.offset):
            raise TypeError(f"Top offset must be an integer, not {self.offset!r}.")
        order = [self.order_by] if isinstance(self.order_by, str) else self.order_by
        if order is not None and not (
            isinstance(order, list | tuple) and all(isinstance(item, str) for item in order)
        ):
            raise TypeError(f"Top order_by must be text or a list of texts, not {self.order_by!r}.")
        if self.offset < 0 or (self.limit is not None and self.limit < 0):
            raise ValueError("Top limit and offset cannot be negative.")


class Limited(Node):
    """The first rows of a relation.

    Parameters
    ----------
    operand
        The relation.
    order
        Pairs (attribute, descending).
    limit, offset
        As in `Top`.
    """

    __slots__ = ("limit", "offset", "operand", "order")

    def __init__(self, operand: Node, order: Order, limit: int | None, offset: int) -> None:
        self.operand, self.order = operand, order
        self.limit, self.offset = None if limit is None else int(limit), int(offset)
        for name, _ in order:
            operand.heading.need(name)
        self.heading = operand.heading
        self.shape = ("top", operand.shape, order, limit is None, offset == 0)
        limits = () if self.limit is None else (self.limit,)
        self.values = (*operand.values, *limits, *((self.offset,) if offset else ()))

    def lower(self, lowering: Lowering) -> Selection:
        """Order and cut; an operand that is ordered and cut in another way is nested first."""
        inner = self.operand.lower(lowering)
        # PostgreSQL orders DISTINCT rows by selected expressions only.
        if inner.is_limited or inner.distinct or self._counts(inner):
            inner = inner.nested(lowering)
        # What is the same for all rows says nothing, and a bare number would mean a place among the attributes.
        order = tuple(
            self._ordered(inner, name, descending)
            for name, descending in self.order
            if inner.columns[name]._from_objects
        )
        limit = lowering.bind() if self.limit is not None else None
        offset = lowering.bind() if self.offset else None
        # Few rows are wanted: read in order, a join can end as soon as it has them.
        is_read_in_order = bool(
            limit is not None and order and inner.is_flat and inner.leads(order)
        )
        prefix = lowering.backend.joins_in_order if is_read_in_order else ""
        return replace(inner, order=order, limit=limit, offset=offset, prefix=prefix)

    def _counts(self, inner: Selection) -> bool:
        """Whether it orders by what mentions no attribute and still differs, as `count(*)` of groups does."""
        ordered = (inner.columns[name] for name, _ in self.order)
        return inner.group is not None and any(not column._from_objects for column in ordered)

    def _ordered(self, inner: Selection, name: str, descending: bool) -> Element:
        nullable = self.heading[name].nullable
        return Ordered(inner.columns[name], descending=descending, nullable=nullable)


def limited(node: Node, top: Top) -> Node:
    """Apply a `Top` to a relation, merged with the one it already has when their orders agree."""
    order = read_order(node, top.order_by)
    if order is None and isinstance(node, Projection) and has_order(node):
        return Projection(limited(node.operand, top), node.plan)
    if isinstance(node, Limited) and (order is None or order == node.order):
        rest = None if node.limit is None else max(node.limit - top.offset, 0)
        limits = [limit for limit in (rest, top.limit) if limit is not None]
        return Limited(
            node.operand, node.order, min(limits, default=None), node.offset + top.offset
        )
    if top.limit is None and not top.offset and not order:
        return node
    return Limited(node, order or (), top.limit, top.offset)


def has_order(node: Node) -> bool:
    """Whether the rows of a relation come in an order of their own."""
    while isinstance(node, Projection):
        node = node.operand
    return isinstance(node, Limited)


def read_order(node: Node, order_by: str | Sequence[str] | None) -> Order | None:
    """Return the order that text asks for, `KEY` replaced by the primary key."""
    if order_by is None:
        return None
    texts = [order_by] if isinstance(order_by, str) else order_by
    order: list[tuple[str, bool]] = []
    for text in texts:
        for name, descending in parse_ordering(text):
            names = node.heading.primary_key if name.upper() == "KEY" else [name]
            order += [(each, descending) for each in names]
    return tuple(order)


def _is_int(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
