"""Nodes of the relational algebra: immutable, checked when made, lowered into SQL on demand.

A node has a `heading` (what it yields), a `shape` (its structure without any value) and its `values`. Statements
are memoised by shape, so a query that differs from an earlier one only in values costs no SQL to build.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable

from djupyter.heading.heading import Heading
from djupyter.query.select import Lowering, Selection


class Node(ABC):
    """One operator of the algebra with its operands.

    Attributes
    ----------
    heading
        Attributes of the result.
    shape
        Everything about the expression but its values; equal shapes make equal statements.
    values
        What is bound, in the order in which `lower` asks for parameters.
    """

    __slots__ = ("heading", "shape", "values")

    heading: Heading
    shape: Hashable
    values: tuple[object, ...]

    @abstractmethod
    def lower(self, lowering: Lowering) -> Selection:
        """Return the SELECT of this node; operands and parameters are visited in the order of `values`."""

    @property
    def is_restricted(self) -> bool:
        """Whether a condition holds for its rows that, right in a left join, holds for the result."""
        return False
