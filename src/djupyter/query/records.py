"""Rows to dicts.

A dict display in a comprehension is two to four times as fast as `dict(zip(names, row))`, and decoding in the same
place spares a second pass; Python makes one only from text, so for each set of names such a comprehension is compiled,
once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

Decode = Callable[[Any], Any]
Record = dict[str, Any]


def records(
    rows: Iterable[Sequence[Any]],
    names: tuple[str, ...],
    decoders: Sequence[Decode | None] | None = None,
) -> list[Record]:
    """Return a mapping for each row.

    Parameters
    ----------
    rows
        Each has a value for each name.
    names
        At least one.
    decoders
        What decodes the values of each name, NULL excepted; None for nothing.

    Examples
    --------
    >>> records([(1, "2"), (3, None)], ("a", "b"), (None, int))
    [{'a': 1, 'b': 2}, {'a': 3, 'b': None}]
    """
    if decoders is None or not any(decoders):
        return _maker(names, ())(rows)
    decoded = tuple(place for place, decode in enumerate(decoders) if decode)
    return _maker(names, decoded)(rows, *filter(None, decoders))


@lru_cache(maxsize=1024)
def _maker(names: tuple[str, ...], decoded: tuple[int, ...]) -> Callable[..., list[Record]]:
    """Return the comprehension for some names, of which those at some places are decoded."""
    # Only numbers and quoted names become text that is run.
    values = [
        f"None if v{i} is None else d{i}(v{i})" if i in decoded else f"v{i}"
        for i in range(len(names))
    ]
    pairs = ", ".join(f"{name!r}: {value}" for name, value in zip(names, values, strict=True))
    variables = "".join(f"v{i}, " for i in range(len(names)))
    parameters = "".join(f", d{i}" for i in decoded)
    code = f"lambda rows{parameters}: [{{{pairs}}} for {variables} in rows]"
    made: Callable[..., list[Record]] = eval(code, {})
    return made
