"""Functions of MySQL on text and numbers, in Python, for SQLite. NULL never reaches them."""

from __future__ import annotations

import json
import math
import re
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from functools import lru_cache

Scalar = int | float | str | bytes | None


def as_text(value: Scalar) -> str:
    """Return a value as MySQL shows it: 1.0 is `1`."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def as_number(value: Scalar) -> int | float:
    """Return the number that a text begins with, as MySQL does; 0 where there is none."""
    if isinstance(value, int | float):
        return value
    match = re.match(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", as_text(value))
    found = float(match[0]) if match else 0
    return (
        int(found)
        if isinstance(found, float) and found.is_integer() and abs(found) < 2**53
        else found
    )


# -- searching


@lru_cache(maxsize=512)
def _like_pattern(pattern: str, escape: str) -> re.Pattern[str]:
    pieces, escaped = [""], False
    for char in pattern:
        if escaped:
            pieces[-1], escaped = pieces[-1] + re.escape(char), False
        elif char == escape:
            escaped = True
        elif char == "%":
            pieces.append("")
        else:
            pieces[-1] += "." if char == "_" else re.escape(char)
    if escaped:
        pieces[-1] += re.escape(escape)
    first, *middle = pieces
    if not middle:
        return re.compile(first, re.DOTALL)
    last = middle.pop()
    # The first place of a piece is as good as any other: going back for one would take exponential time.
    found = "".join(f"(?>.*?{piece})" for piece in middle if piece)
    return re.compile(f"{first}{found}.*{last}", re.DOTALL)


def like(value: Scalar, pattern: Scalar, escape: str) -> int:
    r"""Tell whether a text matches a pattern of LIKE; case matters.

    >>> like("50%", r"50\%", "\\"), like("Abc", "a%", "\\")
    (1, 0)
    """
    return int(_like_pattern(as_text(pattern), escape).fullmatch(as_text(value)) is not None)


_regular = lru_cache(maxsize=512)(re.compile)


def regexp(value: Scalar, pattern: Scalar) -> int:
    """Tell whether a regular expression is found in a text; case matters."""
    return int(_regular(as_text(pattern)).search(as_text(value)) is not None)


# -- text

# Longer texts are NULL, as beyond MySQL's max_allowed_packet: a slip of the pen must not fill the memory.
_LONGEST = 64 * 2**20


def substring(text: Scalar, start: Scalar, length: Scalar = None) -> str:
    """Return a part of a text; positions count from 1, negative ones from the end.

    >>> substring("hello", 2, 3), substring("hello", -3), substring("hello", 0)
    ('ell', 'llo', '')
    """
    whole, first = as_text(text), int(as_number(start))
    begin = first - 1 if first > 0 else len(whole) + first
    count = len(whole) if length is None else int(as_number(length))
    return whole[begin : begin + max(count, 0)] if first and begin >= 0 else ""


def left(text: Scalar, length: Scalar) -> str:
    """Return the first characters."""
    return as_text(text)[: max(int(as_number(length)), 0)]


def right(text: Scalar, length: Scalar) -> str:
    """Return the last characters."""
    whole = as_text(text)
    return whole[max(len(whole) - max(int(as_number(length)), 0), 0) :]


def _padded(text: Scalar, length: Scalar, fill: Scalar, *, left: bool) -> str | None:
    whole, wanted, filling = as_text(text), int(as_number(length)), as_text(fill)
    missing = wanted - len(whole)
    if not 0 <= wanted <= _LONGEST or (missing > 0 and not filling):
        return None
    padding = (filling * (missing // len(filling) + 1))[:missing] if missing > 0 else ""
    return (padding + whole if left else whole + padding)[:wanted]


def lpad(text: Scalar, length: Scalar, fill: Scalar) -> str | None:
    """Fill up on the left, or cut, to a length."""
    return _padded(text, length, fill, left=True)


def rpad(text: Scalar, length: Scalar, fill: Scalar) -> str | None:
    """Fill up on the right, or cut, to a length."""
    return _padded(text, length, fill, left=False)


def replace(text: str, old: str, new: str) -> str | None:
    """Replace a text that is not empty."""
    if not old:
        return text
    length = len(text) + text.count(old) * (len(new) - len(old))
    return text.replace(old, new) if length <= _LONGEST else None


def repeat(text: Scalar, count: Scalar) -> str | None:
    """Return a text several times.

    >>> repeat("ab", 2), repeat("ab", -1)
    ('abab', '')
    """
    once, times = as_text(text), max(int(as_number(count)), 0)
    return once * times if len(once) * times <= _LONGEST else None


def concat_ws(separator: Scalar, *texts: Scalar) -> str | None:
    """Join the texts that are not NULL."""
    return (
        None
        if separator is None
        else as_text(separator).join(as_text(text) for text in texts if text is not None)
    )


_MARK = re.compile(r'("(?:[^"\\]|\\.)*")|[,:]')


def document(text: str) -> str:
    """Return a compact document with the blanks that other databases write into it.

    >>> document('[1,{"a,b":2}]')
    '[1, {"a,b": 2}]'
    """
    return _MARK.sub(lambda mark: mark[1] or f"{mark[0]} ", text)


def combination(*values: Scalar) -> str:
    """Return one text for several values, to count distinct combinations."""
    return json.dumps([as_text(value) for value in values])


# -- numbers


def _rounded(value: Scalar, digits: Scalar, rule: str) -> int | float:
    number = as_number(value)
    if isinstance(number, float) and abs(number) >= 2**53 and as_number(digits) >= 0:
        return number
    exact = Decimal(repr(number)).quantize(
        Decimal(1).scaleb(-int(as_number(digits))), rounding=rule
    )
    return int(exact) if isinstance(number, int) else float(exact)


def round_half_up(value: Scalar, digits: Scalar) -> int | float:
    """Round half away from zero, on the decimal digits that are shown.

    >>> round_half_up(2.5, 0), round_half_up(-1.005, 2), round_half_up(1234, -2)
    (3.0, -1.01, 1200)
    """
    return _rounded(value, digits, ROUND_HALF_UP)


def truncate(value: Scalar, digits: Scalar) -> int | float:
    """Cut digits off, towards zero."""
    return _rounded(value, digits, ROUND_DOWN)


def signed(value: Scalar) -> int:
    """Return the nearest whole number."""
    return int(round_half_up(value, 0))


def mod(left: int | float, right: int | float) -> int | float:
    """Return the remainder, with the sign of the left; in whole numbers where both are."""
    if isinstance(left, int) and isinstance(right, int):
        return (abs(left) % abs(right)) * (1 if left >= 0 else -1)
    return math.fmod(left, right)
