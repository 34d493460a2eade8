"""`fetch` as it was before datajoint 2: one method for all forms of results."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from djupyter.errors import DataJointError
from djupyter.query.fetch import Columns

if TYPE_CHECKING:
    from djupyter.query.expression import Query


def fetch(
    query: Query,
    read: Callable[[Sequence[str]], Columns],
    attributes: tuple[str, ...],
    as_dict: bool,
    format: str | None,
    **options: Any,
) -> Any:
    """Return a result in the old forms; see `Query.fetch`."""
    # From here through `Query.fetch` to whoever called it.
    warnings.warn(
        "fetch() is kept for older code: use to_dicts(), to_arrays(), to_pandas(), keys() or fetch1().",
        DeprecationWarning,
        stacklevel=3,
    )
    if format not in (None, "array", "frame"):
        raise DataJointError(f"fetch has the formats 'array' and 'frame', not {format!r}.")
    if format == "frame":
        if attributes or as_dict:
            raise DataJointError(
                "fetch(format='frame') gives all attributes: choose some with .proj() first."
            )
        return query.to_pandas(**options)
    if not attributes:
        return query.to_dicts(**options) if as_dict else query.to_arrays(**options)
    key = query.primary_key
    names = [n for name in attributes for n in (key if name == "KEY" else [name])]
    result = read(list(dict.fromkeys(names)))
    if as_dict:
        return result.dicts()
    found = [result.dicts(key) if name == "KEY" else result.array(name) for name in attributes]
    return found[0] if len(found) == 1 else found
