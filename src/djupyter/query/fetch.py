"""Rows from the database to what users want: dicts and arrays; `frames` has the rest.

Results are held as columns: rows are transposed once and decoded attribute by attribute, so an attribute that needs
no decoding costs nothing per value.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np

from djupyter.codecs.base import Address
from djupyter.codecs.registry import get_codec
from djupyter.heading.attribute import Attribute

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
        return [
            dict(zip(wanted, row, strict=True))
            for row in zip(*(by_name[name] for name in wanted), strict=True)
        ]

    def array(self, name: str) -> Array:
        """Return the values of one attribute as an array."""
        place = self.names.index(name)
        return array(self.attributes[place], self.values[place])


def columns(
    attributes: Iterable[Attribute], rows: Sequence[Row], backend: Any, *, squeeze: bool = False
) -> Columns:
    """Return the rows of a result as decoded columns."""
    attributes = tuple(attributes)
    values = zip(*rows, strict=True) if rows else repeat(())
    decoded = tuple(
        _decoded(column, decoder(attribute, backend, squeeze=squeeze))
        for attribute, column in zip(attributes, values, strict=False)
    )
    return Columns(attributes, decoded, len(rows))


def _decoded(column: Sequence[Any], decode: Decode | None) -> Sequence[Any]:
    if decode is None:
        return column
    return [None if value is None else decode(value) for value in column]


def dicts(
    attributes: Sequence[Attribute], rows: Sequence[Row], backend: Any, *, squeeze: bool = False
) -> list[dict[str, Any]]:
    """Return a mapping for each row, NULL as None."""
    if not attributes:
        return [{} for _ in rows]
    names = [attribute.name for attribute in attributes]
    if any(decoder(attribute, backend, squeeze=squeeze) for attribute in attributes):
        return columns(attributes, rows, backend, squeeze=squeeze).dicts()
    return [dict(zip(names, row, strict=True)) for row in rows]


def decoder(attribute: Attribute, backend: Any, *, squeeze: bool = False) -> Decode | None:
    """Return what turns the driver's value of an attribute into the user's; None where it is the same."""
    if attribute.type is None:
        return None
    if attribute.is_json:
        return json.loads
    if not attribute.is_codec:
        plain: Decode | None = backend.decoder(attribute.type)
        return plain
    codec = get_codec(attribute.type.name)
    address = Address("", "", attribute.name, store=attribute.type.store)
    if squeeze:
        return lambda stored: _squeezed(codec.decode(stored, address))
    return lambda stored: codec.decode(stored, address)


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
