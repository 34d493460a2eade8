"""Open arrays and groups of Zarr that say where a chunk is damaged.

What reads chunks raises whatever its decompression does, without a name. This module imports zarr.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import zarr

from djupyter.codecs.zarr_files import ZarrFiles
from djupyter.errors import DataJointError

# Of a wrong selection, which is the caller's.
_OF_CALLER = (IndexError, KeyError, TypeError, NotImplementedError)


def telling(found: Any) -> Any:
    """Return an open array or group that names what cannot be read."""
    if isinstance(found, zarr.Array):
        return OpenArray(found.async_array)
    return OpenGroup(found._async_group) if isinstance(found, zarr.Group) else found


class OpenArray(zarr.Array[Any]):
    """A `zarr.Array` as a query gives it."""

    def get_basic_selection(self, *args: Any, **kwargs: Any) -> Any:
        """Return a selection by whole numbers and slices."""
        with _named(self):
            return super().get_basic_selection(*args, **kwargs)

    def get_orthogonal_selection(self, *args: Any, **kwargs: Any) -> Any:
        """Return a selection of each axis by itself."""
        with _named(self):
            return super().get_orthogonal_selection(*args, **kwargs)

    def get_mask_selection(self, *args: Any, **kwargs: Any) -> Any:
        """Return the elements where a mask is true."""
        with _named(self):
            return super().get_mask_selection(*args, **kwargs)

    def get_coordinate_selection(self, *args: Any, **kwargs: Any) -> Any:
        """Return the elements at some places."""
        with _named(self):
            return super().get_coordinate_selection(*args, **kwargs)

    def get_block_selection(self, *args: Any, **kwargs: Any) -> Any:
        """Return whole chunks."""
        with _named(self):
            return super().get_block_selection(*args, **kwargs)


class OpenGroup(zarr.Group):
    """A `zarr.Group` as a query gives it."""

    def __getitem__(self, path: str) -> Any:
        return telling(super().__getitem__(path))

    def members(self, *args: Any, **kwargs: Any) -> Any:
        """Return what is in it, by name."""
        return tuple((name, telling(member)) for name, member in super().members(*args, **kwargs))

    def arrays(self, *args: Any, **kwargs: Any) -> Any:
        """Yield the arrays in it, by name."""
        return ((name, telling(member)) for name, member in super().arrays(*args, **kwargs))

    def groups(self, *args: Any, **kwargs: Any) -> Any:
        """Yield the groups in it, by name."""
        return ((name, telling(member)) for name, member in super().groups(*args, **kwargs))


@contextmanager
def _named(array: OpenArray) -> Iterator[None]:
    try:
        yield
    except (DataJointError, *_OF_CALLER):
        raise
    except Exception as error:  # codecs are of many packages
        files = array.store
        where = f"{files.path}/{array.path}".rstrip("/") if isinstance(files, ZarrFiles) else files
        raise DataJointError(
            f"The Zarr array {where} cannot be read: {type(error).__name__}: {error}. If this selection is right, a "
            "chunk is damaged."
        ) from error
