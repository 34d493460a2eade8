"""Every exception, in one family.

```
DataJointError
├── DefinitionError            a definition cannot be read; points at the token
├── LostConnectionError        the server went away
├── MissingTableError          the table does not exist (any more)
├── MissingExternalFile        an object that a row refers to is gone
├── ObjectIntegrityError       an object in a store is not as it was written
├── UnreadableReferenceError   nobody can tell to which objects a row refers
├── CollectionRefused          objects that may be in use were not removed
├── BucketInaccessible         a store cannot be reached
│   └── MissingFolder          the local folder of a store is not there
├── ThreadSafetyError          shared state asked for in thread-safe mode
├── UnknownSettingError        no setting has that name
├── InvalidSettingError        a value does not fit its setting
└── QueryError
    ├── QuerySyntaxError       a condition or statement cannot be understood
    ├── AccessError            a privilege is missing
    ├── DuplicateError         a row with this key is there already
    ├── IntegrityError         a foreign key would be broken
    ├── UnknownAttributeError  a name that the query does not have
    ├── MissingAttributeError  a value that must be given is missing
    └── InvalidValueError      a value does not fit its attribute
        └── TooLargeError      a row, or what is declared, is larger than the database takes
```

In a notebook these show their message and the user's own frames, never ours.
"""

from __future__ import annotations

import builtins
import os
import re
import traceback
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self, TypeVar

E = TypeVar("E", bound=BaseException)

_OUR_FOLDER = str(Path(__file__).parent)
# Folders whose frames say nothing to a user: ours, and those that call us or that we call.
_INSIDES = (_OUR_FOLDER, f"{os.sep}IPython{os.sep}", f"{os.sep}sqlalchemy{os.sep}")
# The line of a magic says nothing that the message does not, and may hold a password.
_MAGIC_CALLS = ("get_ipython().run_", "%")


def nearest(name: str, choices: Iterable[str]) -> str:
    """Return a sentence with the choice nearest to a misspelt name, or nothing.

    >>> nearest("flaot32", ["float32", "int8"])
    'Did you mean `float32`?'
    >>> nearest("zzz", ["float32"])
    ''
    """
    by_lower = {choice.lower(): choice for choice in choices}
    near = get_close_matches(str(name).lower(), by_lower, n=1, cutoff=0.6)
    return f"Did you mean `{by_lower[near[0]]}`?" if near else ""


class DataJointError(Exception):
    """Something in the pipeline cannot be done; the message says what, where and what to do."""

    def suggest(self, *advice: object) -> Self:
        """Return the same error with more advice appended to its arguments."""
        error = _made_again(type(self), (*self.args, *advice))
        error.__dict__.update(vars(self))
        return error

    def __reduce__(self) -> tuple[Any, ...]:
        # Many of our errors write their arguments themselves, and could not be made again from them.
        return _made_again, (type(self), self.args), vars(self)

    def __str__(self) -> str:
        return " ".join(str(argument) for argument in self.args)

    def _render_traceback_(self) -> list[str]:
        """Tell IPython what to show: the user's frames and the message, none of our insides."""
        frames = [
            line
            for frame in traceback.extract_tb(self.__traceback__)
            if frame.line
            and not any(folder in frame.filename for folder in _INSIDES)
            and not frame.line.startswith(_MAGIC_CALLS)
            for line in _shown(frame)
        ]
        return [*frames, f"{type(self).__name__}: {self}", *getattr(self, "__notes__", ())]


def _made_again(kind: type[E], arguments: tuple[object, ...]) -> E:
    """Return an error with the arguments of one that was there before, by which nothing is written anew."""
    error = kind.__new__(kind, *arguments)
    error.args = arguments
    return error


def _shown(frame: traceback.FrameSummary) -> list[str]:
    function = "" if frame.name == "<module>" else f", in {frame.name}"
    return [
        f"{_place(frame.filename)}, line {frame.lineno}{function}",
        f"----> {frame.lineno} {frame.line}",
        "",
    ]


def _place(filename: str) -> str:
    """Return what people call a file: IPython knows which cell stands behind its file names."""
    get_shell = getattr(builtins, "get_ipython", None)
    shell = get_shell() if get_shell else None
    cell = shell.compile.format_code_name(filename) if shell else None
    return " ".join(cell) if cell else Path(filename).name


class DefinitionError(DataJointError):
    """A definition cannot be read.

    Parameters
    ----------
    problem
        What is wrong, in lower case, without a full stop.
    line, column
        Where the token begins, both counted from 1; a line of 0 means no place at all.
    source
        The text of that line.
    width
        Length of the token in characters.
    advice
        What to write instead; may have several lines.

    Examples
    --------
    >>> print(DefinitionError("unknown type 'flaot32'", 5, 9, "depth : flaot32", 7, "Did you mean float32?"))
    unknown type 'flaot32' (line 5, column 9)
        5 | depth : flaot32
          |         ^^^^^^^
        Did you mean float32?
    """

    def __init__(
        self,
        problem: str,
        line: int = 0,
        column: int = 0,
        source: str = "",
        width: int = 1,
        advice: str = "",
    ) -> None:
        super().__init__(problem)
        self.problem, self.line, self.column = problem, line, column
        self.source, self.width, self.advice = source, max(width, 1), advice

    def suggest(self, *advice: object) -> Self:
        """Return the same error with more advice on its last lines."""
        more = "\n".join([self.advice, *map(str, advice)]).strip()
        return type(self)(self.problem, self.line, self.column, self.source, self.width, more)

    def moved(self, lines: int, sources: list[str] | None = None) -> Self:
        """Return the same error for a definition that begins `lines` lines further down."""
        line = self.line + lines
        source = sources[line - 1] if sources and 0 < line <= len(sources) else self.source
        advice = re.sub(
            r"\bin line (\d+) already",
            lambda m: f"in line {int(m[1]) + lines} already",
            self.advice,
        )
        return type(self)(self.problem, line, self.column, source, self.width, advice)

    def __str__(self) -> str:
        if not self.line:
            return f"{self.problem}. {self.advice}".strip()
        number = f"{self.line:>5}"
        # A tab is one character to the lexer but many on screen: repeat it, so that the caret stays under the token.
        before = "".join("\t" if char == "\t" else " " for char in self.source[: self.column - 1])
        shown = [
            f"{self.problem} (line {self.line}, column {self.column})",
            f"{number} | {self.source}",
            f"{' ' * len(number)} | {before}{'^' * self.width}",
        ]
        shown += [f"    {line}" for line in self.advice.splitlines()]
        return "\n".join(shown)


class LostConnectionError(DataJointError):
    """The connection to the server was lost."""


class MissingTableError(DataJointError):
    """A table does not exist, or no longer."""


class MissingExternalFile(DataJointError):
    """An object that a row refers to is not in its store."""


class ObjectIntegrityError(DataJointError):
    """An object in a store is missing, or not as it was written."""


class UnreadableReferenceError(DataJointError):
    """Nobody can tell to which objects a row refers, so none may be removed."""


class CollectionRefused(DataJointError):
    """Objects were not removed, because some of them may be in use.

    Attributes
    ----------
    problems
        What could not be read, a sentence each.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        shown = "\n".join(f"- {problem}" for problem in self.problems[:10])
        more = f"\n- and {len(problems) - 10} more" if len(problems) > 10 else ""
        super().__init__(
            f"Nothing was removed: not all that may refer to an object could be read.\n{shown}{more}"
        )

    def suggest(self, *advice: object) -> Self:
        """Return the same error: the problems say what to do."""
        return self


class BucketInaccessible(DataJointError):
    """A store cannot be reached."""


class MissingFolder(BucketInaccessible, FileNotFoundError):
    """The local folder of a store is not there, perhaps since its disk is not mounted."""

    @classmethod
    def of(cls, folder: str) -> Self:
        """Return the error for a folder."""
        return cls(
            f"Inaccessible local directory {folder}: it is the location of a store. "
            "Make it, mount it, or change the location."
        )

    def suggest(self, *advice: object) -> Self:
        """Return the same error with more advice; two arguments of an OSError would be a number and a text."""
        return type(self)(" ".join(str(part) for part in (*self.args, *advice)))


class ThreadSafetyError(DataJointError):
    """Shared state was asked for while thread-safe mode forbids it."""


class UnknownSettingError(DataJointError, KeyError, AttributeError):
    """No setting has that name; settings are read by key and by attribute, so it is both errors."""


class InvalidSettingError(DataJointError, ValueError):
    """A value does not fit its setting."""


class QueryError(DataJointError):
    """A statement cannot be carried out."""


class QuerySyntaxError(QueryError):
    """A condition or a statement cannot be understood."""


class AccessError(QueryError):
    """The user lacks a privilege."""


class DuplicateError(QueryError):
    """A row with the same key, or the same values of a unique index, exists already.

    `in_key` tells whether it is the primary key; None where nobody knows.
    """

    in_key: bool | None = None


class IntegrityError(QueryError):
    """A foreign key would be broken."""


class UnknownAttributeError(QueryError, KeyError):
    """A name that the query or table does not have; also a `KeyError`, as users of datajoint expect.

    Examples
    --------
    >>> print(UnknownAttributeError.of("dept", ["depth", "mouse"], "scan"))
    Attribute `dept` is not found in scan. Did you mean `depth`? Its attributes: depth, mouse.
    """

    @classmethod
    def of(cls, name: str, names: Iterable[str], where: str = "query") -> Self:
        """Return the error for an unknown name, with the nearest known one."""
        known = list(names)
        advice = f"{nearest(name, known)} Its attributes: {', '.join(known)}."
        return cls(f"Attribute `{name}` is not found in {where}. {advice.strip()}")


class MissingAttributeError(QueryError):
    """A value that has to be given is missing."""


class InvalidValueError(QueryError):
    """A value does not fit the type, range, length or enum of its attribute.

    Where many rows are checked, `row` is the position of the first bad one.
    """

    row: int | None = None


class TooLargeError(InvalidValueError):
    """A row, or a table that is declared, is larger than the database takes.

    `in_index` tells that an index has no room for it, rather than the table.
    """

    in_index = False
