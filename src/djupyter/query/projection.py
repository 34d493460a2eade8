"""Projection: which attributes to keep, rename, copy or compute."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from djupyter.definition.model import TypeSpec
from djupyter.errors import DataJointError, UnknownAttributeError
from djupyter.heading.heading import Heading
from djupyter.query.node import Node
from djupyter.query.select import Element, Lowering, Selection
from djupyter.query.text import Computation
from djupyter.query.types import type_of

_NAME = re.compile(r"[a-z_][a-z0-9_]*", re.IGNORECASE)
_COPY = re.compile(r"\(\s*([a-z_][a-z0-9_]*)\s*\)", re.IGNORECASE)
_NEW_NAME = re.compile(r"[a-z][a-z0-9_]*")
_CONSTANTS = {"NULL", "TRUE", "FALSE", "CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME"}

Compute = Callable[[str], Computation]


@dataclass(frozen=True, slots=True)
class Plan:
    """The arguments of `proj`, sorted by what they ask for.

    Parameters
    ----------
    kept
        Secondary attributes that stay as they are; the key stays in any case.
    renamed, copied
        New name to old name.
    computed
        Name to expression.
    """

    kept: tuple[str, ...]
    renamed: Mapping[str, str]
    copied: Mapping[str, str]
    computed: Mapping[str, Computation]

    @property
    def values(self) -> tuple[object, ...]:
        """The values of the expressions."""
        return tuple(value for each in self.computed.values() for value in each.values)

    def shape(self, heading: Heading) -> Hashable:
        """Return what makes the SQL of a result with the given heading, without values."""
        origin = {**self.renamed, **self.copied}
        return tuple(
            (name, self.computed[name].shape)
            if name in self.computed
            else (name, origin.get(name, name), None)
            for name in heading
        )

    def types(self, heading: Heading) -> dict[str, TypeSpec | None]:
        """Return the types of the computed attributes, made from those of a heading."""
        return {name: type_of(each.fragment, heading) for name, each in self.computed.items()}


class Projection(Node):
    """A relation with other attributes and the same rows."""

    __slots__ = ("operand", "plan")

    def __init__(self, operand: Node, plan: Plan) -> None:
        self.operand, self.plan = operand, plan
        own = operand.heading
        self.heading = own.project(plan.kept, plan.renamed, plan.types(own), plan.copied)
        self.shape = ("proj", operand.shape, plan.shape(self.heading))
        self.values = operand.values + plan.values

    @property
    def is_restricted(self) -> bool:
        """Whether its operand is."""
        return self.operand.is_restricted

    def lower(self, lowering: Lowering) -> Selection:
        """Give the attributes other names; rows, conditions and order stay as they are."""
        inner = self.operand.lower(lowering)
        if inner.depends_on_columns:
            inner = inner.nested(lowering)
        elif self._repeats(inner) and not inner.is_limited:
            inner = inner.unrepeated(lowering)
        return project(inner, self.heading, self.plan, lowering)

    def _repeats(self, inner: Selection) -> bool:
        """Whether an expression would be written out twice: again and again, it would double each time."""
        used = Counter(name for each in self.plan.computed.values() for name in each.mentions)
        return any(
            count > 1 and not isinstance(inner.columns[name], sa.ColumnClause | sa.BindParameter)
            for name, count in used.items()
        )


def project(inner: Selection, heading: Heading, plan: Plan, lowering: Lowering) -> Selection:
    """Return a selection of the planned attributes in the order of the heading."""
    computed: dict[str, Element] = {
        name: lowering.backend.typed(computation.lower(inner.columns, lowering), heading[name].type)
        for name, computation in plan.computed.items()
    }
    origin = {**plan.renamed, **plan.copied}
    return inner.with_columns(
        {
            name: computed[name] if name in computed else inner.columns[origin.get(name, name)]
            for name in heading
        }
    )


def plan_projection(
    heading: Heading,
    names: Iterable[object],
    assignments: Mapping[str, object],
    compute: Compute,
) -> Plan:
    """Sort the arguments of `proj` or `aggr`.

    Parameters
    ----------
    heading
        Attributes of the operand.
    names
        ``"name"`` keeps, ``"-name"`` leaves out, ``...`` keeps all; the key is always kept.
    assignments
        ``new="old"`` renames, ``new="(old)"`` copies, anything else computes.
    compute
        Parses and checks an expression.

    Raises
    ------
    DataJointError
        An argument is not text, excludes a key attribute, or names an attribute twice.
    UnknownAttributeError
        A name is not in the heading.
    """
    renamed: dict[str, str] = {}
    copied: dict[str, str] = {}
    computed: dict[str, Computation] = {}
    for new, text in checked(assignments).items():
        plain = text.strip().strip("`")
        copy = _COPY.fullmatch(text.strip())
        if copy and copy[1] in heading:
            copied[new] = copy[1]
        elif plain not in heading:
            computed[new] = compute(text)
        elif plain in renamed.values():
            raise DataJointError(
                f'Attribute `{plain}` is renamed twice. Write the second as a copy: {new}="({plain})".'
            )
        else:
            renamed[new] = plain
    kept = _kept(heading, list(names), set(renamed.values()))
    return Plan(tuple(kept), renamed, copied, computed)


def checked(assignments: Mapping[str, object]) -> dict[str, str]:
    """Return the named arguments of `proj` or `aggr`.

    Raises
    ------
    DataJointError
        One is not text, or its name cannot be that of an attribute.
    """
    texts: dict[str, str] = {}
    for new, text in assignments.items():
        if not isinstance(text, str):
            raise DataJointError(
                f"`{new}` must be given as text, an attribute or an expression, not {type(text).__name__}."
            )
        if not _NEW_NAME.fullmatch(new):
            raise DataJointError(
                f"`{new}` cannot name an attribute: use lower-case letters, digits and underscores."
            )
        texts[new] = text
    return texts


def refuse_unknown(text: str, heading: Heading) -> None:
    """Refuse a bare name that is no attribute: it was meant as one, not as an expression.

    Raises
    ------
    UnknownAttributeError
        It is a name.
    """
    plain = text.strip().strip("`")
    if _NAME.fullmatch(plain) and plain.upper() not in _CONSTANTS:
        raise UnknownAttributeError.of(plain, heading)


def _kept(heading: Heading, names: list[object], renamed: set[str]) -> list[str]:
    kept: dict[str, None] = {}
    dropped: set[str] = set()
    for name in names:
        if name is ...:
            kept |= dict.fromkeys(n for n in heading.secondary_attributes if n not in renamed)
            continue
        if not isinstance(name, str):
            raise DataJointError(
                f"proj takes names of attributes as text, not {type(name).__name__} ({name!r})."
            )
        excluded = name.lstrip().startswith("-")
        plain = name.strip().lstrip("-").strip().strip("`")
        attribute = heading.need(plain)
        if excluded and attribute.in_key:
            raise DataJointError(
                f"Attribute `{plain}` is part of the primary key and cannot be left out. "
                "Use dj.U(...) & query for a relation with another key."
            )
        if excluded:
            dropped.add(plain)
        elif not attribute.in_key:
            kept[plain] = None
    return [name for name in kept if name not in dropped]
