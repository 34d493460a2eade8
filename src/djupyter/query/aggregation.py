"""Aggregation: what the matching rows of another relation sum up to, for each row of this one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import sqlalchemy as sa

from djupyter.errors import DataJointError
from djupyter.heading.heading import Heading
from djupyter.heading.matching import matched_names
from djupyter.query.elements import exactly
from djupyter.query.join import independent, joined
from djupyter.query.node import Node
from djupyter.query.projection import Plan, project
from djupyter.query.select import Element, Lowering, Selection, same
from djupyter.query.text import Computation, outside_aggregates


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
        The group lacks an attribute of the key, or an attribute of the group is not aggregated.
    """

    __slots__ = ("fixed", "group", "names", "operand", "outer", "plan")

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
        self.fixed = _fixed(plan.computed, operand.heading)
        types = plan.types(operand.heading.with_others(group.heading))
        self.heading = operand.heading.project(plan.kept, plan.renamed, types, plan.copied)
        self.shape = (
            "aggr",
            operand.shape,
            group.shape,
            outer,
            self.names,
            plan.shape(self.heading),
        )
        self.values = operand.values + group.values + plan.values

    def lower(self, lowering: Lowering) -> Selection:
        """Join, then group by the key; functions see the attributes of both operands."""
        left = self.operand.lower(lowering).flat(lowering)
        if not left.is_plain:
            # A server does not recognise an expression with parameters when it is repeated in GROUP BY.
            left = left.nested(lowering)
        right = self.group.lower(lowering).flat(lowering)
        if self.outer:
            right = independent(right, lowering)
        both = self.operand.heading.with_others(self.group.heading)
        pairs = joined(left, right, same(left, right, self.names), both, outer=self.outer)
        result = project(pairs, self.heading, self.plan, lowering)
        own = (result.columns[name] for name in self.heading if name not in self.plan.computed)
        return replace(result, group=_grouping([*own, *(left.columns[n] for n in self.fixed)]))


class Total(Node):
    """Functions of a relation grouped by any of its attributes: ``dj.U("x").aggr(relation, n="count(*)")``.

    No grouping attribute at all gives exactly one row.

    Parameters
    ----------
    names
        The attributes to group by, which become the key.
    group
        What is summed up.
    computed
        The functions.

    Raises
    ------
    UnknownAttributeError
        A name is not an attribute of the group.
    DataJointError
        An attribute of the group is not aggregated.
    """

    __slots__ = ("group", "names", "plan")

    def __init__(
        self, names: tuple[str, ...], group: Node, computed: Mapping[str, Computation]
    ) -> None:
        self.names, self.group = names, group
        self.plan = Plan((), {}, {}, computed)
        own = group.heading.select(names, key=names)
        _fixed(computed, own)
        self.heading = own.project([], {}, self.plan.types(group.heading))
        self.shape = ("total", group.shape, names, self.plan.shape(self.heading))
        self.values = group.values + self.plan.values

    def lower(self, lowering: Lowering) -> Selection:
        """Group the relation."""
        inner = self.group.lower(lowering).flat(lowering)
        exact = {name: exactly(inner.columns[name]) for name in self.names}
        inner = inner.with_columns({**inner.columns, **exact})
        if not inner.is_plain:
            inner = inner.nested(lowering)
        result = project(inner, self.heading, self.plan, lowering)
        return replace(result, group=tuple(result.columns[name] for name in self.names))


def _fixed(computed: Mapping[str, Computation], own: Heading) -> tuple[str, ...]:
    """Return the attributes used outside aggregates, which must be the same for all rows of a group."""
    used = {
        name: new for new, each in computed.items() for name in outside_aggregates(each.fragment)
    }
    for name, new in used.items():
        if name not in own:
            raise DataJointError(
                f"`{new}` needs one value of `{name}` for many rows. "
                f"Aggregate it, for example max({name}) or any_value({name})."
            )
    return tuple(used)


def _grouping(elements: Iterable[Element]) -> tuple[Element, ...]:
    # Grouped by nothing, no row would become one row: a constant keeps none. It is no bare number, which
    # would mean a place in the list of attributes.
    return tuple(elements) or (sa.literal_column("1 + 0"),)
