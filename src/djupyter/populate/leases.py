"""A lease: what makes a worker the owner of its jobs, for as long as it lives and not much longer.

A worker has one row in `~workers` of each schema where it holds jobs, which says until when. A process of its own, the
`guardian`, renews the row, because code of the user may keep Python's lock, and with it every thread of the
worker, for as long as it likes. When the worker dies the guardian ends the lease at once; when both die, it
expires. Whoever looks for jobs then takes over those that nobody has a lease for.
"""

from __future__ import annotations

import os
import random
from collections.abc import Mapping
from contextlib import suppress
from platform import node as host_name
from typing import TYPE_CHECKING, Any

from djupyter.errors import LostConnectionError
from djupyter.populate import job_tables
from djupyter.populate.guardian import Guardian
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
        workers.insert1(
            {
                "connection_id": self.worker,
                "expires": 0.0,
                "user": self.connection.get_user()[:255],
                "host": host_name()[:255],
                "pid": os.getpid(),
                "version": self.version[:255],
            },
            skip_duplicates=True,  # the first attempt may have lost its connection after it was carried out
        )
        self._workers[schema] = workers
        self.renew()
        if self._guardian is None and not is_private(self.connection):
            self._guardian = Guardian(self.connection, self.worker, self.seconds)
        if self._guardian is not None:
            self._guardian.tell({"schemas": list(self._workers), "health_file": self._health_file})

    def renew(self) -> None:
        """Let the lease last from now on; done by the guardian, and here for the first time."""
        for workers in self._workers.values():
            renew(workers, self.worker, self.seconds)

    def works_on(self, table: str, key: Mapping[str, Any] | None, limit: float | None) -> None:
        """Tell the guardian what is being made, so that it can say so when the worker dies over it."""
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


def renew(workers: FreeTable, worker: int, seconds: float) -> bool:
    """Let a lease last `seconds` from now by the database's clock; return whether there is such a lease."""
    connection = workers.connection
    backend = connection.backend
    until = {"expires": backend.clock(seconds)}
    row: Any = workers & {"connection_id": worker}
    prepared, values = update(row.node, workers.structure, backend, until)
    return connection.execute(prepared.text, prepared.parameters(values, backend.adapt)) == 1
