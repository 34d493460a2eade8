"""Taking jobs, in batches, and giving back those that were not begun."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from djupyter.errors import LostConnectionError
from djupyter.heading.job_metadata import LONGEST_VERSION
from djupyter.populate.jobs.holding import Hold
from djupyter.populate.jobs.job import Job
from djupyter.populate.jobs.leases import Lease
from djupyter.populate.jobs.tables import FIRST_WORKER
from djupyter.populate.keys import chosen_keys
from djupyter.populate.outcome import Key
from djupyter.query.changing import take
from djupyter.query.counts import counts
from djupyter.query.moments import Passed
from djupyter.query.restriction import Restriction
from djupyter.query.top import Top
from djupyter.sql.backends.differences.records import Row
from djupyter.table.table import FreeTable

_ORDER = ("priority", "scheduled_time")


class Claims:
    """What a worker takes of the jobs of a table.

    Parameters
    ----------
    job
        The jobs.
    lease
        The worker's right to hold them.
    restrictions
        Take only jobs whose keys meet all of them.
    priority
        Take only jobs of this priority or a lower number.
    """

    def __init__(
        self,
        job: Job,
        lease: Lease,
        restrictions: Sequence[object] = (),
        priority: int | None = None,
    ) -> None:
        self.job, self.hold, self._lease = job, Hold(job, lease.worker), lease
        self.priority = priority
        self._held: dict[str, Any] = {}
        self._names = [*job.key, *_ORDER]
        self._due = self._find(restrictions, priority)
        self._known: set[tuple[Any, ...]] = set()
        self._is_unsure = False

    def _find(self, restrictions: Sequence[object], priority: int | None) -> Any:
        due: Any = self.job.pending
        due = due._like(Restriction(due.node, Passed("scheduled_time")))
        if priority is not None:
            due = due & f"priority <= {int(priority)}"
        if restrictions:
            due = due & self.job.keys_of(chosen_keys(self.job.target, restrictions))
        return due

    def take(self, limit: int) -> list[Key]:
        """Take up to `limit` jobs that are due, in order of priority, and return their keys.

        Jobs whose worker has no lease any more are made pending first, if there are not enough others.
        """
        try:
            found = self._left_over(limit) or self._take(limit)
            if len(found) < limit and self.recover():
                found += self._take(limit - len(found))
        except LostConnectionError:
            self._is_unsure = True
            raise
        return found

    def _left_over(self, limit: int) -> list[Key]:
        """Return up to `limit` jobs that this worker has taken without knowing it.

        The connection was lost just then, or the job was taken again before it was heard that it had failed.
        """
        if not self._is_unsure:
            return []
        held = self.hold.jobs.proj(*_ORDER).to_dicts()
        rows = [row for row in held if tuple(row[n] for n in self.job.key) not in self._known]
        self._is_unsure = len(rows) > limit
        return self._fresh(rows[:limit])

    def waiting(self) -> int:
        """Return how many jobs there are to take: those that are due, and those of dead workers."""
        expired = self.job.expired_workers()
        queries = [self._due, self._abandoned, *([] if expired is None else [expired])]
        due, abandoned, *gone = counts(self.job.connection, [query.node for query in queries])
        if any(gone):
            self.recover()
        return due + abandoned

    def _take(self, limit: int) -> list[Key]:
        job, connection = self.job, self.job.connection
        if self._held:
            self._lease.renew_if_due()
        else:
            self._lease.extend_to(job.name.schema)
            version = self._lease.version[:LONGEST_VERSION]
            self._held = job.held_by(self._lease.worker) | {"version": version}
        backend = connection.backend
        first = self._due & Top(limit, order_by=[*_ORDER, "KEY"])
        prepared, values = take(first.node, job.structure, backend, self._held, self._names)
        parameters = prepared.parameters(values, backend.adapt)
        for sql in backend.relaxed:
            connection.execute(sql)
        if backend.returns_updated:
            rows = [self._decoded(row) for row in connection.fetch(prepared.text, parameters)]
        else:
            count = connection.execute(prepared.text, parameters)
            rows = self.hold.jobs.proj(*_ORDER).to_dicts() if count else []
        return self._fresh(rows)

    def _fresh(self, rows: list[dict[str, Any]]) -> list[Key]:
        rows.sort(key=lambda row: [row[name] for name in (*_ORDER, *self.job.key)])
        keys = [{name: row[name] for name in self.job.key} for row in rows]
        # All that this worker holds was asked for, where the statement does not say what it took.
        fresh = [key for key in keys if tuple(key.values()) not in self._known]
        self._known.update(tuple(key.values()) for key in fresh)
        return fresh

    def _decoded(self, row: Row) -> dict[str, Any]:
        decoded: dict[str, Any] = {}
        for name, value in zip(self._names, row, strict=True):
            decode = self.job.connection.backend.decoder(self.job.structure.by_name[name].type)
            decoded[name] = value if decode is None or value is None else decode(value)
        return decoded

    def recover(self) -> int:
        """Make the jobs of workers without a lease pending again, and return how many there were.

        What tells of these workers is removed.
        """
        count = self.job.change(self._abandoned, self.job.again(0, "", None))
        expired = self.job.expired_workers()
        if expired is not None:
            FreeTable.delete_quick(expired)
        return count

    @property
    def _abandoned(self) -> Any:
        ours: Any = self.job.reserved & f"connection_id >= {FIRST_WORKER}"
        return self.job.unleased(ours)

    def ended(self, key: Mapping[str, Any], *, is_again: bool = False) -> None:
        """Note that a job is not held any more; `is_again` says that it may be, as it is tried again."""
        self._known.discard(tuple(key[name] for name in self.job.key))
        self._is_unsure = self._is_unsure or is_again

    def give_back(self, keys: Iterable[Mapping[str, Any]] | None = None) -> None:
        """Make jobs pending again that were not begun: some of those held, or all that are."""
        if not self._held:
            return  # nothing was ever taken
        chosen = None if keys is None else list(keys)
        self.hold.release(chosen)
        for key in chosen or ():
            self.ended(key)
