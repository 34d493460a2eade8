"""The text of a `%%dj_sql` cell: `{name}` stands for a value of the notebook, which is bound, never written into it.

```
SELECT * FROM lab.session WHERE subject = {subject} AND kind IN {kinds}      what is written
SELECT * FROM lab.session WHERE subject = %(v0)s AND kind IN (%(v1)s, %(v2)s)  what the database gets, with values
```

Nothing here knows a database.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from djupyter.errors import QuerySyntaxError, nearest

MAGIC = "%%dj_sql"
# Text in which a value cannot stand: quotes and comments.
_TOKEN = re.compile(
    r"(?P<quoted>'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`(?:[^`]|``)*`|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$"
    r"|--[^\n]*|/\*.*?\*/)"
    r"|(?P<brace>\{\{|\}\}|\{[^{}\n]*\}|[{}])"
    r"|(?P<other>.)",
    re.DOTALL,
)
_BRACE = re.compile(r"\{\{|\}\}|\{[^{}\n]*\}|[{}]")
_FIELD = re.compile(r"\{\s*(?P<name>[^\W\d]\w*)(?P<rest>(?:\.[^\W\d]\w*|\[[^\[\]]+\])*)\s*\}")
_STEP = re.compile(r"\.(?P<attribute>\w+)|\[(?P<item>[^\[\]]+)\]")
# What a database complains of: quoted, or the name of a table.
_COMPLAINED = re.compile(r"'((?:[^']|'')+)'|\"([^\"]+)\"|`([^`]+)`|^The table (\S+) does not exist")
_ADVICE = "Write {name} for a value of the notebook, and {{ or }} for a brace."


class SqlError(QuerySyntaxError):
    """A `%%dj_sql` cell cannot be carried out; points at the place in the cell."""


@dataclass(frozen=True, slots=True)
class SqlCell:
    """What the database gets.

    Parameters
    ----------
    sql
        The statement, with placeholders `%(name)s`.
    values
        The values by the names of the placeholders.
    """

    sql: str
    values: Mapping[str, object]


def parse_sql(text: str, names: Mapping[str, Any]) -> SqlCell:
    r"""Return the statement of a cell and its values.

    Parameters
    ----------
    text
        The lines below the magic.
    names
        The names of the notebook.

    Raises
    ------
    SqlError
        A name is not known, a value cannot be bound, or stands inside quotes; with the place in the cell.

    Examples
    --------
    >>> cell = parse_sql("SELECT '{{}}' WHERE a = {x.real} AND b IN {several}", {"x": 5, "several": [1, 2]})
    >>> cell.sql
    "SELECT '{}' WHERE a = %(v0)s AND b IN (%(v1)s, %(v2)s)"
    >>> cell.values
    {'v0': 5, 'v1': 1, 'v2': 2}
    """
    reader = _Reader(text, names)
    return SqlCell("".join(reader.pieces()), reader.values)


def pointed(text: str, start: int, width: int, problem: str, advice: str = "") -> SqlError:
    r"""Return an error that shows where in a cell something is wrong.

    >>> print(pointed("SELECT *\nFORM t", 9, 4, "syntax error"))
    syntax error (line 3, column 1)
        3 | FORM t
          | ^^^^
    """
    line = text.count("\n", 0, start)
    column = start - (text.rfind("\n", 0, start) + 1)
    source = text.split("\n")[line]
    before = "".join("\t" if char == "\t" else " " for char in source[:column])
    shown = [
        f"{problem} (line {line + 2}, column {column + 1})",
        f"{line + 2:>5} | {source}",
        f"      | {before}{'^' * max(1, min(width, len(source) - column))}",
    ]
    return SqlError("\n".join([*shown, *(f"    {each}" for each in advice.splitlines())]))


def placed(text: str, problem: str) -> SqlError | None:
    """Return the database's complaint with the place in the cell that it quotes, if it quotes one.

    Parameters
    ----------
    text
        The lines below the magic.
    problem
        What the database says.
    """
    for found in _COMPLAINED.finditer(problem):
        quoted = next(group for group in found.groups() if group)
        # MySQL quotes all that follows.
        first = re.split(r"\s", quoted.strip())[0] if quoted not in text else quoted.split("\n")[0]
        rest = text.find(quoted)
        start = rest if rest >= 0 else _only(text, first)
        if start >= 0 and first:
            return pointed(text, start, len(first.split(" ")[0] or first), problem)
    return None


def _only(text: str, word: str) -> int:
    """Return where a word stands in a text, -1 if it does not, or more than once."""
    found = (
        [m.start() for m in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", text)] if word else []
    )
    return found[0] if len(found) == 1 else -1


class _Reader:
    """Reads a cell piece by piece and collects the values."""

    def __init__(self, text: str, names: Mapping[str, Any]) -> None:
        self.text, self.names = text, names
        self.values: dict[str, object] = {}

    def pieces(self) -> list[str]:
        pieces: list[str] = []
        for token in _TOKEN.finditer(self.text):
            if token["quoted"]:
                pieces.append(self._quoted(token))
            elif token["brace"]:
                pieces.append(self._brace(token, "".join(pieces)))
            else:
                # A % is never the beginning of a placeholder here.
                pieces.append(token["other"].replace("%", "%%"))
        return pieces

    def _quoted(self, token: re.Match[str]) -> str:
        def plain(brace: re.Match[str]) -> str:
            if brace[0] in ("{{", "}}"):
                return brace[0][0]
            start = token.start() + brace.start()
            if token[0].startswith(("--", "/*")):
                return brace[0]
            if _FIELD.fullmatch(brace[0]):
                advice = "A value brings its own quotes: leave out those around it."
                raise pointed(
                    self.text, start, len(brace[0]), f"{brace[0]} stands inside quotes", advice
                )
            self._refuse(start, brace[0], "a single brace")

        return _BRACE.sub(plain, token[0]).replace("%", "%%")

    def _brace(self, token: re.Match[str], before: str) -> str:
        brace, start = token[0], token.start()
        if brace in ("{{", "}}"):
            return brace[0]
        field = _FIELD.fullmatch(brace)
        if field is None:
            self._refuse(start, brace, f"{brace} is not the name of a value")
        value = self._value(field, start, brace)
        many = _many(value)
        if many is None:
            return self._bound(value, start, brace)
        if not many:
            advice = "Nothing is IN an empty list: test for it in Python first."
            raise pointed(self.text, start, len(brace), f"{brace} is empty", advice)
        bound = ", ".join(self._bound(each, start, brace) for each in many)
        after = self.text[token.end() :].lstrip()
        is_enclosed = before.rstrip().endswith("(") and after.startswith(")")
        return bound if is_enclosed else f"({bound})"

    def _bound(self, value: object, start: int, brace: str) -> str:
        if isinstance(value, dict) or _many(value) is not None:
            advice = "A value is a number, a text, a date, bytes, None or a list of these."
            problem = f"{brace} is no single value but {type(value).__name__}"
            raise pointed(self.text, start, len(brace), problem, advice)
        name = f"v{len(self.values)}"
        self.values[name] = _plain(value)
        return f"%({name})s"

    def _value(self, field: re.Match[str], start: int, brace: str) -> Any:
        name = field["name"]
        if name not in self.names:
            known = [each for each in self.names if not each.startswith("_")]
            advice = f"{nearest(name, known)} {_ADVICE}".strip()
            problem = f"there is no `{name}` in the notebook"
            raise pointed(self.text, start, len(brace), problem, advice)
        value = self.names[name]
        for step in _STEP.finditer(field["rest"]):
            try:
                value = _stepped(value, step)
            except (AttributeError, LookupError, TypeError) as error:
                problem = f"{brace} has no value: {type(error).__name__}: {error}"
                raise pointed(self.text, start, len(brace), problem) from None
        return value

    def _refuse(self, start: int, brace: str, problem: str) -> NoReturn:
        raise pointed(self.text, start, len(brace), problem, _ADVICE)


def _stepped(value: Any, step: re.Match[str]) -> Any:
    if step["attribute"]:
        return getattr(value, step["attribute"])
    item = step["item"].strip("'\"")
    return value[int(item)] if item.lstrip("-").isdigit() and not _has(value, item) else value[item]


def _has(value: Any, item: str) -> bool:
    return isinstance(value, dict) and item in value


def _plain(value: Any) -> object:
    """Return a value of NumPy or pandas as one of Python."""
    if hasattr(value, "to_pydatetime"):
        return value.to_pydatetime()
    return value.item() if hasattr(value, "dtype") and hasattr(value, "item") else value


def _many(value: object) -> list[object] | None:
    """Return the values of a list, None for what is one value."""
    if isinstance(value, str | bytes | bytearray | memoryview | dict):
        return None
    if isinstance(value, list | tuple | set | frozenset):
        return sorted(value, key=repr) if isinstance(value, set | frozenset) else list(value)
    # Arrays and columns of frames.
    as_list: Callable[[], object] | None = getattr(value, "tolist", None)
    if as_list is not None and getattr(value, "ndim", 0) == 1:
        listed = as_list()
        return listed if isinstance(listed, list) else None
    return None
