"""The databases that can be used, by the first word of their URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from djupyter.errors import DataJointError, nearest
from djupyter.sql.backends.base import Backend
from djupyter.sql.backends.sqlite import SQLite

if TYPE_CHECKING:
    from djupyter.settings import Settings

BACKENDS: dict[str, Backend] = {"sqlite": SQLite()}
_LATER = ("mysql", "mariadb", "postgresql", "postgres")


def parse_url(text: str) -> sa.URL:
    """Return a URL in its parts.

    Raises
    ------
    DataJointError
        It is no URL; the message does not repeat it, because it may hold a password.
    """
    try:
        return sa.make_url(text)
    except (ArgumentError, ValueError):
        raise DataJointError(
            "The database URL cannot be read. Write it like `sqlite:///lab.db`; "
            "special characters in a password must be %-encoded."
        ) from None


def url_of(settings: Settings) -> str:
    """Return the URL of the database that the settings choose.

    Raises
    ------
    DataJointError
        The settings contradict each other.

    Examples
    --------
    >>> from djupyter.settings import Settings
    >>> url_of(Settings())
    'sqlite:///djupyter.db'
    """
    database = settings.database
    backend = database.selected_backend
    if database.url:
        return database.url
    if backend == "sqlite":
        # A `?` or `%` in the path is a part of the name, not of the URL.
        path = str(database.path).replace("%", "%25").replace("?", "%3F")
        return f"sqlite:///{path}"
    url = sa.URL.create(
        backend,
        database.user,
        database.password,
        database.host,
        database.port,
        database.name,
    )
    return url.render_as_string(hide_password=False)


def backend_of(url: sa.URL) -> Backend:
    """Return the backend that a URL names.

    Raises
    ------
    DataJointError
        There is none of that name, or not yet.
    """
    name = url.get_backend_name()
    if name in BACKENDS:
        return BACKENDS[name]
    if name in _LATER:
        raise DataJointError(
            f"The backend `{name}` is not available yet in this version. Use a `sqlite:///...` URL."
        )
    advice = nearest(name, [*BACKENDS, *_LATER])
    raise DataJointError(
        f"`{name}` is not a backend. {advice} Known backends: {', '.join(BACKENDS)}.".replace(
            "  ", " "
        )
    )
