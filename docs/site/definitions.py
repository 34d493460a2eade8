"""Colours of the definition language: of blocks marked `definition` or `definition-error`, and of cells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from ipython_pygments_lexers import IPython3Lexer
from pygments.lexer import RegexLexer, bygroups
from pygments.lexers.python import PythonLexer
from pygments.token import Comment, Keyword, Name, Operator, Punctuation, String, Text, _TokenType
from sphinx.application import Sphinx

_QUOTED = r"'[^'\n]*'|\"[^\"\n]*\""


class DefinitionLexer(RegexLexer):
    """One line is one statement, as the parser reads it; a wrong one is coloured as far as it goes."""

    name = "djupyter definition"
    aliases: ClassVar[list[str]] = ["definition", "definition-error"]
    tokens: ClassVar[dict[str, Any]] = {
        "root": [
            (r"#.*", Comment.Single),
            (r"^\s*-{3,}.*$", Keyword),
            (
                r"(->)(\s*)(\[[^\]\n]*\])?(\s*)([\w.]+)",
                bygroups(Operator, Text, Keyword, Text, Name.Class),
            ),
            (r"^(\s*)((?:unique\s+)?index)\b", bygroups(Text, Keyword)),
            (r"^(\s*)(\w+)", bygroups(Text, Name.Attribute)),
            (r"(:)(\s*)([\w ]+|<[^>\n]*>)", bygroups(Punctuation, Text, Keyword.Type)),
            (_QUOTED, String),
            (r"[^\S\n]+|\n", Text),
            (r".", Text),
        ]
    }


class CellLexer(IPython3Lexer):
    """A cell; one of `%%dj_table` has its first line, a definition, and then perhaps contents or a body."""

    name = "djupyter cell"
    aliases: ClassVar[list[str]] = ["ipython3", "ipython"]
    _parts = re.compile(
        r"(?P<head>%%dj_table\b.*\n)(?P<definition>(?:.*\n)*?)"
        r"(?P<contents>={3,}.*\n(?:.*\n)*?)?(?P<body>(?:def|async def|class|@|import|from)\b(?:.*\n)*)?"
    )

    def get_tokens_unprocessed(self, text: str) -> Iterator[tuple[int, _TokenType, str]]:
        """Yield the tokens of each part."""
        if not (found := self._parts.fullmatch(text)):
            yield from super().get_tokens_unprocessed(text)
            return
        yield found.start("head"), Keyword, found["head"]
        for part, lexer in (
            ("definition", DefinitionLexer()),
            ("contents", None),
            ("body", PythonLexer()),
        ):
            start = found.start(part)
            if lexer and found[part]:
                yield from (
                    (start + at, *it) for at, *it in lexer.get_tokens_unprocessed(found[part])
                )
            elif found[part]:
                yield start, String, found[part]


def setup(app: Sphinx) -> dict[str, bool]:
    """Make the lexer known to Sphinx."""
    for alias in DefinitionLexer.aliases:
        app.add_lexer(alias, DefinitionLexer)
    for alias in CellLexer.aliases:
        app.add_lexer(alias, CellLexer)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
