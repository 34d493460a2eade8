"""The functions on dates and times, one row each; `forms` explains the rows."""

from __future__ import annotations

from typing import Final

from djupyter.sql.language.forms import Form, form

# What each unit of time is in microseconds, or in months where its length varies.
UNIT_MICROSECONDS: Final = {
    "MICROSECOND": 1,
    "SECOND": 10**6,
    "MINUTE": 60 * 10**6,
    "HOUR": 3600 * 10**6,
    "DAY": 86400 * 10**6,
    "WEEK": 7 * 86400 * 10**6,
}
UNIT_MONTHS: Final = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}

# The codes of DATE_FORMAT and what TO_CHAR of PostgreSQL calls them.
DATE_CODES: Final = {
    "Y": "YYYY", "y": "YY", "m": "MM", "c": "FMMM", "d": "DD", "e": "FMDD",
    "M": "FMMonth", "b": "Mon", "W": "FMDay", "a": "Dy", "j": "DDD",
    "H": "HH24", "k": "FMHH24", "h": "HH12", "I": "HH12", "l": "FMHH12", "p": "AM",
    "i": "MI", "s": "SS", "S": "SS", "f": "US", "T": "HH24:MI:SS", "%": "%",
}  # fmt: skip


def _part(name: str, code: str, unit: str = "") -> Form:
    """Return the form of a part of a date or time."""
    unit = unit or name.upper()
    return form(
        name,
        1,
        "number",
        f"CAST(STRFTIME('{code}', {{0}}) AS INTEGER)",
        f"{name.upper()}({{0}})",
        f"CAST(FLOOR(EXTRACT({unit} FROM {{0:d}})) AS INTEGER)",
    )


DATES = [
    _part("year", "%Y"),
    _part("month", "%m"),
    _part("day", "%d"),
    _part("hour", "%H"),
    _part("minute", "%M"),
    _part("second", "%S"),
    _part("dayofyear", "%j", "DOY"),
    form(
        "quarter",
        1,
        "number",
        "((CAST(STRFTIME('%m', {0}) AS INTEGER) + 2) / 3)",
        "QUARTER({0})",
        "CAST(EXTRACT(QUARTER FROM {0:d}) AS INTEGER)",
    ),
    form(
        "microsecond",
        1,
        "number",
        "DJ_MICROSECOND({0})",
        "MICROSECOND({0})",
        "(CAST(EXTRACT(MICROSECONDS FROM {0:d}) AS INTEGER) % 1000000)",
    ),
    form(
        "dayofweek",
        1,
        "number",
        "(CAST(STRFTIME('%w', {0}) AS INTEGER) + 1)",
        "DAYOFWEEK({0})",
        "CAST(EXTRACT(DOW FROM {0:d}) + 1 AS INTEGER)",
    ),
    form(
        "weekday",
        1,
        "number",
        "((CAST(STRFTIME('%w', {0}) AS INTEGER) + 6) % 7)",
        "WEEKDAY({0})",
        "CAST(EXTRACT(ISODOW FROM {0:d}) - 1 AS INTEGER)",
    ),
    form("date", 1, "date", "DATE({0})", "", "CAST({0:d} AS DATE)"),
    form(
        "time",
        1,
        "date",
        "(CASE WHEN INSTR({0}, '.') = 20 THEN RTRIM(SUBSTR({0}, 12), '0') ELSE TIME({0}) END)",
        "TIME({0})",
        "CAST(CAST({0:d} AS TIMESTAMP) AS TIME)",
    ),
    form("now", 0, "date", "CURRENT_TIMESTAMP", "NOW()", "LOCALTIMESTAMP(0)"),
    form("curdate", 0, "date", "CURRENT_DATE"),
    form("curtime", 0, "date", "CURRENT_TIME", "", "LOCALTIME(0)"),
    form(
        "unix_timestamp",
        0,
        "number",
        "CAST(STRFTIME('%s', 'now') AS INTEGER)",
        "UNIX_TIMESTAMP()",
        "CAST(FLOOR(EXTRACT(EPOCH FROM NOW())) AS BIGINT)",
    ),
    form(
        "unix_timestamp",
        1,
        "number",
        # Whole seconds: SQLite would round.
        "CAST(STRFTIME('%s', SUBSTR({0}, 1, 19)) AS INTEGER)",
        "UNIX_TIMESTAMP({0})",
        "CAST(FLOOR(EXTRACT(EPOCH FROM CAST({0:d} AS TIMESTAMPTZ))) AS BIGINT)",
    ),
    form(
        "last_day",
        1,
        "date",
        "DATE({0}, 'start of month', '+1 month', '-1 day')",
        "LAST_DAY({0})",
        "CAST(DATE_TRUNC('month', {0:d}) + INTERVAL '1 month - 1 day' AS DATE)",
    ),
    form(
        "datediff",
        2,
        "number",
        "CAST(JULIANDAY(DATE({0})) - JULIANDAY(DATE({1})) AS INTEGER)",
        "DATEDIFF({0}, {1})",
        "(CAST({0:d} AS DATE) - CAST({1:d} AS DATE))",
    ),
    form(
        "date_add",
        3,
        "date",
        "DJ_DATE_ADD({0}, {1}, '{2}')",
        "DATE_ADD({0}, INTERVAL {1} {2})",
        "({0:d} + {1:n} * INTERVAL '1 {2}')",
    ),
    form(
        "date_sub",
        3,
        "date",
        "DJ_DATE_ADD({0}, - {1}, '{2}')",
        "DATE_SUB({0}, INTERVAL {1} {2})",
        "({0:d} - {1:n} * INTERVAL '1 {2}')",
    ),
    form(
        "timestampdiff seconds",
        4,
        "number",
        "DJ_TIMESTAMPDIFF('{0}', {1}, {2})",
        "TIMESTAMPDIFF({0}, {1}, {2})",
        "CAST(TRUNC(EXTRACT(EPOCH FROM (CAST({2:d} AS TIMESTAMP) - CAST({1:d} AS TIMESTAMP)))"
        " * 1000000 / {3}) AS BIGINT)",
    ),
    form(
        "timestampdiff months",
        4,
        "number",
        "DJ_TIMESTAMPDIFF('{0}', {1}, {2})",
        "TIMESTAMPDIFF({0}, {1}, {2})",
        "CAST(TRUNC((EXTRACT(YEAR FROM AGE({2:d}, {1:d})) * 12"
        " + EXTRACT(MONTH FROM AGE({2:d}, {1:d}))) / {3}) AS BIGINT)",
    ),
    form(
        "date_format",
        2,
        "text",
        "DJ_DATE_FORMAT({0}, '{1}')",
        "DATE_FORMAT({0}, '{1}')",
        "TO_CHAR({0:d}, '{1}')",
    ),
]
