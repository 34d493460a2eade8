"""A `%%dj_table` cell, taken apart.

```
%%dj_table lab.Kind : Lookup --alter     header: schema, name, tier, options
# What was shown                         definition
kind : varchar(16)
---
speed : float32
===                                      contents, of a Lookup only
grating, 1.5
movie, 24
def faster(self):                        class body: the first line that begins Python
    return self & "speed > 10"
```

Lines are counted as in the cell: the magic is line 1. Nothing here knows a database or IPython.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NoReturn, get_args

from djupyter.definition.names import Tier
from djupyter.errors import DefinitionError, nearest

MAGIC = "%%dj_table "
_TIERS: dict[str, Tier] = {tier.lower(): tier for tier in get_args(Tier)}
_OPTIONS = ("--alter", "--replace")
_TIER_ADVICE = "Write `Name : Tier` with one of Manual, Lookup, Imported, Computed."

_WORD = re.compile(r":|[^\s:]+")
_CONTENTS = re.compile(r"={3,}\s*")
# A definition never holds two bare words in a row: `class Foo` is Python, `class : int32` is not.
_PYTHON = re.compile(r"@|(?:def|class|import|from|async\s+def)\s+[^\W\d.]|from\s+\.")
# Contents may hold any words, so there only a whole statement counts: `import tax, 5` is a row.
_PYTHON_AFTER_CONTENTS = re.compile(
    r"@[\w.]+\s*(?:\(.*|#.*)?$"
    r"|(?:async\s+)?def\s+\w+\s*[(\[]"
    r"|class\s+\w+\s*[(:\[]"
    r"|from\s+[\w.]+\s+import\b"
    r"|import\s+[\w.]+(?:\s+as\s+\w+)?(?:\s*,\s*[^\W\d][\w.]*(?:\s+as\s+\w+)?)*\s*(?:#.*)?$"
)


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a cell.

    Parameters
    ----------
    text
        Its lines.
    line
        Where it begins in the cell; 0 where there is none.
    """

    text: str = ""
    line: int = 0

    def __bool__(self) -> bool:
        return self.line > 0


@dataclass(frozen=True, slots=True)
class Header:
    """What stands on the line of the magic.

    Parameters
    ----------
    schema
        Name of the schema, None for the current one.
    name
        Name of the class; of the master, where a part is declared.
    part
        Name of the part, None for every other table.
    tier
        Tier, `Part` for parts.
    alter, replace
        The options.
    """

    schema: str | None
    name: str
    part: str | None
    tier: Tier
    alter: bool = False
    replace: bool = False

    @property
    def class_name(self) -> str:
        """The name the class has by itself: that of the part for parts."""
        return self.part or self.name

    @property
    def full_name(self) -> str:
        """The name among the classes of its schema: `Session`, `Session.Trial`."""
        return f"{self.name}.{self.part}" if self.part else self.name


@dataclass(frozen=True, slots=True)
class Cell:
    """A `%%dj_table` cell.

    Parameters
    ----------
    header
        Name, tier and options.
    definition
        The definition; for a part it always refers to its master.
    contents
        Rows of a Lookup, as text: see `contents.parse_contents`.
    body
        Python: see `body.build_class`.
    lines
        All lines of the cell.
    master_line
        Line of the definition that was added to refer to the master; 0 where none was.
    """

    header: Header
    definition: Block
    contents: Block
    body: Block
    lines: tuple[str, ...] = field(repr=False)
    master_line: int = 0

    def place(self, error: DefinitionError) -> DefinitionError:
        """Return an error of the definition with its place in the cell.

        Examples
        --------
        >>> cell = parse_cell("Mouse : Manual", "mouse : int23")
        >>> print(cell.place(DefinitionError("unknown type 'int23'", 1, 9, "mouse : int23", 5)))
        unknown type 'int23' (line 2, column 9)
            2 | mouse : int23
              |         ^^^^^
        """
        if not error.line:
            return error
        if error.line == self.master_line:
            name, first = self.header.full_name, self.lines[0]
            return DefinitionError(
                error.problem, 1, first.index(name) + 1, first, len(name), error.advice
            )
        added = 1 if self.master_line and error.line > self.master_line else 0
        return error.moved(self.definition.line - 1 - added, list(self.lines))


def parse_cell(header: str, body: str) -> Cell:
    r"""Return the parts of a cell.

    Parameters
    ----------
    header
        What follows the magic on its line.
    body
        The lines below it.

    Raises
    ------
    DefinitionError
        The header is wrong, or a table that is no Lookup has contents.

    Examples
    --------
    >>> cell = parse_cell("lab.Kind : lookup", "kind : char(4)\n===\nslow\nfast\n")
    >>> cell.header.schema, cell.header.name, cell.header.tier, cell.contents
    ('lab', 'Kind', 'Lookup', Block(text='slow\nfast\n', line=4))
    """
    first = MAGIC + header.rstrip()
    lines = [first, *re.split(r"\r\n|\r|\n", body)]
    parsed = _Reader(first).parse()
    rows, python = borders(lines)
    if rows < python and parsed.tier != "Lookup":
        raise DefinitionError(
            f"{_article(parsed.tier)} table has no contents",
            rows + 1,
            1,
            lines[rows],
            len(lines[rows].rstrip()),
            f"Only a Lookup carries its rows: write `{parsed.full_name} : Lookup`, "
            "or insert the rows in another cell.",
        )
    text, master_line = "\n".join(lines[1:rows]), 0
    if parsed.part:
        text, master_line = _with_master(lines[1:rows], parsed.name)
    return Cell(
        parsed,
        Block(text, 2),
        _block(lines, rows + 1, python),
        _block(lines, python, len(lines)),
        tuple(lines),
        master_line,
    )


def borders(lines: list[str]) -> tuple[int, int]:
    """Return where contents and class body begin, counted from 0; the number of lines where there is none."""
    rows = python = len(lines)
    for place, line in enumerate(lines[1:], 1):
        in_contents = rows < place
        if (_PYTHON_AFTER_CONTENTS if in_contents else _PYTHON).match(line):
            python = place
            break
        if not in_contents and _CONTENTS.fullmatch(line):
            rows = place
    return min(rows, python), python


def _block(lines: list[str], start: int, stop: int) -> Block:
    return Block("\n".join(lines[start:stop]), start + 1) if start < stop else Block()


def _with_master(lines: list[str], master: str) -> tuple[str, int]:
    # The reference comes after the table comment, which has to stay the first line.
    reference = re.compile(
        rf"\s*->\s*(?:\[[^\]]*\]\s*)?(?:[a-z_]\w*\s*\.\s*)?(?:master|{master})"
        r"\s*(?:\.\s*proj\b.*|\#.*)?"
    )
    if any(map(reference.fullmatch, lines)):
        return "\n".join(lines), 0
    start = next((place for place, line in enumerate(lines) if line.strip()), 0)
    place = start + (1 if lines and lines[start].lstrip().startswith("#") else 0)
    return "\n".join([*lines[:place], "-> master", *lines[place:]]), place + 1


def _article(word: str) -> str:
    return f"an {word}" if word[0] in "AEIOU" else f"a {word}"


class _Reader:
    """Reads the header word by word, knowing where each stands."""

    def __init__(self, line: str) -> None:
        self.line = line
        self.words = [(word[0], word.start() + 1) for word in _WORD.finditer(line, len(MAGIC))]
        self.options = [word for word in self.words if word[0].startswith("-")]
        self.words = [word for word in self.words if word not in self.options]

    def parse(self) -> Header:
        schema, name, part = self._names()
        tier = self._tier(part)
        if len(self.words) > 3:
            self._fail("unexpected text after the tier", 3, "Comments go on the next line.")
        options = {self._option(*option) for option in self.options}
        return Header(schema, name, part, tier, "--alter" in options, "--replace" in options)

    def _names(self) -> tuple[str | None, str, str | None]:
        if not self.words or self.words[0][0] == ":":
            self._fail("a name is missing", 0, "Write `Name : Tier`, as in `Session : Manual`.")
        pieces = self.words[0][0].split(".")
        # Schemas begin with a small letter: that tells lab.Session from Session.Trial.
        schema = pieces.pop(0) if len(pieces) > 1 and not pieces[0][:1].isupper() else None
        if schema is not None and not schema.isidentifier():
            self._fail(f"'{schema}' cannot name a schema", 0, "Use letters, digits and _.")
        for piece in pieces:
            self._check_class(piece)
        if len(pieces) > 2:
            advice = "A part belongs to one master: write `Master.Part`."
            self._fail(f"'{self.words[0][0]}' has too many names", 0, advice)
        return schema, pieces[0], pieces[1] if len(pieces) == 2 else None

    def _check_class(self, name: str) -> None:
        if re.fullmatch(r"[A-Z][A-Za-z0-9_]*", name):
            return
        camel = "".join(
            piece[:1].upper() + piece[1:] for piece in re.findall(r"[A-Za-z0-9]+", name)
        )
        advice = "A class name is CamelCase, of ASCII letters and digits."
        if camel[:1].isalpha():
            advice += f" Write `{camel}`."
        self._fail(f"'{name}' cannot name a table", 0, advice)

    def _tier(self, part: str | None) -> Tier:
        words = self.words[1:3]
        if not words and part:
            return "Part"
        if not words or words[0][0] != ":":
            self._fail("a tier is missing", 1, f"For example `{self.words[0][0]} : Manual`.")
        if len(words) < 2:
            self._fail("a tier is missing after ':'", 2, _TIER_ADVICE)
        tier = _TIERS.get(words[1][0].lower())
        if tier is None:
            advice = nearest(words[1][0], [name for name in _TIERS.values() if name != "Part"])
            self._fail(f"unknown tier '{words[1][0]}'", 2, f"{advice} {_TIER_ADVICE}".strip())
        if part and tier != "Part":
            self._fail(f"a part has no tier '{words[1][0]}'", 2, "Leave out ':' and the tier.")
        if tier == "Part" and not part:
            self._fail("a part needs its master", 0, f"Write `Master.{self.words[0][0]}`.")
        return tier

    def _option(self, text: str, column: int) -> str:
        if text in _OPTIONS:
            return text
        advice = f"{nearest(text, _OPTIONS)} The options are {' and '.join(_OPTIONS)}."
        raise DefinitionError(
            f"unknown option '{text}'", 1, column, self.line, len(text), advice.strip()
        )

    def _fail(self, problem: str, place: int, advice: str) -> NoReturn:
        # A word that is missing is missing after the last one.
        word, column = self.words[place] if place < len(self.words) else ("", len(self.line) + 2)
        if not word and not self.words:
            column = len(MAGIC) + 1
        raise DefinitionError(problem, 1, column, self.line, len(word), advice)
