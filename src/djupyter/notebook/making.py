"""`%%dj_make Name`: the cell is the body of `make`, with `self` and `key` in scope.

What runs is `def make(self, key):` with the lines of the cell indented below it. The first line stands for that of
the magic, so every line has the number that it has in the cell: a traceback points into the cell, and
`inspect.getsource` finds the function.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable
from typing import Any

from djupyter.errors import DefinitionError
from djupyter.notebook.sources import keep

_INDENT = "    "
_DEF = "def make(self, key):"
# A string at the beginning of a statement is a docstring.
_BEGIN = {tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
_DEFINITION = re.compile(r"\s*definition\s*=")
# What says that a `make` was given by a cell of its own.
MARK = "__dj_cell__"
# Strings may go over several lines, whose white space is part of them. Before Python 3.12 an f-string is a STRING.
_OPEN = {getattr(tokenize, name, -2) for name in ("FSTRING_START", "TSTRING_START")}
_CLOSE = {getattr(tokenize, name, -2) for name in ("FSTRING_END", "TSTRING_END")}


def make_of(body: str, name: str, filename: str, namespace: dict[str, Any]) -> Callable[..., Any]:
    r"""Return the function `make` that a cell is the body of.

    Parameters
    ----------
    body
        The lines below that of the magic.
    name
        Name of the class.
    filename
        The name under which Python finds the source.
    namespace
        The user's names: the globals of the function.

    Raises
    ------
    DefinitionError
        The body is no Python; with its place in the cell.

    Examples
    --------
    >>> make = make_of("twice = 2 * key['n']\nreturn twice", "Stat", "<cell>", {})
    >>> make(None, {"n": 4}), make.__qualname__, make.__code__.co_firstlineno
    (8, 'Stat.make', 1)
    """
    lines = [f"%%dj_make {name}", *body.split("\n")]
    _check(lines, filename)
    source = indented(body)
    keep(filename, source)
    try:
        code = compile(source, filename, "exec", dont_inherit=True)
    except SyntaxError as error:
        raise _wrong(error, lines, len(_INDENT)) from None
    local: dict[str, Any] = {}
    exec(code, namespace, local)
    make: Callable[..., Any] = local["make"]
    make.__qualname__ = f"{name}.make"
    setattr(make, MARK, True)
    return make


def indented(body: str) -> str:
    r"""Return the function whose body a text is.

    >>> print(indented("self.insert1(key)"), end="")
    def make(self, key):
        self.insert1(key)
    """
    return f"{_DEF}\n{shifted(body.rstrip(), _INDENT)}\n"


def shifted(source: str, indent: str, *, texts: bool = False) -> str:
    r"""Return Python further to the right; what stands inside of strings is not moved.

    Parameters
    ----------
    source
        Whole statements.
    indent
        What is put in front of each line.
    texts
        Whether docstrings and definitions are moved all the same: their white space means nothing.

    Examples
    --------
    >>> print(shifted("a = '''\nx'''\nb = 1", "  "))
      a = '''
    x'''
      b = 1
    """
    inside = _inside_strings(source, texts)
    return "\n".join(
        line if number in inside or not line.strip() else indent + line
        for number, line in enumerate(source.split("\n"), 1)
    )


def _inside_strings(body: str, but_texts: bool) -> set[int]:
    inside: set[int] = set()
    begins: list[int] = []
    before = tokenize.NEWLINE
    for token in tokenize.generate_tokens(io.StringIO(body).readline):
        if token.type == tokenize.STRING:
            is_text = before in _BEGIN or bool(_DEFINITION.match(token.line))
            if not (but_texts and is_text):
                inside.update(range(token.start[0] + 1, token.end[0] + 1))
        elif token.type in _OPEN:
            begins.append(token.start[0])
        elif token.type in _CLOSE:
            inside.update(range(begins.pop() + 1, token.end[0] + 1))
        if token.type not in (tokenize.COMMENT, tokenize.NL):
            before = token.type
    return inside


def _check(lines: list[str], filename: str) -> None:
    try:
        tree = ast.parse("\n" + "\n".join(lines[1:]), filename)
    except SyntaxError as error:
        raise _wrong(error, lines, 0) from None
    if not tree.body:
        raise DefinitionError(
            "the body of make is empty",
            1,
            1,
            lines[0],
            len(lines[0]),
            "Write below it what computes a row and inserts it: `self.insert1({**key, ...})`.",
        )


def _wrong(error: SyntaxError, lines: list[str], shift: int) -> DefinitionError:
    line = min(error.lineno or 1, len(lines))
    column = max((error.offset or 1) - shift, 1)
    end = (error.end_offset or 0) - shift
    width = end - column if error.end_lineno == line else 1
    advice = ""
    if re.match(r"\s*def\s+make\b", lines[min(1, len(lines) - 1)]):
        advice = "The cell is only the body of make: leave out `def make(self, key):`."
    return DefinitionError(
        f"the body of make is no Python: {error.msg}", line, column, lines[line - 1], width, advice
    )
