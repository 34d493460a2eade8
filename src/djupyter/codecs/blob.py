"""The `<blob>` codec: any Python value and numpy array, in datajoint's own byte format.

```
value --pack--> bytes, in the row or in a store --unpack--> value
```

Packages and MATLAB programs of the datajoint family read and write the same bytes.
"""

from __future__ import annotations

from typing import Any, ClassVar

from djupyter.codecs.base import Codec
from djupyter.codecs.blob_format import MatCell, MatStruct
from djupyter.codecs.blob_reader import read
from djupyter.codecs.blob_summary import summary
from djupyter.codecs.blob_writer import pack
from djupyter.errors import DataJointError

__all__ = ["BlobCodec", "MatCell", "MatStruct", "pack", "unpack", "use_32bit_dims"]

# Part of datajoint's public API: set it to read blobs that a 32-bit build of mYm wrote.
use_32bit_dims = False


def unpack(data: bytes | bytearray | memoryview | None, squeeze: bool = False) -> Any:
    """Return the value that a blob stands for.

    Parameters
    ----------
    data
        The whole blob; None gives None.
    squeeze
        Whether to remove singleton dimensions of arrays; those left without any become
        Python scalars.

    Returns
    -------
    object
        The value; None also for data in no known protocol. Arrays are read-only:
        copy one to change it.

    Raises
    ------
    DataJointError
        The data are damaged, or no bytes at all.

    Examples
    --------
    >>> unpack(pack({"trials": [1, 2, 3]}))
    {'trials': [1, 2, 3]}
    """
    if data is None:
        return None
    if not isinstance(data, bytes | bytearray | memoryview):
        raise DataJointError(
            f"A blob is made of bytes, not of {type(data)}. "
            "Give what pack() returned or a database holds."
        )
    if isinstance(data, memoryview) and not (data.c_contiguous and data.format == "B"):
        data = data.tobytes()
    return read(data, squeeze=squeeze, use_32bit_dims=use_32bit_dims)


class BlobCodec(Codec):
    """Values that `pack` can serialize, compressed: in the row, or in a store by their content."""

    name: ClassVar[str] = "blob"

    def get_dtype(self, is_store: bool) -> str:
        """Return `bytes`, or `<hash>` for a blob in a store."""
        return "<hash>" if is_store else "bytes"

    def encode(self, value: Any, **_: Any) -> bytes:
        """Return the packed bytes."""
        try:
            return pack(value)
        except UnicodeEncodeError as error:
            raise DataJointError(f"The text is not valid Unicode: {error}") from error

    def decode(self, stored: Any, **_: Any) -> Any:
        """Return the value of packed bytes."""
        return unpack(stored)

    def summarize(self, prefix: bytes, size: int) -> str:
        """Return what a repr shows: `float64 (1000, 3)`, `dict 4 keys`, `str 1.2 kB`."""
        return summary(prefix, size)
