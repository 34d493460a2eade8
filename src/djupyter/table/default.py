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


def provide(provider: Callable[[], Connection]) -> None:
    """Say how the default connection is obtained; the latest word counts."""
    _providers[:] = [provider]


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
