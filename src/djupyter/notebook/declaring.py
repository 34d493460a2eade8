"""What running a `%%dj_table` cell does: from its text to a declared table and a class in the notebook.

| the table in the database    | what happens                                                                 |
|------------------------------|------------------------------------------------------------------------------|
| is not there                 | it is declared                                                               |
| is there, the same           | nothing; the class is made anew, as its Python may have changed              |
| is there, another            | the difference is shown and the cell fails, or `--alter`, `--replace` act on it |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeGuard

from djupyter.codecs.registry import list_codecs
from djupyter.definition.attributes import LONGEST_NAME
from djupyter.definition.names import TableName, Tier
from djupyter.errors import DataJointError, DefinitionError, nearest
from djupyter.heading.differences import Change, differences
from djupyter.heading.structure import TableStructure
from djupyter.notebook.body import build_class
from djupyter.notebook.cell import Cell
from djupyter.notebook.contents import Row, lines_of_rows, parse_contents
from djupyter.notebook.making import MARK
from djupyter.notebook.sources import filename_of, keep
from djupyter.populate.tiers import Computed, Imported
from djupyter.render.preview import Difference
from djupyter.sql import ddl
from djupyter.table.alter import alter, in_other_tier
from djupyter.table.cycles import refuse_cycles
from djupyter.table.declare import (
    all_or_none,
    bind,
    bind_part,
    complete,
    create,
    parts_of,
    structure_of,
)
from djupyter.table.prompt import confirmed
from djupyter.table.schema import Schema
from djupyter.table.table import FreeTable
from djupyter.table.tiers import Lookup, Manual, Part, UserTable
from djupyter.table.validation import validate

BASES: Mapping[Tier, type[UserTable]] = {
    "Manual": Manual,
    "Lookup": Lookup,
    "Imported": Imported,
    "Computed": Computed,
    "Part": Part,
}


class ChangedDefinitionError(DataJointError):
    """The cell's definition, `wanted`, is not the database's; `difference` says how they differ."""

    def __init__(self, difference: Difference, wanted: TableStructure) -> None:
        self.difference, self.wanted = difference, wanted
        names = [change.name for change in difference.changes if change.kind != "same"]
        super().__init__(
            f"{difference.name} is in the database with another definition (differs in: "
            f"{', '.join(dict.fromkeys(names))}). Nothing was changed; see above what can be done."
        )


@dataclass(frozen=True, slots=True)
class Declared:
    """The class a cell made, and what happened to its table."""

    table: type[UserTable]
    note: str


def run_cell(
    cell: Cell, schema: Schema, namespace: dict[str, Any], filename: str | None = None
) -> Declared:
    """Declare the table of a cell, with the parts in its body, and bind its class in the user's namespace.

    After an error no new table is left.

    Parameters
    ----------
    cell
        The cell.
    schema
        The schema of the table.
    namespace
        The user's namespace.
    filename
        The name under which Python finds the source of the cell; that of the running cell when None.

    Raises
    ------
    DefinitionError
        The definition cannot be read; line and column are those of the cell.
    ChangedDefinitionError
        The table is there with another definition and no option says what to do.
    """
    __tracebackhide__ = True  # IPython then shows the user's frames only
    cls = _class_of(cell, namespace, filename or cell_file(cell, namespace))
    master = _master_of(cell, schema, namespace) if cell.header.part else None
    bind(cls, schema, schema.name) if master is None else _bind_part(cls, master)
    try:
        structure = structure_of(cls, namespace)
    except DefinitionError as error:
        raise cell.place(error) from None
    if cell.contents:
        cls.contents = _rows(cell, structure)  # type: ignore[attr-defined]
    if schema.connection.catalog.structure(structure.name) is None:
        _check_new(cell, structure)
    with all_or_none(schema.connection) as new:
        note = _settled(cell, cls, structure, new)
        complete(cls, namespace, new)
    _publish(cell, cls, master, namespace)
    return Declared(cls, note)


def _rows(cell: Cell, structure: TableStructure) -> list[Row]:
    """Return the rows of a cell; one that does not fit is shown where it stands."""
    block, names = cell.contents, structure.heading.names
    rows = parse_contents(block.text, names, block.line)
    if any(attribute.is_codec for attribute in structure.heading.values()):
        return rows  # what codecs take is known when they write
    for row, name, problem in validate(structure, rows, {}, ignore_extra=False).errors:
        line = lines_of_rows(block.text, names, block.line)[row]
        source = cell.lines[line - 1]
        what, _, advice = problem.rstrip(".").partition(". ")
        raise DefinitionError(what, line, *_extent(source, rows[row], name), advice)
    return rows


def _extent(source: str, row: Row, name: str | None) -> tuple[int, str, int]:
    """Return the column of what is wrong with a row, its line, and the width: the value, if it stands there once."""
    value = str(row.get(name, "")) if isinstance(row, dict) and name else ""
    if value and source.count(value) == 1:
        return source.index(value) + 1, source, len(value)
    text = source.strip()
    return source.index(text) + 1, source, len(text)


def _check_new(cell: Cell, structure: TableStructure) -> None:
    """Refuse what a table that is there may have, but a new one cannot be used with."""
    first, header = cell.lines[0], cell.header
    place = 1, first.index(header.full_name) + 1, first, len(header.full_name)
    too_long = len(structure.name.table) - LONGEST_NAME
    if too_long > 0:
        advice = f"In the database it is `{structure.name.table}`, by {too_long} characters too long: shorten it."
        raise DefinitionError(f"the name '{header.full_name}' is too long", *place, advice)
    known = list_codecs()
    for attribute in structure.heading.values():
        kind = attribute.type
        if kind is not None and kind.kind == "codec" and kind.name not in known:
            line = next(n for n, text in enumerate(cell.lines, 1) if f"<{kind.name}" in text)
            source = cell.lines[line - 1]
            advice = (
                f"{nearest(kind.name, known)} Codecs: {', '.join(known)}. Another one is defined in a cell before, "
                "or comes with a package."
            )
            column = source.index(f"<{kind.name}") + 2
            raise DefinitionError(
                f"no codec is called '{kind.name}'",
                line,
                column,
                source,
                len(kind.name),
                advice.strip(),
            )


def cell_file(cell: Cell, namespace: Mapping[str, Any]) -> str:
    """Return the file name of the running cell, under which its source is found from now on."""
    filename = filename_of(namespace, f"<{cell.header.full_name}>")
    keep(filename, "\n".join(cell.lines) + "\n")
    return filename


def _class_of(cell: Cell, namespace: dict[str, Any], filename: str) -> type[UserTable]:
    __tracebackhide__ = True
    try:
        cls = build_class(cell, filename, BASES[cell.header.tier], namespace)
    except SyntaxError as error:
        if error.filename != filename:  # that of a module it imports
            raise
        raise _no_python(error, cell) from None
    assert issubclass(cls, UserTable), "its base is a tier"
    return cls


def _no_python(error: SyntaxError, cell: Cell) -> DefinitionError:
    # IPython shows a SyntaxError with every frame that led to it.
    line, column = error.lineno or 1, error.offset or 1
    width = (error.end_offset or 0) - column if error.end_lineno == line else 1
    source = cell.lines[min(line, len(cell.lines)) - 1]
    return DefinitionError(
        f"the body of the class is no Python: {error.msg}", line, column, source, width
    )


def _is_table(value: object) -> TypeGuard[type[UserTable]]:
    return isinstance(value, type) and issubclass(value, UserTable)


def _master_of(cell: Cell, schema: Schema, namespace: Mapping[str, Any]) -> type[UserTable]:
    name = cell.header.name
    master = namespace.get(name)
    if _is_table(master) and master._name is not None and master._name.schema == schema.name:
        return master
    classes = [name for name, value in namespace.items() if _is_table(value)]
    first = cell.lines[0]
    raise DefinitionError(
        f"there is no master '{name}'",
        1,
        first.index(name) + 1,
        first,
        len(name),
        f"{nearest(name, classes)} Run the cell that declares `{name}` before that of its part.".strip(),
    )


def _bind_part(cls: type[UserTable], master: type[UserTable]) -> None:
    assert issubclass(cls, Part), "a part's base is Part"
    bind_part(cls, master)


def _settled(
    cell: Cell, cls: type[UserTable], structure: TableStructure, new: list[TableName]
) -> str:
    """Make the database agree with the cell, or raise; return what was done, and note a new table."""
    table = cls()
    connection = table.connection
    existing = connection.catalog.structure(structure.name)
    if existing is None:
        other = in_other_tier(connection.catalog, structure.name)
        if other is None:
            create(connection, structure, new)
            return "declared"
        if not cell.header.alter:
            _refuse_other_tier(cell, structure.name, other.name)
        return alter(connection, other, structure)
    changes = differences(structure, existing)
    if all(change.kind == "same" for change in changes):
        return "already declared, unchanged"
    if cell.header.replace:
        return _replaced(cls, structure, new)
    if cell.header.alter:
        return alter(connection, existing, structure)
    raise ChangedDefinitionError(_difference(structure, changes), structure)


def _refuse_other_tier(cell: Cell, name: TableName, other: TableName) -> NoReturn:
    # The database names tables by tier: the old one would stay beside the new one.
    first, header = cell.lines[0], cell.header
    raise DefinitionError(
        f"{name.class_name} is in the database already, as {other.tier}",
        1,
        first.lower().rindex(header.tier.lower()) + 1,
        first,
        len(header.tier),
        f"Write `{header.full_name} : {other.tier}`, or add `--alter` to make it {header.tier} with all its rows.",
    )


def _replaced(cls: type[UserTable], structure: TableStructure, new: list[TableName]) -> str:
    table = cls()
    graph = table._graph()
    # Before anything is dropped: a parent may be among the tables that would go.
    refuse_cycles(table.connection, structure, graph)
    going = graph.descendants(table.name)
    counts = {name: len(FreeTable(table.connection, name)) for name in going}
    full = {name: count for name, count in counts.items() if count}
    if full:
        print(f"Replacing {table.name.class_name} drops tables that have rows:")
        for name, count in full.items():
            print(f"  {count:>9,}  {name.class_name}  ({name.schema})")
        unattended = f"Nothing was changed. Run `%dj_drop {table.name.class_name} --yes` first."
        if not confirmed("Drop them?", unattended):
            raise DataJointError(f"{table.name.class_name} was not replaced; nothing was changed.")
    ddl.drop(table.connection, *reversed(going))
    create(table.connection, structure, new)
    others = [name.class_name for name in going if name != table.name]
    return "replaced" + (f"; dropped with it: {', '.join(others)}" if others else "")


def _difference(structure: TableStructure, changes: tuple[Change, ...]) -> Difference:
    name = structure.name
    return difference_of(
        name,
        changes,
        (
            "Add `--alter` to the first line to change the table and keep its rows, where that is safe.",
            f"Or run `%dj_alter {name.class_name}`, which shows the steps and asks.",
            "Add `--replace` to drop it, with all tables that depend on it, and declare it anew.",
        ),
    )


def difference_of(
    name: TableName, changes: tuple[Change, ...], advice: tuple[str, ...] = ()
) -> Difference:
    """Return what is shown of a table that is not as it is wanted."""
    return Difference(name.schema, name.class_name, name.tier, changes, advice)


def _publish(
    cell: Cell, cls: type[UserTable], master: type[UserTable] | None, namespace: dict[str, Any]
) -> None:
    if master is not None:
        setattr(master, cls.__name__, cls)
        return
    before = namespace.get(cell.header.name)
    if _is_table(before):
        # Parts have cells of their own, and `make` may have one: running this cell again must not lose them.
        make = vars(before).get("make")
        if hasattr(make, MARK) and "make" not in vars(cls):
            cls.make = make  # type: ignore[attr-defined]
        for part in parts_of(before):
            if part.__name__ not in vars(cls) and part().is_declared:
                setattr(cls, part.__name__, part)
                bind_part(part, cls)
    namespace[cell.header.name] = cls
