"""Rows from the database to what users want: dicts and arrays; `frames` has the rest.

Arrays and frames are made from columns: rows are transposed once and decoded attribute by attribute, so an attribute
that needs no decoding costs nothing per value. Dicts are made row by row, see `records`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

import numpy as np

from djupyter.codecs.base import Context
from djupyter.codecs.chain import column_type_of
from djupyter.heading.attribute import Attribute
from djupyter.query import decoding, statement
from djupyter.query.anatomy import tables
from djupyter.query.node import Node
from djupyter.query.records import records
from djupyter.query.statement import Statement

Decode = Callable[[Any], Any]
Array = np.ndarray[Any, Any]
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Columns:
    """A result, attribute by attribute.

    Parameters
    ----------
    attributes
        What was fetched, in order.
    values
        The decoded values of each, NULL as None.
    size
        Number of rows; a result may have rows without any attribute.
    """

    attributes: tuple[Attribute, ...]
    values: tuple[Sequence[Any], ...]
    size: int

    @property
    def names(self) -> list[str]:
        """Names of the attributes."""
        return [attribute.name for attribute in self.attributes]

    def dicts(self, names: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """Return a mapping for each row, with all attributes or the named ones."""
        wanted = self.names if names is None else names
        if not wanted:
            return [{} for _ in range(self.size)]
        by_name = dict(zip(self.names, self.values, strict=True))
        return records(zip(*(by_name[name] for name in wanted), strict=True), tuple(wanted))

    def array(self, name: str) -> Array:
        """Return the values of one attribute as an array."""
        place = self.names.index(name)
        return array(self.attributes[place], self.values[place])


@dataclass(frozen=True, slots=True)
class Plan:
    """How a relation is fetched: the statement, and what becomes of its rows.

    Parameters
    ----------
    statement
        Yields the attributes in order.
    attributes
        What is fetched.
    names
        Their names.
    decoders
        What makes of the driver's value the user's, or what its codec takes; None where that is the same. Codecs
        are looked up when they are used because they may be defined anew.
    codecs
        Positions of the attributes that have a codec.
    origin
        The tables that are read, for errors.
    partly
        By how many codecs, the last ones, the attributes at some positions are decoded; by all at others.
    beside
        Attributes of the key that are fetched too, after the others, for codecs and errors.
    """

    statement: Statement
    attributes: tuple[Attribute, ...]
    names: tuple[str, ...]
    decoders: tuple[Decode | None, ...]
    codecs: tuple[int, ...]
    origin: str
    partly: Mapping[int, int] = field(default_factory=dict)
    beside: tuple[Attribute, ...] = ()

    def columns(self, rows: Sequence[Row], context: Context, *, squeeze: bool = False) -> Columns:
        """Return rows as decoded columns.

        Parameters
        ----------
        rows
            As the driver gives them.
        context
            What codecs may use.
        squeeze
            Remove axes of length one from arrays.
        """
        values = zip(*rows, strict=True) if rows else repeat(())
        # A relation without attributes has one column all the same.
        columns = [
            taken if place in self.codecs else _decoded(taken, decode)
            for place, (taken, decode) in enumerate(zip(values, self.decoders, strict=False))
        ]
        if rows and self.codecs:
            fetched = zip((*self.attributes, *self.beside), columns, strict=True)
            key = {a.name: column for a, column in fetched if a.in_key and not a.is_codec}
            for place in self.codecs:
                reading = decoding.Reading(
                    self.attributes[place], self.origin, key, context, self.decoders[place]
                )
                found = reading.decoded(columns[place], self.partly.get(place))
                columns[place] = [*map(_squeezed, found)] if squeeze else found
        return Columns(self.attributes, tuple(columns[: len(self.attributes)]), len(rows))

    def dicts(
        self, rows: Sequence[Row], context: Context, *, squeeze: bool = False
    ) -> list[dict[str, Any]]:
        """Return a mapping for each row, NULL as None; parameters as for `columns`."""
        if not self.names:
            return [{} for _ in rows]
        if self.codecs:
            return self.columns(rows, context, squeeze=squeeze).dicts()
        return records(rows, self.names, self.decoders)


# Plans by backend, names and shape; a query that differs only in values finds its plan with one look.
_plans: dict[Hashable, Plan] = {}
_MEMO_SIZE = 2048


def plan(
    node: Node, backend: Any, names: Iterable[str] | None = None, most: int | None = None
) -> Plan:
    """Return how a relation is fetched.

    Parameters
    ----------
    node
        The relation.
    backend
        Writes the SQL and knows the driver's values.
    names
        The attributes wanted; None for all.
    most
        How many rows are enough; None for all.

    Raises
    ------
    UnknownAttributeError
        A name is not an attribute.
    """
    wanted = None if names is None else tuple(names)
    memo = (backend, wanted, most, node.shape)
    found = _plans.get(memo)
    if found is None:
        found = _planned(node, backend, wanted, most)
        if len(node.values) <= statement.MEMO_VALUES:
            if len(_plans) >= _MEMO_SIZE:
                _plans.clear()
            _plans[memo] = found
    return found


def _planned(node: Node, backend: Any, wanted: tuple[str, ...] | None, most: int | None) -> Plan:
    heading = node.heading
    names = tuple(heading.names) if wanted is None else wanted
    attributes = tuple(heading.need(name) for name in names)
    codecs = tuple(place for place, attribute in enumerate(attributes) if attribute.is_codec)
    absent = [name for name in heading.primary_key if name not in names] if codecs else []
    beside = tuple(heading[name] for name in absent)
    return Plan(
        statement.rows(node, backend, (*names, *absent) if absent else wanted, most),
        attributes,
        names,
        tuple(_plain_decoder(attribute, backend) for attribute in (*attributes, *beside)),
        codecs,
        ", ".join(map(str, tables(node))),
        beside=beside,
    )


def _decoded(column: Sequence[Any], decode: Decode | None) -> Sequence[Any]:
    if decode is None:
        return column
    if None in column:
        return [None if value is None else decode(value) for value in column]
    return [*map(decode, column)]


def decoder(attribute: Attribute, backend: Any) -> Decode | None:
    """Return what turns the driver's value of an attribute without codec into the user's; None where it is the same."""
    return _plain_decoder(attribute, backend)


def _plain_decoder(attribute: Attribute, backend: Any) -> Decode | None:
    """Return what makes a user's value, or what a codec decodes, of the driver's."""
    if attribute.type is None:
        return None
    column = column_type_of(attribute.type)
    if column.name == "json":
        return json.loads
    decode: Decode | None = backend.decoder(column)
    return decode


def _squeezed(value: Any) -> Any:
    return np.squeeze(value) if isinstance(value, np.ndarray) else value


def array(attribute: Attribute, values: Sequence[Any]) -> Array:
    """Return the values of one attribute as an array.

    Integers without NULL are int64, floats float64 with NaN for NULL, booleans without NULL bool. Decoded arrays of
    one shape and dtype are stacked. Everything else is an object array.
    """
    if attribute.type is None and values and {*map(type, values)} <= {int, float}:
        return np.array(values)
    if values and all(isinstance(value, np.ndarray) and value.ndim for value in values):
        first = values[0]
        if all(value.shape == first.shape and value.dtype == first.dtype for value in values):
            return np.stack(values)
    return flat_array(attribute, values)


def flat_array(attribute: Attribute, values: Sequence[Any]) -> Array:
    """Return a one-dimensional array, in which arrays are objects."""
    kind = attribute.dtype
    if kind == "object" or (kind != "float64" and None in values):
        return np.fromiter(values, dtype=object, count=len(values))
    # NumPy reads None as NaN.
    return np.array(values, dtype=kind)


def record_array(result: Columns) -> Array:
    """Return a structured array with a field for each attribute."""
    arrays = [flat_array(*pair) for pair in zip(result.attributes, result.values, strict=True)]
    dtype = [(name, data.dtype) for name, data in zip(result.names, arrays, strict=True)]
    records = np.empty(result.size, dtype=dtype)
    for name, data in zip(result.names, arrays, strict=True):
        records[name] = data
    return records
