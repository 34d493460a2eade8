"""The default session, and sessions of one's own: settings and a connection, made when first asked for.

The default one is the only state of the package that is not passed along; `Schema` without a connection and
the magics use it. In thread-safe mode (`DJ_THREAD_SAFE=1`) there is none: programs that serve several users
or databases at once make an `Instance` for each.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from djupyter.errors import ThreadSafetyError
from djupyter.sql.address import url_of
from djupyter.sql.connection import Connection
from djupyter.table.default import provide
from djupyter.table.schema import Schema
from djupyter.table.table import FreeTable

if TYPE_CHECKING:
    from djupyter.settings import Settings


class Session:
    """Settings and a connection, each made once."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._settings: Settings | None = None
        self._connection: Connection | None = None

    @property
    def settings(self) -> Settings:
        """The settings, read from files and the environment the first time.

        Raises
        ------
        ThreadSafetyError
            Thread-safe mode is on.
        """
        _refuse_if_thread_safe()
        with self._lock:
            if self._settings is None:
                # pydantic costs a tenth of a second; the import of the package need not wait for it.
                from djupyter.settings import load_settings

                self._settings = load_settings()
            return self._settings

    @property
    def connection(self) -> Connection:
        """The connection, opened as the settings say the first time.

        Raises
        ------
        ThreadSafetyError
            Thread-safe mode is on.
        """
        _refuse_if_thread_safe()
        with self._lock:
            if self._connection is None:
                self._connection = Connection(url_of(self.settings), settings=self.settings)
            return self._connection

    def connect(
        self,
        host: str | None = None,
        user: str | None = None,
        password: str | None = None,
        *,
        use_tls: bool | Mapping[str, Any] | None = None,
    ) -> Connection:
        """Make another database the default one and return its connection.

        What is left out comes from the settings.

        Raises
        ------
        DataJointError
            It cannot be reached; the connection so far stays the default.
        """
        database = self.settings.database
        port = None
        if host is None and user is None and password is None:
            host = url_of(self.settings)
        elif host is None or "://" not in host:
            host, port = host or database.host, database.port
            user, password = user or database.user, password or database.password
        connection = Connection(host, user, password, port, use_tls=use_tls, settings=self.settings)
        connection.connect()
        with self._lock:
            self._connection = connection
        return connection

    def adopt(self, connection: Connection) -> None:
        """Take a connection, with its settings, unless there is one already."""
        with self._lock:
            if self._connection is None and os.environ.get("DJ_THREAD_SAFE") is None:
                self._connection, self._settings = connection, connection.settings

    @property
    def is_open(self) -> bool:
        """Whether the connection has been made."""
        return self._connection is not None

    def forget(self) -> None:
        """Make the connection anew when it is asked for next; schemas keep theirs."""
        with self._lock:
            self._connection = None


default = Session()
provide(lambda: default.connection, lambda connection: default.adopt(connection))


def conn(
    host: str | None = None,
    user: str | None = None,
    password: str | None = None,
    *,
    reset: bool = False,
    use_tls: bool | Mapping[str, Any] | None = None,
) -> Connection:
    """Return the default connection.

    The arguments matter if nothing is connected yet, or `reset` is set; what is left out comes from the
    settings.

    Parameters
    ----------
    host
        The name of a server, or a URL of any database.
    user, password
        Who connects.
    reset
        Connect anew.
    use_tls
        How the connection is encrypted; see `Connection`.

    Raises
    ------
    DataJointError
        The database cannot be reached, or a server is named and no user.
    ThreadSafetyError
        Thread-safe mode is on.
    """
    _refuse_if_thread_safe()
    given = any(argument is not None for argument in (host, user, password, use_tls))
    if given and (reset or not default.is_open):
        return default.connect(host, user, password, use_tls=use_tls)
    if reset:
        default.forget()
    return default.connection


def list_schemas(connection: Connection | None = None) -> list[str]:
    """Return the names of all schemas of a connection, the default one when None."""
    return (connection or default.connection).catalog.schemas()


class Instance:
    """Settings and a connection of one's own, beside the default ones; any number of them at once.

    Parameters
    ----------
    host
        The name of a server, also `host:port`; or a URL of any database.
    user, password
        Who connects.
    port
        Where the server listens, if not where its kind usually does.
    use_tls
        How the connection is encrypted; see `Connection`.
    backend
        `mysql` or `postgresql`, for a host.
    settings
        Settings that differ from those of files and environment; two underscores stand for the dot.

    Raises
    ------
    DataJointError
        The database cannot be named so.
    UnknownSettingError
        There is no setting of that name.

    Examples
    --------
    >>> lab = Instance("sqlite://", display__limit=3)
    >>> lab.config.display.limit
    3
    >>> schema = lab.Schema("mice")
    >>> lab.connection.catalog.schemas()
    ['mice']
    """

    def __init__(
        self,
        host: str,
        user: str | None = None,
        password: str | None = None,
        port: int | None = None,
        use_tls: bool | Mapping[str, Any] | None = None,
        backend: str | None = None,
        **settings: object,
    ) -> None:
        # pydantic costs a tenth of a second; the import of the package need not wait for it.
        from djupyter.settings import load_settings

        self.config = load_settings()
        for name, value in settings.items():
            self.config[name.replace("__", ".")] = value
        self.connection = Connection(
            host, user, password, port, use_tls, backend=backend, settings=self.config
        )

    def __repr__(self) -> str:
        return f"Instance of {self.connection!r}"

    def Schema(self, schema_name: str | None = None, *args: Any, **options: Any) -> Schema:  # noqa: N802 - as datajoint
        """Return a schema on this connection; the arguments are those of `dj.Schema`."""
        return Schema(schema_name, *args, connection=self.connection, **options)

    def FreeTable(self, full_table_name: str) -> FreeTable:  # noqa: N802 - as datajoint
        """Return a table of this connection by its full name."""
        return FreeTable(self.connection, full_table_name)


# As all switches in the environment are written.
_ON = ("1", "true", "t", "yes", "y", "on")


def _refuse_if_thread_safe() -> None:
    if os.environ.get("DJ_THREAD_SAFE", "").strip().lower() in _ON:
        raise ThreadSafetyError(
            "Global DataJoint state is disabled in thread-safe mode. "
            "Use dj.Instance() to create an isolated instance."
        )
