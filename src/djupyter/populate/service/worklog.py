"""The log of a worker: one line for each event, for people or as JSON."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from djupyter.populate.events import Event, Summary

_LONG = ("traceback",)  # facts that only JSON has room for


class WorkLog:
    """Writes lines to a file that is open.

    Each is written at once and as a whole, so that lines of several workers may share a file, and a handler of a
    signal may write one in the middle of anything.

    Parameters
    ----------
    file
        Its number.
    as_json
        Whether lines are JSON objects rather than words.
    """

    def __init__(self, file: int, *, as_json: bool = False) -> None:
        self._file, self._as_json = file, as_json

    def say(self, event: str, **facts: Any) -> None:
        """Write a line.

        Parameters
        ----------
        event
            What happened, in a word.
        **facts
            More of it.
        """
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = _json(time, event, facts) if self._as_json else words(time, event, facts)
        rest = line.encode("utf-8", "replace") + b"\n"
        while rest:
            rest = rest[os.write(self._file, rest) :]

    def hear(self, event: Event) -> None:
        """Write a line for an event of populate; a listener."""
        facts = event.to_dict()
        if not isinstance(event, Summary) or event.done or event.failed or event.lost:
            self.say(facts.pop("event"), **facts)


@contextmanager
def own_output() -> Iterator[int]:
    """Give the number of a file that is standard output, and for the block let all else that is printed go to errors.

    What code of the user prints, also in other processes, is then never mixed with the lines of the log.
    """
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield kept
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def _json(time: str, event: str, facts: Mapping[str, Any]) -> str:
    return json.dumps({"time": time, "event": event, **facts}, default=str)


def words(time: str, event: str, facts: Mapping[str, Any]) -> str:
    r"""Return a line for people.

    Examples
    --------
    >>> words("12:00", "failed", {"table": "Stat", "key": {"i": 1}, "seconds": 0.25, "error": "a\nb"})
    "12:00 failed      Stat {'i': 1} seconds=0.250 error='a b'"
    """
    subject = [str(facts[name]) for name in ("table", "key") if name in facts]
    rest = [
        f"{name}={_word(value)}"
        for name, value in facts.items()
        if name not in ("table", "key", *_LONG) and value is not None
    ]
    return " ".join([time, f"{event:<11}", *subject, *rest]).rstrip()


def _word(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return repr(" ".join(value.split())) if isinstance(value, str) else str(value)
