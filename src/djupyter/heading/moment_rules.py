"""Dates, datetimes and times of day.

All moments are naive. One with a time zone is converted to UTC; digits of a second beyond those
declared are cut off, never rounded, so that no moment moves into the future.
"""

from __future__ import annotations

import datetime
import re
from typing import Any

import numpy as np

from djupyter.heading.rule import RefusedError, Rule

_TIME = re.compile(
    r"(?P<sign>-?)(?P<hours>\d{1,3}):(?P<minutes>[0-5]\d)"
    r"(?::(?P<seconds>[0-5]\d)(?:\.(?P<fraction>\d{1,6}))?)?",
    re.ASCII,
)
_MIDNIGHT = datetime.time(0)
_LONGEST = datetime.timedelta(hours=839)  # a time of MySQL ends before it
_MICROSECOND = datetime.timedelta(microseconds=1)


def day() -> Rule:
    """Return the rule for dates.

    >>> day().convert("2024-02-29")
    datetime.date(2024, 2, 29)
    """

    def convert(value: Any) -> datetime.date:
        moment = _moment(value)
        if moment.time() != _MIDNIGHT:
            raise RefusedError("It has a time of day, which a date would lose: give value.date().")
        return moment.date()

    return Rule("a date such as 2024-12-31", convert, datetime.date)


def moment(digits: int) -> Rule:
    """Return the rule for datetimes that keep so many digits of a second.

    >>> moment(3).convert("2024-02-29T13:05:09.123456")
    datetime.datetime(2024, 2, 29, 13, 5, 9, 123000)
    """
    step = 10 ** (6 - digits)

    def convert(value: Any) -> datetime.datetime:
        exact = _moment(value)
        return exact.replace(microsecond=exact.microsecond // step * step, fold=0)

    return Rule("a date and time such as 2024-12-31 23:59:59", convert)


def time_of_day(digits: int) -> Rule:
    """Return the rule for times, as text.

    >>> time_of_day(6).convert(datetime.timedelta(hours=30, microseconds=500000))
    '30:00:00.5'
    """

    def convert(value: Any) -> str:
        elapsed = _elapsed(value)
        if not -_LONGEST < elapsed < _LONGEST:
            raise RefusedError("It is out of range.")
        sign = "-" if elapsed < datetime.timedelta(0) else ""
        seconds, microseconds = divmod(abs(elapsed) // _MICROSECOND, 1_000_000)
        fraction = f"{microseconds:06}"[:digits].rstrip("0")
        clock = f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        return f"{clock}.{fraction}" if fraction else clock

    return Rule("a time such as 23:59:59", convert)


def _moment(value: Any) -> datetime.datetime:
    """Return a moment as a naive datetime, whatever says it."""
    if type(value) is datetime.datetime and value.tzinfo is None:
        return value
    if isinstance(value, np.datetime64):
        # Beyond the years 1 to 9999 numpy gives a number instead.
        value = value.astype("datetime64[us]").item()
    elif isinstance(value, str):
        value = datetime.datetime.fromisoformat(value.strip())
    if isinstance(value, datetime.datetime):
        if value.tzinfo is not None:
            value = value.astimezone(datetime.UTC)
        clock = datetime.time(value.hour, value.minute, value.second, value.microsecond)
        return datetime.datetime.combine(value.date(), clock)
    if isinstance(value, datetime.date):
        return datetime.datetime.combine(value, _MIDNIGHT)
    raise RefusedError


def _elapsed(value: Any) -> datetime.timedelta:
    """Return the time since midnight."""
    if isinstance(value, np.timedelta64):
        value = value.astype("timedelta64[us]").item()
    if isinstance(value, datetime.timedelta):
        return value
    if isinstance(value, datetime.time):
        if value.tzinfo is not None:
            raise RefusedError("It has a time zone, which cannot be stored.")
        return datetime.timedelta(
            hours=value.hour,
            minutes=value.minute,
            seconds=value.second,
            microseconds=value.microsecond,
        )
    match = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise RefusedError
    elapsed = datetime.timedelta(
        hours=int(match["hours"]),
        minutes=int(match["minutes"]),
        seconds=int(match["seconds"] or 0),
        microseconds=int((match["fraction"] or "").ljust(6, "0")),
    )
    return -elapsed if match["sign"] else elapsed
