"""What kind of value `<zarr>` was given, told without importing the libraries it may come from.

A value of a library cannot exist before the library is imported.
"""

from __future__ import annotations

import json
import sys
from typing import Any, Literal

import numpy as np

from djupyter.codecs.npy_ref import NpyRef
from djupyter.errors import DataJointError

Kind = Literal["array", "zarr array", "zarr group", "xarray"]


def kind_of(value: Any) -> Kind:
    """Return what kind of value it is.

    Raises
    ------
    DataJointError
        Of none that Zarr can hold.

    Examples
    --------
    >>> kind_of(np.zeros(3))
    'array'
    >>> kind_of([1, 2, 3])
    Traceback (most recent call last):
    djupyter.errors.DataJointError: <zarr> takes a NumPy, Dask or Zarr array, a Zarr group or an xarray object, ...
    """
    if _is(value, "zarr", "Array"):
        return "zarr array"
    if _is(value, "zarr", "Group"):
        return "zarr group"
    if _is(value, "xarray", "DataArray", "Dataset"):
        return "xarray"
    _check_array(value)
    return "array"


def layout_hint(value: Any, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the chunks in which an array is best read, when it says so as h5py does (a shape) or Dask (all sizes)."""
    chunks = getattr(value, "chunks", None)
    if not isinstance(chunks, tuple) or len(chunks) != len(shape) or not shape:
        return None
    sizes = [max(c, default=1) if isinstance(c, tuple) else c for c in chunks]
    return tuple(max(1, min(int(size), n)) for size, n in zip(sizes, shape, strict=True))


def attributes_of(value: Any) -> dict[str, Any]:
    """Return what an array is described with, as JSON can hold it; references of HDF5 are left out."""
    given = getattr(value, "attrs", None)
    if given is None or not hasattr(given, "items"):
        return {}
    attributes = {str(name): _plain(item) for name, item in given.items()}
    for name, item in attributes.items():
        try:
            json.dumps(item)
        except (TypeError, ValueError) as error:
            raise DataJointError(
                f"Zarr keeps attributes as JSON, which cannot hold the attribute {name!r} of this array: {error}."
            ) from error
    return {name: item for name, item in attributes.items() if item is not None}


def _plain(item: Any) -> Any:
    if isinstance(item, np.ndarray | np.generic):
        return None if item.dtype.hasobject else _plain(item.tolist())
    return item.decode(errors="replace") if isinstance(item, bytes) else item


def _is(value: Any, module: str, *names: str) -> bool:
    loaded = sys.modules.get(module)
    kinds = tuple(getattr(loaded, name) for name in names if hasattr(loaded, name))
    return isinstance(value, kinds)


def _check_array(value: Any) -> None:
    dtype, shape = getattr(value, "dtype", None), getattr(value, "shape", None)
    is_frame = hasattr(value, "iloc")
    readable = isinstance(value, NpyRef) or hasattr(value, "__getitem__")
    if not (isinstance(dtype, np.dtype) and isinstance(shape, tuple) and readable) or is_frame:
        advice = "frames go into <parquet>" if is_frame else "np.asarray(value) makes an array"
        raise DataJointError(
            "<zarr> takes a NumPy, Dask or Zarr array, a Zarr group or an xarray object, "
            f"not {type(value).__name__}: {advice}."
        )
    if dtype.hasobject and dtype.kind != "T":
        raise DataJointError(
            "<zarr> does not support object dtype arrays: give the elements one type with .astype(...)."
        )
    if isinstance(value, np.ma.MaskedArray):
        raise DataJointError("<zarr> would lose the mask of a masked array: call .filled(...).")
    if any(not isinstance(n, int | np.integer) for n in shape):
        raise DataJointError(
            f"The array does not know its shape {shape}: call .compute_chunk_sizes()."
        )
