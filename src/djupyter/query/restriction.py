"""Restriction: the rows that meet a condition, and how conditions are read from what users write."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any, Protocol

import numpy as np

from djupyter.errors import DataJointError, InvalidValueError
from djupyter.heading.attribute import Attribute
from djupyter.heading.coerce import coercer
from djupyter.heading.heading import Heading
from djupyter.heading.matching import matched_names
from djupyter.query.conditions import (
    AllOf,
    AndList,
    AnyOf,
    Condition,
    Constant,
    Equals,
    Matches,
    Negation,
    Not,
    OneOf,
    Text,
)
from djupyter.query.node import Node
from djupyter.query.select import Lowering, Selection
from djupyter.query.text import computation
from djupyter.sql.fragment import parse_condition, parse_json_path


class Restriction(Node):
    """The rows of a relation that meet a condition."""

    __slots__ = ("condition", "operand")

    def __init__(self, operand: Node, condition: Condition) -> None:
        self.operand, self.condition = operand, condition
        self.heading = operand.heading
        self.shape = ("where", operand.shape, condition.shape)
        self.values = operand.values + condition.values

    def lower(self, lowering: Lowering) -> Selection:
        """Add the condition to WHERE; what groups or limits its rows is nested first."""
        inner = self.operand.lower(lowering)
        if not inner.is_flat:
            inner = inner.nested(lowering)
        condition = self.condition.lower(inner, lowering)
        return Selection(inner.columns, inner.source, (*inner.where, condition))


class ReadOperand(Protocol):
    """Recognises queries, tables and `U` among what users write."""

    def __call__(self, written: object) -> Node | bool | None:
        """Return the operand's node, True for a relation that restricts nothing, None for anything else."""


class Reader:
    """Reads conditions for one heading.

    Parameters
    ----------
    heading
        Attributes that may be named.
    operand
        Recognises relations.
    check
        Whether attributes matched with a relation need equal lineage.
    """

    def __init__(self, heading: Heading, operand: ReadOperand, *, check: bool = True) -> None:
        self.heading, self.operand, self.check = heading, operand, check

    def read(self, written: object) -> Condition:
        """Return the condition for what a user wrote.

        Raises
        ------
        DataJointError
            It cannot be a condition.
        UnknownAttributeError
            Text names something that is not an attribute.
        InvalidValueError
            A value cannot be compared with its attribute.
        """
        if isinstance(written, str):
            return Text(computation(parse_condition(written), self.heading))
        if isinstance(written, bool):
            return Constant(written)
        if isinstance(written, Mapping):
            return self._equalities(written)
        node = self.operand(written)
        if node is True:
            return Constant(True)
        if isinstance(node, Node):
            return Matches(node, matched_names(self.heading, node.heading, check=self.check))
        if isinstance(written, Not):
            return Negation(self.read(written.restriction))
        if isinstance(written, AndList):
            return AllOf(self.read(item) for item in written)
        if isinstance(written, np.void) and written.dtype.names:
            return self._equalities(dict(zip(written.dtype.names, written.tolist(), strict=True)))
        pandas = sys.modules.get("pandas")
        if pandas is not None and isinstance(written, pandas.DataFrame):
            written = written.reset_index().to_dict("records")
        if isinstance(written, Iterable) and not isinstance(written, bytes | np.generic):
            return self._any(list(written))
        raise DataJointError(
            f"Invalid restriction type {type(written).__name__ if written is not None else None}. "
            "Restrict by text, a mapping, a list of them, True or False, a table or a query."
        )

    def _any(self, items: list[object]) -> Condition:
        alternatives: list[Condition] = []
        for alike, group in groupby(items, self._key_names):
            members = list(group)
            if alike is None or len(members) == 1:
                alternatives += [self.read(item) for item in members]
            else:
                alternatives.append(OneOf(alike, [self._key_values(alike, m) for m in members]))
        return alternatives[0] if len(alternatives) == 1 else AnyOf(alternatives)

    def _key_names(self, item: object) -> tuple[str, ...] | None:
        """Return the attributes that a mapping without NULL gives, None where it is not such a key."""
        if not isinstance(item, Mapping):
            return None
        names = tuple(name for name in item if name in self.heading)
        return names if names and all(item[name] is not None for name in names) else None

    def _key_values(self, names: tuple[str, ...], item: object) -> list[object]:
        assert isinstance(item, Mapping)
        return [self._value(self.heading[name], item[name]) for name in names]

    def _equalities(self, item: Mapping[Any, object]) -> Condition:
        conditions: list[Condition] = []
        for name, value in item.items():
            attribute = self.heading.get(name)
            if attribute is not None:
                conditions.append(Equals(name, self._value(attribute, value)))
                continue
            path = parse_json_path(name) if isinstance(name, str) and "." in name else None
            if path is not None and path.attribute in self.heading:
                conditions.append(Equals(path.attribute, plain(value), path))
        if not conditions:
            return Constant(True, ignored=tuple(map(str, item)))
        return conditions[0] if len(conditions) == 1 else AllOf(conditions)

    def _value(self, attribute: Attribute, value: object) -> object:
        if value is None:
            return None
        if attribute.is_codec:
            raise InvalidValueError(
                f"Attribute `{attribute.name}` is {attribute.type_text}: its values cannot be compared. "
                "Leave it out of the restriction, for example restrict by the key only."
            )
        if attribute.type is None:
            return plain(value)
        try:
            return coercer(attribute)(value)
        except InvalidValueError as error:
            if isinstance(value, list | tuple | set | np.ndarray):
                raise error.suggest(
                    f"For any of several values write [{{'{attribute.name}': v}} for v in values]."
                ) from None
            raise


def plain(value: object) -> object:
    """Return a NumPy scalar as the Python value it stands for, anything else as it is.

    >>> plain(np.int64(3))
    3
    """
    return value.item() if isinstance(value, np.generic) else value
