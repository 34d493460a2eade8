"""One line `name = default : type  # comment`."""

from __future__ import annotations

import re

from djupyter.definition.defaults import fitted, parse_default
from djupyter.definition.lexer import Line, Token
from djupyter.definition.model import AttributeSpec, Default, TypeSpec
from djupyter.definition.types import parse_type
from djupyter.errors import DefinitionError

# PostgreSQL cuts longer names without a word; MySQL has 64.
LONGEST_NAME = 63

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_NOT_IN_KEY = re.compile(r"json|bytes|(?:tiny|medium|long)?(?:blob|text)|bytea")
_FORM = "Write `name : type  # comment`, for example `recorded_on : date`."
_CURLY = "\u2018\u2019\u201c\u201d"


def attribute(line: Line, *, in_key: bool) -> AttributeSpec:
    """Return the attribute that a line declares.

    Parameters
    ----------
    line
        Its first token is no sign.
    in_key
        Whether the line stands above the divider.

    Raises
    ------
    DefinitionError
        The line declares no attribute, or one that cannot stand there.
    """
    name = line.tokens[0]
    if name.kind != "name":
        raise _bad_name(line, name)
    colon = _colon(line)
    check_name(line, name)
    default = _default(line, colon)
    spec = _type(line, colon)
    if default is not None:
        default = _fitted(line, colon, default, spec)
    comment = comment_text(line, line.comment) if line.comment else ""
    if in_key:
        _check_key(line, colon, default, spec)
    return AttributeSpec(name.text, spec, default, comment, line.number, name.column)


def comment_text(line: Line, token: Token) -> str:
    """Return the text of a comment.

    Raises
    ------
    DefinitionError
        It begins with a colon, which marks the types in a database's own comments.
    """
    text = token.text[1:].strip()
    if text.startswith(":"):
        at = token.column + token.text.index(":")
        raise line.error_at(
            "a comment cannot begin with ':'", at, 1, f"Write `# {text.lstrip(': ')}`."
        )
    return text


def check_name(line: Line, token: Token) -> None:
    """Refuse a name that no attribute may have."""
    name = token.text
    if _NAME.fullmatch(name) and len(name) <= LONGEST_NAME:
        return
    if name.startswith("_"):
        plain = _lowered(name.lstrip("_")) or "name"
        raise line.error("names that begin with '_' are reserved", token, f"Write `{plain}`.")
    if len(name) > LONGEST_NAME:
        advice = f"It has {len(name)} characters, {LONGEST_NAME} are allowed."
        raise line.error("the attribute name is too long", token, advice)
    if name.isascii():
        raise line.error("attribute names are in lower case", token, f"Write `{_lowered(name)}`.")
    advice = "Only a-z, 0-9 and _ may stand in it. Other signs belong in the comment."
    raise line.error(f"'{name}' is no attribute name", token, advice)


def _lowered(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _bad_name(line: Line, token: Token) -> DefinitionError:
    if token.kind == "number":
        return line.error(
            "an attribute name cannot begin with a digit", token, f"Write `n{token.text.lower()}`."
        )
    plain = token.text[1:-1]
    advice = f"Write `{plain}`." if _NAME.fullmatch(plain) else _FORM
    return line.error("attribute names are not quoted", token, advice)


def _colon(line: Line) -> int:
    """Return the position of the colon before the type among the tokens."""
    tokens = line.tokens
    for position, token in enumerate(tokens):
        if token.text == ":" and not _in_time(line.source, token.column - 1):
            if position > 1 and tokens[1].text != "=":
                raise _split_name(line, position)
            return position
    raise _without_colon(line)


def _in_time(source: str, at: int) -> bool:
    """Whether a colon stands between digits, as in 12:30."""
    return (
        source[at - 1 : at].isdigit() and source[at + 1 : at + 2].isdigit() and "=" in source[:at]
    )


def _split_name(line: Line, colon: int) -> DefinitionError:
    name, second = line.tokens[0], line.tokens[1]
    if second.kind == "arrow":
        return line.error("a foreign key stands on its own line", second, "Write `-> Parent`.")
    text = line.source[name.column - 1 : line.tokens[colon].column - 1].strip()
    joined = _lowered(re.sub(r"[^\w]+", "_", text, flags=re.ASCII)).strip("_")
    advice = f"Write `{joined} : ...`." if _NAME.fullmatch(joined) else _FORM
    return line.error(f"unexpected '{second.text}' in the attribute name", second, advice)


def _without_colon(line: Line) -> DefinitionError:
    tokens, name = line.tokens, line.tokens[0]
    if len(tokens) == 1:
        return line.error_after(f"a type is missing after '{name.text}'", name, _FORM)
    second, last = tokens[1], tokens[-1]
    if second.kind == "arrow":
        return line.error("a foreign key stands on its own line", second, "Write `-> Parent`.")
    if second.text == "=":
        return line.error_after("':' and a type are missing after the default", last, _FORM)
    rest = line.source[second.column - 1 : last.end - 1]
    if name.text.lower() in ("index", "unique"):
        advice = "Write `index (name, ...)` or `unique index (name, ...)`."
    elif second.kind == "name" or second.text == "<":
        advice = f"Write `{name.text} : {rest}`."
    else:
        advice = _FORM
    return line.error(f"':' is missing after '{name.text}'", second, advice)


def _type(line: Line, colon: int) -> TypeSpec:
    text, at = _type_text(line, colon)
    if not text:
        raise line.error_after("a type is missing after ':'", line.tokens[colon], _FORM)
    try:
        return parse_type(text)
    except DefinitionError as error:
        raise line.error_within(error, at, len(text)) from None


def _type_text(line: Line, colon: int) -> tuple[str, int]:
    """Return the text of the type and its column."""
    start = line.tokens[colon].end - 1
    end = line.comment.column - 1 if line.comment else len(line.source)
    text = line.source[start:end]
    stripped = text.lstrip()
    return stripped.rstrip(), start + 1 + len(text) - len(stripped)


def _default(line: Line, colon: int) -> Default | None:
    if colon == 1:
        return None
    sign, first, last = line.tokens[1], line.tokens[2], line.tokens[colon - 1]
    if colon == 2:
        advice = 'Write `= null`, `= ""`, `= 0` or no `=` at all.'
        raise line.error_after("a default is missing after '='", sign, advice)
    if first.kind == "string" and first is not last:
        advice = "A quoted default is one string. A quote within quotes is written twice."
        raise line.error("unexpected text after the default", line.tokens[3], advice)
    for token in line.tokens[2:colon]:
        if (token.kind == "string" and token is not first) or token.text in _CURLY:
            advice = "Put the whole default into straight quotes."
            raise line.error("a quote within an unquoted default", token, advice)
    return parse_default(line.source[first.column - 1 : last.end - 1])


def _fitted(line: Line, colon: int, default: Default, spec: TypeSpec) -> Default:
    try:
        return fitted(default, spec)
    except DefinitionError as error:
        raise line.error_within(error, *_default_place(line, colon)) from None


def _default_place(line: Line, colon: int) -> tuple[int, int]:
    column = line.tokens[2].column
    return column, line.tokens[colon - 1].end - column


def _check_key(line: Line, colon: int, default: Default | None, spec: TypeSpec) -> None:
    if default is not None and default.kind == "null":
        raise line.error_at(
            "an attribute of the primary key cannot be nullable",
            *_default_place(line, colon),
            "Remove the default, or move the line below `---`.",
        )
    if spec.kind == "codec" or _NOT_IN_KEY.fullmatch(spec.name):
        text, at = _type_text(line, colon)
        advice = "Values of this type cannot be compared. Move the line below `---`."
        raise line.error_at(f"{spec.text} cannot stand in the primary key", at, len(text), advice)
