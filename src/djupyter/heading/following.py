"""What an alteration of a table asks of the tables that refer to it.

```
Subject (name: `subject` -> `_subject`, key: `mouse` -> `animal`)
├── Subject.Session   `subject__session` -> `_subject__session`, `mouse` -> `animal`
└── Weighing          `mouse` -> `animal`, its foreign key to `_subject`
    └── Scale         `mouse` -> `animal`
```
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from djupyter.definition.names import TableName
from djupyter.definition.types import parse_type
from djupyter.errors import DataJointError
from djupyter.heading.alteration import Alteration
from djupyter.heading.attribute import Attribute
from djupyter.heading.structure import ForeignKey, TableStructure

Altered = dict[TableName, Alteration]


def followers(
    alteration: Alteration, descendants: Iterable[TableStructure]
) -> tuple[Alteration, ...]:
    """Return what must be altered together with a table, parents before children.

    Parameters
    ----------
    alteration
        What is to change.
    descendants
        The tables that depend on it, parents before children.

    Raises
    ------
    DataJointError
        A name that a table would get is taken there.

    Examples
    --------
    >>> from djupyter.definition.parser import parse
    >>> from djupyter.heading.planning import plan
    >>> from djupyter.heading.structure import resolve
    >>> def table(name, text):
    ...     return resolve(parse(text), TableName("lab", name), lambda key: mouse)
    >>> mouse = table("mouse", "mouse : int32")
    >>> session = table("session", "-> Mouse")
    >>> change = plan(mouse, table("mouse", "animal : int32  # {mouse}"))
    >>> followers(change, [session])[0].steps
    ('rename `mouse` to `animal`',)
    """
    altered: Altered = {alteration.existing.name: alteration}
    for structure in descendants:
        if structure.name not in altered:
            found = _follower(structure, altered, alteration)
            if found.steps:
                altered[structure.name] = found
    return tuple(altered.values())[1:]


def _follower(structure: TableStructure, altered: Altered, root: Alteration) -> Alteration:
    keys = [key for key in structure.foreign_keys if key.parent in altered]
    new_names = _new_names(structure, keys, altered)
    attributes = tuple(
        replace(
            _followed(attribute, keys, altered),
            name=new_names.get(attribute.name, attribute.name),
        )
        for attribute in structure.attributes
    )
    name = _new_name(structure.name, root)
    prefix, new_prefix = (f"{n.schema}.{n.table}." for n in (structure.name, name))
    attributes = tuple(
        replace(a, lineage=new_prefix + a.lineage.removeprefix(prefix))
        if a.lineage and a.lineage.startswith(prefix)
        else a
        for a in attributes
    )
    keys_after = {key: _key(key, altered, new_names) for key in structure.foreign_keys}
    wanted = replace(
        structure,
        name=name,
        attributes=attributes,
        foreign_keys=tuple(keys_after.values()),
        indexes=tuple(
            replace(index, attributes=tuple(new_names.get(e, e) for e in index.attributes))
            for index in structure.indexes
        ),
    )
    renames = tuple((new, old) for old, new in new_names.items())
    followed = tuple((old, new) for old, new in keys_after.items() if old.parent in altered)
    return Alteration(structure, wanted, renames, followed)


def _new_name(name: TableName, root: Alteration) -> TableName:
    """Parts are called after their master."""
    if name.master != root.existing.name:
        return name
    own = name.table.removeprefix(root.existing.name.table)
    return TableName(name.schema, root.wanted.name.table + own)


def _new_names(
    structure: TableStructure, keys: Iterable[ForeignKey], altered: Altered
) -> dict[str, str]:
    """Return what becomes of attributes that are called as in their parent, in all their parents."""
    wishes: dict[str, set[str]] = {}
    for key in structure.foreign_keys:
        parent = altered.get(key.parent)
        for here, there in key.attributes:
            new = parent.new_name.get(there, there) if parent and here == there else here
            wishes.setdefault(here, set()).add(new)
    names = {old: new.pop() for old, new in wishes.items() if len(new) == 1}
    names = {old: new for old, new in names.items() if old != new}
    for old, new in names.items():
        if new in structure.by_name and new not in names:
            raise DataJointError(
                f"Nothing was altered: `{old}` of {structure.name.class_name} would become `{new}` as in "
                f"the table it refers to, but {structure.name.class_name} has an attribute `{new}` "
                f"already. Rename that one first, or choose another name than `{new}`."
            )
    return names


def _followed(attribute: Attribute, keys: Iterable[ForeignKey], altered: Altered) -> Attribute:
    """Return an attribute with what it has from its parent's, where that changes."""
    for key in keys:
        for here, there in key.attributes:
            if here == attribute.name:
                attribute = _like_parent(attribute, there, altered[key.parent])
    return attribute


def _like_parent(attribute: Attribute, there: str, parent: Alteration) -> Attribute:
    old = parent.existing.by_name[there]
    new = parent.wanted.by_name.get(parent.new_name.get(there, there))
    if new is None:
        return attribute
    changes: dict[str, object] = {}
    if old.type_text != new.type_text and new.type is not None:
        counted = new.type.text.replace(" auto_increment", "").replace("serial", "bigint")
        changes["type"] = parse_type(counted) if new.autoincrement else new.type
        changes["digits"] = new.digits
    if old.comment != new.comment and attribute.comment == old.comment:
        changes["comment"] = new.comment
    if old.lineage != new.lineage:
        changes["lineage"] = new.lineage
    return replace(attribute, **changes)  # type: ignore[arg-type]


def _key(key: ForeignKey, altered: Altered, new_names: dict[str, str]) -> ForeignKey:
    parent = altered.get(key.parent)
    there = parent.new_name if parent else {}
    pairs = ((new_names.get(h, h), there.get(t, t)) for h, t in key.attributes)
    return ForeignKey(parent.wanted.name if parent else key.parent, tuple(pairs), key.unique)
