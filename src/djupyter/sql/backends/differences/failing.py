"""What the errors of a driver mean."""

from __future__ import annotations

from abc import ABC, abstractmethod

import sqlalchemy as sa

from djupyter.sql.backends.differences.records import Fetch
from djupyter.sql.failures import Failure
from djupyter.sql.rights import Need, Right


class Failing(ABC):
    """The part of a backend that knows errors.

    Attributes
    ----------
    driver_errors
        What the driver raises; everything else is a fault of ours or the user's.
    """

    driver_errors: tuple[type[BaseException], ...]

    @abstractmethod
    def failure(self, error: BaseException, sql: str) -> Failure:
        """Return what a driver's error means."""

    def connecting_failure(self, error: BaseException, url: sa.URL) -> Failure:
        """Return why a connection could not be opened."""
        return self.failure(error, "")

    def right(self, need: Need, url: sa.URL, fetch: Fetch) -> Right | None:
        """Return the privilege that a statement lacked, with the statement that grants it.

        None for a database without privileges.
        """
        return None

    @abstractmethod
    def may_retry(self, error: BaseException) -> bool:
        """Whether the same statement may succeed in a moment because someone else holds a lock."""
