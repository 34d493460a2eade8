"""Text to sqlglot's tree, and its complaints in our words: the only place that runs sqlglot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.mysql import MySQL
from sqlglot.errors import ParseError, TokenError
from sqlglot.parsers.mysql import MySQLParser
from sqlglot.tokenizer_core import TokenType

from djupyter.errors import QuerySyntaxError


class _Conditions(MySQL):
    """MySQL with every function left as it was written: `forms` alone says what each means."""

    class Tokenizer(MySQL.Tokenizer):
        COMMANDS: ClassVar[set[TokenType]] = set()

    class Parser(MySQLParser):
        FUNCTIONS: ClassVar[dict[str, Callable[..., Any]]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Callable[..., Any]]] = {
            name: parser
            for name, parser in MySQLParser.FUNCTION_PARSERS.items()
            if name
            in {"CAST", "CONVERT", "EXTRACT", "GROUP_CONCAT", "POSITION", "SUBSTRING", "TRIM"}
        }


_DIALECT = _Conditions()


def parse(text: str) -> object:
    """Return sqlglot's tree of a text."""
    if not text.strip():
        raise QuerySyntaxError(
            'The condition is empty. Write one, for example "weight > 3"; True selects all.'
        )
    if "\0" in text:
        raise QuerySyntaxError("A condition cannot contain the character NUL.")
    try:
        tokens = _DIALECT.tokenize(text)
        for token in tokens:
            if token.token_type in _REFUSED_TOKENS:
                raise _misread(text, token.start, token.text, _REFUSED_TOKENS[token.token_type])
        trees = _DIALECT.parser().parse_into(exp.Condition, tokens, text)
    except TokenError:
        raise QuerySyntaxError(f"A quote or a comment is never closed:\n    {text}") from None
    except ParseError as error:
        raise _from_parse_error(text, error) from None
    if not trees or trees[0] is None:
        raise QuerySyntaxError(f"There is no condition in this text:\n    {text}")
    return trees[0]


_REFUSED_TOKENS = {
    TokenType.SEMICOLON: "a condition is a single expression, without `;`",
    TokenType.DPIPE: "it means OR or joins texts, as the database likes: write OR, or concat(a, b)",
}


def _misread(text: str, start: int, found: str, problem: str) -> QuerySyntaxError:
    """Return an error that points at a place of the text."""
    line_start = text.rfind("\n", 0, start) + 1
    line = text[line_start:].split("\n", 1)[0]
    before = "".join("\t" if char == "\t" else " " for char in line[: start - line_start])
    return QuerySyntaxError(
        f"The condition cannot be understood at `{found}`: {problem}.\n"
        f"    {line}\n    {before}{'^' * max(len(found), 1)}"
    )


def _from_parse_error(text: str, error: ParseError) -> QuerySyntaxError:
    """Return our error for sqlglot's: where, and what was expected."""
    details: dict[str, Any] = error.errors[0] if error.errors else {}
    found = details.get("highlight") or ""
    lines = text.split("\n")
    line = min(details.get("line") or 1, len(lines)) - 1
    start = sum(len(before) + 1 for before in lines[:line]) + max(
        (details.get("col") or 1) - len(found), 0
    )
    if str(details.get("description")).startswith("Required"):
        return _misread(text, start, found, "an operand is missing beside it")
    return _misread(
        text,
        start,
        found,
        "an operator such as AND, or the end, was expected. "
        "Names that are SQL words go in `backticks`",
    )
