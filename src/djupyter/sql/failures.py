"""Errors of drivers in our own words.

A backend reads codes (never words) and says what kind of `Failure` it is, in which table and
attributes; `to_error` makes the error that the user sees. The structure of the table, where it is
known, adds what was declared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from djupyter.definition.names import TableName
from djupyter.errors import (
    AccessError,
    DataJointError,
    DuplicateError,
    IntegrityError,
    InvalidValueError,
    LostConnectionError,
    MissingAttributeError,
    MissingTableError,
    QueryError,
    QuerySyntaxError,
    TooLargeError,
    UnknownAttributeError,
)
from djupyter.heading.structure import TableStructure
from djupyter.sql.rights import Right

Problem = Literal[
    "duplicate",
    "missing value",
    "invalid value",
    "broken key",
    "missing table",
    "unknown attribute",
    "syntax",
    "access",
    "read only",
    "locked",
    "unreadable",
    "cannot open",
    "full",
    "too large",
    "deadlock",
    "lost",
    "interrupted",
    "unreachable",
    "refused",
    "no database",
    "no place",
    "no encryption",
    "other",
]


@dataclass(frozen=True, slots=True)
class Failure:
    """What a driver's error means.

    Parameters
    ----------
    problem
        The kind of failure.
    detail
        The driver's own words, or the name it complains of.
    table
        Where it happened, as far as the driver says.
    attributes
        Which attributes, as far as the driver says.
    deletes
        Whether the statement that failed deletes rows rather than adding or changing them.
    right
        The privilege that is missing.
    index
        Which unique index has a value twice, in words of the database; `PRIMARY` for the primary key.
    in_index
        Whether an index has no room for what is too large, rather than the table.
    """

    problem: Problem
    detail: str
    table: TableName | None = None
    attributes: tuple[str, ...] = ()
    deletes: bool = False
    right: Right | None = None
    index: str = ""
    in_index: bool = False


def to_error(failure: Failure, structure: TableStructure | None = None) -> DataJointError:
    """Return the error to raise for a failure.

    Parameters
    ----------
    failure
        What went wrong.
    structure
        The table it went wrong in, if known.

    Examples
    --------
    >>> print(to_error(Failure("missing value", "", TableName("lab", "mouse"), ("sex",))))
    `lab`.`mouse`: the attribute `sex` must be given; it has no default and cannot be NULL.
    """
    explain = _EXPLAINED.get(failure.problem)
    if explain is not None:
        return explain(failure, structure)
    kind, text = _PLAIN.get(
        failure.problem, (QueryError, "The database refuses the statement: {}.")
    )
    return kind(text.format(failure.detail.rstrip(".")))


_PLAIN: dict[Problem, tuple[type[DataJointError], str]] = {
    "syntax": (QuerySyntaxError, "The database cannot understand the statement: {}."),
    "missing table": (
        MissingTableError,
        "The table {} does not exist (any more). Declare it, or activate its schema again.",
    ),
    "unknown attribute": (UnknownAttributeError, "Attribute `{}` is not found in the statement."),
    "read only": (
        AccessError,
        "{}. This database may only be read, at least through this connection. Connect to one that takes changes, "
        "or ask an administrator.",
    ),
    "locked": (
        QueryError,
        "The database is locked by another program or thread: {}. "
        "Let its transaction end and try again; nothing was changed.",
    ),
    "unreadable": (DataJointError, "{}. Check the path, or restore the file from a backup."),
    "cannot open": (DataJointError, "{}. Check the path and that you may read and write there."),
    "full": (
        QueryError,
        "No space is left for the database ({}). Free some and try again; nothing was changed.",
    ),
    "deadlock": (
        QueryError,
        "The database ended this transaction, because it and another one waited for each other ({}). "
        "All of it was undone; start it again.",
    ),
    "lost": (LostConnectionError, "The connection to the database was lost: {}. Try again."),
}

# What went wrong while connecting; the place is the URL without its password.
_CONNECTING: dict[Problem, tuple[type[DataJointError], str]] = {
    "unreachable": (
        LostConnectionError,
        "No database answers at {place}: {detail}. Check the names of host and port, that the server runs, "
        "and that no firewall lies between.",
    ),
    "lost": (
        LostConnectionError,
        "The server at {place} ended the connection before it was made: {detail}. Try again; if it stays so, "
        "look into the log of the server.",
    ),
    "refused": (
        AccessError,
        "The server refuses to let the user in at {place}: {detail}. Check the name of the user and the password "
        "(database.user and database.password, or DJ_USER and DJ_PASS).",
    ),
    "no database": (
        DataJointError,
        "{detail} ({place}). Check the name of the database (database.name, or the end of the URL), or let an "
        "administrator create it.",
    ),
    "no place": (
        DataJointError,
        "The server has no connection left for {place}: {detail}. Close others that are not needed, or let an "
        "administrator allow more.",
    ),
    "no encryption": (
        DataJointError,
        "The connection to {place} cannot be encrypted as use_tls asks: {detail}. Nothing was sent. Let the "
        "server get TLS, correct the options, or pass use_tls=False where nobody can listen.",
    ),
}
_NOT_CONNECTED = (
    "Cannot connect to {place}: {detail}. "
    "Check the names of host, port, user and database, and the password."
)


def connecting_error(failure: Failure, place: str) -> DataJointError:
    """Return the error to raise when a connection cannot be opened.

    Parameters
    ----------
    failure
        What went wrong.
    place
        Where, without a password.

    Examples
    --------
    >>> print(connecting_error(Failure("unreachable", "refused."), "mysql://ann@db:3306"))
    No database answers at mysql://ann@db:3306: refused. Check the names of host and port, that ...
    """
    if failure.problem in ("unreadable", "cannot open"):
        return to_error(replace(failure, detail=f"{place}: {failure.detail}"))
    if failure.problem in ("locked", "access", "full"):
        return to_error(failure)
    kind, text = _CONNECTING.get(failure.problem, (DataJointError, _NOT_CONNECTED))
    message = text.format(place=place, detail=failure.detail.strip().rstrip("."))
    return kind("Insufficient privileges.", message) if kind is AccessError else kind(message)


def _duplicate(failure: Failure, structure: TableStructure | None) -> DataJointError:
    is_key = structure is not None and (
        set(failure.attributes) == set(structure.full_key) or failure.index == "PRIMARY"
    )
    if structure is not None and is_key:
        same = f"the same primary key ({', '.join(structure.heading.primary_key)})".replace(
            " ()", ""
        )
        advice = "Use skip_duplicates=True to leave it as it is, or update1() to change it."
    else:
        same = f"the same values of {_index_names(failure, structure)}"
        advice = "A unique index forbids a second one."
    error = DuplicateError(f"{_where(failure)}a row with {same} exists already.", advice)
    error.in_key = is_key if structure is not None else None
    return error


def _index_names(failure: Failure, structure: TableStructure | None) -> str:
    """Return the attributes of a unique index, which a server names after the first of them."""
    if failure.attributes or structure is None:
        return ", ".join(failure.attributes) or failure.index
    unique = structure.unique
    named = [
        names for names in unique if re.fullmatch(rf"{re.escape(names[0])}(_\d+)?", failure.index)
    ]
    return " or of ".join(", ".join(names) for names in named or unique)


def _missing(failure: Failure, structure: TableStructure | None) -> DataJointError:
    names = ", ".join(f"`{name}`" for name in failure.attributes)
    return MissingAttributeError(
        f"{_where(failure)}the attribute {names} must be given; "
        "it has no default and cannot be NULL."
    )


def _invalid(failure: Failure, structure: TableStructure | None) -> DataJointError:
    if not failure.attributes:
        return InvalidValueError(f"{_where(failure)}a value cannot be stored: {failure.detail}.")
    name = failure.attributes[0]
    attribute = structure.by_name.get(name) if structure else None
    declared = f" It is declared as {attribute.type_text}." if attribute else ""
    return InvalidValueError(
        f"{_where(failure)}a value does not fit the attribute `{name}`.{declared}"
    )


def _broken_key(failure: Failure, structure: TableStructure | None) -> DataJointError:
    if failure.deletes:
        return IntegrityError(
            f"{_where(failure)}other rows still refer to a row that would go.",
            "Use delete(), which follows foreign keys, or delete the other rows first.",
        )
    parents = ""
    if structure is not None and structure.foreign_keys:
        keys = [f"{key.parent} ({', '.join(key.names)})" for key in structure.foreign_keys]
        parents = f" It refers to {', '.join(dict.fromkeys(keys))}."
    return IntegrityError(
        f"{_where(failure)}a row refers to a parent that does not exist, or a row that "
        f"others refer to would change.{parents}",
        "Insert the parent first.",
    )


def _access(failure: Failure, structure: TableStructure | None) -> DataJointError:
    right = failure.right
    if right is None:
        return AccessError(f"{failure.detail}. Ask for the right to write, or work on a copy.")
    return AccessError(
        "Insufficient privileges.",
        f"This user may not {right.verb} on {right.place}: {failure.detail.rstrip('.')}. "
        f"Let an administrator run: {right.grant};",
    )


def _too_large(failure: Failure, structure: TableStructure | None) -> DataJointError:
    holder = "An index" if failure.in_index else "The database"
    advice = (
        "Shorten the attributes of the key or the index, or give it fewer of them."
        if failure.in_index
        else "Keep large values in a store, as in `<blob@>`, or divide them among several tables."
    )
    error = TooLargeError(
        f"{_where(failure)}{holder} has no room for this: {failure.detail.rstrip('.')}.",
        f"{advice} Nothing was changed.",
    )
    error.in_index = failure.in_index
    return error


def _where(failure: Failure) -> str:
    return f"{failure.table}: " if failure.table else ""


_EXPLAINED = {
    "duplicate": _duplicate,
    "missing value": _missing,
    "invalid value": _invalid,
    "broken key": _broken_key,
    "access": _access,
    "too large": _too_large,
}
