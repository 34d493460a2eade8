"""Where a database is: a URL, or a host with a user, as programs written for datajoint say it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import sqlalchemy as sa

from djupyter.errors import DataJointError, nearest
from djupyter.sql.backends import BACKENDS, backend_of, parse_url

if TYPE_CHECKING:
    from djupyter.settings import Settings

# `db`, `db:3306`, `[::1]:3306`, `::1`
_HOST = re.compile(
    r"(?:\[(?P<six>[^\]]+)\]|(?P<name>[^:]*))(?::(?P<port>\d+))?|(?P<bare>[\da-fA-F:.]+)"
)


def address(
    host: str,
    user: str | None = None,
    password: str | None = None,
    port: int | None = None,
    database: str | None = None,
    backend: str | None = None,
) -> sa.URL:
    """Return where to connect.

    Parameters
    ----------
    host
        A URL, or a host, perhaps with a port.
    user, password, port, database, backend
        The rest, for a host; MySQL where no backend is named.

    Raises
    ------
    DataJointError
        Something is missing, is said twice, or cannot be read. The message never repeats what was given,
        because it may hold a password.

    Examples
    --------
    >>> address("db:3307", "ann", "secret")
    mysql://ann:***@db:3307
    """
    if "://" in host:
        if any(part is not None for part in (user, password, port, database)):
            raise DataJointError(
                "A URL says user, password, port and database itself: leave out the other arguments, or "
                "give a host instead."
            )
        url = parse_url(host)
        _check_options(url)
        return url
    if not user:
        raise missing_user()
    if backend == "sqlite":
        raise DataJointError("SQLite has no host: write a URL, `sqlite:///lab.db`.")
    match = _HOST.fullmatch(host)
    if match is None:
        raise DataJointError(
            "The host cannot be read. Write `host`, `host:port`, or a URL like `mysql://user@host:3306`."
        )
    url = sa.URL.create(
        backend or "mysql",
        user,
        password or None,
        match["six"] or match["bare"] or match["name"] or "localhost",
        int(match["port"]) if match["port"] else port,
        database,
    )
    backend_of(url)
    return url


def url_of(settings: Settings) -> str:
    """Return the URL of the database that the settings choose.

    Raises
    ------
    DataJointError
        The settings contradict each other, or name no user for a server.

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
    url = address(
        database.host, database.user, database.password, database.port, database.name, backend
    )
    return url.render_as_string(hide_password=False)


def lacks_password(url: str) -> bool:
    """Whether a URL names a user, but no password.

    Raises
    ------
    DataJointError
        It is no URL.

    Examples
    --------
    >>> lacks_password("mysql://ann@db"), lacks_password("sqlite:///lab.db")
    (True, False)
    """
    parsed = parse_url(url)
    return parsed.username is not None and not parsed.password


def with_password(url: str, password: str) -> str:
    """Return a URL with a password; it is not to be shown.

    >>> with_password("mysql://ann@db:3306", "a/b")
    'mysql://ann:a%2Fb@db:3306'
    """
    return parse_url(url).set(password=password).render_as_string(hide_password=False)


def user_and_host(url: str) -> tuple[str | None, str | None]:
    """Return who connects to which machine by a URL.

    >>> user_and_host("mysql://ann@db:3306")
    ('ann', 'db')
    """
    parsed = parse_url(url)
    return parsed.username, parsed.host


def missing_user() -> DataJointError:
    """Return the error for a server without a user."""
    return DataJointError(
        "Database user not configured. Set dj.config['database.user'] or DJ_USER environment variable, or "
        "connect to a URL: dj.conn('sqlite:///lab.db')."
    )


def _check_options(url: sa.URL) -> None:
    known = BACKENDS[backend_of(url).name].url_options
    for name in url.query:
        if name not in known:
            options = f"The options are {', '.join(known)}." if known else "It takes no options."
            raise DataJointError(
                f"A {backend_of(url).name} URL has no option `{name}`. {nearest(name, known)} {options} "
                "Encryption is asked for with use_tls, not in the URL.".replace("  ", " ")
            )
        if name.endswith("_timeout") or name.startswith("keepalives"):
            _check_number(name, url.query[name])


def _check_number(name: str, value: object) -> None:
    if not (isinstance(value, str) and value.isdecimal()):
        raise DataJointError(f"The option `{name}` of a URL is a whole number, not {value!r}.")
