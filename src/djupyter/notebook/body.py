"""The class that a `%%dj_table` cell declares, made so that Python knows where each line stands.

The body is compiled with the cell's own file name and line numbers: a traceback points into the
cell and `inspect.getsource` finds a method. Its functions see the user's namespace; imports of the
body go there too, since names of a class are not visible inside its methods.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from types import CodeType

from djupyter.notebook.cell import Cell

_BASE = "__dj_base__"


@dataclass(frozen=True, slots=True)
class CompiledBody:
    """Two pieces of code, to be run in this order.

    Parameters
    ----------
    imports
        Runs in the user's namespace.
    statement
        The class statement; its base is the name `__dj_base__`.
    """

    imports: CodeType
    statement: CodeType


def compile_body(cell: Cell, filename: str) -> CompiledBody:
    """Return the code that makes the class of a cell.

    Parameters
    ----------
    cell
        A cell; one without a body gives a class with its definition only.
    filename
        The name under which IPython knows the source of the cell.

    Raises
    ------
    SyntaxError
        The body is no Python; with the line of the cell and the cell's file name.
    """
    __tracebackhide__ = True  # IPython then shows the user's frames only
    try:
        # Blank lines in front of the body give every node its line in the cell.
        tree = ast.parse("\n" * max(cell.body.line - 1, 0) + cell.body.text, filename)
        future = [node for node in tree.body if _is_future(node)]
        imports = [node for node in tree.body if _is_import(node) and node not in future]
        rest = [node for node in tree.body if node not in future and node not in imports]
        statement = _class_statement(cell)
        statement.body += rest
        return CompiledBody(
            _compile([*future, *imports], filename), _compile([*future, statement], filename)
        )
    except SyntaxError as error:
        if error.text is None and error.lineno:
            error.text = cell.lines[error.lineno - 1]
        raise


def build_class(cell: Cell, filename: str, base: type, namespace: dict[str, object]) -> type:
    r"""Return the class of a cell, as a class statement would have made it.

    Parameters
    ----------
    cell
        A cell.
    filename
        The name under which IPython knows the source of the cell.
    base
        The class of the tier.
    namespace
        The user's namespace. Imports of the body are bound there; the class itself is not.

    Examples
    --------
    >>> from djupyter.notebook.cell import parse_cell
    >>> cell = parse_cell("Mouse : Manual", "mouse : int32\ndef twice(self):\n    return 2")
    >>> mouse = build_class(cell, "cell", object, {"__name__": "__main__"})
    >>> mouse.__name__, mouse.definition, mouse().twice(), mouse.twice.__code__.co_firstlineno
    ('Mouse', 'mouse : int32', 2, 3)
    """
    __tracebackhide__ = True
    code = compile_body(cell, filename)
    exec(code.imports, namespace)
    local: dict[str, type] = {_BASE: base}
    exec(code.statement, namespace, local)
    return local[cell.header.class_name]


def _class_statement(cell: Cell) -> ast.ClassDef:
    header = cell.header
    source = (
        f"class {header.class_name}({_BASE}): "
        f"__qualname__ = {header.full_name!r}; definition = {cell.definition.text!r}"
    )
    statement = ast.parse(source).body[0]
    assert isinstance(statement, ast.ClassDef)
    return statement


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _is_import(node: ast.stmt) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    # `try: import ... except ImportError: ...` is an import too.
    return isinstance(node, ast.Try | ast.If | ast.With) and any(
        isinstance(inner, ast.Import | ast.ImportFrom) for inner in ast.walk(node)
    )


def _compile(statements: Sequence[ast.stmt], filename: str) -> CodeType:
    # dont_inherit: our own `from __future__` lines must not change what the user's code means.
    module = ast.Module(body=list(statements), type_ignores=[])
    return compile(module, filename, "exec", dont_inherit=True)
