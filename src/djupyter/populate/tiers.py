"""Tables that know how to fill themselves: Imported from outside the database, Computed from other tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypedDict, Unpack, overload

from djupyter.errors import DataJointError
from djupyter.populate import keys
from djupyter.populate.background import Populating, begin, options_of
from djupyter.populate.events import Listener
from djupyter.populate.jobs.job import Job
from djupyter.populate.jobs.report import JobReport, job_report
from djupyter.populate.making.make import making
from djupyter.populate.running.run import Options, Summary, populate
from djupyter.query.counts import counts
from djupyter.query.expression import Query
from djupyter.table.diagram import Diagram, upstream_of_row
from djupyter.table.tiers import UserTable

if TYPE_CHECKING:
    from concurrent.futures import Executor


class Asked(TypedDict, total=False):
    """The options of `populate`, for type checkers."""

    suppress_errors: bool
    return_exception_objects: bool
    reserve_jobs: bool
    max_calls: int | None
    display_progress: bool
    processes: int
    make_kwargs: Mapping[str, Any] | None
    priority: int | None
    refresh: bool | None
    executor: Executor | None
    time_limit: float | None
    memory_limit: int | None
    listener: Listener | None
    stop: Callable[[], bool]


class AutoPopulate(UserTable):
    """A table whose rows are made by its `make` for every key of its key source."""

    # How often a key is tried before its job has failed, and seconds before it is tried again, doubled each time.
    max_attempts: ClassVar[int] = 1
    retry_delay: ClassVar[float] = 60.0

    _allow_insert = False

    def __init__(self) -> None:
        super().__init__()
        # `Stat.insert1(...)` within the make of Stat is as good as `self.insert1(...)`.
        self._allow_insert = making(type(self)) is not None

    @property
    def key_source(self) -> Query:
        """The keys to compute; by default the join of all parents in the primary key.

        Override it by a class attribute or a property that gives a query.
        """
        return keys.default_key_source(self)

    @property
    def upstream(self) -> Diagram:
        """What the row that is being made depends on: `self.upstream[Session]` are the sessions behind it.

        Followed are the foreign keys in the primary key, and all of the tables above.

        Raises
        ------
        DataJointError
            No `make` of this table is running.
        """
        running = making(type(self))
        if running is None:
            raise DataJointError(
                f"{type(self).__name__}.upstream is known only while its make runs, for the key of that call. "
                "Elsewhere write dj.Diagram.trace(table & key)."
            )
        return upstream_of_row(self, running.key)

    @property
    def jobs(self) -> Job:
        """Which keys are to be made, by whom, and which failed; see `Job`."""
        return Job(self)

    def job_report(self, key: Mapping[str, Any], *, attempts: int = 10) -> JobReport:
        """Return what became of a key: the state of its job, and each attempt with its time, code, inputs and error.

        Shown in a notebook it is a card. Attempts are those of this package; what datajoint's workers did is seen
        in the job alone.

        Parameters
        ----------
        key
            Primary-key values; more do no harm.
        attempts
            How many of the last attempts to read.

        Raises
        ------
        DataJointError
            Something of the key is missing.

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
        ...         raise ValueError("the scale is empty")
        >>> Mouse.insert1((1,))
        >>> _ = Weight.populate(suppress_errors=True)
        >>> report = Weight.job_report({"mouse": 1})
        >>> report.is_made, [attempt["error_message"] for attempt in report.attempts]
        (False, ['the scale is empty'])
        >>> print(report)  # doctest: +ELLIPSIS
        Weight  mouse=1
        The table does not have this key; it has no job.
        error ... UTC ...
          error    ValueError: the scale is empty
        ...
        """
        return job_report(self, key, attempts)

    @overload
    def populate(
        self, *restrictions: object, background: Literal[True], **options: Unpack[Asked]
    ) -> Populating[Summary]: ...

    @overload
    def populate(
        self, *restrictions: object, background: Literal[False] = False, **options: Unpack[Asked]
    ) -> Summary: ...

    def populate(
        self,
        *restrictions: object,
        suppress_errors: bool = False,
        return_exception_objects: bool = False,
        reserve_jobs: bool = False,
        max_calls: int | None = None,
        display_progress: bool = False,
        processes: int = 1,
        make_kwargs: Mapping[str, Any] | None = None,
        priority: int | None = None,
        refresh: bool | None = None,
        executor: Executor | None = None,
        time_limit: float | None = None,
        memory_limit: int | None = None,
        listener: Listener | None = None,
        stop: Callable[[], bool] = lambda: False,
        background: bool = False,
    ) -> Summary | Populating[Summary]:
        """Call `make` for every key of the source that is not in the table yet.

        Parameters
        ----------
        *restrictions
            Only keys that meet all of them.
        suppress_errors
            Go on after an error, and return it.
        return_exception_objects
            Return exceptions rather than their text.
        reserve_jobs
            Share the keys with other workers: each is taken from `jobs` before it is made, so that nobody else makes
            it, and comes back by itself when this worker dies. Errors stay in `jobs`.
        max_calls
            At most so many keys.
        display_progress
            Show how far it is: in a notebook a panel with rate, time left and errors, in a terminal a bar.
        processes
            Make keys in so many processes beside this one; with an executor, how many keys it makes at a time.
        make_kwargs
            Further arguments of `make`.
        priority
            With `reserve_jobs`, take only jobs of this priority or a lower number; jobs that are added get it.
        refresh
            With `reserve_jobs`, whether to add jobs for what is missing first; None asks the setting
            `jobs.auto_refresh`.
        executor
            Make keys through any `concurrent.futures.Executor`, such as those of Dask, IPython Parallel or a cluster.
        time_limit
            Seconds that a key may take; then it has failed. Code that never comes back to Python does not hear of it.
            With `reserve_jobs` it is ended then together with the process that makes it: give `processes` where that
            should not be this one.
        memory_limit
            Bytes that each of the processes may have; a key that wants more has failed. With it also a single
            process is another than this one.
        listener
            Called with each `Event`.
        stop
            Asked between keys; once it returns True, what is in work is ended and the rest is left.
        background
            Return at once, and make keys in a thread meanwhile; it is stopped when the program ends.

        Returns
        -------
        dict
            `success_count`, and `error_list` with pairs (key, error). With `background` a handle, a `Populating`,
            that stops it, waits for it and knows how far it is.

        Raises
        ------
        DataJointError
            The table is restricted, a transaction is open, or an option is wrong.
        Exception
            Whatever `make` raises, unless suppressed; the key's rows are rolled back, earlier keys stay.
        """
        __tracebackhide__ = True  # IPython then shows the user's frames only
        options = Options(
            suppress_errors=suppress_errors,
            return_exception_objects=return_exception_objects,
            reserve_jobs=reserve_jobs,
            max_calls=max_calls,
            display_progress=display_progress,
            processes=processes,
            make_kwargs=make_kwargs or {},
            priority=priority,
            refresh=refresh,
            executor=executor,
            time_limit=time_limit,
            memory_limit=memory_limit,
            listener=listener,
            stop=stop,
        )
        if background:
            return begin([self], restrictions, options, "background", _only)
        return _only(populate([self], restrictions, options))

    async def populate_async(self, *restrictions: object, **options: Any) -> Summary:
        """Do the same as `populate`, in a thread: the cell or task that awaits it leaves the others free to go on.

        When it is cancelled, as by the kernel's interrupt, the key in work is undone.

        Parameters
        ----------
        *restrictions, **options
            Those of `populate`.

        Returns
        -------
        dict
            What `populate` returns.

        Raises
        ------
        Exception
            What `populate` raises.
        """
        __tracebackhide__ = True
        return await begin([self], restrictions, options_of(options), "awaited", _only)

    def _note_inserted(self, count: int) -> None:
        running = making(type(self))
        if running is not None:
            running.inserted += max(count, 0)

    def progress(self, *restrictions: object, display: bool = False) -> tuple[int, int]:
        """Return how many keys remain, and how many there are.

        Parameters
        ----------
        *restrictions
            Count only keys that meet all of them.
        display
            Also print it.
        """
        wanted = (keys.missing_keys(self, restrictions), keys.chosen_keys(self, restrictions))
        remaining, total = counts(self.connection, [query.node for query in wanted])
        if display:
            print(
                f"{self.name.class_name}: {total - remaining} of {total} done, {remaining} remain."
            )
        return remaining, total


def _only(summaries: list[Summary]) -> Summary:
    (summary,) = summaries
    return summary


class Imported(AutoPopulate):
    """Rows are made from data outside the database, found by the key."""

    tier: ClassVar = "Imported"


class Computed(AutoPopulate):
    """Rows are made from other tables alone."""

    tier: ClassVar = "Computed"
