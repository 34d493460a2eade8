"""xarray's objects written by xarray itself, which knows how its times, names and coordinates are encoded."""

from __future__ import annotations

from math import prod
from typing import Any

from djupyter.codecs.zarr_files import ZarrFiles
from djupyter.codecs.zarr_kinds import layout_hint
from djupyter.codecs.zarr_layout import PIECE, compressor, dividing, layout

# By these names xarray.open_dataarray knows what was no dataset.
_UNNAMED, _NAME = "__xarray_dataarray_variable__", "__xarray_dataarray_name__"


def write_xarray(value: Any, files: ZarrFiles) -> None:
    """Write a DataArray or a Dataset into an empty folder; Dask arrays in it by their blocks."""
    # Encodings belong to the files that the value came from, whose chunks may not fit those it has now.
    dataset = _dataset(value).drop_encoding()
    for name, variable in dataset.variables.items():
        blocks = _blocks(variable)
        if blocks is not None:
            dataset[name] = dataset[name].chunk(dict(zip(variable.dims, blocks, strict=True)))
    encoding = {
        name: _encoding(variable)
        for name, variable in dataset.variables.items()
        if variable.shape and variable.dtype.kind in "biufc"
    }
    dataset.to_zarr(
        files,
        mode="w-",
        zarr_format=3,
        consolidated=True,
        encoding=encoding,
        write_empty_chunks=True,
    )


def _dataset(value: Any) -> Any:
    if not hasattr(value, "to_dataset") or hasattr(value, "data_vars"):
        return value
    if value.name is None:
        return value.to_dataset(name=_UNNAMED)
    if value.name in value.coords or value.name in value.dims:
        dataset = value.to_dataset(name=_UNNAMED)
        dataset.attrs[_NAME] = value.name
        return dataset
    return value.to_dataset()


def _blocks(variable: Any) -> tuple[int, ...] | None:
    """Return the blocks in which a variable has to be cut before it is written; None where it may stay."""
    itemsize = variable.dtype.itemsize
    if variable.chunks is not None:
        is_even = all(
            {*sizes[:-1]} <= {sizes[0]} and sizes[-1] <= sizes[0] for sizes in variable.chunks
        )
        return None if is_even else layout_hint(variable, variable.shape)
    # Of a file that is read when needed xarray would read a whole variable.
    is_lazy = not getattr(variable, "_in_memory", True)
    too_large = prod(variable.shape) * itemsize > PIECE
    return layout(variable.shape, itemsize).chunks if is_lazy and too_large else None


def _encoding(variable: Any) -> dict[str, Any]:
    itemsize = variable.dtype.itemsize
    blocks = layout_hint(variable, variable.shape)
    chunks = layout(blocks or variable.shape, itemsize).chunks
    if blocks is not None:
        inside = dividing(blocks, chunks)
        divides = all(b % c == 0 for b, c in zip(blocks, inside, strict=True))
        chunks = inside if divides else blocks
    return {"compressors": (compressor(itemsize),), "chunks": chunks}
