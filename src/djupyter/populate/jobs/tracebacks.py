"""The traceback of an error as text that may be kept and shown: without secrets, and not without end."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from djupyter.codecs.blob import pack
from djupyter.populate.jobs.tables import LONGEST_MESSAGE
from djupyter.sql.secrets import without_secrets

if TYPE_CHECKING:
    from djupyter.sql.connection import Connection

_LONGEST = 100_000
_CUT = "...truncated"


def described(error: BaseException, connection: Connection) -> tuple[str, str]:
    """Return `Class: message` and the traceback of an error.

    Parameters
    ----------
    error
        The error; its causes are told too.
    connection
        Whose secrets, and those of its stores, must not be seen.

    Examples
    --------
    >>> from djupyter.sql.connection import Connection
    >>> described(ValueError("no such trial"), Connection("sqlite://"))[0]
    'ValueError: no such trial'
    """
    name, said = type(error).__name__, _words(error)
    message = f"{name}: {said}" if said else name
    # Before it is cut: half a secret would not be found.
    stack = storable(without_secrets("".join(traceback.format_exception(error)), connection))
    if len(stack) > _LONGEST:
        stack = f"{stack[: _LONGEST // 2]}\n...truncated...\n{stack[-_LONGEST // 2 :]}"
    return storable(without_secrets(message, connection)), stack


def _words(error: BaseException) -> str:
    try:
        return str(error)
    except (
        Exception
    ) as another:  # code of the user; that its words cannot be had is no reason to lose the error
        return f"<its message cannot be had: {type(another).__name__}>"


def storable(text: str) -> str:
    r"""Return a text as any database can hold it: what none can, or not all, as Python writes it in a string.

    Undecodable names of files have surrogates in Python, which no encoding knows; PostgreSQL has no NUL in a text.

    >>> print(storable("/data/\udce4.bin has a \x00"))
    /data/\udce4.bin has a \x00
    """
    text = text.encode("utf-8", "backslashreplace").decode()
    return text.replace("\x00", r"\x00")


def explained(message: str, stack: str | None, connection: Connection) -> dict[str, object]:
    """Return what a job keeps of an error: its message, which may be cut, and its traceback.

    Parameters
    ----------
    message, stack
        What happened.
    connection
        Whose secrets must not be seen.
    """
    message = storable(without_secrets(message, connection)) if message else ""
    if len(message) > LONGEST_MESSAGE:
        message = message[: LONGEST_MESSAGE - len(_CUT)] + _CUT
    packed = None if stack is None else pack(storable(without_secrets(stack, connection)))
    return {"error_message": message, "error_stack": packed}
