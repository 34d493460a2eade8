"""Values as numbers, so that a place between two of them can be guessed.

The key that lies seven tenths of the way from the first key to the last one may not exist, but the rows around it are
found at once. Whole numbers and days are *discrete*: what remains of the way leads into the rows that share the value.
"""

from __future__ import annotations

import datetime
import math
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

_EPOCH = datetime.datetime(1970, 1, 1)
_SECOND = datetime.timedelta(seconds=1)
_CHARACTERS = 6  # behind those that both ends begin with; a float holds no more


@dataclass(frozen=True, slots=True)
class Scale:
    """The way from one value to another.

    Parameters
    ----------
    first, last
        Its ends, as numbers; the last is less than the first where the order descends.
    number, value
        From values to numbers and back.
    discrete
        Whether values are whole numbers, each of which has a part of the way to itself.
    """

    first: float
    last: float
    number: Callable[[Any], float]
    value: Callable[[float], object]
    discrete: bool = False

    def at(self, fraction: float) -> tuple[object, float]:
        """Return the value at a fraction of the way, and the fraction of its own part that lies behind.

        >>> scale(0, 9).at(0.25)
        (2, 0.5)
        """
        way = self.last - self.first
        if not self.discrete:
            return self.value(self.first + way * fraction), 0.0
        sign = -1 if way < 0 else 1
        steps = min((abs(way) + 1) * fraction, abs(way) + 1 - 1e-9)
        whole = math.floor(steps)
        return self.value(self.first + sign * whole), min(steps - whole, 1.0)

    def fraction(self, value: object) -> float:
        """Return how far along the way a value lies.

        >>> scale(0, 9).fraction(2), scale(1.0, 0.0).fraction(0.25)
        (0.2, 0.75)
        """
        way = abs(self.last - self.first) + self.discrete
        gone = abs(self.number(value) - self.first) / way if way else 0.0
        return min(max(gone, 0.0), 1.0)


def scale(first: object, last: object) -> Scale | None:
    """Return the way from the first value to the last one; None where it cannot be measured.

    >>> scale("mouse_a", "mouse_z").at(0.5)[0]
    'mouse_mmmmmm'
    >>> scale(datetime.date(2024, 1, 1), datetime.date(2024, 1, 31)).at(0.5)
    (datetime.date(2024, 1, 16), 0.5)
    """
    for kind, make in _SCALES:
        if type(first) is kind and type(last) is kind:
            return make(first, last)
    return None


def _made(
    number: Callable[[Any], float], value: Callable[[float], object], *, discrete: bool = False
) -> Callable[[Any, Any], Scale | None]:
    def make(first: Any, last: Any) -> Scale | None:
        ends = number(first), number(last)
        # Infinity is a value like any other, but nothing lies halfway to it.
        if not all(map(math.isfinite, ends)):
            return None
        return Scale(*ends, number, value, discrete)

    return make


def _texts(first: str, last: str) -> Scale | None:
    shared = 0
    while shared < min(len(first), len(last)) and first[shared] == last[shared]:
        shared += 1
    head = first[:shared]
    # Digits and letters lie close together among all characters.
    codes = [ord(char) for char in first[shared:] + last[shared:]] or [0]
    low, base = min(codes), max(codes) - min(codes) + 2

    def number(text: str) -> float:
        if not text.startswith(head):
            return 0.0 if text < head else 1.0
        found = 0.0
        for place, char in enumerate(text[shared : shared + _CHARACTERS], 1):
            found += min(max(ord(char) - low + 1, 0), base - 1) / float(base) ** place
        return found

    def value(found: float) -> str:
        text = head
        for _ in range(_CHARACTERS):
            found *= base
            digit = math.floor(found)
            if digit < 1:
                break
            text += chr(min(digit, base - 1) - 1 + low)
            found -= digit
        # Halves of a pair are no characters.
        return text.encode("utf-8", "ignore").decode()

    return Scale(number(first), number(last), number, value)


def _whole(found: float) -> int:
    return round(found)


_SCALES: tuple[tuple[type, Callable[[Any, Any], Scale | None]], ...] = (
    (int, _made(float, _whole, discrete=True)),
    (float, _made(float, float)),
    (Decimal, _made(float, lambda found: Decimal(repr(found)))),
    (
        datetime.date,
        _made(
            lambda day: float(day.toordinal()),
            lambda found: datetime.date.fromordinal(round(found)),
            discrete=True,
        ),
    ),
    (
        datetime.datetime,
        _made(
            lambda moment: (moment - _EPOCH) / _SECOND,
            lambda found: _EPOCH + datetime.timedelta(seconds=round(found)),
        ),
    ),
    (
        uuid.UUID,
        _made(
            lambda number: float(number.int >> 64),
            lambda found: uuid.UUID(int=min(int(found), 2**64 - 1) << 64),
        ),
    ),
    (str, _texts),
)
