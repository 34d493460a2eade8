"""`%dj_connect`: to another database, without its password ever standing in a cell.

| the URL                 | what happens                                                                       |
|-------------------------|------------------------------------------------------------------------------------|
| `mysql://ann@db`        | tried as it is; if the server wants a password, it is asked for with a hidden prompt |
| `mysql://ann:secret@db` | refused, and taken out of IPython's history                                        |

What is typed at the prompt goes to the driver; neither IPython nor the notebook keeps it.
"""

from __future__ import annotations

import getpass
import linecache
import re
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from djupyter.errors import AccessError, DataJointError
from djupyter.session import default
from djupyter.sql.address import lacks_password, user_and_host, with_password
from djupyter.sql.connection import Connection

# In a URL, up to the last @ (a password may hold one, though it should be escaped); or as an option of it.
_PASSWORD = re.compile(
    r"(?P<before>[\w+.-]+://[^:/@\s]*:|[?&](?:password|passwd|pwd)=)(?P<password>[^\s&]+@|(?<==)[^\s&]+)",
    re.IGNORECASE,
)


def connect(url: str) -> Connection:
    """Make the database of a URL the default one; a password that is missing is asked for.

    Parameters
    ----------
    url
        Without a password.

    Raises
    ------
    AccessError
        The server does not let the user in.
    DataJointError
        It cannot be reached, or nobody is there to be asked.
    """
    __tracebackhide__ = True
    refused: AccessError
    try:
        return default.connect(_completed(url))
    except AccessError as error:
        if not lacks_password(url):
            raise
        refused = error
    return default.connect(with_password(url, _asked(url, refused)))


def refuse_passwords(line: str, shell: Any) -> None:
    """Refuse a line of a cell that holds a password, and take it out of the history.

    Parameters
    ----------
    line
        What stands behind the magic.
    shell
        The shell that ran the cell.

    Raises
    ------
    DataJointError
        It holds one. The message does not.
    """
    __tracebackhide__ = True
    if not _PASSWORD.search(line):
        return
    shown = masked(line)
    forget(shell, lambda text: text.replace(line, shown).replace(repr(line), repr(shown)))
    url = next((word for word in shown.split() if "://" in word), shown)
    raise DataJointError(
        "A password must not stand in a cell: it would be saved with the notebook. It was not used, and was taken "
        f"out of IPython's history. Delete it from the cell too: write `%dj_connect {_without(url)}`, and you "
        "are asked for the password."
    )


def masked(text: str) -> str:
    """Return a text with stars in place of passwords in URLs.

    >>> masked("mysql://ann:p@ss@db/lab postgresql://db?password=x")
    'mysql://ann:***@db/lab postgresql://db?password=***'
    """
    return _PASSWORD.sub(
        lambda found: found["before"] + ("***@" if found["password"].endswith("@") else "***"), text
    )


def forget(shell: Any, cleaned: Callable[[str], str]) -> None:
    """Change what IPython remembers of the inputs of this session, in memory and in its database.

    Parameters
    ----------
    shell
        The shell.
    cleaned
        Returns a remembered text as it shall be.
    """
    history = shell.history_manager
    for remembered in (history.input_hist_raw, history.input_hist_parsed):
        remembered[:] = map(cleaned, remembered)
    for name, value in list(shell.user_ns.items()):
        if re.fullmatch(r"_i+|_i\d+", name) and isinstance(value, str):
            shell.user_ns[name] = cleaned(value)
    for name in ("_i", "_ii", "_iii", "_i00"):
        setattr(history, name, cleaned(getattr(history, name)))
    for filename, entry in list(linecache.cache.items()):
        if len(entry) == 4 and shell.compile.format_code_name(filename) is not None:
            lines = [cleaned(line) for line in entry[2]]
            linecache.cache[filename] = (sum(map(len, lines)), None, lines, filename)
    with history.db_input_cache_lock:
        history.db_input_cache = [
            (number, cleaned(source), cleaned(raw))
            for number, source, raw in history.db_input_cache
        ]
    # History may be switched off, or its file be read-only: then it has nothing to be taken out of.
    with suppress(Exception):
        _clean_database(history, cleaned)


def _clean_database(history: Any, cleaned: Callable[[str], str]) -> None:
    with history.db as database:
        database.execute("PRAGMA secure_delete = ON")  # what is replaced is overwritten in the file
        rows = database.execute(
            "SELECT line, source, source_raw FROM history WHERE session = ?",
            (history.session_number,),
        ).fetchall()
        for number, source, raw in rows:
            if (cleaned(source), cleaned(raw)) != (source, raw):
                database.execute(
                    "UPDATE history SET source = ?, source_raw = ? WHERE session = ? AND line = ?",
                    (cleaned(source), cleaned(raw), history.session_number, number),
                )


def _without(url: str) -> str:
    return re.sub(r"[?&][^=]*=\*\*\*", "", url.replace(":***@", "@"))


def _completed(url: str) -> str:
    """Return a URL with the password of the settings, if they have one for the same user of the same host."""
    if lacks_password(url):
        database = default.settings.database
        user, host = user_and_host(url)
        if database.password and (user, host) == (database.user, database.host):
            return with_password(url, database.password)
    return url


def _asked(url: str, refused: AccessError) -> str:
    user, host = user_and_host(url)
    try:
        with warnings.catch_warnings():
            # Where the input cannot be hidden, nobody is asked.
            warnings.simplefilter("error", getpass.GetPassWarning)
            # Jupyter puts a function of its own in place of this one.
            return getpass.getpass(f"Password of {user} at {host or 'localhost'}: ")
    except (EOFError, NotImplementedError, getpass.GetPassWarning):
        raise DataJointError(
            f"{refused} Nobody is here to type the password: set DJ_DATABASE_URL, or DJ_USER and DJ_PASS, in the "
            "environment of the notebook, or keep it in a secrets folder."
        ) from None
