"""What is still to be done of each table of a populate: where its keys come from, one batch after the other."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from djupyter.populate.jobs.claims import Claims
from djupyter.populate.keys import made_keys, missing_keys
from djupyter.populate.making.performing import Orders
from djupyter.populate.outcome import Key

if TYPE_CHECKING:
    from djupyter.populate.jobs.job import Job
    from djupyter.populate.tiers import AutoPopulate

# Work that a batch should be, in seconds: little enough to share among workers and to be stopped soon.
_BATCH_SECONDS, _LARGEST = 0.5, 200
# Seconds for which a list of keys is believed; what was listed before is looked up again.
_FRESH = 1.0
# Looking for new keys may take this part of the time.
_SHARE = 0.2


class Source(Protocol):
    """Where the keys of a table come from."""

    def look(self) -> int:
        """Look for keys that are to be made, and return how many are new."""

    def take(self, limit: int) -> list[Key]:
        """Return up to `limit` keys to make now."""

    def give_back(self, keys: Sequence[Key]) -> None:
        """Take back keys that were not begun."""

    def ended(self, key: Key, *, is_again: bool = False) -> None:
        """Hear that a key is dealt with, or has failed and is tried again."""


class Listed:
    """Keys listed by one query, which nobody else is told of.

    Parameters
    ----------
    table
        Whose keys.
    restrictions
        Only keys that meet all of them.
    """

    def __init__(self, table: AutoPopulate, restrictions: Sequence[object]) -> None:
        self._table, self._restrictions = table, restrictions
        self._waiting: deque[Key] = deque()
        self._seen: set[tuple[Any, ...]] = set()
        self._looked = 0.0

    def look(self) -> int:
        """List what is missing, in the order of the key."""
        found = missing_keys(self._table, self._restrictions).keys(order_by="KEY")
        new = [key for key in found if tuple(key.values()) not in self._seen]
        self._seen.update(tuple(key.values()) for key in new)
        self._waiting.extend(new)
        self._looked = time.monotonic()
        return len(new)

    def take(self, limit: int) -> list[Key]:
        """Return the next keys; those that others have made since they were listed are passed over."""
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]
            if time.monotonic() - self._looked < _FRESH:
                return batch
            made = made_keys(self._table, batch)
            batch = [key for key in batch if tuple(key.values()) not in made]
            if batch:
                return batch
        return []

    def give_back(self, keys: Sequence[Key]) -> None:
        """Put keys in front of the others."""
        self._waiting.extendleft(reversed(keys))

    def ended(self, key: Key, *, is_again: bool = False) -> None:
        """Do nothing: what was taken is not listed again."""


class Claimed:
    """Jobs that are taken under a lease, so that other workers leave them alone.

    Parameters
    ----------
    claims
        Takes them.
    restrictions
        Only keys that meet all of them.
    refreshes
        Whether to add jobs for keys that have none.
    """

    def __init__(self, claims: Claims, restrictions: Sequence[object], *, refreshes: bool) -> None:
        self._claims, self._restrictions, self._refreshes = claims, restrictions, refreshes
        self._known = 0  # how many should wait still, of those that waited before

    @property
    def _job(self) -> Job:
        return self._claims.job

    def look(self) -> int:
        """Add jobs for what is missing, and return how many wait that did not before."""
        if self._refreshes:
            self._job.refresh(*self._restrictions, priority=self._claims.priority)
        waiting = self._claims.waiting()
        new, self._known = max(waiting - self._known, 0), waiting
        return new

    def take(self, limit: int) -> list[Key]:
        """Take jobs."""
        taken = self._claims.take(limit)
        self._known = max(self._known - len(taken), 0) if taken else 0
        return taken

    def give_back(self, keys: Sequence[Key]) -> None:
        """Let others have what was not begun."""
        self._claims.give_back(keys)
        self._known += len(keys)

    def ended(self, key: Key, *, is_again: bool = False) -> None:
        """Note that a job is not held any more."""
        self._claims.ended(key, is_again=is_again)


class Stage:
    """One table of a populate.

    Parameters
    ----------
    table
        An instance of it.
    source
        Its keys.
    orders
        How they are made.
    max_calls
        Most keys to make.
    above
        The stages whose rows its keys come from.
    name
        What it is called in events; otherwise the name of the class.
    """

    def __init__(
        self,
        table: AutoPopulate,
        source: Source,
        orders: Orders,
        max_calls: int | None = None,
        above: Iterable[Stage] = (),
        *,
        name: str = "",
    ) -> None:
        self.table, self.source, self.orders = table, source, orders
        self.name = name or table.name.class_name
        self.above = list(above)
        self.made = 0
        self._left = self._unplanned = max_calls
        self._seconds: float | None = None
        self._looked_at: int | None = None  # what had been made above when it was last looked
        self._look_seconds, self._look_ended = 0.0, 0.0
        self._may_have_keys = False

    def look(self) -> int:
        """Look for keys and return how many are new."""
        self._looked_at = self._made_above
        start = time.monotonic()
        found = self.source.look()
        self._look_ended = time.monotonic()
        self._look_seconds = self._look_ended - start
        self._may_have_keys = self._may_have_keys or found > 0
        return found

    def plan(self, found: int) -> int:
        """Return how many of the keys that were found will be made, as far as `max_calls` lets them."""
        if self._unplanned is None:
            return found
        planned = min(found, self._unplanned)
        self._unplanned -= planned
        return planned

    @property
    def _made_above(self) -> int:
        return sum(stage.made for stage in self.above)

    @property
    def is_outdated(self) -> bool:
        """Whether rows were made above since it was looked for keys, or that was never done."""
        return self._looked_at is None or self._looked_at != self._made_above

    @property
    def may_look(self) -> bool:
        """Whether it is worth looking again already."""
        pause = self._look_seconds / _SHARE
        return self.is_outdated and time.monotonic() - self._look_ended >= pause

    def take(self, workers: int) -> list[Key]:
        """Return a batch of keys, small where keys take long."""
        if not self._may_have_keys:
            return []
        size = (
            1 if self._seconds is None else int(_BATCH_SECONDS / max(self._seconds, 1e-6) / workers)
        )
        size = max(1, min(size, _LARGEST))
        if self._left is not None:
            size = min(size, self._left)
        keys = self.source.take(size) if size else []
        if self._left is not None:
            self._left -= len(keys)
        self._may_have_keys = bool(keys)
        return keys

    def give_back(self, keys: Sequence[Key]) -> None:
        """Take back keys that were not begun."""
        if keys:
            self.source.give_back(keys)
            self._may_have_keys = True
            if self._left is not None:
                self._left += len(keys)

    def expect(self) -> None:
        """Hear that there may be keys to take again, as those that have failed and are tried again."""
        self._may_have_keys = True

    def took(self, seconds: float) -> None:
        """Learn how long a key takes: the mean, in which the last ones count most."""
        self._seconds = seconds if self._seconds is None else 0.8 * self._seconds + 0.2 * seconds
