"""Restriction: the rows that meet a condition."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from djupyter.query.conditions import AllOf, Condition, Constant, Equals
from djupyter.query.node import Node
from djupyter.query.select import Lowering, Selection


class Restriction(Node):
    """The rows of a relation that meet a condition.

    Parameters
    ----------
    operand
        The relation.
    condition
        The condition.
    written
        What the user wrote for it; None where it was not a user.
    """

    __slots__ = ("condition", "operand", "written")

    def __init__(self, operand: Node, condition: Condition, written: object = None) -> None:
        self.operand, self.condition, self.written = operand, condition, written
        self.heading = operand.heading
        self.shape = ("where", operand.shape, condition.shape)
        self.values = operand.values + condition.values

    @property
    def is_restricted(self) -> bool:
        """Whether it leaves rows out, as all conditions but True do."""
        return not _is_true(self.condition) or self.operand.is_restricted

    def lower(self, lowering: Lowering) -> Selection:
        """Add the conditions to WHERE; what groups or limits its rows is nested first."""
        base, conditions = chain(self)
        inner = base.lower(lowering)
        if not conditions:
            return inner
        if not inner.is_flat:
            inner = inner.nested(lowering)
        # Few rows are left by a value for a part of the key: better look their relatives up one by one.
        listed = not any(name in self.heading.primary_key for name in _fixed(conditions))
        where = [condition.lower(inner, lowering, listed=listed) for condition in conditions]
        return Selection(inner.columns, inner.source, (*inner.where, *where))


def chain(node: Node) -> tuple[Node, list[Condition]]:
    """Return the relation under all restrictions of a node, and their conditions in order, without True."""
    conditions: list[Condition] = []
    while isinstance(node, Restriction):
        if not _is_true(node.condition):
            conditions.append(node.condition)
        node = node.operand
    return node, conditions[::-1]


def _is_true(condition: Condition) -> bool:
    return isinstance(condition, Constant) and condition.truth


def _fixed(conditions: Iterable[Condition]) -> Iterator[str]:
    """Yield the attributes that must have one given value."""
    for condition in conditions:
        if isinstance(condition, AllOf):
            yield from _fixed(condition.conditions)
        elif isinstance(condition, Equals) and condition.path is None and condition.values:
            yield condition.name
