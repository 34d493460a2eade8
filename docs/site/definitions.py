"""Colours of the definition language on the pages: blocks marked `definition` and `definition-error`."""

from __future__ import annotations

from typing import Any, ClassVar

from pygments.lexer import RegexLexer, bygroups
from pygments.token import Comment, Keyword, Name, Operator, Punctuation, String, Text
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


def setup(app: Sphinx) -> dict[str, bool]:
    """Make the lexer known to Sphinx."""
    for alias in DefinitionLexer.aliases:
        app.add_lexer(alias, DefinitionLexer)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
