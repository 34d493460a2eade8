"""What jobs need of a database: its clock, by which alone it is decided who holds what."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import sqlalchemy as sa


class Timing(ABC):
    """The part of a backend by which workers agree, whatever their own clocks say.

    Attributes
    ----------
    returns_updated
        Whether an UPDATE can tell the rows that it changed.
    relaxed
        Statements before one that reads some rows and writes others, so that it locks only what it writes.
    """

    returns_updated: ClassVar[bool] = True
    relaxed: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def clock(self, seconds: float = 0) -> sa.ColumnElement[float]:
        """Return the seconds since 1970 at the time `seconds` from now, which no change to summer time moves."""

    @abstractmethod
    def moment(self, seconds: float = 0) -> sa.ColumnElement[Any]:
        """Return the time `seconds` from now, as a `datetime(3)` that defaults to the time holds it."""
