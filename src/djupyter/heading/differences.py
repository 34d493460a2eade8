"""What differs between a table as its definition declares it and as the database has it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from djupyter.definition.model import (
    AttributeSpec,
    ForeignKeySpec,
    IndexSpec,
    Item,
    TableDefinition,
)
from djupyter.definition.names import TableName
from djupyter.definition.writer import write, write_item
from djupyter.heading.spelling import as_written
from djupyter.heading.structure import TableStructure, to_definition

Kind = Literal["added", "removed", "changed", "same"]


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the difference.

    Parameters
    ----------
    kind
        `added` (only in the cell), `removed` (only in the database), `changed`, or `same`.
    name
        The attribute, or `table comment`, `foreign key`, `index`, `order`.
    database, cell
        Each side as a definition would say it, empty where there is nothing.
    """

    kind: Kind
    name: str
    database: str = ""
    cell: str = ""

    def __str__(self) -> str:
        if self.kind == "added":
            return f"{self.name}: only in the definition: {self.cell}"
        if self.kind == "removed":
            return f"{self.name}: only in the database: {self.database}"
        return f"{self.name}: {self.cell or 'none'} (in the database: {self.database or 'none'})"


def differences(declared: TableStructure, existing: TableStructure) -> tuple[Change, ...]:
    r"""Return the lines of a definition compared with the database.

    Lines that are the same are included; hidden attributes and lineage are not compared. An
    attribute or foreign key that moves across the `---` has changed.

    Parameters
    ----------
    declared
        What a definition declares.
    existing
        What the database has.

    Examples
    --------
    >>> from djupyter.definition.parser import parse
    >>> from djupyter.heading.structure import resolve
    >>> def mouse(text):
    ...     return resolve(parse(text), TableName("lab", "mouse"), lambda key: None)
    >>> for change in differences(mouse("a : int32\n---\nx : int8"), mouse("a : int32\n---\nx : int16")):
    ...     print(change.kind, change.name)
    same a
    changed x
    """
    name_of = _namer(declared.name.schema)
    existing = as_written(existing, declared)
    cell, database = to_definition(declared, name_of), to_definition(existing, name_of)
    return (
        *_comment(cell.comment, database.comment),
        *_compared(_lines(cell), _lines(database)),
        *_order(cell, database),
    )


def changed(declared: TableStructure, existing: TableStructure) -> tuple[Change, ...]:
    """Return the differences alone, nothing when the definition is that of the database."""
    return tuple(change for change in differences(declared, existing) if change.kind != "same")


def _namer(schema: str) -> Callable[[TableName], str]:
    def name_of(parent: TableName) -> str:
        return (
            parent.class_name if parent.schema == schema else f"{parent.schema}.{parent.class_name}"
        )

    return name_of


_Line = tuple[str, object]  # what a line is called, and what tells it from others of that name


def _lines(definition: TableDefinition) -> dict[_Line, tuple[str, bool]]:
    """Return each line's text, and whether it belongs to the primary key."""
    lines = {_identity(item): (write_item(item), True) for item in definition.primary}
    lines |= {_identity(item): (write_item(item), False) for item in definition.secondary}
    for index in definition.indexes:
        lines[_identity(index)] = (write_item(index), False)
    return lines


def _identity(item: Item | IndexSpec) -> _Line:
    if isinstance(item, AttributeSpec):
        return item.name, ""
    if isinstance(item, ForeignKeySpec):
        return "foreign key", (item.parent, frozenset(item.renames))
    return "index", item.attributes


def _comment(cell: str, database: str) -> Iterator[Change]:
    # As the writer would write them: line ends and leading colons do not survive a definition.
    cell, database = (
        write(TableDefinition(comment=text)).partition("---")[0].removeprefix("# ").strip()
        for text in (cell, database)
    )
    if cell or database:
        yield Change("same" if cell == database else "changed", "table comment", database, cell)


def _compared(
    cell: Mapping[_Line, tuple[str, bool]], database: Mapping[_Line, tuple[str, bool]]
) -> Iterator[Change]:
    for line, (text, in_key) in cell.items():
        name, _ = line
        if line not in database:
            yield Change("added", name, "", text)
            continue
        there, was_in_key = database[line]
        if in_key != was_in_key:
            yield Change("changed", name, _placed(there, was_in_key), _placed(text, in_key))
        else:
            yield Change("same" if text == there else "changed", name, there, text)
    for line, (text, _) in database.items():
        if line not in cell:
            yield Change("removed", line[0], text, "")


def _placed(text: str, in_key: bool) -> str:
    return f"{text}  (in the primary key)" if in_key else f"{text}  (not in the key)"


def _order(cell: TableDefinition, database: TableDefinition) -> Iterator[Change]:
    """Yield a change when attributes that both have come in another order."""
    mine, theirs = (
        [(name, in_key) for name, in_key in _attribute_names(side)] for side in (cell, database)
    )
    mine, theirs = [x for x in mine if x in theirs], [x for x in theirs if x in mine]
    if mine != theirs:
        yield Change(
            "changed",
            "order",
            ", ".join(name for name, _ in theirs),
            ", ".join(name for name, _ in mine),
        )


def _attribute_names(definition: TableDefinition) -> Iterator[tuple[str, bool]]:
    for in_key, items in ((True, definition.primary), (False, definition.secondary)):
        yield from ((item.name, in_key) for item in items if isinstance(item, AttributeSpec))
