"""The operators of the relational algebra, as users type them: each builds a node.

Nothing here reaches the database.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self

from djupyter.errors import DataJointError
from djupyter.heading.heading import Heading
from djupyter.query.aggregation import Aggregation
from djupyter.query.anatomy import tables, unprojected, written_conditions
from djupyter.query.conditions import AndList, Not
from djupyter.query.join import Join, left_join
from djupyter.query.node import Node
from djupyter.query.projection import Projection, plan_projection, refuse_unknown
from djupyter.query.reading import Reader
from djupyter.query.restriction import Restriction
from djupyter.query.text import Computation, computation
from djupyter.query.top import Top, limited
from djupyter.query.union import Union
from djupyter.sql.fragment import parse_aggregate, parse_expression

if TYPE_CHECKING:
    from djupyter.query.expression import Query
    from djupyter.sql.connection import Connection


class Universal:
    """Marks `U`, which the operators must recognise but never run."""


class Algebra(ABC):
    """The operators; each checks its operands and returns a new query.

    Works on a connection and a node; how results are fetched is for `Query` to say.
    """

    _connection: Connection | None
    _node: Node | None

    @property
    def connection(self) -> Connection:
        """The connection the query runs on."""
        assert self._connection is not None
        return self._connection

    @property
    def node(self) -> Node:
        """The expression as an immutable tree."""
        assert self._node is not None
        return self._node

    @property
    def heading(self) -> Heading:
        """The attributes of the result."""
        return self.node.heading

    @property
    def primary_key(self) -> list[str]:
        """Names of the attributes that identify a row of the result."""
        return self.heading.primary_key

    # -- what it is made of -------------------------------------------------------------------------

    @property
    def restriction(self) -> AndList:
        """The conditions put on it since its last other operator, as they were written; empty for all rows."""
        return AndList(written_conditions(self.node))

    @property
    def support(self) -> list[str]:
        """The quoted names of the tables that it reads."""
        return [str(name) for name in tables(self.node)]

    @property
    def original_heading(self) -> Heading:
        """The attributes before any projection of the whole."""
        return unprojected(self.node).heading

    def make_subquery(self) -> Query:
        """Return the same rows as a query of its own, which is no table any more.

        Operators apply to the result of those before them in any case; SQL is nested where that needs it.
        """
        return self._derived(self.node)

    @abstractmethod
    def _like(self, node: Node) -> Self:
        """Return the same kind of query with other rows."""

    @abstractmethod
    def _derived(self, node: Node) -> Query:
        """Return a query with other attributes."""

    # -- rows ---------------------------------------------------------------------------------------

    def restrict(self, restriction: object, *, semantic_check: bool = True) -> Self:
        """Return the rows that meet a condition, as `&` does.

        Parameters
        ----------
        restriction
            Text, a mapping, a list of alternatives, a query, `Not`, `AndList`, `Top`, True or False.
        semantic_check
            Whether attributes matched with a query need equal lineage.

        Raises
        ------
        DataJointError
            The restriction cannot be understood.
        """
        node = self.node
        if isinstance(restriction, Top):
            return self._like(limited(node, restriction))
        if isinstance(restriction, Iterator):  # it can be read but once
            restriction = list(restriction)
        reader = Reader(node.heading, self._operand, check=semantic_check)
        return self._like(Restriction(node, reader.read(restriction), restriction))

    def restrict_in_place(self, restriction: object) -> Self:
        """Restrict this very query, as `restrict` does a copy, and return it.

        Raises
        ------
        DataJointError
            The restriction cannot be understood.
        """
        self._node = self.restrict(restriction).node
        return self

    def __and__(self, restriction: object) -> Self:
        return self.restrict(restriction)

    def __sub__(self, restriction: object) -> Self:
        return self.restrict(Not(restriction))

    def __neg__(self) -> Not:
        return Not(self)

    def _operand(self, written: object) -> Node | bool | None:
        written = instance(written)
        if isinstance(written, Universal):
            return True
        if not isinstance(written, Algebra):
            return None
        self._same_connection(written)
        return written.node

    def _same_connection(self, other: Algebra) -> None:
        if other.connection is not self.connection:
            raise DataJointError(
                "Cannot operate on expressions from different connections. "
                "Fetch one of them first, or use the same connection for both."
            )

    # -- attributes ---------------------------------------------------------------------------------

    def proj(self, *attributes: object, **named_attributes: object) -> Query:
        """Return the same rows with other attributes; the primary key always stays.

        Parameters
        ----------
        *attributes
            ``"name"`` keeps a secondary attribute, ``...`` keeps all, ``"-name"`` leaves one out.
        **named_attributes
            ``new="old"`` renames, ``new="(old)"`` copies, any other text computes.

        Raises
        ------
        UnknownAttributeError
            A name is not an attribute of this query.
        DataJointError
            A name would appear twice, or a key attribute would be left out.
        """
        node = self.node
        heading = node.heading

        def compute(text: str) -> Computation:
            refuse_unknown(text, heading)
            return computation(parse_expression(text), heading)

        plan = plan_projection(heading, attributes, named_attributes, compute)
        return self._derived(Projection(node, plan))

    def aggr(
        self,
        group: Any,
        *attributes: object,
        exclude_nonmatching: bool = False,
        semantic_check: bool = True,
        **named_attributes: object,
    ) -> Query:
        """Return this relation's rows with functions of the matching rows of another.

        Parameters
        ----------
        group
            The relation to sum up; it must have this one's primary key among its attributes. Rows
            that match nothing are left out when it is restricted, as if by `exclude_nonmatching`.
        *attributes
            This relation's own attributes to keep, as in `proj`.
        exclude_nonmatching
            Leave out rows that match nothing; otherwise what only the group has is NULL for them and counts 0.
            `count(*)`, and a common attribute, counts the row itself.
        **named_attributes
            ``n="count(*)"``, ``last="max(session_date)"`` ...

        Raises
        ------
        DataJointError
            The group lacks a key attribute, or a lineage differs.
        """
        operand, other = self.node, self._relation(group, "aggr")
        both = operand.heading.with_others(other.heading)
        plan = plan_projection(
            operand.heading,
            attributes,
            named_attributes,
            lambda text: computation(parse_aggregate(text), both),
        )
        outer = not (exclude_nonmatching or other.is_restricted)
        node = Aggregation(operand, other, plan, outer=outer, check=semantic_check)
        return self._derived(node)

    aggregate = aggr

    # -- pairs --------------------------------------------------------------------------------------

    def join(
        self,
        other: Any,
        *,
        semantic_check: bool = True,
        left: bool = False,
        allow_nullable_pk: bool = False,
    ) -> Query:
        """Return the pairs of rows that agree on all common attributes, as `*` does.

        Parameters
        ----------
        other
            The right operand.
        semantic_check
            Whether common attributes need equal lineage.
        left
            Keep rows of this relation that match nothing, unless the other one is restricted.
        allow_nullable_pk
            Let a left join keep a key attribute that may be NULL.

        Raises
        ------
        DataJointError
            A common attribute means different things in the operands.
        """
        right = self._relation(other, "join")
        if left:
            node = left_join(
                self.node, right, check=semantic_check, allow_nullable_pk=allow_nullable_pk
            )
        else:
            node = Join(self.node, right, check=semantic_check)
        return self._derived(node)

    def extend(self, other: Any, *, semantic_check: bool = True) -> Query:
        """Return this relation's rows with the attributes of what they refer to, NULL where there is nothing.

        When `other` is restricted, rows that match none of its rows are left out.
        """
        return self.join(other, semantic_check=semantic_check, left=True)

    def __mul__(self, other: Any) -> Query:
        return self.join(other)

    def __add__(self, other: Any) -> Query:
        return self._derived(Union(self.node, self._relation(other, "union")))

    def __matmul__(self, other: object) -> Query:
        raise DataJointError("The operator `@` is gone. Use .join(other, semantic_check=False).")

    def __xor__(self, other: object) -> Query:
        raise DataJointError(
            "The operator `^` is gone. Use .restrict(other, semantic_check=False)."
        )

    def _relation(self, written: Any, operator: str) -> Node:
        other = instance(written)
        if isinstance(other, Universal):
            raise DataJointError(
                f"dj.U has no rows to {operator} with. Use `dj.U(...) & query` or `dj.U(...).aggr(query, ...)`."
            )
        if not isinstance(other, Algebra):
            raise DataJointError(
                f"{operator} needs a table or a query as its operand, not {type(other).__name__}."
            )
        self._same_connection(other)
        return other.node


def instance(written: Any) -> Any:
    """Return an instance where a table class was written."""
    if isinstance(written, type) and issubclass(written, Algebra | Universal):
        return written()
    return written
