"""Rows in any form that users have them, to batches of columns. Pure: nothing here knows a table or a connection.

Mappings, sequences, records, frames, Arrow tables and CSV files all become `Batch` after `Batch`, so that what
follows works on whole columns, whatever the rows came as.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import numpy as np

from djupyter.errors import DataJointError

Columns = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that give the same attributes, by column.

    Parameters
    ----------
    names
        The attributes given.
    columns
        One sequence of values for each name.
    size
        Number of rows; columns do not tell when no attribute is given.
    first
        Position of the first row in what the user gave, counted from 0.
    from_text
        Whether values are text as in a CSV file, where an empty text stands for a missing value.
    """

    names: tuple[str, ...]
    columns: tuple[Sequence[Any], ...]
    size: int
    first: int = 0
    from_text: bool = False


def batches(rows: Any, names: Sequence[str], size: int) -> Iterator[Batch]:
    """Return rows in any form as batches of columns.

    Parameters
    ----------
    rows
        What the user gave.
    names
        Attributes of the table in order, for rows that are sequences.
    size
        Rows of a batch, at most.

    Raises
    ------
    DataJointError
        Rows have a form that cannot be read.

    Examples
    --------
    >>> [(b.names, b.columns) for b in batches([{"a": 1}, {"a": 2, "x": 0}], ["a", "x"], 10)]
    [(('a',), ([1],)), (('a', 'x'), ([2], [0]))]
    """
    if isinstance(rows, Path):
        return _from_csv(rows, size)
    columns = _columns_of(rows)
    if columns is not None:
        return _sliced(columns, len(rows), size)
    if isinstance(rows, str | bytes | Mapping) or not isinstance(rows, Iterable):
        raise DataJointError(
            f"insert takes many rows: a list of mappings, a frame, a pathlib.Path to a CSV file or a query, not "
            f"{type(rows).__name__}. For one row use insert1."
        )
    return _from_rows(iter(rows), names, size)


def one_row(row: Any) -> Any:
    """Return what was given to insert1, if it is one row.

    Raises
    ------
    DataJointError
        It is a frame, a query or a list of rows.

    Examples
    --------
    >>> one_row([{"a": 1}, {"a": 2}])
    Traceback (most recent call last):
    ...
    djupyter.errors.DataJointError: insert1 takes one row, not a list of 2. Use insert for many rows.
    """
    if type(row) is dict:
        return row
    if (
        isinstance(row, list | tuple)
        and row
        and all(isinstance(x, Mapping | list | tuple) for x in row)
    ):
        raise DataJointError(
            f"insert1 takes one row, not a {type(row).__name__} of {len(row)}. Use insert for many rows."
        )
    # np.void is one record, and a sequence of its values.
    if isinstance(row, Mapping | np.void | Sequence) and not isinstance(row, str | bytes):
        return row
    if isinstance(row, np.ndarray) and row.ndim == 1 and not row.dtype.names:
        return row
    raise DataJointError(
        f"insert1 takes one row, a mapping or a sequence of all attributes in order, not {type(row).__name__}. "
        "Use insert for many rows."
    )


def _refuse_twice(names: Iterable[str], where: str) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataJointError(
            f"{where} names `{twice[0]}` more than once: which of its values is meant? "
            "Rename or remove one."
        )


# Rows one by one


def _from_rows(rows: Iterator[Any], names: Sequence[str], size: int) -> Iterator[Batch]:
    position = 0
    # itertools.batched comes with Python 3.12.
    while piece := list(islice(rows, size)):
        alike = _alike(piece, names)
        if alike is not None:
            yield Batch(*alike, len(piece), position)
            position += len(piece)
            continue
        for given, group in groupby(piece, lambda row: _given(row, names)):
            members = list(group)
            yield Batch(tuple(given), _transposed(given, members), len(members), position)
            position += len(members)


def _alike(
    piece: list[Any], names: Sequence[str]
) -> tuple[tuple[str, ...], tuple[Sequence[Any], ...]] | None:
    """Return rows that are all plain dicts with the same names, or all plain tuples, as columns.

    The commonest case, judged without a call for each row; None for any other.
    """
    (kind, *others) = set(map(type, piece))
    if others or kind not in (dict, tuple) or len(set(map(len, piece))) > 1 or not piece[0]:
        return None
    if kind is tuple:
        columns = tuple(zip(*piece, strict=True))
        return (tuple(names), columns) if len(columns) == len(names) else None
    given = tuple(piece[0])
    try:
        # As many names as the first row, and all of them: the same names.
        return given, tuple([row[name] for row in piece] for name in given)
    except KeyError:
        return None


def _transposed(given: Iterable[str], members: Sequence[Any]) -> tuple[Sequence[Any], ...]:
    if isinstance(members[0], Mapping):
        return tuple([row[name] for row in members] for name in given)
    return tuple(zip(*members, strict=True))


def _given(row: Any, names: Sequence[str]) -> Iterable[str]:
    """Return what a row gives, such that rows which can share a batch compare equal."""
    if isinstance(row, Mapping):
        return (
            row.keys()
        )  # a set to `==`: the order in which a mapping names attributes does not matter
    if isinstance(row, np.void) and row.dtype.names:
        return row.dtype.names
    if isinstance(row, str | bytes) or not isinstance(row, Sequence | np.ndarray):
        raise DataJointError(
            f"Datatype {type(row)} cannot be inserted. A row is a mapping, a record, or a sequence of all "
            f"attributes in order: {', '.join(names)}."
        )
    if len(row) != len(names):
        raise DataJointError(
            f"Invalid insert argument. Incorrect number of attributes: {len(row)} given; {len(names)} expected "
            f"({', '.join(names)})."
        )
    return tuple(names)


# Rows that lie in columns


def _columns_of(rows: Any) -> Callable[[slice], Columns] | None:
    """Return what cuts rows out of a frame, a table or a record array; None for anything else."""
    if isinstance(rows, np.ndarray) and rows.dtype.names:
        names, records = rows.dtype.names, rows.ravel()
        return lambda part: {name: records[name][part] for name in names}
    if _is_a(rows, "pandas", "DataFrame"):
        # A named index holds attributes, an unnamed one only numbers the rows.
        frame = rows.reset_index() if any(name is not None for name in rows.index.names) else rows
        _refuse_twice(map(str, frame.columns), "The frame")
        return lambda part: {
            str(name): _values(series) for name, series in frame.iloc[part].items()
        }
    if _is_a(rows, "polars", "DataFrame"):
        return lambda part: rows[part].to_dict(as_series=False)
    if _is_a(rows, "pyarrow", "Table"):
        _refuse_twice(rows.column_names, "The table")
        return lambda part: rows.slice(part.start, part.stop - part.start).to_pydict()
    return None


def _is_a(value: object, module: str, name: str) -> bool:
    # Values of a package exist only once it is loaded, so nobody waits here for its import.
    loaded = sys.modules.get(module)
    return loaded is not None and isinstance(value, getattr(loaded, name, ()))


def _values(series: Any) -> Sequence[Any]:
    missing = series.isna()
    if missing.any():
        return [None if gone else value for value, gone in zip(series, missing, strict=True)]
    return series.to_numpy() if series.dtype.kind in "iuf" else series.tolist()  # type: ignore[no-any-return]


def _sliced(columns: Callable[[slice], Columns], count: int, size: int) -> Iterator[Batch]:
    for first in range(0, count, size):
        some = columns(slice(first, min(first + size, count)))
        yield Batch(tuple(some), tuple(some.values()), min(size, count - first), first)


# Files


def _from_csv(path: Path, size: int) -> Iterator[Batch]:
    if not path.is_file():
        raise DataJointError(f"The file {path} does not exist.")
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file, strict=True)
        names = tuple(name.strip() for name in next(reader, ()))
        _refuse_twice(names, f"The first line of {path.name}")
        lines = _lines(path, reader, names)
        first = 0
        while some := list(islice(lines, size)):
            yield Batch(names, tuple(zip(*some, strict=True)), len(some), first, from_text=True)
            first += len(some)


def _lines(path: Path, reader: Any, names: Sequence[str]) -> Iterator[list[str]]:
    try:
        for row in reader:
            if not row:
                continue
            if len(row) != len(names):
                raise DataJointError(
                    f"{path.name}, line {reader.line_num}: {len(row)} values for {len(names)} names "
                    f"({', '.join(names)})."
                )
            yield row
    except csv.Error as error:
        raise DataJointError(
            f"{path.name}, line {reader.line_num}: {error}. Is it a CSV file?"
        ) from error
