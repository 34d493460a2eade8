"""The structure of a table: what a definition declares once its parents are known, and what a database reports.

```
definition text -> TableDefinition --resolve(parents)--> TableStructure --sql/ddl--> database
                   TableDefinition <--to_definition----- TableStructure <--sql/reflect-- database
```
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from djupyter.definition.model import (
    AttributeSpec,
    Default,
    ForeignKeySpec,
    IndexSpec,
    Item,
    TableDefinition,
    TypeSpec,
)
from djupyter.definition.names import TableName
from djupyter.definition.types import parse_type
from djupyter.errors import DefinitionError
from djupyter.heading.attribute import Attribute
from djupyter.heading.heading import Heading

SINGLETON = Attribute(
    "_singleton",
    TypeSpec("bool", "core", "bool"),
    in_key=True,
    default=Default("literal", "1"),
    comment="singleton primary key",
)


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A resolved foreign key.

    Parameters
    ----------
    parent
        The table referred to.
    attributes
        Pairs (attribute here, attribute of the parent's key), in the order of the parent's key.
    unique
        At most one row here for each row of the parent.
    """

    parent: TableName
    attributes: tuple[tuple[str, str], ...]
    unique: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The attributes on this side."""
        return tuple(name for name, _ in self.attributes)

    @property
    def renames(self) -> tuple[tuple[str, str], ...]:
        """The pairs (here, parent) whose names differ."""
        return tuple((here, there) for here, there in self.attributes if here != there)


@dataclass(frozen=True, slots=True)
class Index:
    """A declared secondary index; entries are attributes or expressions."""

    attributes: tuple[str, ...]
    unique: bool = False


@dataclass(frozen=True)
class TableStructure:
    """Everything the database knows of a table, hidden attributes included."""

    name: TableName
    comment: str
    attributes: tuple[Attribute, ...]
    foreign_keys: tuple[ForeignKey, ...] = ()
    indexes: tuple[Index, ...] = ()

    def __hash__(self) -> int:
        # Part of every statement's memo key, so it is asked for with each query.
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.name, self.attributes))

    @cached_property
    def heading(self) -> Heading:
        """The visible attributes."""
        return Heading(attribute for attribute in self.attributes if not attribute.hidden)

    @cached_property
    def full_key(self) -> tuple[str, ...]:
        """Names of the primary key, hidden ones included."""
        return tuple(attribute.name for attribute in self.attributes if attribute.in_key)

    @cached_property
    def by_name(self) -> dict[str, Attribute]:
        """Name to attribute, hidden ones included."""
        return {attribute.name: attribute for attribute in self.attributes}

    @property
    def unique(self) -> list[tuple[str, ...]]:
        """What no two rows may share beside the primary key, by unique indexes and unique references."""
        indexes = [index.attributes for index in self.indexes if index.unique]
        return indexes + [key.names for key in self.foreign_keys if key.unique]

    def is_primary(self, key: ForeignKey) -> bool:
        """Whether all attributes of a foreign key are in the primary key."""
        return set(key.names) <= set(self.full_key)

    def is_nullable(self, key: ForeignKey) -> bool:
        """Whether a row may do without this parent."""
        return any(self.by_name[name].nullable for name in key.names)


def resolve(
    definition: TableDefinition,
    name: TableName,
    parent_of: Callable[[ForeignKeySpec], TableStructure],
    extra: Iterable[Attribute] = (),
) -> TableStructure:
    """Return the structure that a definition declares.

    Parameters
    ----------
    definition
        The parsed definition.
    name
        The table to declare.
    parent_of
        Looks up the structure of the table a foreign key refers to; raises where there is none.
    extra
        Hidden attributes that the platform adds.

    Raises
    ------
    DefinitionError
        A rename names no attribute of the parent's key, a key or a reference to a singleton would be nullable, an
        attribute appears twice, or an index names an unknown attribute.
    """
    attributes: dict[str, Attribute] = {}
    foreign_keys: list[ForeignKey] = []
    own: set[str] = set()
    for item, in_key in _items(definition):
        if isinstance(item, AttributeSpec):
            if item.name in attributes:
                raise _at(item, f"attribute '{item.name}' is declared twice", "Remove one of them.")
            lineage = f"{name.schema}.{name.table}.{item.name}" if in_key else None
            own.add(item.name)
            attributes[item.name] = Attribute(
                item.name, item.type, in_key, item.nullable, item.default, item.comment, lineage
            )
            continue
        parent = parent_of(item)
        key = _foreign_key(item, parent)
        if key in foreign_keys:
            continue  # written twice, it is still one
        foreign_keys.append(key)
        for here, there in key.attributes:
            origin = parent.by_name[there]
            if here not in attributes:
                attributes[here] = inherited(origin, here, in_key, item.nullable)
            elif here in own:
                # Declared as any other attribute, but what it refers to says what it is.
                attributes[here] = replace(attributes[here], lineage=origin.lineage)
            own.discard(here)
    key_is_visible = any(attribute.in_key for attribute in attributes.values())
    if not key_is_visible:
        lineage = f"{name.schema}.{name.table}.{SINGLETON.name}"
        attributes[SINGLETON.name] = replace(SINGLETON, lineage=lineage)
    for attribute in extra:
        attributes[attribute.name] = attribute
    for index in definition.indexes:
        for entry in index.attributes:
            if entry.isidentifier() and entry not in attributes:
                raise _at(index, f"the index names an unknown attribute '{entry}'", "")
    return TableStructure(
        name,
        definition.comment,
        tuple(attributes.values()),
        tuple(foreign_keys),
        tuple(Index(index.attributes, index.unique) for index in definition.indexes),
    )


def to_definition(
    structure: TableStructure, name_of: Callable[[TableName], str]
) -> TableDefinition:
    """Return the definition that would declare a structure again.

    Parameters
    ----------
    structure
        The table.
    name_of
        How a parent is written after `->`.
    """
    brought_by = _brought_by(structure)
    sections: dict[bool, list[Item]] = {True: [], False: []}
    pending = list(structure.foreign_keys)
    seen: set[str] = set()
    for attribute in structure.attributes:
        seen.add(attribute.name)
        if brought_by.get(attribute.name) is None and not attribute.hidden:
            sections[attribute.in_key].append(
                AttributeSpec(
                    attribute.name, _required(attribute), attribute.default, attribute.comment
                )
            )
        for key in list(pending):
            if not set(key.names) <= seen or any(
                brought_by.get(name) in pending[: pending.index(key)] for name in key.names
            ):
                continue
            pending.remove(key)
            new = [name for name in key.names if brought_by.get(name) is key]
            # A foreign key stands where the last of its attributes stands; one that adds nothing may stand there too.
            sections[structure.is_primary(key)].append(
                ForeignKeySpec(
                    name_of(key.parent),
                    key.renames,
                    nullable=any(structure.by_name[name].nullable for name in new or key.names),
                    unique=key.unique,
                )
            )
    return TableDefinition(
        structure.comment,
        tuple(sections[True]),
        tuple(sections[False]),
        tuple(IndexSpec(index.attributes, index.unique) for index in structure.indexes),
    )


def _brought_by(structure: TableStructure) -> dict[str, ForeignKey | None]:
    """Return which foreign key brought an attribute: the first that has it, or None.

    A foreign key brings attributes together, after those it shares with others, in the order of the parent's key and
    of one kind; where they are not so, they were declared by themselves and it brought nothing.
    """
    place = {name: number for number, name in enumerate(structure.by_name)}
    brought_by: dict[str, ForeignKey | None] = {}
    for key in structure.foreign_keys:
        new = [name for name in key.names if name not in brought_by]
        if not new:
            continue
        start = max([place[new[0]], *(place[n] + 1 for n in key.names if n in brought_by)])
        attributes = [structure.by_name[n] for n in new]
        is_one_kind = len({(each.in_key, each.nullable) for each in attributes}) == 1
        together = [place[n] for n in new] == [*range(start, start + len(new))]
        alone = any(map(_has_own_default, attributes))
        brought_by |= dict.fromkeys(new, key if together and is_one_kind and not alone else None)
    return brought_by


def _has_own_default(attribute: Attribute) -> bool:
    given = attribute.default is not None and attribute.default.kind != "null"
    return given and not attribute.hidden


def _items(definition: TableDefinition) -> Iterable[tuple[Item, bool]]:
    yield from ((item, True) for item in definition.primary)
    yield from ((item, False) for item in definition.secondary)


def _foreign_key(item: ForeignKeySpec, parent: TableStructure) -> ForeignKey:
    new_name = {old: new for new, old in item.renames}
    for old in new_name:
        if old not in parent.heading.primary_key:
            raise _at(
                item,
                f"'{old}' is not in the primary key of {item.parent}",
                f"Its primary key: {', '.join(parent.heading.primary_key)}.",
            )
    if item.nullable and not parent.heading.primary_key:
        raise _at(
            item,
            f"'{item.parent}' has one row at most and no key to leave empty, so the reference cannot be nullable",
            "Leave out nullable: every row refers to that row.",
        )
    return ForeignKey(
        parent.name,
        tuple((new_name.get(there, there), there) for there in parent.full_key),
        item.unique,
    )


def inherited(parent: Attribute, name: str, in_key: bool, nullable: bool) -> Attribute:
    """Return the attribute that a foreign key brings.

    Parameters
    ----------
    parent
        The attribute it refers to.
    name
        What it is called here.
    in_key, nullable
        Where the foreign key stands, and whether it may be NULL.
    """
    plain = parent.type
    if plain is not None and parent.autoincrement:
        # The child refers to a number that the parent was given; it must not count by itself.
        plain = parse_type(plain.text.replace(" auto_increment", "").replace("serial", "bigint"))
    # Nobody can give the hidden key of a singleton; it has one value only.
    default = parent.default if parent.hidden else None
    return Attribute(
        name,
        plain,
        in_key,
        nullable,
        Default("null") if nullable else default,
        parent.comment,
        parent.lineage,
        parent.collation,
        parent.digits,
    )


def _required(attribute: Attribute) -> TypeSpec:
    assert attribute.type is not None, "a table's attribute always has a type"
    return attribute.type


def _at(item: Item | IndexSpec, problem: str, advice: str) -> DefinitionError:
    return DefinitionError(problem, item.line, item.column, advice=advice)
