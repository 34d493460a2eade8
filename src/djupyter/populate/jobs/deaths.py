"""What becomes of a job whose worker died over it: it is tried again, but not for ever."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from djupyter.errors import DataJointError
from djupyter.populate.jobs.holding import Hold
from djupyter.populate.jobs.inputs import inputs_of
from djupyter.populate.jobs.job import Job
from djupyter.populate.jobs.log import Attempt, JobLog
from djupyter.populate.outcome import Key, Outcome
from djupyter.populate.patience import patiently
from djupyter.table.table import FreeTable, Table

if TYPE_CHECKING:
    from djupyter.sql.connection import Connection

# Workers that a key may cost. One may die of many causes; who kills three is the cause.
MOST_DEATHS = 3
_CLASS = "WorkerDied"  # what the log calls it


class WorkerDiedError(DataJointError):
    """The process that made a key is gone, and nobody knows more of it than that."""


@dataclass(frozen=True, slots=True)
class Death:
    """What is known of the death of a worker.

    Parameters
    ----------
    message
        Why.
    seconds
        How long it had been making the key.
    version
        Of its code.
    host, pid
        Where it was, and its process; 0 where nobody knows.
    """

    message: str
    seconds: float = 0.0
    version: str = ""
    host: str = ""
    pid: int = 0


def is_cause(table: Table, key: Mapping[str, Any], death: Death) -> bool:
    """Note that a worker died while it made a key; return whether the key has cost so many that it is the cause.

    Where no log is kept nobody can count, and the first one is enough.

    Parameters
    ----------
    table
        Whose key.
    key
        Primary-key values.
    death
        What is known of it.
    """
    log = JobLog(table.connection)
    log.note(
        Attempt(
            table.name,
            key,
            "lost",
            time.time() - death.seconds,
            death.seconds,
            death.version,
            inputs_of(table, key),
            _CLASS,
            death.message,
            place=(death.host, death.pid),
        )
    )

    def counted() -> bool:
        deaths = log.failures(table.name, key, "lost", _CLASS)
        return deaths >= MOST_DEATHS or not log.is_kept(table.name.schema)

    return patiently(counted)  # the database may be what is away


def failed(hold: Hold | None, key: Key, death: Death, retry_in: float | None = None) -> Outcome:
    """Let a key have failed for the death of its worker; `retry_in` says when its job is pending again."""
    error = WorkerDiedError(death.message)
    text = f"{_CLASS}: {death.message}"
    if hold is not None:
        patiently(lambda: hold.fail(key, text, None, death.seconds, retry_in))
    return Outcome(key, "failed", death.seconds, text, text, error, retry_in)


def note_death(
    connection: Connection,
    worker: int,
    work: Mapping[str, Any],
    about: Mapping[str, Any],
    *,
    is_late: bool,
) -> None:
    """Let the job of a worker that died be tried again, or have failed; called by its guardian.

    Parameters
    ----------
    connection
        Where the job is.
    worker
        Who held it.
    work
        `table`, `key`, `limit`, and when it `began` by the clock that counts for all processes of a machine.
    about
        `host`, `pid` and `version` of the worker.
    is_late
        Whether it was killed because it took longer than its limit.
    """
    table, key = FreeTable(connection, work["table"]), dict(work["key"])
    death = Death(
        died(work["limit"] if is_late else None),
        time.monotonic() - work["began"],
        about["version"],
        about["host"],
        about["pid"],
    )
    hold = Hold(Job(table), worker)
    if is_cause(table, key, death) or is_late:
        failed(hold, key, death)
    else:
        hold.release([key])


def died(limit: float | None) -> str:
    """Return the message for a worker that died; `limit` when it was killed for its time limit."""
    if limit is not None:
        return (
            f"The worker was killed: it had not ended {limit:g} s after it began. Raise the time limit, or "
            "find out what it waits for."
        )
    return (
        "The worker process died while it made this key: it was killed, ran out of memory, or crashed in "
        "compiled code. Look into the system's log; run it alone with "
        "`Table().make(key)` to see it happen."
    )
