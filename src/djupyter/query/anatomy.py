"""What an expression is made of: its conditions as they were written, its tables, what it was before a projection."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from djupyter.definition.names import TableName
from djupyter.heading.structure import TableStructure
from djupyter.query.conditions import Constant
from djupyter.query.node import Node
from djupyter.query.projection import Projection
from djupyter.query.restriction import Restriction
from djupyter.query.top import Limited


def written_conditions(node: Node) -> list[object]:
    """Return the conditions put on a relation since its last other operator, those that are always true left out."""
    conditions: list[object] = []
    while isinstance(node, Restriction):
        if node.condition != Constant(True) and node.written is not None:
            conditions.append(node.written)
        node = node.operand
    return conditions[::-1]


def unprojected(node: Node) -> Node:
    """Return the relation under the projections, restrictions and limits of a node."""
    while isinstance(node, Projection | Restriction | Limited):
        node = node.operand
    return node


def tables(node: Node) -> list[TableName]:
    """Return the tables whose rows a relation reads, each once, in the order in which it names them."""
    return list(dict.fromkeys(structure.name for structure in structures(node.shape)))


def structures(shape: Hashable) -> Iterator[TableStructure]:
    """Yield the tables that a shape names, each as often as it does."""
    if isinstance(shape, TableStructure):
        yield shape
    elif isinstance(shape, tuple):
        for part in shape:
            yield from structures(part)
