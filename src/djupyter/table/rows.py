"""Rows as users give them, to rows as the database takes them. Pure: nothing here knows a connection.

Whatever the form (mappings, sequences, records, frames, a CSV file), rows become batches of columns, and each column is
coerced and encoded as a whole.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import numpy as np

from djupyter.codecs.base import Address
from djupyter.codecs.registry import get_codec
from djupyter.errors import (
    DataJointError,
    InvalidValueError,
    MissingAttributeError,
    UnknownAttributeError,
)
from djupyter.heading.attribute import Attribute
from djupyter.heading.coerce import coerce_column
from djupyter.heading.structure import TableStructure

Adapter = Callable[[Any], Any]


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
    empty_is_null
        Whether empty text stands for a missing value, as in a CSV file.
    """

    names: tuple[str, ...]
    columns: tuple[Sequence[Any], ...]
    size: int
    first: int = 0
    empty_is_null: bool = False


@dataclass(frozen=True, slots=True)
class ValidationResult:
    """What `validate` found; true when there was nothing."""

    is_valid: bool
    errors: list[tuple[int, str | None, str]] = field(default_factory=list)
    rows_checked: int = 0

    def __bool__(self) -> bool:
        return self.is_valid

    def summary(self) -> str:
        """Return the problems as text, the first twenty of them."""
        if self.is_valid:
            return f"Validation passed: {self.rows_checked} rows checked."
        shown = [f"row {row}, {name or '-'}: {message}" for row, name, message in self.errors[:20]]
        more = [f"... and {len(self.errors) - 20} more"] if len(self.errors) > 20 else []
        return "\n".join([f"Validation failed: {len(self.errors)} errors.", *shown, *more])

    def raise_if_invalid(self) -> None:
        """Raise with the summary when there were problems."""
        if not self.is_valid:
            raise DataJointError(self.summary())


def batches(rows: Any, names: Sequence[str], size: int) -> Iterator[Batch]:
    """Return rows in any form as batches of columns.

    Parameters
    ----------
    rows
        What the user gave.
    names
        Attributes of the table in order, for rows that are sequences.
    size
        Rows of a generator are taken this many at a time.

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
        yield from _from_csv(rows, size)
        return
    if isinstance(rows, np.ndarray) and rows.dtype.names:
        names = rows.dtype.names
        yield Batch(names, tuple(rows[name].ravel() for name in names), rows.size)
        return
    kind = f"{type(rows).__module__.partition('.')[0]}.{type(rows).__name__}"
    if kind == "pandas.DataFrame":
        yield _from_frame(rows)
        return
    if kind in ("polars.DataFrame", "pyarrow.Table"):
        data = rows.to_dict(as_series=False) if kind.startswith("polars") else rows.to_pydict()
        yield Batch(tuple(data), tuple(data.values()), len(rows))
        return
    if isinstance(rows, str | bytes | Mapping) or not isinstance(rows, Iterable):
        raise DataJointError(
            f"insert takes many rows: a list of mappings, a frame, a pathlib.Path to a CSV file or a query, not "
            f"{type(rows).__name__}. For one row use insert1."
        )
    first = 0
    for some in _pieces(iter(rows), size):
        yield from _from_rows(some, names, first)
        first += len(some)


def encoded(
    batch: Batch,
    structure: TableStructure,
    adapter: Callable[[Attribute], Adapter | None],
    *,
    ignore_extra: bool,
) -> Batch:
    """Return a batch as the driver takes it: known attributes only, coerced, encoded and adapted.

    Raises
    ------
    UnknownAttributeError
        The batch has something that is not an attribute.
    MissingAttributeError
        A value that must be given is missing.
    InvalidValueError
        A value does not fit; the message has the row's position.
    """
    names = [name for name in batch.names if name in structure.heading]
    if len(names) < len(batch.names) and not ignore_extra:
        extra = next(name for name in batch.names if name not in structure.heading)
        raise UnknownAttributeError.of(extra, structure.heading, structure.name.class_name)
    _check_given(names, structure, batch.first)
    by_name = dict(zip(batch.names, batch.columns, strict=True))
    columns = [
        _encoded_column(structure.heading[name], by_name[name], batch, structure, adapter)
        for name in names
    ]
    return Batch(tuple(names), tuple(columns), batch.size, batch.first)


def validate(structure: TableStructure, rows: Any, *, ignore_extra: bool) -> ValidationResult:
    """Return every problem that can be seen without the database, row by row."""
    errors: list[tuple[int, str | None, str]] = []
    checked = 0
    for batch in batches(rows, structure.heading.names, 1):
        for offset in range(batch.size):
            one = Batch(
                batch.names,
                tuple(column[offset : offset + 1] for column in batch.columns),
                1,
                batch.first + offset,
                batch.empty_is_null,
            )
            errors += _problems(one, structure, ignore_extra)
        checked += batch.size
    return ValidationResult(not errors, errors, checked)


def _problems(
    row: Batch, structure: TableStructure, ignore_extra: bool
) -> Iterator[tuple[int, str | None, str]]:
    by_name = dict(zip(row.names, row.columns, strict=True))
    if not ignore_extra:
        for name in row.names:
            if name not in structure.heading:
                error = UnknownAttributeError.of(name, structure.heading, structure.name.class_name)
                yield row.first, name, str(error)
    for name, attribute in structure.heading.items():
        try:
            if name in by_name:
                _encoded_column(attribute, by_name[name], row, structure, lambda _: None)
            else:
                _check_given([n for n in structure.heading if n != name], structure, row.first)
        except DataJointError as error:
            yield row.first, name, str(error)


def _encoded_column(
    attribute: Attribute,
    values: Sequence[Any],
    batch: Batch,
    structure: TableStructure,
    adapter: Callable[[Attribute], Adapter | None],
) -> Sequence[Any]:
    try:
        if attribute.is_codec:
            coerced: list[Any] = _through_codec(attribute, values, batch, structure)
        else:
            coerced = coerce_column(attribute, values, empty_is_null=batch.empty_is_null)
    except InvalidValueError as error:
        row = batch.first + getattr(error, "row", 0)
        raise InvalidValueError(f"{structure.name.class_name}, row {row}: {error}") from None
    if not attribute.nullable and None in coerced and not attribute.autoincrement:
        row = batch.first + coerced.index(None)
        advice = (
            "Leave the attribute out to get its default."
            if attribute.default
            else "Give a value, or declare it with `= null`."
        )
        raise MissingAttributeError(
            f"{structure.name.class_name}, row {row}: attribute `{attribute.name}` must not be NULL. {advice}"
        )
    adapt = adapter(attribute)
    if adapt is None:
        return coerced
    return [None if value is None else adapt(value) for value in coerced]


def _through_codec(
    attribute: Attribute, values: Sequence[Any], batch: Batch, structure: TableStructure
) -> list[Any]:
    assert attribute.type is not None, "a codec attribute has a type"
    codec = get_codec(attribute.type.name)
    by_name = dict(zip(batch.names, batch.columns, strict=True))
    key_names = [name for name in structure.heading.primary_key if name in by_name]
    encoded_values = []
    for i, value in enumerate(values):
        if value is None:
            encoded_values.append(None)
            continue
        address = Address(
            structure.name.schema,
            structure.name.table,
            attribute.name,
            {name: by_name[name][i] for name in key_names},
            attribute.type.store,
        )
        codec.validate(value)
        encoded_values.append(codec.encode(value, address))
    return encoded_values


def _check_given(names: Sequence[str], structure: TableStructure, row: int) -> None:
    for name, attribute in structure.heading.items():
        if name in names or attribute.nullable or attribute.default or attribute.autoincrement:
            continue
        raise MissingAttributeError(
            f"{structure.name.class_name}, row {row}: attribute `{name}` is missing and has no default. "
            f"Required: {', '.join(_required(structure))}."
        )


def _required(structure: TableStructure) -> list[str]:
    return [
        name
        for name, a in structure.heading.items()
        if not (a.nullable or a.default or a.autoincrement)
    ]


def _from_rows(rows: Sequence[Any], names: Sequence[str], first: int) -> Iterator[Batch]:
    position = first
    for given, group in groupby(rows, lambda row: _given(row, names)):
        members = list(group)
        columns: tuple[Sequence[Any], ...]
        if isinstance(members[0], Mapping):
            columns = tuple([row[name] for row in members] for name in given)
        else:
            columns = tuple(zip(*members, strict=True))
        yield Batch(given, columns, len(members), position)
        position += len(members)


def _pieces(rows: Iterator[Any], size: int) -> Iterator[list[Any]]:
    # itertools.batched comes with Python 3.12.
    while piece := list(islice(rows, size)):
        yield piece


def _given(row: Any, names: Sequence[str]) -> tuple[str, ...]:
    if isinstance(row, Mapping):
        return tuple(row)
    if isinstance(row, np.void) and row.dtype.names:
        return row.dtype.names
    if isinstance(row, str | bytes) or not isinstance(row, Sequence | np.ndarray | np.void):
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


def _from_frame(frame: Any) -> Batch:
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    columns = []
    for name in frame.columns:
        series = frame[name]
        if series.isna().any():
            columns.append(
                [None if missing else v for v, missing in zip(series, series.isna(), strict=True)]
            )
        else:
            columns.append(series.tolist() if series.dtype.kind not in "iuf" else series.to_numpy())
    return Batch(tuple(map(str, frame.columns)), tuple(columns), len(frame))


def _from_csv(path: Path, size: int) -> Iterator[Batch]:
    if not path.exists():
        raise DataJointError(f"The file {path} does not exist.")
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file, strict=True)
        names = tuple(next(reader, ()))
        first = 0
        for some in _pieces(reader, size):
            for row in some:
                if len(row) != len(names):
                    raise DataJointError(
                        f"{path.name}, line {reader.line_num}: {len(row)} values for {len(names)} names "
                        f"({', '.join(names)})."
                    )
            yield Batch(names, tuple(zip(*some, strict=True)), len(some), first, empty_is_null=True)
            first += len(some)
