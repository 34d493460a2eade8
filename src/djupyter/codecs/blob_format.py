r"""The serialized blob format of datajoint: what the writer, the reader and the summary share.

```
[ "ZL123\0"  u64 length  zlib stream ]     optional wrapper, for more than 1000 bytes
"mYm\0" | "dj0\0"                         protocol: MATLAB-compatible values only, or any
element                                    one code byte and its body, to the last byte
```

All numbers are little-endian; "sized" means a u64 length in front.
Source: the blob format of datajoint 2.x.
"""

from __future__ import annotations

from typing import Any

import numpy as np

ZLIB_MARK = b"ZL123\0"
MATLAB_PROTOCOL = b"mYm\0"
PYTHON_PROTOCOL = b"dj0\0"
COMPRESS_ABOVE = 1000  # bytes of protocol and element

# Each level takes three calls of the 1000 that Python allows. Deeper data contain themselves or are
# damaged.
MAX_DEPTH = 200

ABSENT = -1  # in the place of a date without time, or a time without date

CHAR, OBJECT, DOUBLE, SINGLE = 4, 5, 6, 7

_NUMBERS = ["<f8", "<f4", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8"]
_FIRST_DATETIME = 65536
_UNITS = ["Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as"]

# By numpy's own spelling of a dtype, which shows byte order and unit.
TYPE_IDS: dict[str, int] = {
    "|b1": 3,
    "|S1": CHAR,
    "|O": OBJECT,
    **{code: DOUBLE + number for number, code in enumerate(_NUMBERS)},
    **{f"<M8[{unit}]": _FIRST_DATETIME + number for number, unit in enumerate(_UNITS)},
}
# MATLAB's unknown, cell, struct and function handles carry numbers nobody interprets.
DTYPES: dict[int, np.dtype[Any]] = {
    **{number: np.dtype("<u8") for number in (0, 1, 2, 16)},
    **{number: np.dtype(code) for code, number in TYPE_IDS.items() if number != CHAR},
    CHAR: np.dtype("<u2"),
}


class MatCell(np.ndarray[Any, np.dtype[Any]]):
    """A MATLAB cell array: an object array that is written back as a cell array.

    Examples
    --------
    >>> np.array([[1.5, "a"]], dtype=object).view(MatCell)
    MatCell([[1.5, 'a']], dtype=object)
    """


class MatStruct(np.recarray[Any, np.dtype[Any]]):
    """A MATLAB struct array: a record array of objects that is written back as a struct array.

    Examples
    --------
    >>> np.array([[(1.5, "a")]], dtype=[("x", "O"), ("name", "O")]).view(MatStruct).name[0, 0]
    'a'
    """
