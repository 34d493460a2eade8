"""The right to jobs that were taken, on the side of whoever makes them; travels to other processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from djupyter.errors import DataJointError
from djupyter.sql import write
from djupyter.table.one import adapters_of

if TYPE_CHECKING:
    from djupyter.populate.jobs.job import Job


class LostJobError(DataJointError):
    """A job is no longer this worker's: its lease had run out, and another worker took over."""


class Hold:
    """Some jobs of a table that a worker has taken.

    Parameters
    ----------
    job
        The jobs of the table.
    worker
        The number of the worker's lease.
    """

    def __init__(self, job: Job, worker: int) -> None:
        self.job, self.worker = job, worker
        # The statement that ends a job, which of its attributes it takes, and what turns them into the driver's values.
        self._removal: tuple[str, tuple[str, ...], Mapping[str, Any]] | None = None
        self._keeps = bool(job.connection.settings["jobs.keep_completed"])

    def complete(self, key: Mapping[str, Any], seconds: float) -> None:
        """End a job within the transaction that holds its result.

        Raises
        ------
        LostJobError
            Another worker has it; the transaction must be undone.
        """
        if self._ended(key, seconds) != 1:
            raise LostJobError(
                f"The job {self.job.name_of(key)} of {self.job.target.name.class_name} is no longer held by this "
                "worker: its lease had run out, or somebody removed the job. What was computed is not inserted; "
                "whoever holds the job makes it."
            )

    def drop(self, key: Mapping[str, Any]) -> bool:
        """End a job whose key somebody else has made; return whether it was still this worker's."""
        return self._ended(key, None) == 1

    def fail(
        self,
        key: Mapping[str, Any],
        message: str,
        stack: str | None,
        seconds: float,
        retry_in: float | None = None,
    ) -> bool:
        """Note why a job failed; return whether it was still this worker's.

        Parameters
        ----------
        key
            The job.
        message, stack
            What happened.
        seconds
            How long it took.
        retry_in
            Seconds after which it is pending again; None for never.
        """
        job = self.job
        if retry_in is None:
            changes = job.failed(message, stack, seconds)
        else:
            changes = job.again(retry_in, message, stack)
        if job.change(self.jobs & job.name_of(key), changes) == 1:
            return True
        # The network may have been lost after the first attempt to note it was carried out.
        ours = {"status": "error", "connection_id": self.worker}
        again = {"status": "pending", "error_message": changes["error_message"]}
        return bool(job & job.name_of(key) & (ours if retry_in is None else again))

    def release(self, keys: Sequence[Mapping[str, Any]] | None) -> None:
        """Make some of the jobs that this worker holds pending again; None means all."""
        held = self.jobs if keys is None else self.jobs & [self.job.name_of(key) for key in keys]
        self.job.change(held, self.job.again(0, "", None))

    @property
    def jobs(self) -> Any:
        """The jobs that this worker holds."""
        return self.job.reserved & {"connection_id": self.worker}

    def _ended(self, key: Mapping[str, Any], seconds: float | None) -> int:
        """End a job and return how many there were, 0 or 1; without building a query where that is not needed."""
        job, connection = self.job, self.job.connection
        if self._keeps:
            return job.change(self.jobs & job.name_of(key), job.done(seconds))
        if self._removal is None:
            structure, backend = job.structure, connection.backend
            names = (*job.key, "connection_id", "status")
            sql, order = write.delete(structure, names, backend)
            self._removal = sql, order, adapters_of(structure, backend)
        sql, order, adapters = self._removal
        given = {**key, "connection_id": self.worker, "status": "reserved"}
        values = [
            given[name] if (adapt := adapters[name]) is None else adapt(given[name])
            for name in order
        ]
        with connection.as_one():
            return connection.execute(sql, values)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_removal": None}
