"""Checking rows before they are inserted: every problem at once, none of them touching the database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from djupyter.codecs.base import Context
from djupyter.errors import DataJointError, MissingAttributeError, UnknownAttributeError
from djupyter.heading.attribute import Attribute
from djupyter.heading.structure import TableStructure
from djupyter.table.encoding import check_given, encoded_column
from djupyter.table.rows import Batch, batches

Problem = tuple[int, str | None, str]


@dataclass(frozen=True, slots=True)
class ValidationResult:
    """What `validate` found; true when there was nothing.

    Parameters
    ----------
    is_valid
        Whether every row may be inserted, as far as values tell.
    errors
        Row counted from 0, attribute (None where the row as a whole is wrong), and message.
    rows_checked
        Number of rows.
    """

    is_valid: bool
    errors: list[Problem] = field(default_factory=list)
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


def validate(
    structure: TableStructure, rows: Any, context: Context, *, ignore_extra: bool
) -> ValidationResult:
    """Return every problem that can be seen without the database, row by row."""
    errors: list[Problem] = []
    checked = 0
    for found in _each(structure, rows):
        if isinstance(found, Batch):
            errors += _problems(found, structure, context, checked, ignore_extra)
        else:
            errors.append((checked, None, str(found)))
        checked += 1
    return ValidationResult(not errors, errors, checked)


def _each(structure: TableStructure, rows: Any) -> Iterator[Batch | DataJointError]:
    """Yield each row, or what is wrong with its form."""
    names = structure.heading.names
    if not isinstance(rows, list | tuple):
        yield from batches(rows, names, 1)
        return
    for row in rows:
        try:
            yield from batches([row], names, 1)
        except DataJointError as error:
            yield error


def _problems(
    row: Batch, structure: TableStructure, context: Context, position: int, ignore_extra: bool
) -> Iterator[Problem]:
    by_name = dict(zip(row.names, row.columns, strict=True))
    heading, table = structure.heading, structure.name.class_name
    for name in row.names:
        if name not in heading and not ignore_extra:
            yield position, name, str(UnknownAttributeError.of(name, heading, table))
    for name, attribute in heading.items():
        try:
            if name in by_name:
                encoded_column(attribute, by_name[name], row, structure, lambda _: None, context)
            else:
                check_given([each for each in heading if each != name], structure, table)
        except DataJointError as error:
            yield position, name, f"{_kind(attribute, error, name in by_name)}{error}"


def _kind(attribute: Attribute, error: DataJointError, is_given: bool) -> str:
    """Return what kind of problem an error is, in the words by which datajoint's programs know it."""
    if isinstance(error, MissingAttributeError):
        if attribute.in_key:
            return f"Primary key field '{attribute.name}' is missing or NULL. "
        if is_given:
            return f"NULL value not allowed for non-nullable field '{attribute.name}'. "
    is_codec = attribute.type is not None and attribute.type.kind == "codec"
    return "Codec validation failed: " if is_codec and is_given else ""
