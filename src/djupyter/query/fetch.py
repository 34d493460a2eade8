"""Rows from the database to what users want: dicts, arrays, frames.

Results come as columns: rows are transposed once and decoded attribute by attribute, so an attribute that needs no
decoding costs nothing per value.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from djupyter.codecs.base import Address
from djupyter.codecs.registry import get_codec
from djupyter.heading.attribute import Attribute
from djupyter.heading.heading import Heading

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

Decode = Callable[[Any], Any]
Columns = list[Sequence[Any]]

_INTEGERS = {
    "int8", "int16", "int32", "int64", "tinyint", "smallint", "mediumint", "int", "integer", "bigint", "serial",
}  # fmt: skip
_FLOATS = {"float32", "float64", "float", "double", "real"}


def decoders(
    heading: Heading, names: Sequence[str], backend: Any, *, squeeze: bool = False
) -> list[Decode | None]:
    """Return what turns the driver's value of each attribute into the user's; None where it is the same."""
    return [_decoder(heading[name], backend, squeeze) for name in names]


def transpose(rows: Sequence[tuple[Any, ...]], decode: Sequence[Decode | None]) -> Columns:
    """Return one decoded sequence for each attribute.

    Examples
    --------
    >>> transpose([(1, "a"), (2, None)], [None, str.upper])
    [(1, 2), ['A', None]]
    """
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(decode)
    return [
        column if f is None else [None if value is None else f(value) for value in column]
        for column, f in zip(columns, decode, strict=True)
    ]


def dicts(
    names: Sequence[str], rows: Sequence[tuple[Any, ...]], decode: Sequence[Decode | None]
) -> list[dict[str, Any]]:
    """Return a mapping for each row, NULL as None."""
    if any(decode):
        rows = list(zip(*transpose(rows, decode), strict=True)) if rows else []
    return [dict(zip(names, row, strict=True)) for row in rows]


def array(attribute: Attribute, values: Sequence[Any]) -> np.ndarray[Any, Any]:
    """Return the values of one attribute as an array.

    Integers without NULL are int64, floats float64 with NaN for NULL, booleans without NULL bool. Decoded arrays of
    one shape and dtype are stacked. Everything else is an object array.
    """
    kind = dtype_of(attribute)
    if kind == "float64":
        return np.array([np.nan if v is None else v for v in values], dtype=np.float64)
    if kind in ("int64", "bool") and None not in values:
        return np.array(values, dtype=kind)
    if attribute.type is None and values and all(type(v) in (int, float) for v in values):
        return np.array(values)
    if values and all(isinstance(v, np.ndarray) and v.ndim for v in values):
        first = values[0]
        if all(v.shape == first.shape and v.dtype == first.dtype for v in values):
            return np.stack(values)
    return objects(values)


def objects(values: Sequence[Any]) -> np.ndarray[Any, Any]:
    """Return a one-dimensional object array whatever the values are."""
    result = np.empty(len(values), dtype=object)
    # Assigning a list at once would spread nested sequences of equal length over axes.
    for i, value in enumerate(values):
        result[i] = value
    return result


def dtype_of(attribute: Attribute) -> str:
    """Return the NumPy dtype of an attribute that has no NULL: int64, float64, bool or object."""
    name = attribute.type.name.split()[0] if attribute.type else ""
    if name in _INTEGERS:
        return "int64"
    if name in _FLOATS:
        return "float64"
    return "bool" if name == "bool" else "object"


def record_array(heading: Heading, columns: Columns) -> np.ndarray[Any, Any]:
    """Return a structured array with a field for each attribute; NULL floats are NaN."""
    size = len(columns[0]) if columns else 0
    dtypes = [
        "object" if kind in ("int64", "bool") and None in column else kind
        for kind, column in zip(map(dtype_of, heading.values()), columns, strict=True)
    ]
    result = np.empty(size, dtype=list(zip(heading.names, dtypes, strict=True)))
    for name, kind, column in zip(heading.names, dtypes, columns, strict=True):
        if kind == "float64":
            result[name] = [np.nan if v is None else v for v in column]
        else:
            result[name] = objects(column) if kind == "object" else column
    return result


def frame(heading: Heading, columns: Columns) -> pandas.DataFrame:
    """Return a DataFrame indexed by the primary key; an empty one keeps its columns and dtypes."""
    import pandas

    series = {
        name: _series(attribute, column)
        for (name, attribute), column in zip(heading.items(), columns, strict=True)
    }
    data = pandas.DataFrame(series, columns=heading.names)
    return data.set_index(heading.primary_key) if heading.primary_key else data


def _series(attribute: Attribute, values: Sequence[Any]) -> Any:
    import pandas

    kind = dtype_of(attribute)
    if kind == "float64":
        return array(attribute, values)
    if kind in ("int64", "bool"):
        nullable = {"int64": "Int64", "bool": "boolean"}[kind]
        return pandas.array(list(values), dtype=nullable if None in values else kind)  # type: ignore[call-overload]
    name = attribute.type.name if attribute.type else ""
    if name in ("datetime", "timestamp"):
        return pandas.array(list(values), dtype="datetime64[us]")
    if name in ("char", "varchar", "enum"):
        return pandas.array(list(values), dtype="str")  # type: ignore[call-overload]
    if attribute.type is None:
        return list(values)
    return objects(values)


def arrow(heading: Heading, columns: Columns) -> pyarrow.Table:
    """Return an Arrow table; types come from the heading, so that an empty result keeps them."""
    import pyarrow

    arrays = [
        pyarrow.array(_arrow_values(a, column), type=_arrow_type(a))
        for a, column in zip(heading.values(), columns, strict=True)
    ]
    return pyarrow.table(arrays, names=heading.names)


def polars_frame(heading: Heading, columns: Columns) -> polars.DataFrame:
    """Return a polars frame, through Arrow."""
    import polars

    result = polars.from_arrow(arrow(heading, columns))
    assert isinstance(result, polars.DataFrame)
    return result


def _arrow_type(attribute: Attribute) -> Any:
    import pyarrow

    if attribute.type is None:
        return None
    kind = dtype_of(attribute)
    if kind != "object":
        return {"int64": pyarrow.int64(), "float64": pyarrow.float64(), "bool": pyarrow.bool_()}[
            kind
        ]
    if attribute.type.name == "decimal":
        precision, scale = (*attribute.type.arguments, 0)[:2]
        return pyarrow.decimal128(int(precision), int(scale))
    simple = {
        "date": pyarrow.date32(),
        "datetime": pyarrow.timestamp("us"),
        "bytes": pyarrow.binary(),
        "char": pyarrow.string(),
        "varchar": pyarrow.string(),
        "enum": pyarrow.string(),
        "uuid": pyarrow.string(),
        "json": pyarrow.string(),
    }
    return simple.get(attribute.type.name)


def _arrow_values(attribute: Attribute, values: Sequence[Any]) -> list[Any]:
    name = attribute.type.name if attribute.type else ""
    if name == "uuid":
        return [None if v is None else str(v) for v in values]
    if name == "json":
        return [None if v is None else json.dumps(v) for v in values]
    if attribute.is_codec:
        return [v.tolist() if isinstance(v, np.ndarray) else v for v in values]
    return list(values)


def _decoder(attribute: Attribute, backend: Any, squeeze: bool) -> Decode | None:
    if attribute.type is None:
        return None
    if attribute.is_codec:
        codec = get_codec(attribute.type.name)
        address = Address("", "", attribute.name, store=attribute.type.store)
        if not squeeze:
            return lambda stored: codec.decode(stored, address)
        return lambda stored: _squeezed(codec.decode(stored, address))
    plain: Decode | None = backend.decoder(attribute.type)
    if attribute.is_json:
        return json.loads
    return plain


def _squeezed(value: Any) -> Any:
    return np.squeeze(value) if isinstance(value, np.ndarray) else value
