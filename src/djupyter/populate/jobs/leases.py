"""A lease: what makes a worker the owner of its jobs, for as long as it lives and not much longer.

A worker has one row in `~workers` of each schema where it holds jobs, which says until when. A process of its own, the
`guardian`, renews the row, because code of the user may keep Python's lock, and with it every thread of the
worker, for as long as it likes. When the worker dies the guardian ends the lease at once; when both die, it
expires. Whoever looks for jobs then takes over those that nobody has a lease for.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Mapping
from contextlib import suppress
from platform import node as host_name
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from djupyter.errors import LostConnectionError
from djupyter.populate.jobs import tables as job_tables
from djupyter.populate.jobs.guardian import Guardian
from djupyter.query.changing import update
from djupyter.sql import ddl
from djupyter.sql.travelling import is_private
from djupyter.table.table import FreeTable

if TYPE_CHECKING:
    from djupyter.sql.connection import Connection


_FOR_EVER = 1e9


class Lease:
    """The right to hold jobs, renewed until the block ends: `with Lease(connection) as lease:`.

    Parameters
    ----------
    connection
        Where the jobs are.
    seconds
        How long it lasts without being renewed. It is renewed three times as often.
    version
        Of the code that makes the keys, as it is noted with the jobs.
    health_file
        A file that is touched whenever the lease was renewed: while it is young, the lease is alive and the database
        answers, whatever code of the user does.

    Attributes
    ----------
    worker
        The number that the jobs of this worker have as `connection_id`; no two leases ever had the same.
    """

    def __init__(
        self,
        connection: Connection,
        seconds: float,
        version: str = "",
        health_file: str | None = None,
    ) -> None:
        self.connection, self.version = connection, version
        # Nobody sees a database in the memory of this process when it has died, and no other process can renew a lease.
        self.seconds = _FOR_EVER if is_private(connection) else seconds
        self._health_file = health_file
        # Random numbers of 62 bits need no agreement, and are never equal in practice.
        self.worker = random.SystemRandom().randrange(job_tables.FIRST_WORKER, 2**62)
        self._workers: dict[str, FreeTable] = {}
        self._guardian: Guardian | None = None
        self._about: dict[str, Any] = {}
        self._renewed = 0.0

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def extend_to(self, schema: str) -> None:
        """Let the worker hold jobs of a schema too.

        Raises
        ------
        AccessError
            The user may not create `~workers`, or not write to it.
        """
        if schema in self._workers:
            return
        structure = job_tables.workers(schema)
        workers = FreeTable(self.connection, structure.name)
        if not workers.is_declared:
            ddl.declare(self.connection, structure)
        if not self._about:
            self._about = {
                "user": self.connection.get_user()[:255],
                "host": host_name()[:255],
                "pid": os.getpid(),
                "version": self.version[:255],
            }
        renew(workers, self.worker, self.seconds, self._about)
        self._renewed = time.monotonic()
        if self._guardian is None and not is_private(self.connection):
            self._guardian = Guardian(self.connection, self.worker, self.seconds)
        if self._guardian is not None:
            told = {"schemas": [*self._workers, schema], "about": self._about}
            self._guardian.tell({**told, "health_file": self._health_file})
        self._workers[schema] = workers

    def renew(self) -> None:
        """Let the lease last from now on."""
        self._renewed = time.monotonic()
        for workers in self._workers.values():
            renew(workers, self.worker, self.seconds, self._about)

    def renew_if_due(self) -> None:
        """Renew the lease where a third of it has passed, and see that the guardian lives.

        It renews it too, but on a machine with more workers than processors it may be long in starting.
        """
        if self._guardian is not None:
            self._guardian.revive()
        if time.monotonic() - self._renewed > self.seconds / 3:
            self.renew()

    def works_on(self, table: str, key: Mapping[str, Any] | None, limit: float | None) -> None:
        """Tell the guardian what is being made, so that it can say so when the worker dies over it."""
        with suppress(LostConnectionError):  # there is time for that when it is back
            self.renew_if_due()
        if self._guardian is not None:
            self._guardian.works_on(table, key, limit)

    def end(self) -> None:
        """Give up the right; jobs that are still held may be taken by anybody."""
        if self._guardian is not None:
            self._guardian.end()
            self._guardian = None
        with suppress(LostConnectionError):  # it expires by itself
            for workers in self._workers.values():
                FreeTable.delete_quick(workers & {"connection_id": self.worker})
        self._workers.clear()


def renew(
    workers: FreeTable, worker: int, seconds: float, about: Mapping[str, Any] = MappingProxyType({})
) -> bool:
    """Let a lease last `seconds` from now by the database's clock; return whether it does.

    Parameters
    ----------
    workers
        The table of the leases.
    worker
        Whose.
    seconds
        How long.
    about
        What else its row has; it is written anew where it was removed because the lease had run out.
    """
    connection = workers.connection
    backend = connection.backend
    until = {"expires": backend.clock(seconds)}
    row: Any = workers & {"connection_id": worker}
    prepared, values = update(row.node, workers.structure, backend, until)
    parameters = prepared.parameters(values, backend.adapt)
    if connection.execute(prepared.text, parameters):
        return True
    # Not yet valid: the clock that counts is the database's, which only a statement of ours can ask.
    workers.insert1({"connection_id": worker, "expires": 0.0, **about}, skip_duplicates=True)
    return connection.execute(prepared.text, parameters) == 1
