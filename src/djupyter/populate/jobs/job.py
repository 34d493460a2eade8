"""`Table.jobs`: which keys are to be made, by whom, and what became of them.

```
                 refresh                 claim                    complete
key source ------------------> pending ---------> reserved ------------------> gone, or success
                                  ^                  |  error
                                  |     retry        v
                                  +---------------- error          ignore: whatever the table lacks
```

Source: the jobs tables of datajoint 2.x, whose workers may take jobs from the same table at the same time.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from platform import node as host_name
from typing import Any, Self

from djupyter.errors import DataJointError
from djupyter.heading.job_metadata import LONGEST_VERSION
from djupyter.heading.structure import TableStructure
from djupyter.populate.jobs import tables as job_tables
from djupyter.populate.jobs.tracebacks import explained
from djupyter.populate.jobs.version import code_version
from djupyter.populate.keys import chosen_keys, missing_keys
from djupyter.query.changing import Change, fill, update
from djupyter.query.conditions import Condition, Not
from djupyter.query.counts import counts
from djupyter.query.expression import Query
from djupyter.query.moments import Ahead, Behind, Passed
from djupyter.query.restriction import Restriction
from djupyter.query.statement import Statement
from djupyter.query.universal import U
from djupyter.sql import ddl
from djupyter.table.table import FreeTable, Table


class Job(FreeTable):
    """The jobs of an auto-populated table: a query over them, with what may be done to them.

    Parameters
    ----------
    target
        The table whose keys are made. Without its class nothing can be refreshed.

    Examples
    --------
    >>> import djupyter as dj
    >>> schema = dj.Schema("lab", connection=dj.Connection("sqlite://"))
    >>> @schema
    ... class Mouse(dj.Manual):
    ...     definition = "mouse : int32"
    >>> @schema
    ... class Weight(dj.Computed):
    ...     definition = "-> Mouse"
    ...     def make(self, key):
    ...         self.insert1(key)
    >>> Mouse.insert([(1,), (2,)])
    >>> Weight.jobs.refresh()["added"]
    2
    >>> Weight.jobs.pending.keys()
    [{'mouse': 1}, {'mouse': 2}]
    """

    def __init__(self, target: Table) -> None:
        super().__init__(target.connection, job_tables.jobs_name(target.name))
        self.target: Any = target

    @property
    def structure(self) -> TableStructure:
        """The table in the database; its key means what the key of the target means."""
        return job_tables.joined(super().structure, self.target.structure)

    @property
    def key(self) -> tuple[str, ...]:
        """The attributes that name a job."""
        return job_tables.job_key(self.target.structure)

    def ensure(self) -> None:
        """Declare the table if it is not there."""
        if not self.is_declared:
            structure = job_tables.jobs(self.target.structure, self.connection.backend.quote)
            ddl.declare(self.connection, structure)

    # -- looking ------------------------------------------------------------------------------------

    @property
    def pending(self) -> Self:
        """Jobs that wait for a worker, those scheduled for later included."""
        return self._with("pending")

    @property
    def reserved(self) -> Self:
        """Jobs that a worker holds."""
        return self._with("reserved")

    @property
    def errors(self) -> Self:
        """Jobs that failed."""
        return self._with("error")

    @property
    def completed(self) -> Self:
        """Jobs that are done, as far as the setting `jobs.keep_completed` keeps them."""
        return self._with("success")

    @property
    def ignored(self) -> Self:
        """Jobs that nobody shall do."""
        return self._with("ignore")

    def progress(self) -> dict[str, int]:
        """Return how many jobs there are of each status, and in total."""
        found = dict.fromkeys(("pending", "reserved", "success", "error", "ignore"), 0)
        if self.is_declared:
            grouped = U("status").aggr(self, n="count(*)")
            found |= {row["status"]: int(row["n"]) for row in grouped.to_dicts()}
        return {**found, "total": sum(found.values())}

    # -- what is to be done -------------------------------------------------------------------------

    def refresh(
        self,
        *restrictions: object,
        delay: float = 0,
        priority: int | None = None,
        stale_timeout: float | None = None,
        orphan_timeout: float | None = None,
    ) -> dict[str, int]:
        """Add jobs for the keys that are to be made, and put right what has changed since.

        One statement tells whether there is anything to do, one more does each thing that is.

        Parameters
        ----------
        *restrictions
            Add only keys that meet all of them.
        delay
            Seconds before the new jobs may be taken.
        priority
            Of the new jobs; lower ones are done first. None takes the setting `jobs.default_priority`.
        stale_timeout
            Remove jobs that are this many seconds old and whose key is no longer in the key source; 0 removes
            none. None takes the setting `jobs.stale_timeout`.
        orphan_timeout
            Make jobs pending that have been reserved for this many seconds by a worker without a lease, which only
            datajoint's are. Jobs of ours come back by themselves.

        Returns
        -------
        dict
            Numbers of jobs: `added`, `removed`, `orphaned`, `re_pended`.
        """
        self.ensure()
        settings = self.connection.settings
        stale = settings["jobs.stale_timeout"] if stale_timeout is None else stale_timeout
        lacking = self.keys_of(missing_keys(self.target, restrictions)) - self._unchecked()
        source = self.keys_of(chosen_keys(self.target, ()))
        gone = self._without(self, source)
        steps: dict[str, list[Query]] = {
            "removed": [
                self._without(gone & [{"status": "success"}, {"status": "error"}], self._made())
            ],
            "orphaned": [],
            "re_pended": [self._without(self.completed, self._made())],
        }
        if stale > 0:
            steps["removed"].append(
                _where(gone & Not({"status": "ignore"}), Passed("created_time", stale))
            )
        if orphan_timeout is not None:
            held = _where(self.reserved, Passed("reserved_time", orphan_timeout))
            steps["orphaned"].append(self.unleased(held))
        planned = [("added", lacking), *((name, q) for name, qs in steps.items() for q in qs)]
        found = counts(self.connection, [query.node for _, query in planned])
        done = {"added": 0, "removed": 0, "orphaned": 0, "re_pended": 0}
        for (name, query), count in zip(planned, found, strict=True):
            if count:
                done[name] += self._carried_out(name, query, delay, priority)
        return done

    def _carried_out(self, name: str, query: Query, delay: float, priority: int | None) -> int:
        if name == "removed":
            return self._deleted(query)
        if name == "added":
            return self._added(query, delay, priority)
        return self.change(query, self._pending_again())

    def _added(self, keys: Query, delay: float, priority: int | None) -> int:
        backend = self.connection.backend
        rank = self.connection.settings["jobs.default_priority"] if priority is None else priority
        given: dict[str, Change] = {"status": "pending", "priority": rank}
        if delay > 0:
            given["scheduled_time"] = backend.moment(delay)
        prepared, values = fill(keys.node, self.structure, backend, given)
        return self._sent(prepared, values)

    def ignore(self, key: Mapping[str, Any]) -> None:
        """Let nobody do a job, whether it is in the table yet or not."""
        self.ensure()
        name = self.name_of(key)
        if not self.change(self & name, {"status": "ignore"}):
            rank = self.connection.settings["jobs.default_priority"]
            self.insert1({**name, "status": "ignore", "priority": rank}, skip_duplicates=True)

    def retry(self, *restrictions: object) -> int:
        """Make failed jobs pending again, now, and return how many.

        One that had failed as often as `max_attempts` allows, or had cost three workers, is tried once more.

        Parameters
        ----------
        *restrictions
            Only those that meet all of them; attributes of the jobs, or of what their keys refer to.
        """
        if not self.is_declared:
            return 0
        failed: Any = self.errors
        for restriction in restrictions:
            failed = failed & restriction
        return self.change(failed, self._pending_again())

    # -- one job, by hand ---------------------------------------------------------------------------

    def reserve(self, key: Mapping[str, Any]) -> bool:
        """Take a pending job that is due; return whether it was there to take.

        Whoever takes a job by hand holds it without a lease, until `complete` or `error`. `populate` takes jobs
        in batches under a lease.
        """
        due = _where(self.pending & self.name_of(key), Passed("scheduled_time"))
        version = code_version(type(self.target), self.connection.settings["jobs.version_method"])
        held = self.held_by(self.connection.connection_id or 0)
        return self.change(due, held | {"version": version[:LONGEST_VERSION]}) == 1

    def complete(self, key: Mapping[str, Any], duration: float | None = None) -> None:
        """Note that a job is done: it goes, or stays as `success` where `jobs.keep_completed` is set."""
        chosen = self & self.name_of(key)
        if self.connection.settings["jobs.keep_completed"]:
            self.change(chosen, self.done(duration))
        else:
            self._deleted(chosen)

    def error(
        self, key: Mapping[str, Any], error_message: str, error_stack: str | None = None
    ) -> None:
        """Note that a job has failed.

        Parameters
        ----------
        key
            The job.
        error_message
            Cut to 2047 characters.
        error_stack
            The traceback.

        Raises
        ------
        DataJointError
            There is no such job.
        """
        if not self.change(self & self.name_of(key), self.failed(error_message, error_stack)):
            raise DataJointError(
                f"{self.target.name.class_name} has no job {self.name_of(key)}, so it cannot have failed. "
                "Call jobs.refresh() to add what is to be made."
            )

    # -- removing -----------------------------------------------------------------------------------

    def delete(self, *_: object, **__: object) -> int:
        """Delete the jobs without asking; nothing depends on them."""
        return self._deleted(self) if self.is_declared else 0

    def drop(self, *_: object, **__: object) -> None:
        """Drop the table of jobs without asking; it is made anew when it is needed."""
        if self.is_declared:
            self.drop_quick()

    # -- what a job gets ----------------------------------------------------------------------------

    def held_by(self, worker: int) -> dict[str, Change]:
        """Return what a reserved job has; `worker` is who holds it."""
        connection = self.connection
        return {
            "status": "reserved",
            "reserved_time": connection.backend.moment(),
            "user": connection.get_user(),
            "host": host_name()[:255],
            "pid": os.getpid(),
            "connection_id": worker,
        }

    def done(self, duration: float | None) -> dict[str, Change]:
        """Return what a job has that is done and kept."""
        moment = self.connection.backend.moment()
        return {"status": "success", "completed_time": moment, "duration": duration}

    def failed(
        self, message: str, stack: str | None, duration: float | None = None
    ) -> dict[str, Change]:
        """Return what a job has that has failed."""
        return {
            "status": "error",
            "completed_time": self.connection.backend.moment(),
            "duration": duration,
            **explained(message, stack, self.connection),
        }

    def again(self, seconds: float, message: str, stack: str | None) -> dict[str, Change]:
        """Return what a failed job has that will be tried again in some seconds."""
        return {**self._pending_again(seconds), **explained(message, stack, self.connection)}

    def _pending_again(self, seconds: float = 0) -> dict[str, Change]:
        moment = self.connection.backend.moment(seconds)
        return {
            "status": "pending",
            "scheduled_time": moment,
            "reserved_time": None,
            "completed_time": None,
            "duration": None,
            "connection_id": 0,
        }

    # -- inside -------------------------------------------------------------------------------------

    def change(self, query: Query, changes: Mapping[str, Change]) -> int:
        """Change jobs, in one statement, and return how many there were."""
        return self._sent(*update(query.node, self.structure, self.connection.backend, changes))

    def unleased(self, held: Query) -> Query:
        """Return those of some reserved jobs that no worker with a valid lease holds."""
        workers = self._workers
        if not workers.is_declared:
            return held
        alive = _where(workers, Ahead("expires")).proj()
        return held.restrict(Not(alive), semantic_check=False)

    def expired_workers(self) -> Any:
        """Return the workers of the schema whose lease has run out; None where there never was any."""
        workers = self._workers
        return _where(workers, Behind("expires")) if workers.is_declared else None

    @property
    def _workers(self) -> FreeTable:
        return FreeTable(self.connection, job_tables.workers(self.name.schema).name)

    def _sent(self, prepared: Statement, values: list[object]) -> int:
        connection = self.connection
        if not connection.in_transaction:
            for sql in connection.backend.relaxed:
                connection.execute(sql)
        return connection.execute(
            prepared.text, prepared.parameters(values, connection.backend.adapt)
        )

    def _deleted(self, query: Any) -> int:
        count = FreeTable.delete_quick(query, get_count=True)
        return int(count or 0)

    def _with(self, status: str) -> Self:
        return self & {"status": status}

    def name_of(self, key: Mapping[str, Any]) -> dict[str, Any]:
        """Return what names the job of a key.

        Raises
        ------
        DataJointError
            Something is missing.
        """
        missing = [name for name in self.key if name not in key]
        if missing:
            raise DataJointError(
                f"A job of {self.target.name.class_name} is named by {', '.join(self.key)}; missing: "
                f"{', '.join(missing)}."
            )
        return {name: key[name] for name in self.key}

    def keys_of(self, query: Query) -> Query:
        """Return what names the jobs of some keys of the target."""
        if set(query.primary_key) == set(self.key):
            return query
        return U(*self.key) & query

    def _made(self) -> Query:
        return self.keys_of(self.target.proj())

    def _unchecked(self) -> Query:
        return self.proj()

    @staticmethod
    def _without(query: Any, other: Query) -> Any:
        return query.restrict(Not(other), semantic_check=False)


def _where(query: Any, condition: Condition) -> Any:
    return query._like(Restriction(query.node, condition, condition))
