"""What the errors of PostgreSQL mean, by their SQLSTATE."""

from __future__ import annotations

import re
from typing import Any

import psycopg

from djupyter.definition.names import TableName
from djupyter.sql.failures import Failure, Problem

# By the whole code, else by its class, the first two characters.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_PROBLEMS: dict[str, Problem] = {
    "08": "lost",
    "08001": "unreachable",
    "22": "invalid value",
    "21000": "duplicate",  # of the rows that are to replace one, two have its key
    "23502": "missing value",
    "23503": "broken key",
    "23001": "broken key",
    "2BP01": "broken key",
    "23505": "duplicate",
    "23514": "invalid value",
    "25006": "read only",
    "25P03": "lost",  # idle for too long in a transaction
    "25P04": "lost",  # a transaction for too long
    "28": "refused",
    "3D000": "no database",
    "3F000": "missing table",
    "40001": "deadlock",
    "40P01": "deadlock",
    "42501": "access",
    "42601": "syntax",
    "42703": "unknown attribute",
    "42P01": "missing table",
    "53100": "full",
    "53300": "no place",
    "54000": "too large",
    "54011": "too large",
    "55P03": "locked",
    "57P01": "lost",
    "57P02": "lost",
    "57P03": "unreachable",
    "57P04": "lost",
    "57P05": "lost",  # idle for too long
}
_TARGET = re.compile(
    r'\s*(?P<verb>INSERT|UPDATE|DELETE)\b[^"]*(?P<schema>"(?:[^"]|"")+")\.(?P<table>"(?:[^"]|"")+")',
    re.IGNORECASE,
)
# `Key (a, b)=(1, 2) already exists.`: the words are translated, the signs are not.
_KEY = re.compile(r"\((?P<names>.+?)\)=\(", re.DOTALL)
_NAMED = re.compile(r'"(?P<quoted>[^"]+)"|(?P<dotted>\w+\.\w+)')


def failure(error: BaseException, sql: str) -> Failure:
    """Return what an error means."""
    detail = " ".join(str(error).split("\n")[0].split())
    if not isinstance(error, psycopg.Error):
        return Failure("invalid value", detail, _target(sql)[0])
    problem = _problem(error)
    table, deletes = _target(sql)
    diag = error.diag
    if diag.schema_name and diag.table_name and not (table and problem == "broken key"):
        table = TableName(diag.schema_name, diag.table_name)
    if problem in ("missing table", "unknown attribute"):
        return Failure(problem, _name(problem, diag.message_primary or detail), table)
    # The only place of the server that judges the size of a row is the one that looks for room in the table.
    in_index = error.sqlstate == "54000" and diag.source_file != "hio.c"
    return Failure(problem, detail, table, _attributes(problem, diag), deletes, in_index=in_index)


def _problem(error: psycopg.Error) -> Problem:
    code = error.sqlstate
    if code is None:
        return _without_code(error)
    return _PROBLEMS.get(code) or _PROBLEMS.get(code[:2], "other")


def _without_code(error: psycopg.Error) -> Problem:
    """Judge what the driver itself objects to; only the server gives codes."""
    if isinstance(error, psycopg.DataError | psycopg.ProgrammingError):
        # A text with the character NUL, a type that it does not know, a wrong number of values.
        return "invalid value"
    return "lost" if isinstance(error, psycopg.OperationalError) else "other"


def _attributes(problem: Problem, diag: Any) -> tuple[str, ...]:
    if problem == "duplicate":
        key = _KEY.search(diag.message_detail or "")
        names = key["names"].split(", ") if key else [diag.constraint_name or "an index"]
        return tuple(name.strip('"') for name in names)
    if diag.column_name:
        return (diag.column_name,)
    # A check is named after its attribute.
    return (diag.constraint_name,) if problem == "invalid value" and diag.constraint_name else ()


def _target(sql: str) -> tuple[TableName | None, bool]:
    """Return the table that a statement of ours writes to, and whether it deletes."""
    match = _TARGET.match(sql)
    if match is None:
        return None, False
    schema, table = (match[part][1:-1].replace('""', '"') for part in ("schema", "table"))
    return TableName(schema, table), match["verb"].upper() == "DELETE"


def _name(problem: Problem, message: str) -> str:
    match = _NAMED.search(message)
    if match is None:
        return message
    name = match["quoted"] or match["dotted"]
    if problem == "unknown attribute":
        return name.rpartition(".")[2]
    schema, dot, table = name.partition(".")
    return str(TableName(schema, table)) if dot else name
