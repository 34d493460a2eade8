"""Where the default connection comes from, for tables and schemas that are given none.

The table layer has no connection of its own: the session, or a program, says how to get one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from djupyter.errors import DataJointError

if TYPE_CHECKING:
    from djupyter.sql.connection import Connection

_providers: list[Callable[[], Connection]] = []
_adopters: list[Callable[[Connection], None]] = []


def provide(
    provider: Callable[[], Connection], adopter: Callable[[Connection], None] | None = None
) -> None:
    """Say how the default connection is obtained, and how it is set; the latest word counts."""
    _providers[:] = [provider]
    _adopters[:] = [] if adopter is None else [adopter]


def adopt(connection: Connection) -> None:
    """Make a connection the default one if there is none yet, as in a process that was started for its tables."""
    for adopter in _adopters:
        adopter(connection)


def default_connection() -> Connection:
    """Return the default connection.

    Raises
    ------
    DataJointError
        Nobody has said how to get one.
    """
    if not _providers:
        raise DataJointError("No connection: pass one, dj.Schema(name, connection=...).")
    return _providers[0]()
