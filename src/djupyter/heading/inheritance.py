"""What an attribute has from the one it refers to, where the database does not note it by itself.

Servers keep no declared type beside an attribute that a foreign key brought, and the lineage may be missing: tables
that other programs declared have none. Both follow from the foreign keys, across schemas.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from djupyter.definition.names import TableName
from djupyter.heading.attribute import Attribute
from djupyter.heading.structure import TableStructure, inherited

Tables = Mapping[TableName, TableStructure]
Unnoted = Mapping[TableName, Collection[str]]


def completed(tables: Tables, untyped: Unnoted) -> dict[TableName, TableStructure]:
    """Return tables with the types, comments and lineages that they have from those they refer to.

    A lineage that is noted counts; one that is missing is that of the attribute referred to, or, for an attribute of
    the primary key that refers to nothing, the attribute itself.

    Parameters
    ----------
    tables
        The tables and those they refer to, as far as they can be seen.
    untyped
        For each table, its attributes whose declared type is not noted.

    Examples
    --------
    >>> from djupyter.definition.types import parse_type
    >>> from djupyter.heading.structure import ForeignKey
    >>> a, b = TableName("lab", "a"), TableName("lab", "b")
    >>> n = Attribute("n", parse_type("int32"), in_key=True)
    >>> x = Attribute("x", parse_type("int"), in_key=True)
    >>> to_a = ForeignKey(a, (("x", "n"),))
    >>> tables = {a: TableStructure(a, "", (n,)), b: TableStructure(b, "", (x,), (to_a,))}
    >>> found = completed(tables, {b: {"x"}})[b].by_name["x"]
    >>> found.type_text, found.lineage
    ('int32', 'lab.a.n')
    """
    done: dict[TableName, TableStructure] = {}
    for name in _parents_first(tables):
        structure = tables[name]
        origins = _origins(structure, done)
        attributes = tuple(
            _attribute(attribute, structure, origins, attribute.name in untyped.get(name, ()))
            for attribute in structure.attributes
        )
        changed = attributes != structure.attributes
        done[name] = replace(structure, attributes=attributes) if changed else structure
    return done


Origins = Mapping[str, tuple[str, Attribute | None]]


def _origins(structure: TableStructure, parents: Tables) -> Origins:
    """Return, for each attribute that refers to another, that one's full name and what is known of it."""
    origins: dict[str, tuple[str, Attribute | None]] = {}
    for key in structure.foreign_keys:
        for here, there in key.attributes:
            parent = parents.get(key.parent)
            place = f"{key.parent.schema}.{key.parent.table}.{there}"
            origins.setdefault(here, (place, parent.by_name.get(there) if parent else None))
    return origins


def _attribute(
    attribute: Attribute, structure: TableStructure, origins: Origins, is_untyped: bool
) -> Attribute:
    name = structure.name
    itself = f"{name.schema}.{name.table}.{attribute.name}" if attribute.in_key else None
    place, origin = origins.get(attribute.name, (itself, None))
    lineage = attribute.lineage or (origin.lineage if origin else None) or place
    if origin is None or not is_untyped:
        return attribute if lineage == attribute.lineage else replace(attribute, lineage=lineage)
    brought = inherited(origin, attribute.name, attribute.in_key, attribute.nullable)
    comment = attribute.comment or brought.comment
    return replace(
        attribute, type=brought.type, comment=comment, lineage=lineage, digits=brought.digits
    )


def _parents_first(tables: Tables) -> Iterator[TableName]:
    """Yield the tables, each after those it refers to; a cycle, which others may have made, is cut somewhere."""
    seen: set[TableName] = set()
    for root in tables:
        # A chain of references may be longer than Python's stack.
        waiting = [(root, False)]
        while waiting:
            name, is_ready = waiting.pop()
            if is_ready:
                yield name
            elif name not in seen:
                seen.add(name)
                parents = {key.parent for key in tables[name].foreign_keys} - seen
                waiting += [(name, True), *((p, False) for p in sorted(parents) if p in tables)]
