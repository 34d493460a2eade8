"""Text as it may be shown: every character visible, as wide as it looks, no longer than allowed.

Data comes from anywhere. A newline must not break a table, an escape sequence must not drive a
terminal, and a bidirectional control must not make one value look like another.
"""

from __future__ import annotations

import re
import unicodedata

LIMIT = 1000
"""Characters of one value that may ever be shown."""

# Controls (C0, C1), soft hyphen, Arabic letter mark, zero-width and bidirectional controls, line
# and paragraph separators, lone surrogates (they cannot be written as UTF-8), tags. The joiners
# U+200C and U+200D stay: scripts and emoji need them.
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)


def visible(text: str, limit: int | None = LIMIT) -> str:
    r"""Return text in one line in which every character shows.

    Parameters
    ----------
    text
        Anything.
    limit
        Most characters to return, the last one an ellipsis where some are left out; None for all.

    Examples
    --------
    >>> visible("two\nlines, \u202egnp")
    'two\\nlines, \\u202egnp'
    >>> visible("long text", 5)
    'long…'
    """
    bounded = text if limit is None else text[: limit + 1]
    shown = _HIDDEN.sub(lambda match: match[0].encode("unicode_escape").decode(), bounded)
    return shown if limit is None or len(shown) <= limit else shown[: limit - 1] + "…"


def text_width(text: str) -> int:
    r"""Return how many places text takes in a terminal.

    >>> text_width("abc"), text_width("日本"), text_width("e\u0301")
    (3, 4, 1)
    """
    if text.isascii():
        return len(text)
    return sum(_places(char) for char in text)


def cut(text: str, places: int) -> str:
    """Return text that takes at most so many places, ending in an ellipsis where it was longer.

    >>> cut("日本語", 5), cut("abc", 3)
    ('日本…', 'abc')
    """
    # Combining marks take no place: without a bound on characters they would pile up endlessly.
    if len(text) <= 4 * places and text_width(text) <= places:
        return text
    kept, room = "", places - 1
    for char in text[: 4 * places]:
        room -= _places(char)
        if room < 0:
            break
        kept += char
    return kept + "…"


def pad(text: str, places: int, *, right: bool = False) -> str:
    """Return text filled with blanks to so many places; `right` aligns it to the right.

    >>> pad("日", 4) + "|", pad("12", 4, right=True)
    ('日  |', '  12')
    """
    blanks = " " * (places - text_width(text))
    return blanks + text if right else text + blanks


def _places(char: str) -> int:
    if unicodedata.category(char) in {"Mn", "Me"} or char in "\u200c\u200d":
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1
