"""Projection: which attributes to keep, rename, copy or compute."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from djupyter.definition.model import TypeSpec
from djupyter.errors import DataJointError, UnknownAttributeError
from djupyter.heading.heading import Heading
from djupyter.query.node import Node
from djupyter.query.select import Element, Lowering, Selection
from djupyter.query.text import Computation

_NAME = re.compile(r"[a-z_][a-z0-9_]*", re.IGNORECASE)
_COPY = re.compile(r"\(\s*([a-z_][a-z0-9_]*)\s*\)", re.IGNORECASE)
_NEW_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Plan:
    """The arguments of `proj`, sorted by what they ask for."""

    kept: tuple[str, ...]
    renamed: Mapping[str, str]
    copied: Mapping[str, str]
    computed: Mapping[str, Computation]


class Projection(Node):
    """A relation with other attributes and the same rows."""

    __slots__ = ("operand", "plan")

    def __init__(self, operand: Node, plan: Plan) -> None:
        self.operand, self.plan = operand, plan
        types: dict[str, TypeSpec | None] = {name: None for name in plan.computed}
        self.heading = operand.heading.project(plan.kept, plan.renamed, types, plan.copied)
        self.shape = (
            "proj",
            operand.shape,
            tuple(self.heading),
            tuple(plan.renamed.items()),
            tuple(plan.copied.items()),
            tuple((name, computation.shape) for name, computation in plan.computed.items()),
        )
        self.values = operand.values + tuple(
            value for computation in plan.computed.values() for value in computation.values
        )

    def lower(self, lowering: Lowering) -> Selection:
        """Give the attributes other names; rows, conditions and order stay as they are."""
        inner = self.operand.lower(lowering)
        if inner.distinct:
            inner = inner.nested(lowering)
        return project(inner, self.heading, self.plan, lowering)


def project(inner: Selection, heading: Heading, plan: Plan, lowering: Lowering) -> Selection:
    """Return a selection of the planned attributes in the order of the heading."""
    computed: dict[str, Element] = {
        name: computation.lower(inner.columns, lowering)
        for name, computation in plan.computed.items()
    }
    origin = {**plan.renamed, **plan.copied}
    columns = {
        name: computed[name] if name in computed else inner.columns[origin.get(name, name)]
        for name in heading
    }
    return Selection(
        columns, inner.source, inner.where, inner.group, inner.order, inner.limit, inner.offset
    )


def plan_projection(
    heading: Heading,
    names: tuple[object, ...],
    assignments: Mapping[str, object],
    computation: Callable[[str, Heading], Computation],
) -> Plan:
    """Sort the arguments of `proj` (or the extra ones of `aggr`).

    Parameters
    ----------
    heading
        Attributes of the operand.
    names
        ``"name"`` keeps, ``"-name"`` leaves out, ``...`` keeps all; the key is always kept.
    assignments
        ``new="old"`` renames, ``new="(old)"`` copies, anything else computes.
    computation
        Parses and checks an expression.

    Raises
    ------
    DataJointError
        An argument is not text, excludes a key attribute, or names an attribute twice.
    UnknownAttributeError
        A name is not in the heading.
    """
    kept, dropped = _kept(heading, names)
    renamed: dict[str, str] = {}
    copied: dict[str, str] = {}
    computed: dict[str, Computation] = {}
    for new, text in assignments.items():
        if not isinstance(text, str):
            raise DataJointError(
                f"`{new}` must be given as text, an attribute or an expression, not {type(text).__name__}."
            )
        if not _NEW_NAME.fullmatch(new):
            raise DataJointError(
                f"`{new}` cannot name an attribute: use lower-case letters, digits and underscores."
            )
        copy = _COPY.fullmatch(text.strip())
        plain = text.strip().strip("`")
        if copy and copy[1] in heading:
            copied[new] = copy[1]
        elif plain in heading:
            renamed[new] = plain
        elif _NAME.fullmatch(plain) and not _is_constant(plain):
            raise UnknownAttributeError.of(plain, heading)
        else:
            computed[new] = computation(text, heading)
    taken = set(renamed.values())
    if ... in names:
        kept = [name for name in kept if name not in taken]
    twice = [old for old in taken if list(renamed.values()).count(old) > 1]
    if twice:
        raise DataJointError(
            f'Attribute `{twice[0]}` is renamed twice. Write the second as a copy: new="({twice[0]})".'
        )
    return Plan(tuple(name for name in kept if name not in dropped), renamed, copied, computed)


def _kept(heading: Heading, names: tuple[object, ...]) -> tuple[list[str], set[str]]:
    kept: list[str] = []
    dropped: set[str] = set()
    for name in names:
        if name is ...:
            kept += [n for n in heading.secondary_attributes if n not in kept]
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
        elif not attribute.in_key and plain not in kept:
            kept.append(plain)
    return kept, dropped


def _is_constant(word: str) -> bool:
    return word.upper() in {
        "NULL",
        "TRUE",
        "FALSE",
        "CURRENT_TIMESTAMP",
        "CURRENT_DATE",
        "CURRENT_TIME",
    }
