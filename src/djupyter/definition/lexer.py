"""Definition text to tokens that know their place.

```
subject_id = 0 : int32   # who
^name      ^ ^ ^ ^name   ^comment
           | | mark
        mark number
```

A line that begins with `#` is one comment, a line of three or more dashes is one divider; neither
is looked into, so that an apostrophe there is only text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple

from djupyter.errors import DefinitionError

# An unclosed quote never leaves the lexer.
TokenKind = Literal[
    "comment", "divider", "arrow", "name", "number", "string", "quoted", "mark", "unclosed"
]

# Possessive, so that an unclosed quote is never mended by splitting a doubled one.
STRING = r"""'(?:[^']|'')*+'|"(?:[^"]|"")*+\""""

_TOKEN = re.compile(
    rf"""\s*+(?:
      (?P<name>[^\W\d]\w*)
    | (?P<mark>[^\w\s\#'"`-]|-(?!>))
    | (?P<comment>\#.*)
    | (?P<number>\d\w*)
    | (?P<string>{STRING})
    | (?P<quoted>`[^`]+`)
    | (?P<unclosed>['"`].*)
    | (?P<arrow>->)
    )""",
    re.VERBOSE | re.DOTALL,
)
# Not str.splitlines: a form feed or a Unicode line separator may stand in a comment.
_LINE_END = re.compile(r"\r\n|\r|\n")
_DIVIDER = re.compile(r"-{3,}(?![->])")


class Token(NamedTuple):
    """A piece of a line; line and column count from 1."""

    kind: TokenKind
    text: str
    line: int
    column: int

    @property
    def end(self) -> int:
        """The column just after the token."""
        return self.column + len(self.text)


# Measured: Token(...) itself takes twice as long, and parsing makes ten tokens a line.
_token = partial(tuple.__new__, Token)


@dataclass(frozen=True, slots=True)
class Line:
    """A line with something on it.

    Parameters
    ----------
    number
        Counted from 1.
    source
        The text as written.
    tokens
        At least one; without the comment at the end.
    comment
        That comment, if there is one beside other tokens.
    """

    number: int
    source: str
    tokens: tuple[Token, ...]
    comment: Token | None = None

    def error(self, problem: str, at: Token, advice: str = "") -> DefinitionError:
        """Return the error that points at a token of this line."""
        return self.error_at(problem, at.column, len(at.text), advice)

    def error_at(
        self, problem: str, column: int, width: int = 1, advice: str = ""
    ) -> DefinitionError:
        """Return the error that points at a place in this line."""
        return DefinitionError(problem, self.number, column, self.source, width, advice)

    def error_after(self, problem: str, token: Token, advice: str = "") -> DefinitionError:
        """Return the error that points just behind a token, where something is missing."""
        return self.error_at(problem, token.end, 1, advice)

    def error_within(self, error: DefinitionError, column: int, width: int) -> DefinitionError:
        """Return an error found in a piece of this line, moved to where the piece stands.

        Parameters
        ----------
        error
            Its column counts from the beginning of the piece; without a line it means all of it.
        column, width
            Where the piece stands.
        """
        if error.line:
            column, width = column + error.column - 1, error.width
        return self.error_at(error.problem, column, width, error.advice)


def lex(text: str) -> list[Line]:
    """Return the lines of a definition that are not blank.

    Raises
    ------
    DefinitionError
        A quote is not closed on its line.

    Examples
    --------
    >>> [line] = lex("sex : enum('M', '#')  # of the mouse")
    >>> [token.text for token in line.tokens]
    ['sex', ':', 'enum', '(', "'M'", ',', "'#'", ')']
    >>> line.comment.text, line.comment.column
    ('# of the mouse', 23)
    """
    return [
        _line(number, source)
        for number, source in enumerate(split_lines(text), start=1)
        if not source.isspace() and source
    ]


def split_lines(text: str) -> list[str]:
    r"""Return the lines of a text as the lexer counts them.

    >>> split_lines("a\r\nb\n\nc")
    ['a', 'b', '', 'c']
    """
    return _LINE_END.split(text)


def _line(number: int, source: str) -> Line:
    text = source.strip()
    column = source.index(text) + 1
    if text[0] == "#":
        return Line(number, source, (Token("comment", text, number, column),))
    if _DIVIDER.match(text):
        return Line(number, source, (Token("divider", text, number, column),))
    tokens = [
        _token((kind, match[kind], number, match.start(kind) + 1))
        for match in _TOKEN.finditer(source)
        if (kind := match.lastgroup)
    ]
    # Both of these reach to the end of the line.
    if tokens[-1].kind == "unclosed":
        raise _unclosed(source, tokens[-1])
    if tokens[-1].kind == "comment":
        return Line(number, source, tuple(tokens[:-1]), tokens[-1])
    return Line(number, source, tuple(tokens))


def _unclosed(source: str, token: Token) -> DefinitionError:
    quote = token.text[0]
    advice = f"A quote within quotes is written twice: {quote * 2}."
    problem = f"the quote {quote} is not closed"
    return DefinitionError(problem, token.line, token.column, source, 1, advice)
