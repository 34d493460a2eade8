"""The `<npy@store>` codec: NumPy arrays as .npy files in a store, read lazily through an `NpyRef`.

Format: numpy.save without pickle (NEP 1).
"""

from __future__ import annotations

import io
from typing import IO, Any, ClassVar

import numpy as np

from djupyter.codecs.addressed import SchemaCodec
from djupyter.codecs.base import Context, preview_bytes, store_of
from djupyter.codecs.npy_ref import NpyRef
from djupyter.errors import DataJointError
from djupyter.stores.store import Store


class NpyCodec(SchemaCodec):
    """NumPy arrays of any dtype but object."""

    name: ClassVar[str] = "npy"
    takes_staged: ClassVar[bool] = True

    def validate(self, value: Any) -> None:
        """Refuse what is no array, and arrays of objects."""
        if isinstance(value, NpyRef):
            return
        if not isinstance(value, np.ndarray):
            raise DataJointError(f"<npy> requires numpy.ndarray, got {type(value).__name__}")
        if value.dtype.hasobject:
            raise DataJointError("<npy> does not support object dtype arrays")

    def encode(
        self,
        value: Any,
        *,
        key: dict[str, Any] | None = None,
        context: Context | None = None,
        store_name: str | None = None,
    ) -> dict[str, Any]:
        """Write the array and return its address, with dtype and shape."""
        assert context is not None, "an insert says where"
        if isinstance(value, NpyRef) and value.is_in(context["stores"].get(value.store)):
            return value.to_json()
        array = value.load() if isinstance(value, NpyRef) else value
        store, path = self.place(key, context, store_name, ".npy")
        context["staging"].put(store, path, npy_parts(array))
        return _document(store, path, array.dtype, array.shape)

    def staged_ext(self, ext: str | None, *, is_folder: bool) -> str:
        """Return `.npy`: an array is one file."""
        if is_folder:
            raise DataJointError(
                '<npy> is one file: write it with `with staged.open("...") as f: numpy.save(f, array)`.'
            )
        return ".npy"

    def describe_written(self, store: Store, path: str, ext: str | None) -> dict[str, Any]:
        """Return the document for a .npy file, of which only the header is read."""
        if store.info(path) is None:
            raise DataJointError(f"Nothing was written to {path} of the store {store.name!r}.")
        with store.open(path) as file:
            try:
                shape, dtype = _read_header(file)
            except ValueError as error:
                raise DataJointError(
                    f"What was written to {path} is no .npy file: {error}."
                ) from error
        return _document(store, path, dtype, shape)

    def decode(
        self, stored: Any, *, key: dict[str, Any] | None = None, context: Context | None = None
    ) -> NpyRef:
        """Return what loads the array, without reading anything."""
        return NpyRef(stored, store_of(stored, context), preview_bytes(context))


def _document(
    store: Store, path: str, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> dict[str, Any]:
    return {"path": path, "store": store.name, "dtype": str(dtype), "shape": list(shape)}


def npy_parts(array: np.ndarray[Any, Any]) -> list[bytes | memoryview]:
    """Return the pieces of a .npy file: its header, and the memory of the array itself where that is contiguous.

    >>> import io
    >>> np.load(io.BytesIO(b"".join(npy_parts(np.arange(3.0)))))
    array([0., 1., 2.])
    """
    plain = np.asarray(array)
    if not plain.flags.c_contiguous and plain.flags.f_contiguous:
        contents = plain.T  # the same memory; the header says in which order it is
    else:
        contents = np.ascontiguousarray(plain)
    flat = contents.reshape(-1).view(np.uint8) if plain.size else np.empty(0, np.uint8)
    return [_header(plain), flat.data]


def _header(array: np.ndarray[Any, Any]) -> bytes:
    header = io.BytesIO()
    described = np.lib.format.header_data_from_array_1_0(array)
    try:
        np.lib.format.write_array_header_1_0(header, described)
    except ValueError:  # too long for the first version of the format
        header = io.BytesIO()
        np.lib.format.write_array_header_2_0(header, described)
    return header.getvalue()


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0
    if version != (1, 0):
        read = np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    if dtype.hasobject:
        raise ValueError("it holds Python objects")
    return shape, dtype
