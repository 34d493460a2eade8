"""From tables to what is shown of them: a card, and in which order they are listed. Plain data for `render`."""

from __future__ import annotations

from djupyter.definition.names import TableName
from djupyter.definition.writer import write_default
from djupyter.graph.dependencies import Dependencies
from djupyter.heading.structure import ForeignKey, TableStructure
from djupyter.query.show import bounded_count
from djupyter.render.preview import Card, CardAttribute, CardLink
from djupyter.table.table import Table


def card(table: Table, graph: Dependencies, note: str = "") -> Card:
    """Return a table at a glance.

    Parameters
    ----------
    table
        The table, unrestricted.
    graph
        All tables, for the neighbours.
    note
        What has just been done to it.
    """
    structure = table.structure
    rows, bounded = bounded_count(table)
    parent_of = {
        here: key.parent.class_name for key in structure.foreign_keys for here in key.names
    }
    return Card(
        schema=structure.name.schema,
        name=structure.name.class_name,
        tier=structure.name.tier,
        comment=structure.comment,
        attributes=tuple(
            CardAttribute(
                a.name,
                a.type_text,
                a.in_key,
                a.nullable,
                write_default(a.default, a.type) if a.default and a.type and not a.nullable else "",
                a.comment,
                parent_of.get(a.name, ""),
            )
            for a in structure.heading.values()
        ),
        parents=tuple(
            _link(key.parent, key, structure, structure) for key in structure.foreign_keys
        ),
        children=tuple(
            _link(name, key, graph.structures[name], structure)
            for name, key in graph.children(structure.name)
        ),
        indexes=tuple(
            f"{'unique ' if index.unique else ''}index ({', '.join(index.attributes)})"
            for index in structure.indexes
        ),
        rows=rows,
        rows_bounded=bounded,
        note=note,
    )


def _link(
    other: TableName, key: ForeignKey, child: TableStructure, here: TableStructure
) -> CardLink:
    name = other.class_name
    if other.schema != here.name.schema:
        name = f"{other.schema}.{name}"
    return CardLink(
        name, other.tier, child.is_primary(key), key.renames, child.is_nullable(key), key.unique
    )


def with_parts(graph: Dependencies) -> list[TableStructure]:
    """Return all tables, parents before children, but parts right after their masters."""
    names = graph.in_order()
    parts: dict[TableName, list[TableName]] = {}
    for name in names:
        if (master := name.master) is not None and master in graph.structures:
            parts.setdefault(master, []).append(name)
    return [
        graph.structures[each]
        for name in names
        if name.master not in graph.structures
        for each in (name, *parts.get(name, ()))
    ]
