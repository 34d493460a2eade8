"""Rows of the two libraries, made comparable."""

from __future__ import annotations

from typing import Any

import numpy as np


def plain(value: Any) -> Any:
    """Return a value in a form that compares by `==`, whichever library it comes from.

    datajoint gives memoryviews on PostgreSQL, 0 and 1 for a bool on MySQL, and pads char(n) on PostgreSQL.
    """
    if isinstance(value, memoryview):
        return bytes(value)
    if isinstance(value, np.ndarray):
        return ("array", str(value.dtype), value.shape, value.tolist())
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def rows(query: Any) -> list[dict[str, Any]]:
    """Return the rows of a query of either library, in the order of the key."""
    found = [
        {name: plain(value) for name, value in row.items()}
        for row in query.to_dicts(order_by="KEY")
    ]
    for row in found:
        if isinstance(row.get("code"), str):
            row["code"] = row["code"].rstrip()
    return found
