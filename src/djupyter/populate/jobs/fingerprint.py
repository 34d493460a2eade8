"""A short text that is the same for the same values: by it a report says which inputs a result had."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy as np


def fingerprint(value: Any) -> str:
    """Return the fingerprint of what a make has fetched; arrays are read in place, not copied.

    Examples
    --------
    >>> fingerprint({"a": np.arange(3)}) == fingerprint({"a": np.array([0, 1, 2])})
    True
    >>> fingerprint([1, 2]) == fingerprint([2, 1])
    False
    """
    digest = hashlib.blake2b(digest_size=16)
    _feed(digest, value)
    return digest.hexdigest()


def _feed(digest: Any, value: Any) -> None:
    if isinstance(value, np.ndarray):
        digest.update(f"array {value.dtype.str} {value.shape} ".encode())
        if value.dtype.hasobject:
            for each in value.ravel().tolist():
                _feed(digest, each)
        else:
            digest.update(np.ascontiguousarray(value).view(np.uint8).data if value.size else b"")
    elif isinstance(value, bytes | bytearray | memoryview):
        digest.update(b"bytes ")
        digest.update(value)
    elif isinstance(value, Mapping):
        digest.update(f"mapping {len(value)} ".encode())
        for name in sorted(value, key=str):
            _feed(digest, name)
            _feed(digest, value[name])
    elif isinstance(value, Set):
        digest.update(f"set {sorted(map(repr, value))}".encode())
    elif isinstance(value, Sequence) and not isinstance(value, str):
        digest.update(f"sequence {len(value)} ".encode())
        for each in value:
            _feed(digest, each)
    elif hasattr(value, "to_numpy"):  # frames and series
        digest.update(f"{type(value).__name__} {list(getattr(value, 'columns', ()))} ".encode())
        _feed(digest, value.to_numpy())
    else:
        digest.update(f"{type(value).__name__} {value!r} ".encode())
