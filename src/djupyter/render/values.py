"""One value as a short text, and what kind of text that is.

NULL, the empty text, and the texts ``NULL`` and ``None`` are four different things and look so.
"""

from __future__ import annotations

import datetime
import decimal
import numbers
import reprlib
import uuid
from dataclasses import dataclass
from functools import singledispatch
from typing import Literal

import numpy as np

from djupyter.render.characters import visible
from djupyter.render.preview import Summary

Kind = Literal["null", "number", "text", "summary"]

_bounded = reprlib.Repr()
_bounded.maxdict = _bounded.maxlist = _bounded.maxtuple = _bounded.maxset = 20
_bounded.maxstring = _bounded.maxother = _bounded.maxlong = 200


@dataclass(frozen=True, slots=True)
class Shown:
    """A value as text: one line, only visible characters, at most 1000 of them.

    Parameters
    ----------
    text
        What to show.
    kind
        `number` is aligned to the right; `null` and `summary` stand for something else than text.
    full
        The exact value, where `text` is rounded.
    trace
        A few numbers to be drawn beside it.
    """

    text: str
    kind: Kind = "text"
    full: str = ""
    trace: tuple[float, ...] = ()


@singledispatch
def shown(value: object) -> Shown:
    """Return how a value looks in one cell of a table; never raises, never unbounded.

    Examples
    --------
    >>> shown(None).text, shown("").text, shown("NULL").text, shown("None").text
    ('NULL', "''", "'NULL'", "'None'")
    >>> shown(2 / 3).text, shown(5e-7).text, shown(3.0).text
    ('0.666667', '5e-07', '3.0')
    """
    return Shown(visible(_bounded.repr(value)))


@shown.register
def _(value: None) -> Shown:
    return Shown("NULL", "null")


@shown.register
def _(value: str) -> Shown:
    bare = visible(value)
    # Bare, these would read as something else: nothing, NULL, or a text without its quotes.
    misleading = value != value.strip() or value[:1] in {"", "'", '"'}
    return Shown(f"'{bare}'" if misleading or value in {"NULL", "None"} else bare)


@shown.register
def _(value: Summary) -> Shown:
    return Shown(visible(value.text), "summary", trace=value.trace)


@shown.register(bytes)
@shown.register(bytearray)
@shown.register(memoryview)
def _(value: bytes | bytearray | memoryview) -> Shown:
    size = memoryview(value).nbytes
    return Shown(f"{size} byte{'s' * (size != 1)}", "summary")


@shown.register
def _(value: bool) -> Shown:
    return Shown(str(value))


@shown.register
def _(value: numbers.Integral) -> Shown:
    number = int(value)
    # Python refuses to write very long integers as decimals.
    if number.bit_length() > 256:
        return Shown(f"int {number.bit_length()} bits", "summary")
    return Shown(str(number), "number")


@shown.register(float)
@shown.register(np.floating)
def _(value: float | np.floating[np._typing.NBitBase]) -> Shown:
    number = float(value)
    exact, short = repr(number), f"{number:.6g}"
    if short.lstrip("-").isdigit():
        short += ".0"
    return Shown(exact if len(exact) <= len(short) else short, "number", exact)


@shown.register
def _(value: decimal.Decimal) -> Shown:
    return Shown(visible(str(value)), "number")


@shown.register
def _(value: datetime.datetime) -> Shown:
    return Shown(value.isoformat(sep=" "))


@shown.register(datetime.date)
@shown.register(datetime.time)
@shown.register(datetime.timedelta)
@shown.register(np.datetime64)
@shown.register(np.timedelta64)
@shown.register(uuid.UUID)
def _(value: object) -> Shown:
    return Shown(str(value))


@shown.register
def _(value: np.generic) -> Shown:
    return shown(value.item())
