"""`Table.job_report(key)`: what became of one key, read once and shown as often as wanted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from djupyter.errors import DataJointError
from djupyter.heading.coerce import coerce_value
from djupyter.populate.jobs.log import JobLog
from djupyter.populate.jobs.tables import FIRST_WORKER
from djupyter.populate.keys import chosen_keys
from djupyter.populate.outcome import Key
from djupyter.render.job_card import AttemptCard, JobCard, job_html, job_text

if TYPE_CHECKING:
    from djupyter.populate.tiers import AutoPopulate


@dataclass(frozen=True, slots=True)
class JobReport:
    """What became of a key; shows itself as a card.

    Parameters
    ----------
    table, tier
        The table.
    key
        Primary-key values.
    is_made
        Whether the table has it.
    job
        Its job: `status`, `priority`, times, who holds it and for how long (`is_held`), and the error; None where
        there is none.
    attempts
        The last attempts, the first of them first: `outcome` (`success`, `error`, `lost`), `started` in UTC, `duration`
        in seconds, `host`, `pid`, `user`, `version`, `inputs`, `error_class`, `error_message`, `error_stack`.
    earlier
        How many attempts came before those.
    """

    table: str
    tier: str | None
    key: Key
    is_made: bool
    job: Mapping[str, Any] | None
    attempts: tuple[Mapping[str, Any], ...]
    earlier: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values; moments stay `datetime`."""
        return {
            "table": self.table,
            "tier": self.tier,
            "key": dict(self.key),
            "is_made": self.is_made,
            "job": None if self.job is None else dict(self.job),
            "attempts": [dict(attempt) for attempt in self.attempts],
            "earlier": self.earlier,
        }

    def __repr__(self) -> str:
        return job_text(self._card())

    def _repr_html_(self) -> str:
        return job_html(self._card())

    def _card(self) -> JobCard:
        key = tuple((name, str(value)) for name, value in self.key.items())
        attempts = tuple(map(_attempt_card, self.attempts))
        return JobCard(self.table, self.tier, key, self._state(), attempts, self.earlier)

    def _state(self) -> str:
        made = "The table has this key" if self.is_made else "The table does not have this key"
        if self.job is None:
            return f"{made}; it has no job."
        return f"{made}; {_job_state(self.job)}."


def job_report(table: AutoPopulate, key: Mapping[str, Any], attempts: int) -> JobReport:
    """Read what became of a key; see `AutoPopulate.job_report`."""
    if attempts < 0:
        raise DataJointError(f"attempts must not be negative, but is {attempts}.")
    name = _named(table, key)
    found, earlier = JobLog(table.connection).last(table.name, name, attempts)
    return JobReport(
        table.name.class_name,
        table.name.tier,
        name,
        name in table,
        _job(table, name),
        tuple(map(_attempt, found)),
        earlier,
    )


def _named(table: AutoPopulate, key: Mapping[str, Any]) -> Key:
    """Return what names a key, as `make` gets it: the log finds it by exactly that."""
    names = chosen_keys(table, ()).primary_key
    missing = [name for name in names if name not in key]
    if missing:
        raise DataJointError(
            f"A key of {table.name.class_name} is named by {', '.join(names)}; missing: {', '.join(missing)}."
        )
    return {name: coerce_value(table.heading[name], key[name]) for name in names}


def _job(table: AutoPopulate, key: Key) -> dict[str, Any] | None:
    jobs: Any = table.jobs
    if not jobs.is_declared or any(name not in key for name in jobs.key):
        return None
    rows = (jobs & jobs.name_of(key)).to_dicts()
    if not rows:
        return None
    row = {name: value for name, value in rows[0].items() if name not in jobs.key}
    ours = row["status"] == "reserved" and row["connection_id"] >= FIRST_WORKER
    held = row["status"] == "reserved" and not (
        ours and len(jobs.unleased(jobs & jobs.name_of(key)))
    )
    return {**row, "is_held": held}


_KEPT = ("outcome", "started", "duration", "host", "pid", "user", "version", "inputs")
_OF_ERROR = ("error_class", "error_message", "error_stack")


def _attempt(row: Mapping[str, Any]) -> dict[str, Any]:
    started: datetime = row["started"]
    return {
        **{name: row[name] for name in (*_KEPT, *_OF_ERROR)},
        "started": started.replace(tzinfo=UTC),
    }


def _attempt_card(row: Mapping[str, Any]) -> AttemptCard:
    words = (row["error_class"], row["error_message"])
    return AttemptCard(
        row["outcome"],
        f"{row['started']:%Y-%m-%d %H:%M:%S} UTC",
        row["duration"],
        row["host"],
        row["pid"],
        row["user"],
        row["version"],
        tuple(_inputs(row["inputs"] or {})),
        ": ".join(filter(None, words)),
        row["error_stack"] or "",
    )


def _inputs(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the rows that a result depends on, and the fingerprint of what was fetched."""
    for parent, row in inputs.get("rows", {}).items():
        yield parent, ", ".join(f"{name}={value}" for name, value in row.items())
    if "fetched" in inputs:
        yield "fetched values", f"fingerprint {inputs['fetched']}"


def _job_state(job: Mapping[str, Any]) -> str:
    status = job["status"]
    who = ", ".join(filter(None, [job["host"], f"process {job['pid']}" if job["pid"] else ""]))
    if status == "pending":
        why = f" after {job['error_message']}" if job["error_message"] else ""
        when = f"{job['scheduled_time']:%Y-%m-%d %H:%M:%S}"
        return f"its job waits{why}, to be made from {when} on, with priority {job['priority']}"
    if status == "reserved":
        since = f"{job['reserved_time']:%Y-%m-%d %H:%M:%S}" if job["reserved_time"] else "some time"
        held = "" if job["is_held"] else ", which has died: the next worker takes it"
        return f"its job is held since {since} by {who or 'somebody'}{held}"
    if status == "error":
        why = job["error_message"].rstrip(".")
        return f"its job has failed: {why}. `jobs.retry()` lets it be made once more"
    return {"success": "its job is done and kept", "ignore": "its job is ignored"}[status]
