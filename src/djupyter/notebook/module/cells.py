"""What the cells of a notebook bind at their top level, and by which statement. Pure."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Import:
    """One name that is imported.

    Parameters
    ----------
    module
        The module, with dots in front where it is relative; empty for `import module`.
    name
        What is imported from it, or the module.
    alias
        The name that is bound, empty where it is the name itself.
    """

    module: str
    name: str
    alias: str = ""

    def __str__(self) -> str:
        renamed = f" as {self.alias}" if self.alias else ""
        start = f"from {self.module} " if self.module else ""
        return f"{start}import {self.name}{renamed}"


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that binds a name, as it was written.

    Parameters
    ----------
    source
        Its lines, decorators included.
    node
        What it is.
    """

    source: str
    node: ast.stmt

    @property
    def is_block(self) -> bool:
        """Whether it is a function or a class, which stands apart from its neighbours."""
        return isinstance(self.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)


Bindings = dict[str, "Import | tuple[Statement, ...]"]


def bindings(cells: Iterable[str]) -> Bindings:
    r"""Return what binds each name; of several statements, the last one, with what is added to it after.

    Parameters
    ----------
    cells
        The Python of the cells, in the order in which they ran. What cannot be read is passed over.

    Examples
    --------
    >>> found = bindings(["import numpy as np\nn = 1", "n = 2", "n += 1"])
    >>> str(found["np"]), [each.source for each in found["n"]]
    ('import numpy as np', ['n = 2', 'n += 1'])
    """
    found: Bindings = {}
    for cell in cells:
        try:
            tree = ast.parse(cell)
        except (SyntaxError, ValueError):
            continue
        for node in tree.body:
            _add(found, node, cell)
    return found


def imports_of(node: ast.stmt) -> Iterator[tuple[str, Import]]:
    """Yield the names that an import binds, with the import of each."""
    if isinstance(node, ast.Import):
        for each in node.names:
            # `import a.b` binds `a`.
            bound = each.asname or each.name.partition(".")[0]
            yield bound, Import("", each.name, each.asname or "")
    elif isinstance(node, ast.ImportFrom):
        module = "." * node.level + (node.module or "")
        for each in node.names:
            yield each.asname or each.name, Import(module, each.name, each.asname or "")


def lines_of(node: ast.stmt, cell: str) -> str:
    """Return the lines of a statement, its decorators included."""
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(each.lineno for each in decorators)])
    lines = cell.split("\n")[first - 1 : node.end_lineno]
    if node.col_offset and first == node.lineno:  # `a = 1; b = 2`
        return ast.get_source_segment(cell, node) or "\n".join(lines)
    last = lines[-1].encode()[: node.end_col_offset].decode()
    rest = lines[-1][len(last) :].strip()
    return "\n".join([*lines[:-1], last if rest.startswith(";") else lines[-1].rstrip()])


def _add(found: Bindings, node: ast.stmt, cell: str) -> None:
    if isinstance(node, ast.Import | ast.ImportFrom):
        found.update(imports_of(node))
        return
    statement = Statement(lines_of(node, cell), node)
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        before = found.get(node.target.id)
        if isinstance(before, tuple):
            found[node.target.id] = (*before, statement)
        return
    for name in bound_by(node):
        found[name] = (statement,)


def bound_by(node: ast.stmt) -> set[str]:
    """Return the names that a statement binds around it."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    names: set[str] = set()
    for inner in _around(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            names.add(inner.id)
        elif isinstance(inner, ast.Import | ast.ImportFrom):
            names |= {name for name, _ in imports_of(inner)}
        elif isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(inner.name)
    return names


def _around(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a statement that belong to the same scope."""
    yield node
    scopes = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    if not isinstance(node, (*scopes, *definitions)):
        for child in ast.iter_child_nodes(node):
            yield from _around(child)
