"""The lines that begin with a keyword or sign: foreign keys and indexes."""

from __future__ import annotations

from collections.abc import Iterator

from djupyter.definition.attributes import check_name
from djupyter.definition.lexer import Line, Token
from djupyter.definition.model import ForeignKeySpec, IndexSpec
from djupyter.definition.types import unquote
from djupyter.errors import DefinitionError, nearest

_OPTIONS = ("nullable", "unique")
_PROJECTION = 'Write `-> Parent.proj(new_name="name_in_parent")`.'
_INDEX = "Write `index (name, ...)` or `unique index (name, ...)`."


class _Reader:
    """Reads the tokens of a line from left to right."""

    def __init__(self, line: Line) -> None:
        self.line, self.position = line, 0

    @property
    def here(self) -> Token | None:
        """The next token, None at the end."""
        tokens = self.line.tokens
        return tokens[self.position] if self.position < len(tokens) else None

    def accept(self, text: str) -> bool:
        """Step over a token if it reads so, in any case."""
        token = self.here
        found = token is not None and token.text.lower() == text
        self.position += found
        return found

    def expect(self, problem: str, advice: str, *kinds: str) -> Token:
        """Step over a token of one of these kinds or with one of these texts."""
        token = self.here
        if token is None or (token.kind not in kinds and token.text not in kinds):
            raise self.failure(problem, advice)
        self.position += 1
        return token

    def end(self, advice: str) -> None:
        """Refuse anything more."""
        if self.here is not None:
            raise self.line.error(f"unexpected '{self.here.text}'", self.here, advice)

    def failure(self, problem: str, advice: str) -> DefinitionError:
        """Return an error that points at the next token, or behind the last."""
        if self.here is None:
            return self.line.error_after(problem, self.line.tokens[-1], advice)
        return self.line.error(problem, self.here, advice)


def foreign_key(line: Line, *, in_key: bool) -> ForeignKeySpec:
    """Return the foreign key of a line `-> [options] Parent.proj(new="old")`.

    Raises
    ------
    DefinitionError
        An option is unknown or impossible, or what follows is not one table or its projection.
    """
    reader = _Reader(line)
    arrow = reader.expect("", "", "arrow")
    options = _options(reader, in_key)
    parts = [_part(reader)]
    while reader.accept("."):
        parts.append(_part(reader))
    renames: tuple[tuple[str, str], ...] = ()
    if len(parts) > 1 and parts[-1] == "proj" and reader.accept("("):
        parts.pop()
        renames = tuple(_renames(reader))
    reader.end(f"A foreign key refers to one table or to a projection of it. {_PROJECTION}")
    return ForeignKeySpec(
        ".".join(parts),
        renames,
        nullable="nullable" in options,
        unique="unique" in options,
        line=line.number,
        column=arrow.column,
    )


def _part(reader: _Reader) -> str:
    advice = "Write `-> Parent` or `-> module.Parent`."
    before = reader.line.tokens[reader.position - 1].text
    # describe() writes a table without a class by the names of the database, quoted in its way.
    return reader.expect(
        f"a table is missing after '{before}'", advice, "name", "quoted", "string"
    ).text


def _options(reader: _Reader, in_key: bool) -> list[str]:
    opening = reader.here
    if opening is None or not reader.accept("["):
        return []
    options: list[str] = []
    while True:
        token = reader.expect("an option is missing", f"Options: {', '.join(_OPTIONS)}.", "name")
        options.append(_option(reader.line, token, in_key))
        if reader.accept("]"):
            return options
        if reader.here is None:
            raise reader.line.error(
                "the bracket '[' is not closed", opening, "Write `-> [nullable] Parent`."
            )
        reader.expect("a comma is missing between the options", "Write `[nullable, unique]`.", ",")


def _option(line: Line, token: Token, in_key: bool) -> str:
    option = token.text.lower()
    if option not in _OPTIONS:
        advice = f"{nearest(option[:64], _OPTIONS)} Options: {', '.join(_OPTIONS)}.".strip()
        raise line.error(f"unknown option '{token.text}'", token, advice)
    if option == "nullable" and in_key:
        advice = "Remove the option, or move the line below `---`."
        raise line.error("a foreign key in the primary key cannot be nullable", token, advice)
    return option


def _renames(reader: _Reader) -> Iterator[tuple[str, str]]:
    """Read what stands between the brackets of `.proj(...)`."""
    opening = reader.line.tokens[reader.position - 1]
    seen: set[str] = set()
    while not reader.accept(")"):
        if reader.here is None:
            raise reader.line.error("the bracket '(' is not closed", opening, _PROJECTION)
        new = reader.expect("a new name is expected", _PROJECTION, "name")
        check_name(reader.line, new)
        reader.expect("'=' is missing after the new name", _PROJECTION, "=")
        old = reader.expect("a quoted name of the parent is expected", _PROJECTION, "string")
        name = unquote(old.text)
        if not name.isidentifier():
            advice = f"Only a rename can stand here, no computation. {_PROJECTION}"
            raise reader.line.error(f"{old.text} is no attribute name", old, advice)
        for token, key in ((new, f"new {new.text}"), (old, f"old {name}")):
            if key in seen:
                raise reader.line.error(
                    f"{token.text} is renamed twice", token, "Remove one of them."
                )
            seen.add(key)
        yield new.text, name
        if not reader.accept(",") and reader.here is not None and reader.here.text != ")":
            raise reader.failure("a comma is missing between the renames", _PROJECTION)


def is_index(line: Line) -> bool:
    """Whether a line declares an index; `index` and `unique` alone are fine names of attributes."""
    first = line.tokens[0].text.lower()
    if first not in ("index", "unique"):
        return False
    words = [token.text.lower() for token in line.tokens[1:3]]
    if (first, *words[:1]) == ("unique", "index"):
        return True
    # With a name before the bracket it is an index too, one that is refused.
    return words[:1] == ["("] or (words[1:] == ["("] and line.tokens[1].kind != "mark")


def index(line: Line) -> IndexSpec:
    """Return the index of a line `index (a, b)` or `unique index (a, b)`.

    Raises
    ------
    DefinitionError
        It has a name, no entries, an empty or repeated entry, or its brackets do not match.
    """
    reader = _Reader(line)
    unique = reader.accept("unique")
    if not reader.accept("index"):
        raise reader.failure("'index' is missing after 'unique'", _INDEX)
    if reader.here is not None and reader.here.kind in ("name", "string", "quoted"):
        raise reader.failure("an index has no name", _INDEX)
    reader.expect("'(' is missing after 'index'", _INDEX, "(")
    entries: list[str] = []
    for tokens in _entries(reader):
        entry = line.source[tokens[0].column - 1 : tokens[-1].end - 1]
        if len(tokens) == 1 and tokens[0].kind == "name":
            check_name(line, tokens[0])
        if entry in entries:
            raise line.error(f"'{entry}' is twice in the index", tokens[0], "Remove one of them.")
        entries.append(entry)
    reader.end("A comment begins with '#'.")
    return IndexSpec(tuple(entries), unique, line.number, line.tokens[0].column)


def _entries(reader: _Reader) -> Iterator[list[Token]]:
    """Read to the closing bracket, splitting at commas that stand in no inner bracket."""
    opened = [reader.line.tokens[reader.position - 1]]
    entry: list[Token] = []
    while opened:
        token = reader.here
        if token is None:
            raise reader.line.error("the bracket '(' is not closed", opened[-1], _INDEX)
        reader.position += 1
        if token.text == "(":
            opened.append(token)
        elif token.text == ")":
            opened.pop()
        if not opened or (token.text == "," and len(opened) == 1):
            if not entry:
                raise reader.line.error("an attribute is missing in the index", token, _INDEX)
            yield entry
            entry = []
        else:
            entry.append(token)
