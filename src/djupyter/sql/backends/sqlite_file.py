"""Which file an SQLite URL means."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

from djupyter.errors import DataJointError

# https://sqlite.org/uri.html
_MODES = ("ro", "rw", "rwc")


def is_in_memory(url: sa.URL) -> bool:
    """Whether a URL means a database in memory.

    >>> is_in_memory(sa.make_url("sqlite://"))
    True
    """
    return url.database in (None, "", ":memory:")


def resolved(url: sa.URL) -> sa.URL:
    """Return a URL with an absolute path.

    Raises
    ------
    DataJointError
        It names a host, which is a path with a slash too few, or a mode that there is not.
    """
    if url.host or url.username or url.port:
        raise DataJointError(
            "SQLite has no host. Write three slashes before a path, `sqlite:///lab.db` or "
            "`sqlite:////absolute/lab.db`, and two for a database in memory, `sqlite://`."
        )
    if url.query.get("mode", "ro") not in _MODES:
        raise DataJointError(f"The option `mode` of a sqlite URL is one of {', '.join(_MODES)}.")
    if is_in_memory(url):
        return url.set(database=":memory:")
    return url.set(database=str(Path(url.database or "").expanduser().absolute()))


def uri(url: sa.URL) -> str:
    """Return what the driver opens.

    >>> uri(sa.make_url("sqlite:////data/lab 1.db?mode=ro"))
    'file:/data/lab%201.db?mode=ro'
    """
    if is_in_memory(url):
        return "file::memory:"
    mode = url.query.get("mode")
    return f"file:{quote(str(url.database))}" + (f"?mode={mode}" if mode else "")


def check_folder(url: sa.URL) -> None:
    """Raise an error that names the folder of the file where there is none."""
    folder = Path(url.database or "").parent
    if not folder.is_dir():
        raise DataJointError(
            f"The folder of the database does not exist: {folder}. Create it, or correct the path."
        )
