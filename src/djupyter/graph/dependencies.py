"""Foreign keys as a graph: tables are nodes, every foreign key is an edge from parent to child.

Built from structures, whatever schemas they are in; networkx does the traversals.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from djupyter.definition.names import TableName
from djupyter.errors import DataJointError
from djupyter.heading.structure import ForeignKey, TableStructure

if TYPE_CHECKING:
    import networkx


class DependencyCycle(DataJointError):  # noqa: N818 - the name that style.md gives it
    """A foreign key would close a cycle; `path` lists the tables or schemas on the way."""

    def __init__(self, message: str, path: list[str]) -> None:
        super().__init__(message)
        self.path = path


class Dependencies:
    """The graph of a set of tables.

    Parameters
    ----------
    structures
        Tables by name; references to tables outside the set are left out.

    Examples
    --------
    >>> a, b = TableName("lab", "a"), TableName("lab", "b")
    >>> graph = Dependencies({
    ...     a: TableStructure(a, "", ()),
    ...     b: TableStructure(b, "", (), (ForeignKey(a, (("x", "x"),)),)),
    ... })
    >>> [str(name) for name in graph.descendants(a)]
    ['`lab`.`a`', '`lab`.`b`']
    """

    def __init__(self, structures: Mapping[TableName, TableStructure]) -> None:
        self.structures = structures

    @cached_property
    def graph(self) -> networkx.DiGraph[TableName]:
        """The directed graph, parents before children."""
        import networkx

        graph: networkx.DiGraph[TableName] = networkx.DiGraph()
        graph.add_nodes_from(self.structures)
        graph.add_edges_from(
            (key.parent, name)
            for name, structure in self.structures.items()
            for key in structure.foreign_keys
            if key.parent in self.structures
        )
        return graph

    @cached_property
    def _children(self) -> dict[TableName, list[tuple[TableName, ForeignKey]]]:
        children: dict[TableName, list[tuple[TableName, ForeignKey]]] = {}
        for name, structure in self.structures.items():
            for key in structure.foreign_keys:
                children.setdefault(key.parent, []).append((name, key))
        return children

    def children(self, name: TableName) -> list[tuple[TableName, ForeignKey]]:
        """Return each reference to a table: who refers, and by which foreign key."""
        return self._children.get(name, [])

    def descendants(self, name: TableName) -> list[TableName]:
        """Return a table and all that depend on it, parents before children."""
        import networkx

        below = {name, *networkx.descendants(self.graph, name)}
        return [each for each in self.in_order() if each in below]

    def ancestors(self, name: TableName) -> list[TableName]:
        """Return a table and all it depends on, children before parents."""
        import networkx

        above = {name, *networkx.ancestors(self.graph, name)}
        return [each for each in reversed(self.in_order()) if each in above]

    def union(self, other: Dependencies) -> Dependencies:
        """Return the graph of the tables of both; of a table in both, this one's structure counts."""
        if other.structures.keys() <= self.structures.keys():
            return self
        return Dependencies({**other.structures, **self.structures})

    def between(self, ancestor: TableName, descendant: TableName) -> set[TableName]:
        """Return the tables on all routes from one table down to another, both included."""
        return {*self.descendants(ancestor)} & {*self.ancestors(descendant)}

    def in_order(self) -> list[TableName]:
        """Return all tables, parents before children, otherwise by name.

        Tables that depend on each other, which only other tools can declare, stand side by side.
        """
        return self._ordered

    @cached_property
    def _ordered(self) -> list[TableName]:
        import networkx

        rounds = networkx.condensation(self.graph)
        tables = {node: sorted(members) for node, members in rounds.nodes(data="members")}
        order = networkx.lexicographical_topological_sort(
            rounds, key=lambda node: str(tables[node][0])
        )
        return [name for node in order for name in tables[node]]

    def check_tables(self, structure: TableStructure) -> None:
        """Refuse a table whose foreign keys would close a cycle of tables.

        Parameters
        ----------
        structure
            The table as it would be declared.

        Raises
        ------
        DependencyCycle
            It would depend on itself; the message names the way round.
        """
        import networkx

        for key in structure.foreign_keys:
            if key.parent == structure.name or (
                structure.name in self.graph
                and key.parent in self.graph
                and networkx.has_path(self.graph, structure.name, key.parent)
            ):
                way = (
                    networkx.shortest_path(self.graph, structure.name, key.parent)
                    if key.parent != structure.name
                    else [key.parent]
                )
                path = [name.class_name for name in (*way, structure.name)]
                raise DependencyCycle(
                    f"{structure.name.class_name} cannot refer to {key.parent.class_name}: it would depend "
                    f"on itself ({' → '.join(path)}). Tables must form a graph without cycles; put the "
                    "reference into a table of its own.",
                    path,
                )

    def check_schemas(self, structure: TableStructure) -> None:
        """Refuse a table whose foreign keys would close a cycle of schemas.

        Parameters
        ----------
        structure
            The table as it would be declared.

        Raises
        ------
        DependencyCycle
            Its schema would depend on itself; the message names the way round.
        """
        import networkx

        own = structure.name.schema
        above = {key.parent.schema for key in structure.foreign_keys} - {own}
        if not above:
            return
        schemas: networkx.DiGraph[str] = networkx.DiGraph()
        schemas.add_edges_from(
            (parent.schema, child.schema)
            for parent, child in self.graph.edges
            if parent.schema != child.schema
        )
        for schema in above:
            if own in schemas and schema in schemas and networkx.has_path(schemas, own, schema):
                path = [*networkx.shortest_path(schemas, own, schema), own]
                raise DependencyCycle(
                    f"{structure.name.class_name} in schema `{own}` cannot refer to schema `{schema}`: "
                    f"`{schema}` already depends on `{own}` ({' → '.join(path)}). Schemas must form a graph "
                    "without cycles; declare the table in a schema further downstream. For a database that has "
                    "such a cycle already, the setting `database.allow_schema_cycles` allows it.",
                    path,
                )


def pipeline(schemas: Mapping[str, Mapping[str, TableStructure]]) -> Dependencies:
    """Return the graph of all tables of some schemas, system tables left out."""
    return Dependencies(
        {s.name: s for tables in schemas.values() for s in tables.values() if not s.name.is_system}
    )
