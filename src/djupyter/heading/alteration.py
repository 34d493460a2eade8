"""What it takes to make a declared table another one: a plan, from two structures alone.

The plan knows nothing of rows. Where a step is safe only for some rows (a narrower type, an attribute
that goes), whoever carries the plan out looks at them first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from djupyter.heading.attribute import Attribute
from djupyter.heading.structure import ForeignKey, Index, TableStructure

_PAST = {
    "add": "added",
    "change": "changed",
    "drop": "dropped",
    "make": "made",
    "rename": "renamed",
    "reorder": "reordered",
}
# What a statement that was interrupted left behind; see the backends that have no transactions here.
LEFT_OVER = "_altered_"

Pair = tuple[str, str]


@dataclass(frozen=True)
class Alteration:
    """The way from one structure of a table to another.

    Parameters
    ----------
    existing
        The table as it is.
    wanted
        The table as it is to be, with the hidden attributes that stay.
    renames
        Pairs (new name, old name).
    followed
        Foreign keys whose parent gets other names, as they are and as they are to be.
    """

    existing: TableStructure
    wanted: TableStructure
    renames: tuple[tuple[str, str], ...] = ()
    followed: tuple[tuple[ForeignKey, ForeignKey], ...] = ()

    @cached_property
    def origin(self) -> dict[str, str]:
        """New name to old name of every attribute that stays."""
        new_names = dict(self.renames)
        origins = {name: new_names.get(name, name) for name in self.wanted.by_name}
        return {new: old for new, old in origins.items() if old in self.existing.by_name}

    @cached_property
    def kept(self) -> tuple[tuple[Attribute, Attribute], ...]:
        """The attributes that stay, as they are and as they are to be."""
        old, new = self.existing.by_name, self.wanted.by_name
        return tuple((old[there], new[name]) for name, there in self.origin.items())

    @cached_property
    def added(self) -> tuple[Attribute, ...]:
        """The attributes that are new."""
        return tuple(a for a in self.wanted.attributes if a.name not in self.origin)

    @cached_property
    def removed(self) -> tuple[Attribute, ...]:
        """The attributes that go."""
        staying = set(self.origin.values())
        return tuple(a for a in self.existing.attributes if a.name not in staying)

    @cached_property
    def retyped(self) -> tuple[tuple[Attribute, Attribute], ...]:
        """The attributes that stay with another type."""
        return tuple(pair for pair in self.kept if pair[0].type_text != pair[1].type_text)

    @cached_property
    def required(self) -> tuple[tuple[Attribute, Attribute], ...]:
        """The attributes that may be NULL no longer."""
        return tuple((old, new) for old, new in self.kept if old.nullable and not new.nullable)

    @cached_property
    def ambiguous(self) -> tuple[tuple[str, str], ...]:
        """Pairs (old, new) that may be meant as a renaming: one goes, one of its type comes."""
        return tuple(
            (old.name, new.name)
            for old in self.removed
            for new in self.added
            if old.type_text == new.type_text
        )

    @cached_property
    def new_name(self) -> dict[str, str]:
        """Old name to new name of every attribute that stays."""
        return {old: new for new, old in self.origin.items()}

    @cached_property
    def moves(self) -> bool:
        """Whether the table gets another name, because its tier is another."""
        return self.existing.name != self.wanted.name

    @cached_property
    def changes_key(self) -> bool:
        """Whether other attributes than before make a row one of its kind."""
        return any(self._primary_key())

    @cached_property
    def kept_keys(self) -> tuple[tuple[ForeignKey, ForeignKey], ...]:
        """The foreign keys that stay, as they are and as they are to be; options may change."""
        return tuple(self._paired())

    @cached_property
    def new_keys(self) -> tuple[ForeignKey, ...]:
        """The foreign keys that are new."""
        return _without(self.wanted.foreign_keys, [new for _, new in self.kept_keys])

    @cached_property
    def gone_keys(self) -> tuple[ForeignKey, ...]:
        """The foreign keys that go."""
        return _without(self.existing.foreign_keys, [old for old, _ in self.kept_keys])

    @cached_property
    def newly_unique(self) -> tuple[Index, ...]:
        """What may be there only once from now on: new unique indexes and foreign keys."""
        was = {new for old, new in self.kept_keys if old.unique}
        keys = (key for key in self.wanted.foreign_keys if key.unique and key not in was)
        indexes = (index for index in self.new_indexes if index.unique)
        return (*indexes, *(Index(key.names, unique=True) for key in keys))

    @cached_property
    def new_indexes(self) -> tuple[Index, ...]:
        """The declared indexes that are new."""
        more = Counter(self.wanted.indexes) - Counter(self._indexes_after_renaming())
        return tuple(more.elements())

    @cached_property
    def gone_indexes(self) -> tuple[Index, ...]:
        """The declared indexes that go, by the names that attributes get."""
        less = Counter(self._indexes_after_renaming()) - Counter(self.wanted.indexes)
        return tuple(less.elements())

    @cached_property
    def reindexes(self) -> bool:
        """Whether the declared indexes change."""
        return bool(self.new_indexes or self.gone_indexes)

    @cached_property
    def rebuilds(self) -> bool:
        """Whether the table itself changes, rather than what is noted beside it and its indexes."""
        return self.moves or _physical(self.wanted) != _physical(self.existing)

    @cached_property
    def steps(self) -> tuple[str, ...]:
        """What there is to do, each step beginning with its verb; empty for nothing."""
        steps = (
            *self._move(),
            *self._primary_key(),
            *self._foreign_keys(),
            *(f"rename `{old}` to `{new}`" for new, old in self.renames),
            *(f"add `{attribute.name}`" for attribute in self.added),
            *(f"drop `{attribute.name}`" for attribute in self.removed),
            *(step for pair in self.kept for step in _attribute_steps(*pair)),
            *self._index_steps(),
        )
        if self._is_reordered():
            steps += ("reorder the attributes",)
        if self._is_commented_otherwise():
            steps += ("change comments",)
        if not steps and any(old.lineage != new.lineage for old, new in self.kept):
            steps = ("change what is noted of the attributes' origin",)
        return steps

    def told(self) -> str:
        """Return a sentence of what was done.

        >>> from djupyter.definition.names import TableName
        >>> from djupyter.definition.types import parse_type
        >>> a = TableStructure(TableName("lab", "a"), "", (Attribute("a", parse_type("int8"), True),))
        >>> Alteration(a, a).told()
        'unchanged'
        """
        past = (f"{_PAST[verb]} {what}" for verb, _, what in (s.partition(" ") for s in self.steps))
        return f"altered: {', '.join(past)}" if self.steps else "unchanged"

    def _move(self) -> Iterator[str]:
        if self.moves:
            before, after = self.existing.name, self.wanted.name
            change = f"from {before.tier} to {after.tier}" if before.tier != after.tier else ""
            yield f"rename the table `{before.table}` to `{after.table}` {change}".rstrip()

    def _primary_key(self) -> Iterator[str]:
        after = {self.origin.get(name, name) for name in self.wanted.full_key}
        kept_apart = {a.name for a in self.added if a.in_key}
        if after != set(self.existing.full_key) or kept_apart:
            before, new = (_visible(s.full_key) for s in (self.existing, self.wanted))
            yield f"change the primary key from ({before}) to ({new})"

    def _foreign_keys(self) -> Iterator[str]:
        for key in self.new_keys:
            yield f"add the foreign key to {_told(key)}"
        for old, new in self.kept_keys:
            was, will = self.existing.is_nullable(old), self.wanted.is_nullable(new)
            if (was, old.unique) != (will, new.unique):
                yield f"change the options of the foreign key to {_told(new)}"
        for key in self.gone_keys:
            yield f"drop the foreign key to {_told(key)}"

    def _paired(self) -> Iterator[tuple[ForeignKey, ForeignKey]]:
        left = list(self.existing.foreign_keys)
        for new in self.wanted.foreign_keys:
            before = _pairs(new, self.origin)
            same = (old for old in left if (old.parent, _pairs(old, {})) == (new.parent, before))
            old = next(same, None) or next(
                (old for old in left if self._follows(old, new, before)), None
            )
            if old is not None:
                left.remove(old)
                yield old, new

    def _follows(self, old: ForeignKey, new: ForeignKey, before: frozenset[Pair]) -> bool:
        """Whether a key refers to the same parent, which has changed, by the same attributes."""
        return (old, new) in self.followed and {h for h, _ in old.attributes} == {
            h for h, _ in before
        }

    def _indexes_after_renaming(self) -> tuple[Index, ...]:
        return tuple(
            replace(index, attributes=tuple(self.new_name.get(e, e) for e in index.attributes))
            for index in self.existing.indexes
        )

    def _index_steps(self) -> Iterator[str]:
        yield from (f"add {_told_index(index)}" for index in self.new_indexes)
        yield from (f"drop {_told_index(index)}" for index in self.gone_indexes)

    def _is_commented_otherwise(self) -> bool:
        return self.existing.comment != self.wanted.comment or any(
            old.comment != new.comment for old, new in self.kept
        )

    def _is_reordered(self) -> bool:
        # Nobody sees in which order hidden attributes come.
        staying = {old for new, old in self.origin.items() if not self.wanted.by_name[new].hidden}
        before = [a.name for a in self.existing.attributes if a.name in staying]
        return before != [old for old in self.origin.values() if old in staying]


def _attribute_steps(old: Attribute, new: Attribute) -> Iterator[str]:
    if old.type_text != new.type_text:
        yield f"change `{new.name}` from {old.type_text} to {new.type_text}"
    if old.nullable != new.nullable:
        yield f"make `{new.name}` {'nullable' if new.nullable else 'required'}"
    elif old.default != new.default:
        yield f"change the default of `{new.name}`"


def _pairs(key: ForeignKey, origin: dict[str, str]) -> frozenset[Pair]:
    """Return which attribute refers to which, by the names before a renaming."""
    return frozenset((origin.get(here, here), there) for here, there in key.attributes)


def _without(keys: Iterable[ForeignKey], others: Iterable[ForeignKey]) -> tuple[ForeignKey, ...]:
    return tuple((Counter(keys) - Counter(others)).elements())


def _told(key: ForeignKey) -> str:
    return f"{key.parent.class_name} ({_visible(sorted(key.names))})"


def _told_index(index: Index) -> str:
    return f"{'unique ' if index.unique else ''}index ({', '.join(index.attributes)})"


def _visible(names: Iterable[str]) -> str:
    return ", ".join(name for name in names if not name.startswith("_"))


def _physical(structure: TableStructure) -> tuple[tuple[Attribute, ...], Counter[ForeignKey]]:
    visible = [a for a in structure.attributes if not a.hidden or a.in_key]
    hidden = sorted((a for a in structure.attributes if a not in visible), key=lambda a: a.name)
    attributes = tuple(replace(a, comment="", lineage=None) for a in (*visible, *hidden))
    return attributes, Counter(structure.foreign_keys)
