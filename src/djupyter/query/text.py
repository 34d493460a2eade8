"""Condition text bound to a heading: names checked, literals taken out, ready to be lowered."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from djupyter.errors import InvalidValueError
from djupyter.heading.attribute import Attribute
from djupyter.heading.coerce import coercer
from djupyter.heading.heading import Heading
from djupyter.query.meaning import understood
from djupyter.query.select import Element, Lowering
from djupyter.sql.fragment import Fragment, element
from djupyter.sql.language.function_forms import AGGREGATES
from djupyter.sql.language.tree import Call, Name, Node

_INTEGER = re.compile(r"[+-]?[0-9]+")


@dataclass(frozen=True, slots=True)
class Computation:
    """An expression over the attributes of one heading."""

    fragment: Fragment
    values: tuple[object, ...]

    @property
    def shape(self) -> Hashable:
        """The text without its literals."""
        return self.fragment.shape

    @property
    def mentions(self) -> Iterator[str]:
        """The attributes, each as often as it is written."""
        pending: list[Node] = [self.fragment.tree.root]
        while pending:
            node = pending.pop()
            if isinstance(node, Name):
                yield node.name
            elif isinstance(node, Call):
                pending += node.arguments

    def lower(self, columns: Mapping[str, Element], lowering: Lowering) -> Element:
        """Return the SQLAlchemy element, attributes replaced by what computes them."""
        binds = [lowering.bind() for _ in self.values]
        return element(
            self.fragment, columns.__getitem__, binds.__getitem__, lowering.backend.language
        )


def computation(fragment: Fragment, heading: Heading) -> Computation:
    """Check that a fragment names only attributes of the heading, and means the same on every database.

    A literal compared with an attribute takes that attribute's type, so that `t = "2024-01-01"` finds midnight
    whatever form the database stores.

    Raises
    ------
    UnknownAttributeError
        A name is not in the heading; the message has the nearest one.
    QuerySyntaxError
        It does with values of some type what databases do in different ways.
    """
    for name in fragment.names:
        heading.need(name)
    values = [
        value if name is None else _as_attribute(value, heading[name])
        for value, name in zip(fragment.values, fragment.compared, strict=True)
    ]
    meant, taken = understood(fragment, heading)
    for place, type in taken.items():
        values[place] = _as_attribute(values[place], Attribute(fragment.text[:80], type))
    return Computation(meant, tuple(values))


def outside_aggregates(fragment: Fragment) -> Iterator[str]:
    """Yield the attributes that a fragment uses as they are, not through an aggregate.

    >>> from djupyter.sql.fragment import parse_aggregate
    >>> list(outside_aggregates(parse_aggregate("max(y) - x")))
    ['x']
    """
    pending: list[Node] = [fragment.tree.root]
    while pending:
        node = pending.pop()
        if isinstance(node, Name):
            yield node.name
        elif isinstance(node, Call) and node.operation not in AGGREGATES:
            pending += node.arguments


_WRITTEN_AS_TEXT = {"date", "datetime", "timestamp", "uuid", "decimal", "bool", "char"}
_TEXTS = {"char", "varchar", "enum"}


def _as_attribute(value: object, attribute: Attribute) -> object:
    """Return a literal in the type of the attribute it is compared with.

    Text and numbers do not compare: databases disagree on what that means, and SQLite takes any text for
    larger than any number.
    """
    if attribute.type is None:
        return value
    kind = attribute.type.name.split()[0]
    if not isinstance(value, str):
        if kind in _TEXTS:
            raise InvalidValueError(
                f"Attribute `{attribute.name}` : {attribute.type_text} is compared with the number {value}. "
                f'Write it as text: "{value}".'
            )
        # A float32 holds the float32 nearest to what was written, as it does when a mapping says it.
        return _float32(value) if kind == "float32" else value
    if kind in _WRITTEN_AS_TEXT:
        return coercer(attribute)(value)
    return _number(value, attribute) if attribute.dtype in ("int64", "float64") else value


def _float32(value: Any) -> Any:
    with np.errstate(over="ignore"):
        nearest = float(np.float32(value))
    return nearest if math.isfinite(nearest) else value


def _number(text: str, attribute: Attribute) -> int | float:
    try:
        return int(text) if _INTEGER.fullmatch(text.strip()) else float(text)
    except ValueError:
        raise InvalidValueError(
            f"Attribute `{attribute.name}` : {attribute.type_text} is compared with the text {text[:80]!r}. "
            "Expected a number."
        ) from None
