"""Which row and value of a batch the database has refused, where it does not say so itself. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from djupyter.errors import InvalidValueError, TooLargeError
from djupyter.heading.structure import TableStructure
from djupyter.table.encoding import place
from djupyter.table.rows import Batch

# Halves of characters, which no database takes, before the one that only some do not.
_UNFIT = (re.compile("[\ud800-\udfff]"), re.compile("\0"))


def with_largest(error: TooLargeError, structure: TableStructure, batch: Batch) -> TooLargeError:
    """Return the error with the largest value of the batch, which the database has refused in any case.

    Parameters
    ----------
    error
        What the database said.
    structure
        The table.
    batch
        Its new rows, as the driver takes them.
    """
    held = {*structure.full_key, *(n for index in structure.indexes for n in index.attributes)}
    sizes = _sizes(batch, held if error.in_index else set(batch.names))
    size, row, name = max(sizes, key=lambda found: found[0], default=(0, 0, ""))
    if not size:
        return error
    told = str(error.args[0]).removeprefix(f"{structure.name}: ")
    return TooLargeError(
        f"{place(structure, batch, row)}: {told} The largest value is that of `{name}`, {size:,} bytes.",
        error.args[-1],
    )


def with_character(
    error: InvalidValueError, structure: TableStructure, batch: Batch
) -> InvalidValueError:
    """Return the error with the first text that has a character which cannot be stored, if that is the reason."""
    for unfit in _UNFIT:
        for name, column in zip(batch.names, batch.columns, strict=True):
            for row, value in enumerate(column):
                if isinstance(value, str) and unfit.search(value):
                    declared = structure.heading[name].type_text
                    return InvalidValueError(
                        f"{place(structure, batch, row)}: attribute `{name}` : {declared} cannot hold "
                        f"{value[:80]!r}. {error} Nothing was inserted."
                    )
    return error


def _sizes(batch: Batch, names: set[str]) -> Iterator[tuple[int, int, str]]:
    for name, column in zip(batch.names, batch.columns, strict=True):
        if name in names:
            for row, value in enumerate(column):
                if isinstance(value, bytes | bytearray | memoryview):
                    yield len(value), row, name
                elif isinstance(value, str):
                    yield len(value.encode(errors="replace")), row, name
