"""The functions on text and numbers, one row each; `forms` explains the rows."""

from __future__ import annotations

from djupyter.sql.language.forms import BINARY, FOLDING, Form, form

TEXT = [
    form("upper", 1, "text", "DJ_UPPER({0})", "UPPER({0})", f"UPPER({{0:t}}{FOLDING})"),
    form("lower", 1, "text", "DJ_LOWER({0})", "LOWER({0})", f"LOWER({{0:t}}{FOLDING})"),
    form("length", 1, "number", "LENGTH(CAST({0} AS BLOB))", "LENGTH({0})", "OCTET_LENGTH({0:t})"),
    form("char_length", 1, "number", "LENGTH({0})", "CHAR_LENGTH({0})", "CHAR_LENGTH({0:t})"),
    form("concat", -1, "text", "DJ_CONCAT({*})", "CONCAT({*})", "({* || :t})"),
    form("concat_ws", -1, "text", "DJ_CONCAT_WS({*})", "CONCAT_WS({*})", "CONCAT_WS({*:t})"),
    form(
        "substring",
        2,
        "text",
        "DJ_SUBSTRING({0}, {1})",
        "SUBSTRING({0}, {1})",
        "(CASE WHEN {1:i} > 0 THEN SUBSTR({0:t}, {1:i}) "
        "WHEN {1:i} < 0 AND - {1:i} <= CHAR_LENGTH({0:t}) THEN RIGHT({0:t}, - {1:i}) "
        "WHEN {1:i} <= 0 THEN LEFT({0:t}, 0) END)",
    ),
    form(
        "substring",
        3,
        "text",
        "DJ_SUBSTRING({0}, {1}, {2})",
        "SUBSTRING({0}, {1}, {2})",
        "(CASE WHEN {2:i} <= 0 THEN LEFT({0:t}, 0) "
        "WHEN {1:i} > 0 THEN SUBSTR({0:t}, {1:i}, {2:i}) "
        "WHEN {1:i} < 0 AND - {1:i} <= CHAR_LENGTH({0:t}) THEN LEFT(RIGHT({0:t}, - {1:i}), {2:i}) "
        "WHEN {1:i} <= 0 THEN LEFT({0:t}, 0 * {2:i}) END)",
    ),
    form(
        "left",
        2,
        "text",
        "DJ_LEFT({0}, {1})",
        "LEFT({0}, {1})",
        "LEFT({0:t}, (ABS({1:i}) + {1:i}) / 2)",
    ),
    form(
        "right",
        2,
        "text",
        "DJ_RIGHT({0}, {1})",
        "RIGHT({0}, {1})",
        "RIGHT({0:t}, (ABS({1:i}) + {1:i}) / 2)",
    ),
    form("trim", 1, "text", "TRIM({0})", "", "TRIM({0:t})"),
    form("ltrim", 1, "text", "LTRIM({0})", "", "LTRIM({0:t})"),
    form("rtrim", 1, "text", "RTRIM({0})", "", "RTRIM({0:t})"),
    form("replace", 3, "text", "DJ_REPLACE({0}, {1}, {2})", "REPLACE({*})", "REPLACE({*:t})"),
    form("reverse", 1, "text", "DJ_REVERSE({0})", "REVERSE({0})", "REVERSE({0:t})"),
    form("repeat", 2, "text", "DJ_REPEAT({0}, {1})", "REPEAT({0}, {1})", "REPEAT({0:t}, {1:i})"),
    form("lpad", 3, "text", "DJ_LPAD({*})", "LPAD({*})", "LPAD({0:t}, {1:i}, {2:t})"),
    form("rpad", 3, "text", "DJ_RPAD({*})", "RPAD({*})", "RPAD({0:t}, {1:i}, {2:t})"),
    form(
        "instr",
        2,
        "number",
        "INSTR({0}, {1})",
        f"INSTR({{0}}, ({{1}} {BINARY}))",
        "STRPOS({0:t}, {1:t})",
    ),
]


def _unless_null(function: str) -> str:
    """Return SQL for PostgreSQL, whose function skips NULL; NOT NULL asks for all of a row."""
    return f"(CASE WHEN ROW({{*:r}}) IS NOT NULL THEN {function}({{*:o}}) END)"


CHOICE = [
    form("coalesce", -1, "any", "COALESCE({*}, NULL)", "COALESCE({*})", "COALESCE({*:v})"),
    form("ifnull", 2, "any", "IFNULL({0}, {1})", "", "COALESCE({0:v}, {1:v})"),
    form("nullif", 2, "any", "NULLIF({0}, {1})", "", "NULLIF({0:v}, {1:v})"),
    form("isnull", 1, "bool", "({0} IS NULL)"),
    form("greatest", -1, "any", "MAX({*})", "GREATEST({*})", _unless_null("GREATEST")),
    form("least", -1, "any", "MIN({*})", "LEAST({*})", _unless_null("LEAST")),
]

DOUBLE = "CAST({0:n} AS DOUBLE PRECISION)"
# MySQL rounds a double to the even neighbour, a decimal away from zero. What no decimal holds is whole.
_EXACT = "CAST({0:n} AS DECIMAL(65, 20))"
_IF_FITS = "IF(ABS({{0:n}}) < 1e40, {}, {{0:n}})"


def _real(name: str, domain: str = "") -> Form:
    """Return a function of one number; outside its domain PostgreSQL fails, MySQL gives NULL."""
    on_postgresql = f"{name.upper()}({DOUBLE})"
    if domain:
        on_postgresql = f"(CASE WHEN {{0:n}} {domain} THEN {on_postgresql} END)"
    return form(
        name, 1, "number", f"DJ_{name.upper()}({{0:n}})", f"{name.upper()}({{0:n}})", on_postgresql
    )


NUMBERS = [
    form("abs", 1, "number", "ABS({0:n})"),
    form("sign", 1, "number", "(({0:n} > 0) - ({0:n} < 0))", "SIGN({0:n})"),
    form(
        "round",
        1,
        "number",
        "DJ_ROUND({0:n}, 0)",
        _IF_FITS.format(f"ROUND({_EXACT})"),
        "ROUND(CAST({0:n} AS NUMERIC))",
    ),
    form(
        "round",
        2,
        "number",
        "DJ_ROUND({0:n}, {1})",
        _IF_FITS.format(f"ROUND({_EXACT}, {{1}})"),
        "ROUND(CAST({0:n} AS NUMERIC), {1:i})",
    ),
    form(
        "truncate",
        2,
        "number",
        "DJ_TRUNCATE({0:n}, {1})",
        "TRUNCATE({0:n}, {1})",
        "TRUNC(CAST({0:n} AS NUMERIC), {1:i})",
    ),
    form("floor", 1, "number", "DJ_FLOOR({0:n})", "FLOOR({0:n})"),
    form("ceil", 1, "number", "DJ_CEIL({0:n})", "CEIL({0:n})"),
    form(
        "power",
        2,
        "number",
        "DJ_POWER({0:n}, {1:n})",
        "POWER({0:n}, {1:n})",
        f"POWER({DOUBLE}, CAST({{1:n}} AS DOUBLE PRECISION))",
    ),
    form(
        "log",
        2,
        "number",
        "DJ_LOG({0:n}, {1:n})",
        "LOG({0:n}, {1:n})",
        "(CASE WHEN {0:n} > 0 AND {0:n} <> 1 AND {1:n} > 0 THEN "
        "LN(CAST({1:n} AS DOUBLE PRECISION)) / LN(CAST({0:n} AS DOUBLE PRECISION)) END)",
    ),
    _real("sqrt", ">= 0"),
    _real("exp"),
    _real("ln", "> 0"),
    form(
        "log10",
        1,
        "number",
        "DJ_LOG10({0:n})",
        "LOG10({0:n})",
        f"(CASE WHEN {{0:n}} > 0 THEN LOG({DOUBLE}) END)",
    ),
    form(
        "log2",
        1,
        "number",
        "DJ_LOG2({0:n})",
        "LOG2({0:n})",
        f"(CASE WHEN {{0:n}} > 0 THEN LN({DOUBLE}) / LN(2) END)",
    ),
    *(_real(name) for name in ("sin", "cos", "tan", "atan", "radians", "degrees")),
    form(
        "atan2",
        2,
        "number",
        "DJ_ATAN2({0:n}, {1:n})",
        "ATAN2({0:n}, {1:n})",
        f"ATAN2({DOUBLE}, CAST({{1:n}} AS DOUBLE PRECISION))",
    ),
    # MySQL shows six digits of it, unless it calculates.
    form("pi", 0, "number", "DJ_PI()", "(PI() * 1e0)", "PI()"),
]
