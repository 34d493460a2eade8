"""Tables that know how to fill themselves: Imported from outside the database, Computed from other tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from djupyter.errors import DataJointError
from djupyter.populate import keys, run
from djupyter.populate.make import is_in_make_of, key_in_make_of
from djupyter.populate.progress import Listener
from djupyter.query.expression import Query
from djupyter.table.diagram import Diagram, upstream_of_row
from djupyter.table.tiers import UserTable


class AutoPopulate(UserTable):
    """A table whose rows are made by its `make` for every key of its key source."""

    _allow_insert = False

    def __init__(self) -> None:
        super().__init__()
        # `Stat.insert1(...)` within the make of Stat is as good as `self.insert1(...)`.
        self._allow_insert = is_in_make_of(type(self))

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
        key = key_in_make_of(type(self))
        if key is None:
            raise DataJointError(
                f"{type(self).__name__}.upstream is known only while its make runs, for the key of that call. "
                "Elsewhere write dj.Diagram.trace(table & key)."
            )
        return upstream_of_row(self, key)

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
        listener: Listener | None = None,
    ) -> run.Summary:
        """Call `make` for every key of the source that is not in the table yet.

        Parameters
        ----------
        *restrictions
            Only keys that meet all of them.
        suppress_errors
            Go on after an error, and return it.
        return_exception_objects
            Return exceptions rather than their text.
        reserve_jobs, processes
            Sharing the keys with other workers is not available yet: only False and 1 are accepted.
        max_calls
            At most so many keys.
        display_progress
            Show a bar.
        make_kwargs
            Further arguments of `make`.
        listener
            Called with a `Progress` after each key.

        Returns
        -------
        dict
            `success_count`, and `error_list` with pairs (key, error).

        Raises
        ------
        DataJointError
            The table is restricted, a transaction is open, or workers are asked for.
        Exception
            Whatever `make` raises, unless suppressed; the key's rows are rolled back, earlier keys stay.
        """
        __tracebackhide__ = True  # IPython then shows the user's frames only
        if reserve_jobs or processes != 1:
            raise DataJointError(
                "This version computes in one process and reserves no jobs. Call populate() without "
                "reserve_jobs and processes."
            )
        return run.populate(
            self,
            restrictions,
            suppress_errors=suppress_errors,
            return_exception_objects=return_exception_objects,
            max_calls=max_calls,
            display_progress=display_progress,
            make_kwargs=make_kwargs,
            listener=listener,
        )

    def progress(self, *restrictions: object, display: bool = False) -> tuple[int, int]:
        """Return how many keys remain, and how many there are.

        Parameters
        ----------
        *restrictions
            Count only keys that meet all of them.
        display
            Also print it.
        """
        total = len(keys.chosen_keys(self, restrictions))
        remaining = len(keys.missing_keys(self, restrictions))
        if display:
            print(
                f"{self.name.class_name}: {total - remaining} of {total} done, {remaining} remain."
            )
        return remaining, total


class Imported(AutoPopulate):
    """Rows are made from data outside the database, found by the key."""

    tier: ClassVar = "Imported"


class Computed(AutoPopulate):
    """Rows are made from other tables alone."""

    tier: ClassVar = "Computed"
