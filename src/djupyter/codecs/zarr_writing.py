"""Arrays and groups written as Zarr 3, a piece at a time: what is larger than memory passes through.

This module imports zarr: it is imported when the first value is written.
"""

from __future__ import annotations

import warnings
from math import prod
from typing import Any

import numpy as np
import zarr

from djupyter.codecs.npy_ref import NpyRef
from djupyter.codecs.zarr_files import ZarrFiles
from djupyter.codecs.zarr_kinds import Kind, attributes_of, layout_hint
from djupyter.codecs.zarr_layout import CHUNK, Layout, compressor, dividing, layout, pieces
from djupyter.codecs.zarr_xarray import write_xarray
from djupyter.errors import DataJointError


def write(value: Any, kind: Kind, files: ZarrFiles) -> bool:
    """Write a value into an empty folder; return whether every chunk was written.

    A chunk of a Zarr array that holds nothing but the fill value is not written, as Zarr does by default; all others
    are, so that one that is missing later is noticed.

    Raises
    ------
    DataJointError
        Zarr has no type for its elements.
    """
    with warnings.catch_warnings():
        # Types and consolidated metadata that the specification of Zarr 3 does not have yet.
        warnings.simplefilter("ignore")
        if kind == "xarray":
            write_xarray(value, files)
            return True
        if kind == "zarr group":
            return _copy_group(value, files)
        if kind == "zarr array":
            return _copy_array(value, files, "")
        return _write_array(value, files)


def _write_array(value: Any, files: ZarrFiles, path: str = "") -> bool:
    source = value.load(mmap_mode="r") if isinstance(value, NpyRef) else value
    shape = tuple(int(n) for n in source.shape)
    plan = _plan(source, shape)
    try:
        target = zarr.create_array(
            files,
            shape=shape,
            name=path or None,
            dtype=_storable(source.dtype),
            chunks=plan.chunks,
            shards=plan.shards,
            compressors=compressor(source.dtype.itemsize),
            attributes=attributes_of(source),
            config={"write_empty_chunks": True},
        )
    except (ValueError, TypeError) as error:
        raise DataJointError(
            f"Zarr cannot hold elements of the type {source.dtype}: {error}."
        ) from error
    _copy(source, target, plan.shards or plan.chunks)
    return True


def _plan(source: Any, shape: tuple[int, ...]) -> Layout:
    itemsize = source.dtype.itemsize
    hint = layout_hint(source, shape)
    # What is read together lies together: large blocks are cut, others stay unless they are tiny.
    if hint is not None and prod(hint) * itemsize >= CHUNK // 16:
        return Layout(dividing(hint, layout(hint, itemsize).chunks))
    flags = getattr(source, "flags", None)
    fortran = bool(flags is not None and flags.f_contiguous and not flags.c_contiguous)
    return layout(shape, itemsize, fortran=fortran)


def _storable(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return a type that Zarr 3 keeps: of fields it forgets the order of bytes (zarr 3.1.6), and reads other values."""
    return dtype.newbyteorder("=") if dtype.fields else dtype


def _copy(source: Any, target: Any, unit: tuple[int, ...]) -> None:
    for piece in pieces(target.shape, unit, target.dtype.itemsize):
        part = np.asarray(source[piece])
        target[piece] = part.astype(target.dtype) if part.dtype.fields else part


def _copy_array(source: Any, files: ZarrFiles, path: str) -> bool:
    if _storable(source.dtype) != source.dtype:
        return _write_array(source, files, path)
    before = files.chunks
    is_v3 = source.metadata.zarr_format == 3
    target = zarr.from_array(
        files,
        name=path or None,
        data=source,
        write_data=False,
        zarr_format=3,
        chunks="keep",
        shards="keep",
        # Version 2 has other codecs.
        compressors="keep" if is_v3 else compressor(source.dtype.itemsize),
        filters="keep" if is_v3 else "auto",
        serializer="keep" if is_v3 else "auto",
        fill_value=source.fill_value if source.fill_value is not None else 0,
        attributes=source.attrs.asdict(),
        dimension_names=_dimensions(source),
        config={"write_empty_chunks": False},
    )
    unit = target.shards or target.chunks
    _copy(source, target, unit)
    expected = prod(-(-n // u) for n, u in zip(target.shape, unit, strict=True))
    return files.chunks - before == expected


def _dimensions(source: Any) -> Any:
    return getattr(source.metadata, "dimension_names", None)


def _copy_group(source: Any, files: ZarrFiles) -> bool:
    complete = True
    zarr.create_group(files, attributes=source.attrs.asdict(), zarr_format=3)
    # Names are relative to the group, folders come before what is in them.
    for name, member in sorted(source.members(max_depth=None)):
        if isinstance(member, zarr.Group):
            zarr.create_group(files, path=name, attributes=member.attrs.asdict(), zarr_format=3)
        else:
            complete &= _copy_array(member, files, name)
    # One request opens all of it.
    zarr.consolidate_metadata(files, zarr_format=3)
    return complete
