"""A connection in another process: what it takes to open the same database there.

A connection itself cannot travel, but tables that have one do, to workers. There it is opened again, once for
each process however many tables arrive.
"""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from djupyter.errors import DataJointError
from djupyter.sql.backends.tls import Tls

if TYPE_CHECKING:
    from djupyter.settings import Settings
    from djupyter.sql.connection import Connection

Recipe = Mapping[str, Any]
_arrived: weakref.WeakValueDictionary[str, Connection] = weakref.WeakValueDictionary()


def recipe(connection: Connection) -> dict[str, Any]:
    """Return what opens the same database, as plain data. It holds the password: never show it.

    Raises
    ------
    DataJointError
        The database is in the memory of this process.
    """
    sessions = connection._sessions
    if is_private(connection):
        raise DataJointError(
            f"{connection.label} is in the memory of this process, where no other process can see it. "
            "Use a file, dj.conn('sqlite:///lab.db'), or a server."
        )
    # What comes back to this process, as to a thread of an executor, is this connection itself.
    _arrived[connection.name_of_its_own] = connection
    return {
        "name": connection.name_of_its_own,
        "url": connection._url.render_as_string(hide_password=False),
        "tls": asdict(sessions.tls),
        "timeout": connection.timeout,
    }


def is_private(connection: Connection) -> bool:
    """Whether the database is in the memory of this process, where no other one can see it."""
    return connection._sessions.shared_lock is not None


def opened(kind: type[Connection], recipe: Recipe, settings: Settings | None = None) -> Connection:
    """Return the connection of this process that a recipe means; it connects when it is first used.

    Parameters
    ----------
    kind
        `Connection`.
    recipe
        What `recipe` gave.
    settings
        What its tables go by.
    """
    known = _arrived.get(recipe["name"])
    if known is None:
        # Who sent it has been warned.
        warnings.filterwarnings("ignore", "The server .* has no TLS")
        known = kind(recipe["url"], timeout=recipe["timeout"], settings=settings)
        known._sessions.tls = Tls(**recipe["tls"])
        known.name_of_its_own = recipe["name"]
        _arrived[recipe["name"]] = known
    return known


def check_same(found: Connection, sent: Connection, whose: str) -> None:
    """Let a connection that was here before go by what another one, which was sent, goes by.

    Parameters
    ----------
    found
        What tables have here, because a module opened it when it was imported.
    sent
        What they had where they come from.
    whose
        The table, for the message.

    Raises
    ------
    DataJointError
        They are connections to different databases.
    """
    if found._url.set(password=None) != sent._url.set(password=None):
        raise DataJointError(
            f"In this process {whose} is on another database, {found.label}, than where it was sent from, "
            f"{sent.label}. The process may have opened that for an earlier populate: start it anew."
        )
    found._settings = sent._settings
