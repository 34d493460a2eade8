"""The attributes of a relation, and what each operator of the algebra does to them.

Pure values: nothing here knows a database. Hidden attributes (leading underscore) are never in a heading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from djupyter.definition.model import TypeSpec
from djupyter.errors import DataJointError, UnknownAttributeError
from djupyter.heading.attribute import Attribute
from djupyter.heading.type_rules import rule_for


class Heading(Mapping[str, Attribute]):
    """An ordered mapping of names to attributes.

    Parameters
    ----------
    attributes
        In order; names are unique.

    Examples
    --------
    >>> from djupyter.definition.types import parse_type
    >>> h = Heading([Attribute("a", parse_type("int32"), in_key=True), Attribute("x", parse_type("float64"))])
    >>> h.primary_key, h.secondary_attributes
    (['a'], ['x'])
    >>> h.project(["x"], {"y": "x"}, {}).names
    Traceback (most recent call last):
    ...
    djupyter.errors.DataJointError: Attribute `x` is both kept and renamed to `y`. Write y="(x)" to keep both.
    >>> h.project([], {"y": "x"}, {}).names
    ['a', 'y']
    """

    def __init__(self, attributes: Iterable[Attribute]) -> None:
        self._attributes = {attribute.name: attribute for attribute in attributes}

    def __getitem__(self, name: str) -> Attribute:
        return self._attributes[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._attributes)

    def __len__(self) -> int:
        return len(self._attributes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Heading) and list(self.values()) == list(other.values())

    def __hash__(self) -> int:
        return hash(tuple(self._attributes.values()))

    def __repr__(self) -> str:
        lines = []
        for attribute in self.values():
            default = (
                ""
                if attribute.default is None
                else f"={attribute.default.text or attribute.default.kind}"
            )
            comment = f" # {attribute.comment}" if attribute.comment else ""
            lines.append(f"{attribute.name + default:<20} : {attribute.type_text:<20}{comment}")
        key = len(self.primary_key)
        return "\n".join([*lines[:key], "---", *lines[key:]])

    @property
    def attributes(self) -> dict[str, Attribute]:
        """Name to attribute, in order."""
        return dict(self._attributes)

    @cached_property
    def canonical(self) -> dict[str, tuple[type, Callable[[Sequence[Any]], bool]]]:
        """Type of the canonical values of an attribute and whether some of that type are; where that tells it."""
        rules = {
            name: rule_for(attribute)
            for name, attribute in self._attributes.items()
            if attribute.type is not None
        }
        return {name: (r.exact, r.all_fit) for name, r in rules.items() if r and r.exact}

    @cached_property
    def names(self) -> list[str]:
        """All names in order."""
        return list(self._attributes)

    @cached_property
    def primary_key(self) -> list[str]:
        """Names of the primary key, in order."""
        return [name for name, attribute in self._attributes.items() if attribute.in_key]

    @cached_property
    def secondary_attributes(self) -> list[str]:
        """Names outside the primary key, in order."""
        return [name for name, attribute in self._attributes.items() if not attribute.in_key]

    def need(self, name: str, where: str = "query") -> Attribute:
        """Return an attribute, or raise the error that names the nearest one.

        Raises
        ------
        UnknownAttributeError
            There is none of that name.
        """
        try:
            return self._attributes[name]
        except KeyError:
            raise UnknownAttributeError.of(name, self._attributes, where) from None

    def project(
        self,
        kept: Iterable[str],
        renamed: Mapping[str, str],
        computed: Mapping[str, TypeSpec | None],
        duplicated: Mapping[str, str] | None = None,
    ) -> Heading:
        """Return the heading of a projection.

        Parameters
        ----------
        kept
            Secondary attributes to keep; the primary key stays in any case.
        renamed
            New name to old name.
        computed
            Name of each computed attribute to its type, None where the database decides.
        duplicated
            New name to the name it copies; copies keep type and lineage, outside the key.

        Raises
        ------
        UnknownAttributeError
            A name is not in this heading.
        DataJointError
            A result name would appear twice.
        """
        kept = list(kept)
        duplicated = duplicated or {}
        for name in (*kept, *renamed.values(), *duplicated.values()):
            self.need(name)
        new_name = {old: new for new, old in renamed.items()}
        for name in kept:
            if name in new_name:
                raise DataJointError(
                    f"Attribute `{name}` is both kept and renamed to `{new_name[name]}`. "
                    f'Write {new_name[name]}="({name})" to keep both.'
                )
        result = [
            replace(attribute, name=new_name.get(name, name))
            for name, attribute in self._attributes.items()
            if attribute.in_key or name in kept or name in new_name
        ]
        result += [
            replace(self._attributes[old], name=new, in_key=False)
            for new, old in duplicated.items()
        ]
        result += [Attribute(name, kind, nullable=True) for name, kind in computed.items()]
        return unique(result)

    def join(self, other: Heading, *, left: bool = False) -> Heading:
        """Return the heading of a natural join.

        The key is that of the operand that determines the other one (has the other's whole key among its
        attributes), the left one where both do, and the union of both keys where neither does.

        Parameters
        ----------
        other
            The right operand.
        left
            A left join: attributes that only the right operand has become nullable.
        """
        if self.determines(other):
            first, second, key = self, other, set(self.primary_key)
        elif other.determines(self):
            first, second, key = other, self, set(other.primary_key)
        else:
            first, second, key = self, other, {*self.primary_key, *other.primary_key}
        attributes = [
            replace(
                attribute,
                in_key=attribute.name in key,
                nullable=attribute.nullable or (left and attribute.name not in self),
            )
            for attribute in first.with_others(second).values()
        ]
        attributes.sort(key=lambda attribute: not attribute.in_key)
        return Heading(attributes)

    def determines(self, other: Heading) -> bool:
        """Whether every primary-key attribute of the other heading is an attribute of this one."""
        return all(name in self for name in other.primary_key)

    def select(self, names: Iterable[str], *, key: Iterable[str] | None = None) -> Heading:
        """Return the named attributes in the given order, with the given key where it differs."""
        members = None if key is None else set(key)
        return Heading(
            self.need(name) if members is None else replace(self.need(name), in_key=name in members)
            for name in names
        )

    def with_others(self, other: Heading) -> Heading:
        """Return this heading with the attributes that only the other one has at its end."""
        return Heading([*self.values(), *(a for name, a in other.items() if name not in self)])

    def union(self, other: Heading) -> Heading:
        """Return the heading of a union: one key, the secondary attributes of both, nullable.

        Lineages are not compared, but an attribute that means different things in the operands has none.

        Raises
        ------
        DataJointError
            The primary keys differ, or the operands share a secondary attribute.
        """
        if set(self.primary_key) != set(other.primary_key):
            raise DataJointError(
                "A union needs operands with the same primary key: "
                f"{', '.join(self.primary_key)} differs from {', '.join(other.primary_key)}."
            )
        shared = [name for name in self.secondary_attributes if name in other.secondary_attributes]
        if shared:
            raise DataJointError(
                f"A union cannot combine the secondary attributes {', '.join(shared)} of both operands. "
                "Project them away with .proj() or rename one of them."
            )
        key = [self._attributes[name].merged(other[name]) for name in self.primary_key]
        rest = [
            replace(attribute, nullable=True)
            for heading in (self, other)
            for attribute in heading.values()
            if not attribute.in_key
        ]
        return Heading([*key, *rest])


def unique(attributes: Iterable[Attribute]) -> Heading:
    """Return a heading, refusing a name that appears twice."""
    attributes = list(attributes)
    seen: set[str] = set()
    for attribute in attributes:
        if attribute.name in seen:
            raise DataJointError(
                f"Attribute `{attribute.name}` already exists in the result. Choose another name."
            )
        seen.add(attribute.name)
    return Heading(attributes)
