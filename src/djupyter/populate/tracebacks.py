"""The traceback of an error as text that may be kept and shown: without secrets, and not without end."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterable

_LONGEST = 100_000
_PASSWORD_IN_URL = re.compile(r"(?<=://)([^:/@\s]*):[^@\s]*(?=@)")


def described(error: BaseException, secrets: Iterable[str] = ()) -> tuple[str, str]:
    """Return `Class: message` and the traceback of an error.

    Parameters
    ----------
    error
        The error; its causes are told too.
    secrets
        Texts that must not be seen, as passwords; those in URLs are removed in any case.

    Examples
    --------
    >>> described(ValueError("no such trial"))[0]
    'ValueError: no such trial'
    >>> described(OSError("cannot reach s3://lab:hunter2@host"))[0]
    'OSError: cannot reach s3://lab:***@host'
    """
    message = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    stack = "".join(traceback.format_exception(error))
    if len(stack) > _LONGEST:
        stack = f"{stack[: _LONGEST // 2]}\n...truncated...\n{stack[-_LONGEST // 2 :]}"
    return _masked(message, secrets), _masked(stack, secrets)


def _masked(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, "***")
    return _PASSWORD_IN_URL.sub(r"\1:***", text)
