"""All operations of the condition language and the names users know them by."""

from __future__ import annotations

from typing import Final

from djupyter.errors import QuerySyntaxError, nearest
from djupyter.sql.language.date_forms import DATES
from djupyter.sql.language.forms import ADAPTIONS, OPERATORS, Form, form
from djupyter.sql.language.scalar_forms import CHOICE, DOUBLE, NUMBERS, TEXT


def _aggregates(distinct: str, suffix: str) -> list[Form]:
    """Return the aggregates over all values, or over distinct ones."""
    return [
        form(f"count{suffix}", 1, "number", f"COUNT({distinct}{{0}})"),
        form(f"sum{suffix}", 1, "number", f"SUM({distinct}{{0:n}})"),
        form(
            f"avg{suffix}",
            1,
            "number",
            f"AVG({distinct}{{0:n}})",
            f"AVG({distinct}{{0:n}} * 1e0)",
            f"AVG({distinct}{DOUBLE})",
        ),
        form(f"min{suffix}", 1, "any", f"MIN({distinct}{{0:o}})"),
        form(f"max{suffix}", 1, "any", f"MAX({distinct}{{0:o}})"),
        *_group_concat(distinct, suffix),
    ]


def _group_concat(distinct: str, suffix: str) -> list[Form]:
    """Return group_concat of (values, separator) and of (values, separator, order).

    SQLite takes no separator with DISTINCT and no order: `DJ_GROUP_CONCAT` has both as arguments.
    """
    flag = suffix.strip()
    only = "FILTER (WHERE {0:v} IS NOT NULL)"
    return [
        form(
            f"group_concat{suffix}",
            2,
            "text",
            f"DJ_GROUP_CONCAT('{flag}', {{1}}, {{0}})",
            f"GROUP_CONCAT({distinct}{{0}} SEPARATOR {{1}})",
            f"ARRAY_TO_STRING(ARRAY_AGG({distinct}{{0:v}}) {only}, {{1:t}})",
        ),
        form(
            f"group_concat{suffix}",
            3,
            "text",
            f"DJ_GROUP_CONCAT('{flag}', {{1}}, {{0}}, {{2}})",
            f"GROUP_CONCAT({distinct}{{0}} ORDER BY {{2}} SEPARATOR {{1}})",
            f"ARRAY_TO_STRING(ARRAY_AGG({distinct}{{0:v}} ORDER BY {{2}}) {only}, {{1:t}})",
        ),
    ]


_SPREAD = [
    form(
        name,
        1,
        "number",
        f"DJ_{name.upper()}({{0:n}})",
        # MariaDB gives the spread of whole numbers with four digits behind the point.
        f"{name.upper()}({{0:n}} * 1e0)",
        f"{name.upper()}({DOUBLE})",
    )
    for name in ("stddev_pop", "stddev_samp", "var_pop", "var_samp")
]
_AGGREGATES = [
    form("count*", 0, "number", "COUNT(*)"),
    form(
        "count distinct",
        -1,
        "number",
        "COUNT(DISTINCT DJ_TUPLE({*}))",
        "COUNT(DISTINCT {*})",
        "COUNT(DISTINCT ROW({*})) FILTER (WHERE ROW({*}) IS NOT NULL)",
    ),
    # ANY_VALUE of MySQL does not aggregate: without a GROUP BY it gives every row.
    form("any_value", 1, "any", "MAX({0})", "", "(ARRAY_AGG({0:v}))[1]"),
    *_aggregates("", ""),
    *_aggregates("DISTINCT ", " distinct"),
    *_SPREAD,
]
# MySQL takes NULL for 0 in the order of GROUP_CONCAT, against its own rules; and there it passes over what
# follows a constant, such as whether an attribute is NULL that cannot be.
_IS_NULL = "(NULLIF({0}, NULL) IS NULL)"
_ORDER = [
    form("asc", 1, "any", "'asc', {0}", f"(NOT {_IS_NULL}), {{0}}", "{0:o} NULLS FIRST"),
    form("desc", 1, "any", "'desc', {0}", f"{_IS_NULL}, {{0}} DESC", "{0:o} DESC NULLS LAST"),
]

_ROWS = [*OPERATORS, *ADAPTIONS, *TEXT, *CHOICE, *NUMBERS, *DATES, *_AGGREGATES, *_ORDER]
FORMS: Final = {(row.name, row.arity): row for row in _ROWS}
AGGREGATES: Final = frozenset(row.name for row in _AGGREGATES)

ALIASES: Final = {
    "adddate": "date_add",
    "ceiling": "ceil",
    "character_length": "char_length",
    "current_date": "curdate",
    "current_time": "curtime",
    "current_timestamp": "now",
    "dayofmonth": "day",
    "lcase": "lower",
    "localtime": "now",
    "localtimestamp": "now",
    "mid": "substring",
    "pow": "power",
    "std": "stddev_pop",
    "stddev": "stddev_pop",
    "subdate": "date_sub",
    "substr": "substring",
    "timestampadd": "date_add",
    "ucase": "upper",
    "variance": "var_pop",
}

FUNCTION_NAMES: Final = tuple(
    sorted(
        {
            row.name
            for row in [*TEXT, *CHOICE, *NUMBERS, *DATES, *_AGGREGATES]
            if row.name.isidentifier()
        }
        | {
            *ALIASES,
            "cast",
            "convert",
            "extract",
            "if",
            "locate",
            "mod",
            "position",
            "timestampdiff",
        }
    )
)


def unknown_function(name: str) -> QuerySyntaxError:
    """Return the error for a function that is not listed."""
    near = nearest(name, FUNCTION_NAMES)
    return QuerySyntaxError(
        f"Function `{name}` is not in the condition language. {near}{' ' if near else ''}"
        f"Available: {', '.join(FUNCTION_NAMES)}."
    )


def find_form(name: str, count: int) -> Form:
    """Return the row of an operation with a number of arguments.

    Raises
    ------
    QuerySyntaxError
        There is no such function, or it takes another number of arguments.
    """
    found = FORMS.get((name, count)) or (FORMS.get((name, -1)) if count else None)
    if found:
        return found
    arities = sorted(arity for known, arity in FORMS if known == name)
    if arities:
        wanted = "one or more" if arities[0] < 0 else " or ".join(map(str, arities))
        raise QuerySyntaxError(
            f"`{name}` takes {wanted} argument{'s' * (wanted != '1')}, not {count}."
        )
    raise unknown_function(name)
