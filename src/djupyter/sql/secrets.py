"""What must not be seen of a connection: its password and the secrets of its settings, as a message may hold them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from djupyter.settings.masking import secrets_of

if TYPE_CHECKING:
    from djupyter.sql.connection import Connection

# Up to the last @: a password may hold one, though it should be escaped.
_PASSWORD_IN_URL = re.compile(r"(?<=://)([^:/@\s]*):\S*(?=@)")
_SHORTEST = 4  # what is shorter stands in any text


def secrets_behind(connection: Connection) -> list[str]:
    """Return the passwords of a connection and of its stores, plain and as a URL holds them; the longest first."""
    plain = set(secrets_of(dict(connection.settings)))
    password = str(connection._url.password or "")
    if len(password) >= _SHORTEST:
        plain.add(password)
    quoted = {form(secret) for secret in plain for form in (quote, quote_plus, _quoted_whole)}
    return sorted(plain | quoted, key=len, reverse=True)


def _quoted_whole(secret: str) -> str:
    return quote(secret, safe="")


def without_secrets(text: str, connection: Connection) -> str:
    """Return a text with stars for every secret of a connection, and for any password in a URL.

    >>> from djupyter.sql.connection import Connection
    >>> without_secrets("cannot reach s3://lab:hunter2@host", Connection("sqlite://"))
    'cannot reach s3://lab:***@host'
    """
    for secret in secrets_behind(connection):
        text = text.replace(secret, "***")
    return _PASSWORD_IN_URL.sub(r"\1:***", text)
