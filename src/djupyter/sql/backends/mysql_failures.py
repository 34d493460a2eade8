"""What the errors of MySQL and MariaDB mean, by their codes.

Names of attributes, keys and tables are the quoted words of a message: which words stand between
them, and in which language, does not matter.
"""

from __future__ import annotations

import re

from djupyter.definition.names import TableName
from djupyter.sql.failures import Failure, Problem

DEADLOCK = 1213

_PROBLEMS: dict[Problem, tuple[int, ...]] = {
    "duplicate": (1062, 1169, 1586),
    "missing value": (1364, 1048, 1263),
    # Out of range, truncated, wrong text for a type, too long, a check, no JSON, a wrong character.
    "invalid value": (
        *(1264, 1265, 1292, 1366, 1367, 1406, 1411, 1441, 1690, 3140, 3141, 3156, 3157),
        *(3819, 4025, 4078, 1300, 3988),
    ),
    "broken key": (1216, 1217, 1451, 1452, 3730),
    "missing table": (1146, 1051),
    "unknown attribute": (1054,),
    "syntax": (1064, 1149),
    "access": (1044, 1142, 1143, 1227, 1370),
    "read only": (1290, 1792, 1836),
    "locked": (1205, 1099, 1100, 3572, 3058),
    "deadlock": (DEADLOCK, 1614, 1020),
    "full": (1021, 1114, 1041, 1037, 3675),
    "too large": (1117, 1118, 1153, 1301, 3170, 139, 1070, 1071, 1074),
    "lost": (0, 2006, 2013, 2055, 1053, 1927, 1077, 1079, 4031, 1152, 1158, 1159, 1160, 1161),
    "unreachable": (2002, 2003, 2005),
    "refused": (1045, 1698, 1251, 1130, 1131, 1820, 1862, 3118, 3955, 4151),
    "no database": (1049,),
    "no place": (1040, 1203, 1226),
    "no encryption": (2026,),
}
_IN_INDEX = (1070, 1071)
# InnoDB takes fewer attributes than MariaDB, which passes on its code.
_REFUSED_BY_ENGINE, _TOO_MANY = 1005, re.compile(r"\berrno: 185\b")
_BY_CODE: dict[int, Problem] = {
    code: problem for problem, codes in _PROBLEMS.items() for code in codes
}
_QUOTED = re.compile(r"`(?:[^`]|``)*`|'(?:[^'])*'")
_TARGET = re.compile(
    r"\s*(?P<verb>INSERT\s+(?:IGNORE\s+)?INTO|REPLACE\s+INTO|UPDATE|DELETE(?:\s+FROM)?)\s+"
    r"`(?P<schema>(?:[^`]|``)+)`\.`(?P<table>(?:[^`]|``)+)`",
    re.IGNORECASE,
)
_UPSERT = "ON DUPLICATE KEY UPDATE"


def failure(error: BaseException, sql: str) -> Failure:
    """Return what an error of the driver means."""
    code, detail = _parts(error)
    table, deletes = _target(sql)
    problem = _problem(code, sql)
    if code == _REFUSED_BY_ENGINE and _TOO_MANY.search(detail):
        problem = "too large"
    quoted = [word[1:-1] for word in _QUOTED.findall(detail)]
    last = quoted[-1].rpartition(".")[2] if quoted else ""
    if problem == "duplicate":
        index = last if code == 1062 else ""
        return Failure(problem, detail, table, index=index)
    if problem in ("missing value", "invalid value"):
        attributes = (last,) if last and code not in (3819, 4025) else _checked(code, quoted)
        return Failure(problem, detail, table, attributes)
    if problem == "too large":
        return Failure(problem, detail, table, in_index=code in _IN_INDEX)
    if problem == "unknown attribute":
        detail = quoted[0].rpartition(".")[2] if quoted else detail
    if problem == "missing table" and quoted:
        schema, dot, name = quoted[0].partition(".")
        detail = str(TableName(schema, name)) if dot else quoted[0]
    if problem == "broken key" and not deletes and len(quoted) > 1:
        table = table or TableName(quoted[0], quoted[1])
    return Failure(problem, detail, table, deletes=deletes)


def code_of(error: BaseException) -> int:
    """Return the number of an error; -1 where the driver itself objects."""
    return _parts(error)[0]


def _parts(error: BaseException) -> tuple[int, str]:
    arguments = error.args
    if arguments and isinstance(arguments[0], int):
        return arguments[0], str(arguments[1]) if len(arguments) > 1 else ""
    return -1, str(error)


def _problem(code: int, sql: str) -> Problem:
    if code == 1048 and _UPSERT in sql:
        # How our INSERT refuses a row that collides in another key than the primary one.
        return "duplicate"
    if code == 1049 and sql:
        return "missing table"  # its schema has gone with it
    if code == -1:
        return "invalid value"
    return _BY_CODE.get(code, "other")


def _checked(code: int, quoted: list[str]) -> tuple[str, ...]:
    """Return the attribute of a check, which MariaDB names after it: `table.attribute`."""
    return (quoted[0].rpartition(".")[2],) if code == 4025 and quoted else ()


def _target(sql: str) -> tuple[TableName | None, bool]:
    """Return the table that a statement of ours writes to, and whether it deletes."""
    match = _TARGET.match(sql)
    if match is None:
        return None, False
    name = TableName(match["schema"].replace("``", "`"), match["table"].replace("``", "`"))
    return name, match["verb"].upper().startswith("DELETE")
