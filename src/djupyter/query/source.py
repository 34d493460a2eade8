"""A table as a relation."""

from __future__ import annotations

from djupyter.heading.structure import TableStructure
from djupyter.query.node import Node
from djupyter.query.select import Lowering, Selection


class Source(Node):
    """All rows of a table, with its visible attributes."""

    __slots__ = ("structure",)

    def __init__(self, structure: TableStructure) -> None:
        self.structure = structure
        self.heading = structure.heading
        self.shape = structure
        self.values = ()

    def lower(self, lowering: Lowering) -> Selection:
        """Select from the table under a fresh alias, so that it may appear several times."""
        table = lowering.backend.relation(self.structure).alias(lowering.alias())
        return Selection({name: table.c[name] for name in self.heading}, table)
