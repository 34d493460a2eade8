"""How a database is reached, and what is known of a connection to it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import sqlalchemy as sa

from djupyter.sql.backends.differences.records import Fetch
from djupyter.sql.backends.tls import Tls


class Connecting(ABC):
    """The part of a backend that connects.

    Attributes
    ----------
    url_options
        What may follow the `?` of a URL.
    default_port
        Where a server listens; None for a database without a server.
    """

    url_options: ClassVar[tuple[str, ...]] = ()
    default_port: ClassVar[int | None] = None

    @abstractmethod
    def engine(self, url: sa.URL, *, timeout: float, tls: Tls) -> sa.Engine:
        """Return the engine for a URL; connections come in autocommit mode and fully set up."""

    @abstractmethod
    def resolved(self, url: sa.URL) -> sa.URL:
        """Return the URL with what the working directory decides filled in."""

    @abstractmethod
    def is_shared(self, url: sa.URL) -> bool:
        """Whether all threads must share one connection, for another would see another database."""

    @abstractmethod
    def identity(self, url: sa.URL) -> object:
        """Return what tells the database from a later one at the same place.

        None when there is none, so that the first connection creates it.
        """

    @abstractmethod
    def user(self, fetch: Fetch, url: sa.URL) -> str:
        """Return `user@host`."""

    @abstractmethod
    def server_version(self, fetch: Fetch) -> str:
        """Return product and version."""

    def session_id(self, raw: Any) -> int | None:
        """Return the number by which the server knows a connection."""
        return None

    def is_alive(self, raw: Any) -> bool:
        """Whether the server has not closed an idle connection, without asking it where possible."""
        return True

    def survives(self, raw: Any, error: BaseException, connect: Callable[[], Any]) -> bool:
        """Whether a connection can go on after a statement was interrupted by something like Ctrl-C.

        Parameters
        ----------
        raw
            The driver's connection; what runs on it must be stopped on the server.
        error
            What interrupted it: anything but the driver's own errors.
        connect
            Opens another driver connection, by which to stop it.
        """
        return True

    @abstractmethod
    def stop(self, raw: Any, connect: Callable[[], Any]) -> None:
        """Let a statement that another thread runs on a connection end soon; arguments as for `survives`."""

    def interrupt(self, raw: Any, connect: Callable[[], Any]) -> None:
        """Let such a statement end soon and leave the connection as it is; arguments as for `survives`."""
        self.stop(raw, connect)
