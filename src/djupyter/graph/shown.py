"""Which tables of a graph a diagram shows: choices that are combined, and what is drawn of them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from djupyter.definition.names import TableName
from djupyter.definition.writer import write
from djupyter.graph.dependencies import Dependencies
from djupyter.heading.structure import ForeignKey, TableStructure, to_definition
from djupyter.render.drawing import Box, Direction, Drawing, Line


@dataclass(frozen=True, slots=True)
class Shown:
    """Some tables of a graph.

    Parameters
    ----------
    graph
        All tables.
    names
        Those that are shown.
    collapsed
        Those of them that are drawn as one box for each schema.

    Examples
    --------
    >>> from djupyter.heading.structure import TableStructure
    >>> a, b = TableName("lab", "a"), TableName("lab", "b")
    >>> graph = Dependencies({
    ...     a: TableStructure(a, "", ()),
    ...     b: TableStructure(b, "", (), (ForeignKey(a, (("x", "x"),)),)),
    ... })
    >>> [name.class_name for name in Shown(graph, frozenset([a])).spread(1)]
    ['A', 'B']
    """

    graph: Dependencies
    names: frozenset[TableName]
    collapsed: frozenset[TableName] = frozenset()

    def __iter__(self) -> Iterator[TableName]:
        return (name for name in self.graph.in_order() if name in self.names)

    def only(self, names: Iterable[TableName]) -> Shown:
        """Return other tables of the same graph."""
        return replace(self, names=frozenset(names))

    def spread(self, levels: int) -> Shown:
        """Return also the tables so many levels downstream, or upstream when negative."""
        graph = self.graph.graph
        neighbours = graph.successors if levels > 0 else graph.predecessors
        shown = newest = set(self.names)
        for _ in range(abs(levels)):
            newest = {each for name in newest for each in neighbours(name)} - shown
            if not newest:
                break
            shown = shown | newest
        return self.only(shown)

    def with_parts(self) -> Shown:
        """Return also all parts of the tables."""
        parts = {name for name in self.graph.structures if name.master in self.names}
        return self.only(self.names | parts)

    def __or__(self, other: Shown) -> Shown:
        """Return the tables of both; one that either draws on its own is drawn on its own."""
        expanded = (self.names - self.collapsed) | (other.names - other.collapsed)
        return Shown(
            self.graph.union(other.graph),
            self.names | other.names,
            (self.collapsed | other.collapsed) - expanded,
        )

    def links(self) -> Iterator[tuple[TableName, ForeignKey]]:
        """Yield the foreign keys between the tables: who refers, and by which one."""
        for name in self:
            for key in self.graph.structures[name].foreign_keys:
                if key.parent in self.names:
                    yield name, key

    def drawing(self, direction: Direction, *, notes: bool = False) -> Drawing:
        """Return the boxes and lines to draw.

        Parameters
        ----------
        direction
            Where lines lead.
        notes
            Whether boxes come with the definitions of their tables.
        """
        boxes = self._boxes(notes)
        lines = dict.fromkeys(self._lines(boxes))
        return Drawing(tuple(dict.fromkeys(boxes.values())), tuple(lines), direction)

    def _boxes(self, notes: bool) -> dict[TableName, Box]:
        together = Counter(name.schema for name in self.collapsed & self.names)
        return {
            name: Box(name.schema, "", tables=together[name.schema])
            if name in self.collapsed
            else Box(
                name.schema,
                name.class_name,
                name.tier,
                note=definition(self.graph.structures[name]) if notes else "",
            )
            for name in self
        }

    def _lines(self, boxes: Mapping[TableName, Box]) -> Iterator[Line]:
        for name, key in self.links():
            parent, child, structure = boxes[key.parent], boxes[name], self.graph.structures[name]
            if not (parent.is_collapsed or child.is_collapsed):
                in_key = structure.is_primary(key)
                whole = in_key and set(key.names) == set(structure.full_key)
                yield Line(parent, child, in_key, whole, key.renames)
            elif parent != child:
                yield Line(parent, child)


def definition(structure: TableStructure) -> str:
    """Return the definition of a table as people read it; other schemas are called by their names.

    What `describe` returns can be declared again; this one costs nothing but time.
    """
    own = structure.name

    def name_of(parent: TableName) -> str:
        if parent == own.master:
            return "master"
        return (
            parent.class_name
            if parent.schema == own.schema
            else f"{parent.schema}.{parent.class_name}"
        )

    return write(to_definition(structure, name_of)).strip()
