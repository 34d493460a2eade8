"""Results as pandas, Arrow and polars tables, whose types come from the heading: an empty result keeps them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from djupyter.errors import DataJointError
from djupyter.heading.attribute import Attribute
from djupyter.query.fetch import Columns, flat_array

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

_TEXTS = {"char", "varchar", "enum"}


def frame(result: Columns) -> pandas.DataFrame:
    """Return a DataFrame indexed by the primary key."""
    import pandas

    series = {
        attribute.name: _series(attribute, values)
        for attribute, values in zip(result.attributes, result.values, strict=True)
    }
    data = pandas.DataFrame(series, index=pandas.RangeIndex(result.size))
    key = [attribute.name for attribute in result.attributes if attribute.in_key]
    return data.set_index(key) if key else data


def _series(attribute: Attribute, values: Sequence[Any]) -> Any:
    import pandas

    kind = attribute.dtype
    name = attribute.type.name if attribute.type else ""
    if kind in ("int64", "bool") and None in values:
        return pandas.array(list(values), dtype={"int64": "Int64", "bool": "boolean"}[kind])
    if name in ("datetime", "timestamp"):
        return pandas.array(list(values), dtype="datetime64[us]")
    if name in _TEXTS:
        return pandas.array(list(values), dtype="str")
    return list(values) if attribute.type is None and values else flat_array(attribute, values)


def arrow(result: Columns) -> pyarrow.Table:
    """Return an Arrow table.

    Raises
    ------
    DataJointError
        The values of an attribute are too different for one Arrow type.
    """
    import pyarrow

    arrays = []
    for attribute, values in zip(result.attributes, result.values, strict=True):
        try:
            arrays.append(
                pyarrow.array(_arrow_values(attribute, values), type=_arrow_type(attribute))
            )
        except (pyarrow.ArrowException, OverflowError) as error:
            raise DataJointError(
                f"The values of `{attribute.name}` ({attribute.type_text}) have no common Arrow type: {error}. "
                f'Leave it out with .proj(..., "-{attribute.name}"), or use to_dicts() or to_pandas().'
            ) from error
    return pyarrow.table(arrays, names=result.names)


def polars_frame(result: Columns) -> polars.DataFrame:
    """Return a polars frame, through Arrow."""
    import polars

    data = polars.from_arrow(arrow(result))
    assert isinstance(data, polars.DataFrame), "a table becomes a frame"
    return data


def _arrow_type(attribute: Attribute) -> Any:
    import pyarrow

    if attribute.type is None:
        return None
    kind = attribute.dtype
    if kind != "object":
        return {"int64": pyarrow.int64, "float64": pyarrow.float64, "bool": pyarrow.bool_}[kind]()
    name = attribute.type.name
    if name == "decimal":
        precision, scale = (*map(int, attribute.type.arguments), 0)[:2]
        return (pyarrow.decimal128 if precision <= 38 else pyarrow.decimal256)(precision, scale)
    if name in _TEXTS or name in ("uuid", "json"):
        return pyarrow.string()
    simple = {"date": pyarrow.date32(), "datetime": pyarrow.timestamp("us")}
    return simple.get(name, pyarrow.binary() if name == "bytes" else None)


def _arrow_values(attribute: Attribute, values: Sequence[Any]) -> list[Any]:
    name = attribute.type.name if attribute.type else ""
    if name == "uuid":
        return [None if value is None else str(value) for value in values]
    if name == "json":
        return [None if value is None else json.dumps(value) for value in values]
    if attribute.is_codec:
        return [*map(_arrow_value, values)]
    return list(values)


def _arrow_value(value: Any) -> Any:
    """Return a value of a codec; of what lies in a store the document of the row, as text."""
    from djupyter.codecs.npy_ref import NpyRef
    from djupyter.codecs.object_ref import ObjectRef

    if isinstance(value, NpyRef | ObjectRef):
        return json.dumps(value.to_json())
    return value.tolist() if isinstance(value, np.ndarray) else value
