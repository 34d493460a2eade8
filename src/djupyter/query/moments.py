"""Conditions on what has passed by the clock of the database, whatever the clocks of those who ask say."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from djupyter.query.conditions import Condition
from djupyter.query.select import Element, Lowering, Selection


@dataclass(frozen=True, slots=True)
class Passed(Condition):
    """A moment lies at least `seconds` back.

    Parameters
    ----------
    name
        An attribute of type `datetime(3)`.
    seconds
        How far.
    """

    name: str
    seconds: float = 0

    @property
    def shape(self) -> Hashable:  # type: ignore[override]
        """The attribute and the seconds, which stand in the statement."""
        return ("passed", self.name, self.seconds)

    @property
    def values(self) -> tuple[object, ...]:  # type: ignore[override]
        """Nothing."""
        return ()

    def lower(self, selection: Selection, lowering: Lowering, *, listed: bool = False) -> Element:
        """Compare with the clock."""
        moment: Element = lowering.backend.moment(-self.seconds)
        return selection.columns[self.name] <= moment


@dataclass(frozen=True, slots=True)
class Ahead(Condition):
    """A time in seconds since 1970 is still to come.

    Parameters
    ----------
    name
        An attribute of type `float64`.
    """

    name: str

    @property
    def shape(self) -> Hashable:  # type: ignore[override]
        """The attribute."""
        return ("ahead", self.name)

    @property
    def values(self) -> tuple[object, ...]:  # type: ignore[override]
        """Nothing."""
        return ()

    def lower(self, selection: Selection, lowering: Lowering, *, listed: bool = False) -> Element:
        """Compare with the clock."""
        now: Element = lowering.backend.clock()
        return selection.columns[self.name] > now


@dataclass(frozen=True, slots=True)
class Behind(Condition):
    """A time in seconds since 1970 has come.

    Parameters
    ----------
    name
        An attribute of type `float64`.
    """

    name: str

    @property
    def shape(self) -> Hashable:  # type: ignore[override]
        """The attribute."""
        return ("behind", self.name)

    @property
    def values(self) -> tuple[object, ...]:  # type: ignore[override]
        """Nothing."""
        return ()

    def lower(self, selection: Selection, lowering: Lowering, *, listed: bool = False) -> Element:
        """Compare with the clock."""
        now: Element = lowering.backend.clock()
        return selection.columns[self.name] <= now
