"""SQL that users write themselves: what must be known of it before it is carried out."""

from __future__ import annotations

import re

from djupyter.errors import DataJointError

# What a statement may begin with before its first word.
_BEFORE = r"(?:\s|;|--[^\n]*(?:\n|$)|/\*(?!!).*?\*/)*"
_CONTROL = re.compile(
    rf"{_BEFORE}(?:BEGIN|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|START|XA|PREPARE\s+TRANSACTION"
    r"|SET\s+(?:@@|SESSION\b|LOCAL\b|[\s.])*autocommit)\b",
    re.IGNORECASE | re.DOTALL,
)
_READS = re.compile(
    rf"{_BEFORE}(?:SELECT|SHOW|DESCRIBE|EXPLAIN|VALUES)\b", re.IGNORECASE | re.DOTALL
)
# MySQL commits before and after these, SQLite and PostgreSQL do not.
_DEFINES = re.compile(
    rf"{_BEFORE}(?P<verb>CREATE|ALTER|DROP|TRUNCATE|RENAME|GRANT|REVOKE|ANALYZE|OPTIMIZE|LOCK|UNLOCK)\b"
    r"(?!\s+TEMP)",
    re.IGNORECASE | re.DOTALL,
)


def check(sql: str, *, in_transaction: bool) -> None:
    r"""Refuse a statement that would begin or end a transaction behind the back of the connection.

    Parameters
    ----------
    sql
        The statement.
    in_transaction
        Whether one is open.

    Raises
    ------
    DataJointError
        It would.

    Examples
    --------
    >>> check("-- to be sure\nCOMMIT", in_transaction=True)
    Traceback (most recent call last):
    ...
    djupyter.errors.DataJointError: Transactions are opened with `with connection.transaction:`, not by SQL.
    """
    if _CONTROL.match(sql):
        raise DataJointError(
            "Transactions are opened with `with connection.transaction:`, not by SQL."
        )
    defines = _DEFINES.match(sql)
    if in_transaction and defines:
        raise DataJointError(
            f"{defines['verb'].upper()} inside a transaction would commit it on some databases. "
            "Carry it out before or after the transaction."
        )


def reads(sql: str) -> bool:
    """Whether a statement is a query, which may be repeated.

    >>> reads("SELECT 1"), reads("DELETE FROM t")
    (True, False)
    """
    return _READS.match(sql) is not None
