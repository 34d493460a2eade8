"""What every operation of the condition language is called on each backend: one row each.

A row has the name, the number of arguments (-1: one or more), what it yields, and its SQL for
SQLite, MySQL and PostgreSQL (a missing one is as on the left). `{0}` is the first argument, `{*}`
all of them with commas, `{* AND }` all of them with AND between. A letter behind a colon says what
the place needs, where PostgreSQL is strict about types and JSON has several:

- `c` a condition (a number is compared with 0), `n` a number, `a` one to calculate with,
- `v` anything but a truth value, `o` the same where order counts: texts go by their code points,
- `t` text, `d` a date or time, `i` an integer, `r` a part of a row.

Operations that differ between the backends in more than their spelling are defined by MySQL: NULL
in, NULL out, positions from 1, division gives a fraction, and a division by zero gives NULL. Case
always matters, in LIKE, REGEXP and in searches, as it does for keys. Functions beginning with `DJ_`
are those of `functions`.
"""

from __future__ import annotations

from dataclasses import dataclass

from djupyter.sql.language.tree import Kind


@dataclass(frozen=True, slots=True)
class Form:
    """How one operation is written."""

    name: str
    arity: int
    kind: Kind
    sqlite: str
    mysql: str
    postgresql: str
    mariadb: str

    def template(self, dialect: str) -> str:
        """Return the SQL for one backend."""
        text: str = getattr(self, dialect)
        return text


# Where PostgreSQL is told of letters beyond A to Z, if the database knows no others.
FOLDING = "\1"
# The collation of our own columns: two that are written out must be the same.
BINARY, _MARIADB_BINARY = "COLLATE utf8mb4_0900_bin", "COLLATE utf8mb4_nopad_bin"


def form(
    name: str,
    arity: int,
    kind: Kind,
    sqlite: str,
    mysql: str = "",
    postgresql: str = "",
    mariadb: str = "",
) -> Form:
    """Return a row; what is left out is as on the backend before it."""
    mysql = mysql or sqlite
    mariadb = mariadb or mysql.replace(BINARY, _MARIADB_BINARY)
    return Form(name, arity, kind, sqlite, mysql, postgresql or mysql, mariadb)


def _comparison(sign: str, need: str) -> Form:
    return form(sign, 2, "bool", f"({{0}} {sign} {{1}})", "", f"({{0:{need}}} {sign} {{1:{need}}})")


OPERATORS = [
    form("null", 0, "any", "NULL"),
    form("true", 0, "bool", "TRUE"),
    form("false", 0, "bool", "FALSE"),
    form("condition", 1, "bool", "{0:c}"),
    form("number", 1, "number", "{0:n}"),
    form("list", -1, "any", "{*}", "", "{*:v}"),
    form("and", -1, "bool", "({* AND :c})"),
    form("or", -1, "bool", "({* OR :c})"),
    form("xor", 2, "bool", "((NOT {0}) <> (NOT {1}))", "({0} XOR {1})", "({0:c} <> {1:c})"),
    form("not", 1, "bool", "(NOT {0:c})"),
    *(_comparison(sign, "v") for sign in ("=", "<>")),
    *(_comparison(sign, "o") for sign in ("<", "<=", ">", ">=")),
    form("<=>", 2, "bool", "({0} IS {1})", "({0} <=> {1})", "({0:v} IS NOT DISTINCT FROM {1:v})"),
    form("in", 2, "bool", "({0} IN ({1}))", "", "({0:v} IN ({1}))"),
    form("between", 3, "bool", "({0} BETWEEN {1} AND {2})", "", "({0:o} BETWEEN {1:o} AND {2:o})"),
    form("is null", 1, "bool", "({0} IS NULL)"),
    form("is true", 1, "bool", "({0:c} IS TRUE)"),
    form("is false", 1, "bool", "({0:c} IS FALSE)"),
    form(
        "like",
        2,
        "bool",
        r"DJ_LIKE({0}, {1}, '\')",
        f"({{0}} LIKE ({{1}} {BINARY}))",
        "({0:t} LIKE {1:t})",
    ),
    form(
        "like",
        3,
        "bool",
        "DJ_LIKE({0}, {1}, '{2}')",
        f"({{0}} LIKE ({{1}} {BINARY}) ESCAPE '{{2}}')",
        "({0:t} LIKE {1:t} ESCAPE '{2}')",
    ),
    form(
        "regexp",
        2,
        "bool",
        "DJ_REGEXP({0}, {1})",
        f"({{0}} REGEXP ({{1}} {BINARY}))",
        "({0:t} ~ {1:t})",
    ),
    form("binary", 1, "any", "{0}", f"(CAST({{0}} AS CHAR) {BINARY})", "{0}"),
    *(
        form(sign, 2, "number", f"({{0:n}} {sign} {{1:n}})", "", f"({{0:a}} {sign} {{1:a}})")
        for sign in "+-*"
    ),
    form(
        "/",
        2,
        "number",
        "(CAST({0:n} AS REAL) / {1:n})",
        "({0:n} * 1e0 / NULLIF({1:n}, 0))",
        "(CAST({0:n} AS DOUBLE PRECISION) / NULLIF({1:n}, 0))",
    ),
    form(
        "div",
        2,
        "number",
        "CAST({0:n} / {1:n} AS INTEGER)",
        "({0:n} DIV {1:n})",
        "CAST(DIV(CAST({0:n} AS NUMERIC), NULLIF(CAST({1:n} AS NUMERIC), 0)) AS BIGINT)",
    ),
    form(
        "mod",
        2,
        "number",
        "DJ_MOD({0:n}, {1:n})",
        "({0:n} % {1:n})",
        "MOD(CAST({0:n} AS NUMERIC), NULLIF(CAST({1:n} AS NUMERIC), 0))",
    ),
    # MySQL takes bits for a number without a sign.
    form("&", 2, "number", "({0:n} & {1:n})", "CAST({0:n} & {1:n} AS SIGNED)", "({0:n} & {1:n})"),
    form("|", 2, "number", "({0:n} | {1:n})", "CAST({0:n} | {1:n} AS SIGNED)", "({0:n} | {1:n})"),
    form(
        "<<",
        2,
        "number",
        "({0:n} << {1:n})",
        "CAST({0:n} << {1:n} AS SIGNED)",
        "(CAST({0:n} AS BIGINT) << CAST({1:n} AS INTEGER))",
    ),
    form(
        ">>",
        2,
        "number",
        "({0:n} >> {1:n})",
        "CAST(IF({0:n} < 0, ~(~{0:n} >> {1:n}), {0:n} >> {1:n}) AS SIGNED)",
        "(CAST({0:n} AS BIGINT) >> CAST({1:n} AS INTEGER))",
    ),
    form("neg", 1, "number", "(- {0:n})"),
    form("case", -1, "any", "CASE {* } END"),
    form("when", 2, "any", "WHEN {0:c} THEN {1:v}"),
    form("else", 1, "any", "ELSE {0:v}"),
    form("cast char", 1, "text", "DJ_TEXT({0})", "CAST({0} AS CHAR)", "CAST({0:v} AS TEXT)"),
    form(
        "cast signed",
        1,
        "number",
        "DJ_SIGNED({0:n})",
        "CAST(ROUND(CAST({0:n} AS DECIMAL(65, 20))) AS SIGNED)",
        "CAST(CAST({0:n} AS NUMERIC) AS BIGINT)",
    ),
    form(
        "cast float",
        1,
        "number",
        "CAST({0:n} AS REAL)",
        "({0:n} * 1e0)",
        "CAST({0:n} AS DOUBLE PRECISION)",
    ),
    form("cast decimal", 3, "number", "DJ_ROUND({0:n}, {2})", "CAST({0:n} AS DECIMAL({1}, {2}))"),
    form("cast date", 1, "date", "DATE({0})", "CAST({0} AS DATE)"),
    form(
        "cast datetime",
        1,
        "date",
        # Cut off, as for an attribute of this type: MySQL and PostgreSQL would round.
        "DATETIME(SUBSTR({0}, 1, 19))",
        "CAST(DATE_FORMAT({0}, '%Y-%m-%d %H:%i:%s') AS DATETIME)",
        "DATE_TRUNC('second', CAST({0} AS TIMESTAMP))",
    ),
    form(
        "cast time",
        1,
        "date",
        "TIME({0})",
        "CAST(SUBSTRING_INDEX(CAST({0} AS CHAR), '.', 1) AS TIME)",
        "CAST(DATE_TRUNC('second', CAST({0} AS TIME)) AS TIME)",
    ),
]

# What `meaning` puts around an attribute for its type.
_MOMENT = "TO_CHAR({0}, 'YYYY-MM-DD HH24:MI:SS"
ADAPTIONS = [
    form(
        "as moment",
        1,
        "date",
        "(CASE WHEN LENGTH({0}) = 10 THEN {0} || ' 00:00:00' ELSE REPLACE({0}, 'T', ' ') END)",
        "{0}",
        "{0:o}",
    ),
    form(
        "text of datetime",
        1,
        "text",
        "{0}",
        "IF(MICROSECOND({0}) = 0, DATE_FORMAT({0}, '%Y-%m-%d %H:%i:%s'), "
        "DATE_FORMAT({0}, '%Y-%m-%d %H:%i:%s.%f'))",
        f"(CASE WHEN {{0}} = DATE_TRUNC('second', {{0}}) THEN {_MOMENT}') ELSE {_MOMENT}.US') END)",
    ),
    form(
        "text of decimal",
        2,
        "text",
        "(CASE WHEN {0} IS NOT NULL THEN PRINTF('%.{1}f', {0}) END)",
        "CAST(CAST({0} AS DECIMAL(65, {1})) AS CHAR)",
        "CAST(ROUND(CAST({0} AS NUMERIC), {1}) AS TEXT)",
    ),
    form(
        "text of uuid",
        1,
        "text",
        "{0}",
        "LOWER(INSERT(INSERT(INSERT(INSERT(HEX({0}), 9, 0, '-'), 14, 0, '-'), 19, 0, '-'), 24, 0, '-'))",
        "CAST({0} AS TEXT)",
    ),
    # Blanks at the end of a char have no meaning; beside another text they would have none there either.
    form("text of char", 1, "text", "{0}", "", "CAST({0} AS TEXT)"),
    # MySQL writes six of its digits only; here it is written as it is fetched.
    form("text of single", 1, "text", "{0}", "({0} + 0e0)", "CAST(CAST({0} AS FLOAT8) AS TEXT)"),
    form("text of enum", 1, "text", "{0}", f"(CAST({{0}} AS CHAR) {BINARY})", "CAST({0} AS TEXT)"),
]
