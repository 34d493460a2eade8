"""The default session: one set of settings and one connection, made when first asked for.

The only state of the package that is not passed along; `Schema` without a connection and the magics use it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from djupyter.sql.backends import url_of
from djupyter.sql.connection import Connection
from djupyter.table.default import provide

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
        """The settings, read from files and the environment the first time."""
        with self._lock:
            if self._settings is None:
                # pydantic costs a tenth of a second; the import of the package need not wait for it.
                from djupyter.settings import load_settings

                self._settings = load_settings()
            return self._settings

    @property
    def connection(self) -> Connection:
        """The connection, opened as the settings say the first time."""
        with self._lock:
            if self._connection is None:
                self._connection = Connection(url_of(self.settings), settings=self.settings)
            return self._connection

    def connect(self, url: str) -> Connection:
        """Make another database the default one and return its connection.

        Raises
        ------
        DataJointError
            It cannot be reached; the connection so far stays the default.
        """
        connection = Connection(url, settings=self.settings)
        connection.connect()
        with self._lock:
            self._connection = connection
        return connection

    @property
    def is_open(self) -> bool:
        """Whether the connection has been made."""
        return self._connection is not None

    def forget(self) -> None:
        """Make the connection anew when it is asked for next; schemas keep theirs."""
        with self._lock:
            self._connection = None


default = Session()
provide(lambda: default.connection)


def conn(url: str | None = None, *, reset: bool = False) -> Connection:
    """Return the default connection.

    Parameters
    ----------
    url
        Connect there, if nothing is connected yet or `reset` is set.
    reset
        Connect anew.

    Raises
    ------
    DataJointError
        The database cannot be reached.
    """
    if url is not None and (reset or not default.is_open):
        return default.connect(url)
    if reset:
        default.forget()
    return default.connection


def list_schemas(connection: Connection | None = None) -> list[str]:
    """Return the names of all schemas of a connection, the default one when None."""
    return (connection or default.connection).catalog.schemas()
