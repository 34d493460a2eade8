"""What happens while tables are populated, as one stream of values.

```
Planned  ->  Started  ->  Finished | Failed | Lost  ->  ...  ->  Summary
```

A bar in a terminal, a log of JSON lines and the widget of a notebook are listeners: functions that are called with each
event, in the thread that populates, and return quickly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

Key = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a table.

    Parameters
    ----------
    table
        The name of its class.
    """

    kind: ClassVar[str]
    table: str

    def to_dict(self) -> dict[str, Any]:
        """Return the event as plain data, `event` telling its kind.

        >>> Planned("Stat", 3).to_dict()
        {'event': 'planned', 'table': 'Stat', 'keys': 3}
        """
        return {"event": self.kind, **asdict(self)}


@dataclass(frozen=True, slots=True)
class Planned(Event):
    """Keys were found that are to be made.

    Parameters
    ----------
    keys
        How many, beside those that were found before.
    """

    kind: ClassVar[str] = "planned"
    keys: int


@dataclass(frozen=True, slots=True)
class Started(Event):
    """A key was given to whoever makes it."""

    kind: ClassVar[str] = "started"
    key: Key


@dataclass(frozen=True, slots=True)
class Finished(Event):
    """A key was made.

    Parameters
    ----------
    seconds
        How long it took.
    is_new
        False when another worker had made it meanwhile.
    """

    kind: ClassVar[str] = "finished"
    key: Key
    seconds: float
    is_new: bool = True


@dataclass(frozen=True, slots=True)
class Failed(Event):
    """A key could not be made; nothing of it is in the database.

    Parameters
    ----------
    seconds
        How long it took.
    error
        `Class: message`.
    traceback
        The whole traceback, without secrets.
    retry_in
        Seconds after which it will be tried again by itself; None when it will not.
    """

    kind: ClassVar[str] = "failed"
    key: Key
    seconds: float
    error: str
    traceback: str = field(repr=False)
    retry_in: float | None = None


@dataclass(frozen=True, slots=True)
class Lost(Event):
    """A key was given up because it is no longer this worker's; another one makes it.

    Parameters
    ----------
    reason
        Why, in a sentence.
    """

    kind: ClassVar[str] = "lost"
    key: Key
    reason: str


@dataclass(frozen=True, slots=True)
class Waiting(Event):
    """The database does not answer; it will be asked again.

    Parameters
    ----------
    seconds
        Until then.
    error
        What the connection says.
    """

    kind: ClassVar[str] = "waiting"
    seconds: float
    error: str


@dataclass(frozen=True, slots=True)
class Summary(Event):
    """All is done that there was to do.

    Parameters
    ----------
    done, failed, lost
        Numbers of keys.
    seconds
        From the first look at the database on.
    """

    kind: ClassVar[str] = "summary"
    done: int
    failed: int
    lost: int
    seconds: float


Listener = Callable[[Event], None]
