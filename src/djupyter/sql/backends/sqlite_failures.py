"""What the errors of SQLite mean, by its codes."""

from __future__ import annotations

import re

from djupyter.definition.names import TableName
from djupyter.sql.failures import Failure, Problem
from djupyter.sql.names import logical

_PROBLEMS: dict[str, Problem] = {
    "SQLITE_CONSTRAINT_PRIMARYKEY": "duplicate",
    "SQLITE_CONSTRAINT_UNIQUE": "duplicate",
    "SQLITE_CONSTRAINT_ROWID": "duplicate",
    "SQLITE_CONSTRAINT_NOTNULL": "missing value",
    "SQLITE_CONSTRAINT_CHECK": "invalid value",
    "SQLITE_CONSTRAINT_FOREIGNKEY": "broken key",
    "SQLITE_CONSTRAINT_TRIGGER": "broken key",  # what ON DELETE RESTRICT reports
    "SQLITE_MISMATCH": "invalid value",
    "SQLITE_TOOBIG": "too large",
    "SQLITE_BUSY": "locked",
    "SQLITE_LOCKED": "locked",
    "SQLITE_READONLY": "access",
    "SQLITE_PERM": "access",
    "SQLITE_AUTH": "access",
    "SQLITE_CANTOPEN": "cannot open",
    "SQLITE_NOTADB": "unreadable",
    "SQLITE_CORRUPT": "unreadable",
    "SQLITE_FULL": "full",
    "SQLITE_IOERR": "cannot open",
    "SQLITE_INTERRUPT": "interrupted",
}
# SQLite has one code for all of these; its words are fixed in its source and never translated.
_WORDS: dict[str, Problem] = {
    "no such table": "missing table",
    "no such column": "unknown attribute",
    "too many columns": "too large",
}
_TARGET = re.compile(
    r'\s*(?P<verb>INSERT|REPLACE|UPDATE|DELETE)\b[^"]*"(?P<name>[^"]+)"', re.IGNORECASE
)


def failure(error: BaseException, sql: str) -> Failure:
    """Return what an error means, by its code."""
    detail = str(error)
    table, deletes = _target(sql)
    problem = _problem(error, detail)
    if problem == "duplicate" or problem == "missing value":
        table, attributes = _constraint(detail, table)
        return Failure(problem, detail, table, attributes)
    if problem == "invalid value":
        table, attributes = (
            _constraint(detail, table) if "constraint failed: " in detail else (table, ())
        )
        return Failure(problem, detail, table, attributes)
    if problem in ("missing table", "unknown attribute"):
        detail = _named(detail)
    return Failure(problem, detail, table, deletes=deletes)


def _problem(error: BaseException, detail: str) -> Problem:
    if isinstance(error, (OverflowError, UnicodeEncodeError)):
        return "invalid value"
    code = getattr(error, "sqlite_errorname", None)
    if code is None:
        # The driver itself objects: a Python type it cannot bind, a wrong number of values, a
        # closed connection.
        return "invalid value" if "binding parameter" in detail else "other"
    if code == "SQLITE_ERROR":
        return next((kind for words, kind in _WORDS.items() if detail.startswith(words)), "syntax")
    basic = "_".join(code.split("_")[:2])
    return _PROBLEMS.get(code) or _PROBLEMS.get(basic, "other")


def _target(sql: str) -> tuple[TableName | None, bool]:
    """Return the table that a statement of ours writes to, and whether it deletes."""
    match = _TARGET.match(sql)
    return (logical(match["name"]), match["verb"].upper() == "DELETE") if match else (None, False)


def _constraint(detail: str, table: TableName | None) -> tuple[TableName | None, tuple[str, ...]]:
    """Read `... failed: lab.session.subject_id, ...`; our checks are named likewise."""
    places = detail.partition("constraint failed: ")[2]
    if places.startswith("index "):
        return table, (places.removeprefix("index ").strip("'"),)
    pairs = [place.rpartition(".") for place in places.split(", ")]
    return logical(pairs[0][0]) or table, tuple(name for _, _, name in pairs)


def _named(detail: str) -> str:
    identifier = detail.partition(": ")[2]
    name = logical(identifier.removeprefix("main."))
    return (
        str(name) if name and detail.startswith("no such table") else identifier.rpartition(".")[2]
    )
