"""Aggregation: what the matching rows of another relation sum up to, for each row of this one."""

from __future__ import annotations

from collections.abc import Mapping

from djupyter.errors import DataJointError
from djupyter.heading.attribute import Attribute
from djupyter.heading.heading import Heading, unique
from djupyter.heading.matching import matched_names
from djupyter.query.join import joined
from djupyter.query.node import Node
from djupyter.query.projection import Plan, project
from djupyter.query.select import Lowering, Selection
from djupyter.query.text import Computation


class Aggregation(Node):
    """One row for each row of `operand`, with functions of the rows of `group` that match it.

    Parameters
    ----------
    operand
        Gives the key and the rows.
    group
        What is summed up; it must have every attribute of the operand's key.
    plan
        The operand's own attributes to keep, and the computed ones.
    outer
        Keep rows of the operand without a match.
    check
        Whether matched attributes need equal lineage.

    Raises
    ------
    DataJointError
        The group lacks an attribute of the key.
    """

    __slots__ = ("group", "names", "operand", "outer", "own", "plan")

    def __init__(
        self, operand: Node, group: Node, plan: Plan, *, outer: bool = True, check: bool = True
    ) -> None:
        missing = [name for name in operand.heading.primary_key if name not in group.heading]
        if missing:
            raise DataJointError(
                "Aggregation requires the group expression to contain all primary key attributes: "
                f"{', '.join(missing)} not found in it."
            )
        self.operand, self.group, self.plan, self.outer = operand, group, plan, outer
        self.names = tuple(matched_names(operand.heading, group.heading, check=check))
        self.own = operand.heading.project(plan.kept, plan.renamed, {}, plan.copied)
        self.heading = _with_computed(self.own, plan.computed)
        self.shape = (
            "aggr",
            operand.shape,
            group.shape,
            outer,
            self.names,
            _plan_shape(self.own, plan),
        )
        self.values = operand.values + group.values + _plan_values(plan)

    def lower(self, lowering: Lowering) -> Selection:
        """Join, then group by the key; functions see the attributes of both operands."""
        left = self.operand.lower(lowering).flat(lowering)
        right = self.group.lower(lowering).flat(lowering)
        both = Heading(
            [*self.operand.heading.values()]
            + [a for name, a in self.group.heading.items() if name not in self.operand.heading]
        )
        pairs = joined(left, right, self.names, both, lowering, outer=self.outer)
        result = project(pairs, self.heading, self.plan, lowering)
        group = tuple(result.columns[name] for name in self.own)
        return Selection(result.columns, pairs.source, pairs.where, group)


class Total(Node):
    """Functions of a relation grouped by any of its attributes: ``dj.U("x").aggr(relation, n="count(*)")``.

    No grouping attribute at all gives exactly one row.
    """

    __slots__ = ("group", "names", "plan")

    def __init__(
        self, names: tuple[str, ...], group: Node, computed: Mapping[str, Computation]
    ) -> None:
        self.names, self.group = names, group
        self.plan = Plan((), {}, {}, computed)
        own = group.heading.select(names, key=names)
        self.heading = _with_computed(own, computed)
        self.shape = ("total", group.shape, names, _plan_shape(own, self.plan))
        self.values = group.values + _plan_values(self.plan)

    def lower(self, lowering: Lowering) -> Selection:
        """Group the relation."""
        inner = self.group.lower(lowering).flat(lowering)
        result = project(inner, self.heading, self.plan, lowering)
        group = tuple(result.columns[name] for name in self.names)
        return Selection(result.columns, inner.source, inner.where, group)


def _with_computed(own: Heading, computed: Mapping[str, Computation]) -> Heading:
    return unique([*own.values(), *(Attribute(name, None, nullable=True) for name in computed)])


def _plan_shape(own: Heading, plan: Plan) -> tuple[object, ...]:
    return (
        tuple(own),
        tuple(plan.renamed.items()),
        tuple(plan.copied.items()),
        tuple((name, computation.shape) for name, computation in plan.computed.items()),
    )


def _plan_values(plan: Plan) -> tuple[object, ...]:
    return tuple(value for computation in plan.computed.values() for value in computation.values)
