"""A table of a notebook as a class statement: from its `%%dj_table` cell, or from the class statement in a cell."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from djupyter.codecs.registry import get_codec
from djupyter.definition.model import AttributeSpec, ForeignKeySpec
from djupyter.definition.parser import parse
from djupyter.errors import DataJointError, DefinitionError
from djupyter.notebook.cell import Cell
from djupyter.notebook.making import MARK, shifted
from djupyter.notebook.module.cells import Import, Statement, imports_of
from djupyter.notebook.module.names import Needs, needs
from djupyter.table.declare import parts_of
from djupyter.table.module import escaped
from djupyter.table.schema import Schema
from djupyter.table.tiers import UserTable

_INDENT = "    "
_WIDE = 96


@dataclass(frozen=True, slots=True)
class WrittenTable:
    """A table as it stands in a module.

    Parameters
    ----------
    name
        Name of its class.
    source
        Its class statement, decorators but that of the schema included, without its parts of other cells.
    needs
        The names that it needs around it, those of its definition included.
    imports
        What its cell imports.
    parts
        Its parts that have cells of their own.
    """

    name: str
    source: str
    needs: Needs
    imports: Mapping[str, Import | tuple[Statement, ...]] = field(default_factory=dict)
    parts: tuple[WrittenTable, ...] = ()


def written(
    cls: type[UserTable],
    cells: Mapping[type, Cell],
    statements: Mapping[str, Import | tuple[Statement, ...]],
    names: Mapping[str, Any],
) -> WrittenTable:
    """Return a class of a notebook as it stands in a module.

    Parameters
    ----------
    cls
        The class, no part.
    cells
        The `%%dj_table` cells of those classes that have some.
    statements
        What binds the names of the notebook.
    names
        The names of the notebook.

    Raises
    ------
    DataJointError
        Nobody knows the source of the class.
    """
    table = _of_cell(cls, cells[cls]) if cls in cells else _of_statement(cls, statements, names)
    parts = [_of_cell(part, cells[part]) for part in parts_of(cls) if part in cells]
    return replace(table, parts=tuple(parts))


def with_parts(table: WrittenTable, parts: tuple[WrittenTable, ...]) -> str:
    """Return a class statement with some parts inside."""
    inside = [f"\n\n{shifted(part.source, _INDENT, texts=True)}" for part in parts]
    return table.source + "".join(inside)


def _of_cell(cls: type[UserTable], cell: Cell) -> WrittenTable:
    name = cell.header.class_name
    body, imports = _body(cell)
    blocks = [_definition(cell.definition.text)]
    rows = getattr(cls, "contents", ()) if cell.contents else ()
    if rows:
        blocks.append(_contents(list(rows)))
    if body:
        blocks.append(body)
    if make := _make(cls):
        blocks.append(make)
    inside = "\n\n".join(shifted(block, _INDENT, texts=True) for block in blocks)
    source = f"class {name}(dj.{cell.header.tier}):\n{inside}"
    return WrittenTable(name, source, needs(source) | _of_definition(cls, name), imports)


def _of_statement(
    cls: type[UserTable],
    statements: Mapping[str, Import | tuple[Statement, ...]],
    names: Mapping[str, Any],
) -> WrittenTable:
    found = statements.get(cls.__name__)
    if not isinstance(found, tuple) or not isinstance(found[-1].node, ast.ClassDef):
        raise DataJointError(
            f"The source of the class {cls.__name__} is not in the cells of this notebook. Run the cell that "
            "declares it after `%load_ext djupyter`, or import it from its module."
        )
    node = found[-1].node
    lines = found[-1].source.split("\n")
    first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
    dropped = {
        number - first
        for each in node.decorator_list
        if _is_schema(each, names)
        for number in range(each.lineno, (each.end_lineno or each.lineno) + 1)
    }
    kept = [line for number, line in enumerate(lines) if number not in dropped]
    if make := _make(cls):
        kept += ["", shifted(make, _INDENT)]
    source = "\n".join(kept)
    needed = needs(source) | _of_definition(cls, cls.__name__)
    for part in parts_of(cls):
        needed |= _of_definition(part, cls.__name__)
    return WrittenTable(cls.__name__, source, needed)


def _is_schema(decorator: ast.expr, names: Mapping[str, Any]) -> bool:
    return isinstance(decorator, ast.Name) and isinstance(names.get(decorator.id), Schema)


def _body(cell: Cell) -> tuple[str, dict[str, Import | tuple[Statement, ...]]]:
    """Return the body of a cell without its imports, and those."""
    if not cell.body:
        return "", {}
    lines = cell.body.text.split("\n")
    imports: dict[str, Import | tuple[Statement, ...]] = {}
    dropped: set[int] = set()
    for node in ast.parse(cell.body.text).body:
        is_import = isinstance(node, ast.Import | ast.ImportFrom)
        # `try: import ... except ImportError: ...` is an import too.
        within = [
            inner
            for inner in ast.walk(node)
            if isinstance(node, ast.Try | ast.If | ast.With)
            and isinstance(inner, ast.Import | ast.ImportFrom)
        ]
        if is_import:
            imports.update(imports_of(node))
        elif within:
            source = "\n".join(lines[node.lineno - 1 : node.end_lineno])
            bound = {name for inner in within for name, _ in imports_of(inner)}
            imports.update(dict.fromkeys(bound, (Statement(source, node),)))
        if is_import or within:
            dropped |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    kept = [line for number, line in enumerate(lines, 1) if number not in dropped]
    return "\n".join(kept).strip("\n").rstrip(), imports


def _definition(text: str) -> str:
    lines = "".join(f"{escaped(line.rstrip())}\n" for line in text.strip("\n").split("\n"))
    return f'definition = """\n{lines}"""'


def _make(cls: type[UserTable]) -> str:
    """Return the source of a `make` that has a cell of its own."""
    make: Any = vars(cls).get("make")
    return inspect.getsource(make).rstrip() if hasattr(make, MARK) else ""


def _of_definition(cls: type[UserTable], own: str) -> Needs:
    """Return the names that a definition needs: parents, and codecs that are defined in the notebook."""
    try:
        definition = parse(cls.definition, warn=False)
    except DefinitionError:
        return Needs()
    found: list[str] = []
    for item in (*definition.primary, *definition.secondary):
        if isinstance(item, ForeignKeySpec) and item.parent[:1] not in '`"':
            found.append(item.parent.partition(".")[0])
        elif isinstance(item, AttributeSpec) and item.type.kind == "codec":
            codec = type(get_codec(item.type.name))
            if codec.__module__ == "__main__" or not codec.__module__.startswith("djupyter."):
                found.append(codec.__name__)
    return Needs(
        tuple(name for name in dict.fromkeys(found) if name not in ("master", "self", own))
    )


def _contents(rows: list[Any]) -> str:
    lines = [line for row in rows for line in _row(row)]
    return "\n".join(["contents = [", *lines, "]"])


def _row(row: Any) -> Iterator[str]:
    whole = f"{_INDENT}{literal(row)},"
    if len(whole) <= _WIDE or not isinstance(row, dict | tuple | list):
        yield whole
        return
    items = (
        [f"{literal(key)}: {literal(value)}" for key, value in row.items()]
        if isinstance(row, dict)
        else [literal(each) for each in row]
    )
    opening, closing = "{}" if isinstance(row, dict) else "()" if isinstance(row, tuple) else "[]"
    yield f"{_INDENT}{opening}"
    yield from (f"{_INDENT * 2}{item}," for item in items)
    yield f"{_INDENT}{closing},"


def literal(value: object) -> str:
    """Return a plain value as it is written in a program, with double quotes.

    >>> print(literal({"a": ("it's", 'say "x"', None)}), literal((1,)))
    {"a": ("it's", 'say "x"', None)} (1,)
    """
    if isinstance(value, str):
        text = repr(value)
        if text.startswith("'") and '"' not in text:
            return '"' + text[1:-1].replace("\\'", "'") + '"'
        return text
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(literal, value)) + ("," if len(value) == 1 else "") + ")"
    return repr(value)
