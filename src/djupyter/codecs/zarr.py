"""The `<zarr@store>` codec: arrays and groups as Zarr 3 in a store, read lazily through zarr itself.

Format: the Zarr specification, version 3; the folder is the object, the row has its address. Rows of the package
dj-zarr-codecs are read too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from djupyter.codecs.addressed import SchemaCodec
from djupyter.codecs.base import Context, store_of
from djupyter.codecs.zarr_kinds import kind_of
from djupyter.errors import DataJointError

if TYPE_CHECKING:
    from zarr import Array, Group

    from djupyter.codecs.zarr_files import ZarrFiles
    from djupyter.stores.store import Store


class ZarrCodec(SchemaCodec):
    """Arrays in chunks, and groups of them.

    NumPy arrays, Zarr arrays and groups, xarray's DataArray and Dataset, Dask arrays and whatever else has a
    `shape`, a NumPy `dtype` and slices (such as a dataset of h5py) go in, a piece at a time. An open
    `zarr.Array` or `zarr.Group` comes out, which reads the chunks that are asked for.
    """

    name: ClassVar[str] = "zarr"
    takes_staged: ClassVar[bool] = True

    def validate(self, value: Any) -> None:
        """Refuse what Zarr cannot hold."""
        kind_of(value)

    def encode(
        self,
        value: Any,
        *,
        key: dict[str, Any] | None = None,
        context: Context | None = None,
        store_name: str | None = None,
    ) -> dict[str, Any]:
        """Write the array or group and return its address."""
        # They import zarr, which few programs need.
        from djupyter.codecs.zarr_files import ZarrFiles
        from djupyter.codecs.zarr_writing import write

        assert context is not None, "an insert says where"
        kind = kind_of(value)
        store, path = self.place(key, context, store_name, ".zarr")
        context["staging"].claim(store, path)
        files = ZarrFiles(store, path, staging=context["staging"])
        is_complete = write(value, kind, files)
        document = {"path": path, "store": store.name, "is_dir": True}
        if kind in ("array", "zarr array"):
            shape = [int(n) for n in value.shape]
            document |= {"kind": "array", "shape": shape, "dtype": str(value.dtype)}
        else:
            document["kind"] = "group"
        document |= {"size": files.size, "item_count": files.item_count}
        return document | ({} if is_complete else {"sparse": True})

    def decode(
        self, stored: Any, *, key: dict[str, Any] | None = None, context: Context | None = None
    ) -> Array[Any] | Group:
        """Return the open array or group; only its metadata are read.

        Raises
        ------
        MissingExternalFile
            It is gone.
        DataJointError
            It is damaged, or not what the row says.
        """
        from djupyter.codecs.zarr_files import ZarrFiles, opened
        from djupyter.codecs.zarr_open import telling

        if not isinstance(stored, dict) or not isinstance(stored.get("path"), str):
            raise DataJointError("This is no Zarr array: the document in the row has no path.")
        store = store_of(stored, context)
        assert store is not None, "a query knows the stores"
        # Others leave chunks out that hold nothing but the fill value.
        complete = "item_count" in stored and not stored.get("sparse")
        files = ZarrFiles(store, stored["path"], read_only=True, complete=complete)
        # All that we write is version 3; others may have written version 2.
        found = opened(files, 3 if "kind" in stored else None)
        _check(found, stored, files)
        return telling(found)  # type: ignore[no-any-return]

    def staged_ext(self, ext: str | None, *, is_folder: bool) -> str:
        """Return `.zarr`: an array or group is a folder."""
        if not is_folder:
            raise DataJointError(
                '<zarr> is a folder: write it with `zarr.create_array(staged.store("..."), ...)`.'
            )
        return ".zarr"

    def describe_written(self, store: Store, path: str, ext: str | None) -> dict[str, Any]:
        """Return the document for an array or group that others have written, of whatever version.

        Raises
        ------
        DataJointError
            There is none, or it is damaged.
        """
        from djupyter.codecs.zarr_counting import written
        from djupyter.codecs.zarr_files import ZarrFiles, opened

        if next(iter(store.entries(path)), None) is None:
            raise DataJointError(f"Nothing was written to {path} of the store '{store.name}'.")
        files = ZarrFiles(store, path, read_only=True)
        found = opened(files)
        document: dict[str, Any] = {"path": path, "store": store.name, "is_dir": True}
        is_array = hasattr(found, "shape")
        if found.metadata.zarr_format == 3:  # its absence has readers find out
            document["kind"] = "array" if is_array else "group"
        if is_array:
            document |= {"shape": [*found.shape], "dtype": str(found.dtype)}
        size, items, is_complete = written(found, files)
        document |= {"size": size, "item_count": items}
        return document | ({} if is_complete else {"sparse": True})


def _check(found: Any, stored: dict[str, Any], files: ZarrFiles) -> None:
    """Raise when an array or group is not the one that was written."""
    shape, dtype = getattr(found, "shape", None), getattr(found, "dtype", None)
    what = "a group" if shape is None else f"an array {dtype} {shape}"
    if "shape" not in stored:
        if stored.get("kind") == "group" and shape is not None:
            raise _changed(files, what, "a group")
        return
    has_shape = shape is not None and [*shape] == [*stored["shape"]]
    if not has_shape or _native(dtype) != _native(stored.get("dtype")):
        raise _changed(files, what, f"an array {stored.get('dtype')} {tuple(stored['shape'])}")


def _changed(files: ZarrFiles, what: str, expected: str) -> DataJointError:
    return DataJointError(
        f"The Zarr folder {files.path} in the store '{files.objects.name}' holds {what}, not {expected} as the row "
        "says: it was changed."
    )


def _native(dtype: Any) -> str:
    """Return the name of a type in the byte order of this machine: files have the order of their codecs."""
    try:
        return str(np.dtype(dtype).newbyteorder("="))
    except TypeError:  # such as fields, which are recorded as a list
        return str(dtype).replace(">", "<")
