"""The rows of a Lookup, written in its cell: a block of CSV or TSV, or a Python list.

Rules without guessing: text that begins with `[`, `(` or `{` is Python; otherwise a tab in the
first line says TSV, else it is CSV. A first row of nothing but attribute names is a header. Values
stay text (the attribute's type decides what they mean); an empty value says nothing, `NULL` says
NULL, and quotes make either of them text.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from djupyter.errors import DefinitionError

Row = dict[str, object] | tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Value:
    text: str
    quoted: bool
    line: int
    column: int

    @property
    def is_empty(self) -> bool:
        return not self.quoted and self.text == ""

    @property
    def value(self) -> str | None:
        return None if not self.quoted and self.text in {"", "NULL"} else self.text


def parse_contents(text: str, names: Sequence[str] = (), line: int = 1) -> list[Row]:
    r"""Return the rows that a block of text stands for.

    Parameters
    ----------
    text
        CSV, TSV or a Python list of dicts, sequences or single values.
    names
        Attributes of the table in order. With them, rows of CSV and TSV are dicts from which empty
        values are left out, so that defaults apply; without them tuples, None for empty values.
    line
        Line of the cell on which the text begins.

    Raises
    ------
    DefinitionError
        A quote is not closed, a row has too many or too few values, or a list holds more than
        plain values.

    Examples
    --------
    >>> parse_contents("speed, kind\n1.5, grating\n, movie", ["kind", "speed"])
    [{'speed': '1.5', 'kind': 'grating'}, {'kind': 'movie'}]
    >>> parse_contents("grating, 1.5", ["kind", "speed"])
    [{'kind': 'grating', 'speed': '1.5'}]
    >>> parse_contents("[('grating', 1.5), {'kind': 'movie'}, 'other']")
    [('grating', 1.5), {'kind': 'movie'}, ('other',)]
    """
    if text.lstrip()[:1] in set("[({"):
        return _python_rows(text, line)
    rows = _split(text, line)
    header = _header(rows, names)
    if header:
        rows = rows[1:]
    heads = header or list(names)
    return [_row(row, heads, text.split("\n")[row[0].line - line]) for row in rows]


def lines_of_rows(text: str, names: Sequence[str], line: int) -> list[int]:
    r"""Return the line of the cell on which each row of `parse_contents` begins.

    >>> lines_of_rows("a\n1\n\n2", ["a"], 4)
    [5, 7]
    """
    if text.lstrip()[:1] in set("[({"):
        return [node.lineno for node in _python_nodes(text, line)]
    rows = _split(text, line)
    return [row[0].line for row in (rows[1:] if _header(rows, names) else rows)]


def _header(rows: list[list[_Value]], names: Sequence[str]) -> list[str]:
    first = [value.text for value in rows[0]] if rows else []
    return first if len(set(first)) == len(first) and set(first) <= set(names) else []


def _row(row: list[_Value], heads: Sequence[str], source: str) -> Row:
    if not heads:
        return tuple(value.value for value in row)
    if len(row) != len(heads):
        raise DefinitionError(
            f"{len(row)} values for {len(heads)} attributes",
            row[0].line,
            row[0].column,
            source,
            len(source.strip()),
            f"Give a value for each of {', '.join(heads)}, or name the attributes in a first row. "
            "Put a value that holds the separator in double quotes.",
        )
    return {name: value.value for name, value in zip(heads, row, strict=True) if not value.is_empty}


def _split(text: str, line: int) -> list[list[_Value]]:
    token = _token("\t" if "\t" in text.strip("\n").split("\n")[0] else ",")
    rows: list[list[_Value]] = []
    row: list[_Value] = []
    position = 0
    while True:
        column = position - text.rfind("\n", 0, position)
        found = token.match(text, position)
        if found is None:
            raise _wrong_quotes(text, position, line, column)
        row.append(_value(found["value"], line, column))
        position, end = found.end(), found["end"]
        line += found[0].count("\n")
        if end in {"", "\n"}:
            # A line without any text is no row.
            if len(row) > 1 or not row[0].is_empty:
                rows.append(row)
            row = []
        if end == "":
            return rows


@cache
def _token(separator: str) -> re.Pattern[str]:
    return re.compile(
        rf'[^\S\n{separator}]*+(?P<value>"(?:[^"]|"")*+"|[^"\n{separator}][^\n{separator}]*|)'
        rf"[^\S\n{separator}]*(?P<end>{separator}|\n|\Z)"
    )


def _value(written: str, line: int, column: int) -> _Value:
    if written.startswith('"'):
        return _Value(written[1:-1].replace('""', '"'), True, line, column)
    return _Value(written.strip(), False, line, column)


def _wrong_quotes(text: str, position: int, line: int, column: int) -> DefinitionError:
    quote = text.index('"', position)
    source = text.split("\n")[text.count("\n", 0, position)]
    return DefinitionError(
        "a quoted value does not end where it should",
        line,
        column + quote - position,
        source,
        1,
        'Close it with " before the separator or the end of the line; write "" for a quote inside.',
    )


def _python_rows(text: str, line: int) -> list[Row]:
    lines = _lines(text, line)
    return [_python_row(row, lines) for row in _python_nodes(text, line)]


def _python_nodes(text: str, line: int) -> list[ast.expr]:
    try:
        tree = ast.parse("\n" * (line - 1) + _unindented(text), mode="eval")
    except SyntaxError as error:
        lines = _lines(text, line)
        raise _at(lines, error.lineno or line, (error.offset or 1) - 1, str(error.msg)) from None
    return tree.body.elts if isinstance(tree.body, ast.List | ast.Tuple) else [tree.body]


def _lines(text: str, line: int) -> list[str]:
    return [*[""] * (line - 1), *text.split("\n")]


def _unindented(text: str) -> str:
    blank = len(text) - len(text.lstrip())
    return "\n" * text[:blank].count("\n") + text[blank:]


def _python_row(node: ast.expr, lines: list[str]) -> Row:
    try:
        row = ast.literal_eval(node)
    except (ValueError, TypeError):
        row = None
    if isinstance(row, dict) and all(isinstance(name, str) for name in row):
        return row
    if row is None or isinstance(row, dict | set):
        source = lines[node.lineno - 1]
        column = len(source.encode()[: node.col_offset].decode(errors="ignore"))
        raise _at(lines, node.lineno, column, "a row is not made of plain values")
    return tuple(row) if isinstance(row, list | tuple) else (row,)


def _at(lines: list[str], line: int, column: int, problem: str) -> DefinitionError:
    return DefinitionError(
        problem,
        line,
        column + 1,
        lines[min(line, len(lines)) - 1],
        1,
        "Write a list of dicts, tuples or single values: numbers, texts, True, False, None. "
        "Contents that are computed belong into a class.",
    )
