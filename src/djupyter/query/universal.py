"""`U`: the universal relation, every value of the named attributes.

It cannot be listed, but restricted or joined to by a real relation it gives that relation another key.
"""

from __future__ import annotations

from typing import Any

from djupyter.errors import DataJointError
from djupyter.query.aggregation import Total
from djupyter.query.algebra import Algebra, Universal, instance
from djupyter.query.elements import exactly
from djupyter.query.expression import Query
from djupyter.query.node import Node
from djupyter.query.projection import checked
from djupyter.query.select import Lowering, Selection
from djupyter.query.text import computation
from djupyter.sql.fragment import parse_aggregate


class Distinct(Node):
    """The distinct values of some attributes, which become the key: ``dj.U("x") & relation``."""

    __slots__ = ("names", "operand")

    def __init__(self, names: tuple[str, ...], operand: Node) -> None:
        self.names, self.operand = names, operand
        self.heading = operand.heading.select(names, key=names)
        self.shape = ("distinct", operand.shape, names)
        self.values = operand.values

    def lower(self, lowering: Lowering) -> Selection:
        """Select DISTINCT, unless the attributes hold the whole key and rows are distinct anyway."""
        inner = self.operand.lower(lowering).flat(lowering)
        heading = self.operand.heading
        key = heading.primary_key
        # NULL may be there more than once, where a left join was allowed to have it in its key.
        is_unique = bool(key) and all(n in self.names and not heading[n].nullable for n in key)
        columns = {name: inner.columns[name] for name in self.names}
        if not is_unique:
            columns = {name: exactly(column) for name, column in columns.items()}
        return Selection(columns, inner.source, inner.where, distinct=not is_unique)


class U(Universal):
    """The universal relation: gives another relation a key of your choice.

    ``dj.U("species") & Subject`` lists the species; ``dj.U("species").aggr(Subject, n="count(*)")`` counts
    subjects of each; ``dj.U().aggr(Subject, n="count(*)")`` counts them all.

    Parameters
    ----------
    *primary_key
        Names of attributes.
    """

    def __init__(self, *primary_key: str) -> None:
        self.primary_key = primary_key

    def __repr__(self) -> str:
        return f"U({', '.join(map(repr, self.primary_key))})"

    def __and__(self, other: Any) -> Query:
        operand = instance(other)
        if not isinstance(operand, Algebra):
            raise DataJointError(
                "dj.U can only be restricted by a table or a query: it has no rows of its own."
            )
        if not self.primary_key:
            raise DataJointError(
                "dj.U() & query would have no attributes. Use dj.U().aggr(query, ...) for totals or bool(query)."
            )
        return Query(operand.connection, Distinct(self.primary_key, operand.node))

    def aggr(self, group: Any, **named_attributes: object) -> Query:
        """Return one row for each combination of the key's values in `group`, with functions of its rows.

        Raises
        ------
        DataJointError
            `group` is not a query, or another option than expressions is given.
        UnknownAttributeError
            A name is not an attribute of the group.
        """
        operand = instance(group)
        if not isinstance(operand, Algebra):
            raise DataJointError("dj.U(...).aggr needs a table or a query to sum up.")
        if "exclude_nonmatching" in named_attributes:
            raise DataJointError("dj.U has no rows without a match: leave out exclude_nonmatching.")
        computed = {
            name: computation(parse_aggregate(text), operand.heading)
            for name, text in checked(named_attributes).items()
        }
        return Query(operand.connection, Total(self.primary_key, operand.node, computed))

    aggregate = aggr

    def join(self, other: object, **_: object) -> Query:
        """Refuse: a join with the universal relation is infinite or says nothing."""
        raise DataJointError("dj.U has no rows to join with. Use `dj.U(...) & query`.")

    __mul__ = __rmul__ = join

    def __sub__(self, other: object) -> Query:
        raise DataJointError(
            "dj.U minus anything is infinite. Take values from a query: `dj.U(...) & (A - B)`."
        )
