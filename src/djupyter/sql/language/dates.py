"""Functions of MySQL on dates and times, in Python, for SQLite.

Dates and times are ISO text: `YYYY-MM-DD` and `YYYY-MM-DD HH:MM:SS[.ffffff]`.
"""

from __future__ import annotations

import calendar
import math
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from djupyter.sql.language.scalars import Scalar, as_number, as_text, round_half_up


def _moment(value: Scalar) -> datetime:
    return datetime.fromisoformat(as_text(value))


def _iso(moment: datetime) -> str:
    return moment.isoformat(sep=" ")


def _add_months(moment: datetime, months: int) -> datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    return moment.replace(
        year=year, month=month + 1, day=min(moment.day, calendar.monthrange(year, month + 1)[1])
    )


_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}
_SECONDS = {
    "SECOND": 1.0,
    "MINUTE": 60.0,
    "HOUR": 3600.0,
    "DAY": 86400.0,
    "WEEK": 604800.0,
    "MICROSECOND": 1e-6,
}


def date_add(value: Scalar, count: Scalar, unit: str) -> str:
    """Move a date or a moment; days stay in the calendar of the month.

    >>> date_add("2024-01-31", 1, "MONTH"), date_add("2024-01-31", 36, "HOUR")
    ('2024-02-29', '2024-02-01 12:00:00')
    """
    moment, amount = _moment(value), as_number(count)
    if unit in _MONTHS:
        moved = _add_months(moment, int(round_half_up(amount, 0)) * _MONTHS[unit])
    else:
        moved = moment + timedelta(seconds=amount * _SECONDS[unit])
    whole_days = len(as_text(value)) <= 10 and unit in ("DAY", "WEEK", *_MONTHS)
    return str(moved.date()) if whole_days else _iso(moved)


def timestampdiff(unit: str, first: Scalar, second: Scalar) -> int:
    """Return the whole units of time from the first moment to the second.

    >>> timestampdiff("MONTH", "2024-01-31", "2024-02-29")
    0
    """
    start, end = _moment(first), _moment(second)
    if unit not in _MONTHS:
        microseconds = (end - start) // timedelta(microseconds=1)
        return math.trunc(Decimal(microseconds) / Decimal(round(_SECONDS[unit] * 1e6)))
    sign = 1 if end >= start else -1
    early, late = min(start, end), max(start, end)
    months = (late.year - early.year) * 12 + late.month - early.month
    before_day = (late.day, late.time()) < (early.day, early.time())
    return sign * ((months - before_day) // _MONTHS[unit])


# Not from `calendar`, whose names follow the locale.
_MONTH_NAMES = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_DAY_NAMES = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_FORMATS: dict[str, Callable[[datetime], str]] = {
    "Y": lambda t: f"{t.year:04}",
    "y": lambda t: f"{t.year % 100:02}",
    "m": lambda t: f"{t.month:02}",
    "c": lambda t: str(t.month),
    "d": lambda t: f"{t.day:02}",
    "e": lambda t: str(t.day),
    "H": lambda t: f"{t.hour:02}",
    "k": lambda t: str(t.hour),
    "h": lambda t: f"{(t.hour - 1) % 12 + 1:02}",
    "I": lambda t: f"{(t.hour - 1) % 12 + 1:02}",
    "l": lambda t: str((t.hour - 1) % 12 + 1),
    "i": lambda t: f"{t.minute:02}",
    "s": lambda t: f"{t.second:02}",
    "S": lambda t: f"{t.second:02}",
    "f": lambda t: f"{t.microsecond:06}",
    "p": lambda t: "AM" if t.hour < 12 else "PM",
    "M": lambda t: _MONTH_NAMES[t.month - 1],
    "b": lambda t: _MONTH_NAMES[t.month - 1][:3],
    "W": lambda t: _DAY_NAMES[t.weekday()],
    "a": lambda t: _DAY_NAMES[t.weekday()][:3],
    "j": lambda t: f"{t.timetuple().tm_yday:03}",
    "T": lambda t: f"{t:%H:%M:%S}",
    "%": lambda t: "%",
}


def date_format(value: Scalar, pattern: str) -> str:
    """Show a moment in a format of MySQL.

    >>> date_format("2024-03-05 14:07:00", "%W %e %M %Y, %H:%i")
    'Tuesday 5 March 2024, 14:07'
    """
    moment = _moment(value)
    return re.sub("%(.)", lambda code: _FORMATS[code[1]](moment), pattern)


def microsecond(value: Scalar) -> int:
    """Return the fraction of the second."""
    match = re.search(r"\.(\d{1,6})", as_text(value))
    return int(match[1].ljust(6, "0")) if match else 0
