"""The `<npy@store>` codec: NumPy arrays as .npy files in a store, read lazily through an `NpyRef`.

Format: numpy.save without pickle (NEP 1).
"""

from __future__ import annotations

import io
from typing import Any, ClassVar

import numpy as np

from djupyter.codecs.addressed import SchemaCodec
from djupyter.codecs.base import Context, preview_bytes
from djupyter.codecs.npy_ref import NpyRef
from djupyter.errors import DataJointError


class NpyCodec(SchemaCodec):
    """NumPy arrays of any dtype but object."""

    name: ClassVar[str] = "npy"

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
        array = value.load() if isinstance(value, NpyRef) else value
        store, path = self.place(key, context, store_name, ".npy")
        context["staging"].put(store, path, npy_parts(array))
        return {
            "path": path,
            "store": store.name,
            "dtype": str(array.dtype),
            "shape": list(array.shape),
        }

    def decode(
        self, stored: Any, *, key: dict[str, Any] | None = None, context: Context | None = None
    ) -> NpyRef:
        """Return what loads the array, without reading anything."""
        store = context["stores"].get(stored.get("store")) if context else None
        return NpyRef(stored, store, preview_bytes(context))


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
