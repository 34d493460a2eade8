"""Rows of a query in batches, from a driver connection of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy.pool import PoolProxiedConnection

from djupyter.errors import LostConnectionError
from djupyter.sql.backends.base import Backend
from djupyter.sql.backends.differences.records import Row
from djupyter.sql.result import spooled
from djupyter.sql.sessions import Explain, Sessions


def stream(
    backend: Backend,
    sessions: Sessions,
    explain: Explain,
    statement: tuple[str, Sequence[object]],
    size: int,
) -> Iterator[list[Row]]:
    """Yield the rows of a query in batches, as they were when the iteration began.

    Parameters
    ----------
    backend, sessions
        Where.
    explain
        Makes our error of a driver's error and the statement.
    statement
        The query and its values.
    size
        Number of rows in a batch.

    Raises
    ------
    LostConnectionError
        The connection was lost after the first rows.
    """
    if sessions.current().depth or sessions.shared_lock:
        # There is no second view of unfinished work, nor of a database in memory.
        yield from spooled(lambda keep: _copied(sessions, statement, size, keep))
    else:
        yield from _flowing(backend, sessions, explain, statement, size)


def _copied(
    sessions: Sessions,
    statement: tuple[str, Sequence[object]],
    size: int,
    keep: Callable[[list[Row]], None],
) -> None:
    def work() -> None:
        with sessions.current().cursor(writes=False, streams=True) as cursor:
            cursor.execute(*statement)
            while batch := cursor.fetchmany(size):
                keep(batch)

    sessions.run(work, statement[0], repeats=False)


def _flowing(
    backend: Backend,
    sessions: Sessions,
    explain: Explain,
    statement: tuple[str, Sequence[object]],
    size: int,
) -> Iterator[list[Row]]:
    def begin() -> tuple[PoolProxiedConnection, Any]:
        handle = sessions.handle()
        cursor = None
        try:
            cursor = backend.stream_cursor(handle.dbapi_connection, nested=False)
            cursor.execute(*statement)
        except BaseException as error:
            _give_back(backend, sessions, handle, cursor, error)
            raise
        return handle, cursor

    handle, cursor = sessions.run(begin, statement[0], repeats=True)
    count = 0
    try:
        while batch := cursor.fetchmany(size):
            count += len(batch)
            yield batch
    except BaseException as error:
        _give_back(backend, sessions, handle, cursor, error)
        if not isinstance(error, backend.driver_errors):
            raise
        failure = backend.failure(error, statement[0])
        if failure.problem != "lost":
            raise explain(error, statement[0]) from error
        raise LostConnectionError(
            f"The connection to the server was lost while the rows of a query were read, after {count:,} of "
            f"them ({failure.detail.rstrip('.')}). Start the query again."
        ) from error
    cursor.close()
    handle.close()


def _give_back(
    backend: Backend,
    sessions: Sessions,
    handle: PoolProxiedConnection,
    cursor: Any,
    error: BaseException,
) -> None:
    """Return a connection whose rows are not all read, to the pool if it can go on."""
    survives = backend.survives(handle.dbapi_connection, error, sessions.handle)
    if isinstance(error, backend.driver_errors) or not survives:
        handle.invalidate()
    elif cursor is not None:
        cursor.close()
    handle.close()
