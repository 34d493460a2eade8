"""Tokens know what they are and where they stand."""

import pytest

from djupyter.definition.lexer import lex, split_lines
from djupyter.errors import DefinitionError


def test_tokens_have_kind_line_and_column():
    [line] = lex("\n\ta_1 = 'x' : enum('#')\t# note \n")
    assert [(token.kind, token.text, token.column) for token in line.tokens] == [
        ("name", "a_1", 2),
        ("mark", "=", 6),
        ("string", "'x'", 8),
        ("mark", ":", 12),
        ("name", "enum", 14),
        ("mark", "(", 18),
        ("string", "'#'", 19),
        ("mark", ")", 22),
    ]
    assert (line.number, line.comment.text.strip(), line.comment.column) == (2, "# note", 24)


def test_only_line_ends_end_a_line():
    assert split_lines("a\x0cb\u2028c\x85d\r\ne\rf\ng") == ["a\x0cb\u2028c\x85d", "e", "f", "g"]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("--- it's over", ["divider"]),
        ("-> A", ["arrow", "name"]),
        ("--> A", ["mark", "arrow", "name"]),
        ("---> A", ["mark", "mark", "arrow", "name"]),
        ("#it's", ["comment"]),
        ("'it''s'\"\"\"\"", ["string", "string"]),
        ("`#kind`.a", ["quoted", "mark", "name"]),
        ("2020-1a", ["number", "mark", "number"]),
    ],
)
def test_each_piece_has_one_kind(text, kinds):
    [line] = lex(text)
    assert [token.kind for token in line.tokens] == kinds


@pytest.mark.parametrize("text", ["'a", "'a''", 'b "', "` x"])
def test_an_open_quote_is_refused(text):
    with pytest.raises(DefinitionError, match="is not closed"):
        lex(text)
