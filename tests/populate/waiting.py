"""A worker in a process of its own, whose make waits until it is told to go on."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import djupyter as dj
from djupyter.populate.events import Lost
from djupyter.settings import Settings
from djupyter.sql.connection import Connection
from tests.populate.crowd import PAUSE


@dataclass(frozen=True)
class Place:
    """What workers share.

    Parameters
    ----------
    url, schema
        Where the tables are.
    folder
        Where they tell what they have begun, and are told to go on.
    lease
        Seconds.
    """

    url: str
    schema: str
    folder: Path
    lease: float

    def connect(self) -> Connection:
        """Return a connection for one process."""
        settings = Settings(safemode=False)
        settings["jobs.lease"] = self.lease
        return Connection(self.url, settings=settings)

    def tables(self, connection: Connection) -> tuple[Any, Any]:
        """Return the source and the table that is made."""
        schema, place = dj.Schema(self.schema, connection=connection), self

        @schema
        class Item(dj.Manual):
            definition = "n : int32"

        @schema
        class Slow(dj.Computed):
            definition = "-> Item"

            class Part(dj.Part):
                definition = "-> master\np : int32"

            def make(self, key: dict[str, Any]) -> None:
                place.note(key["n"])
                while not (place.folder / "go").exists():
                    time.sleep(PAUSE)
                self.insert1(key)
                self.Part.insert1({**key, "p": 1})

        return Item, Slow

    def note(self, key: int) -> None:
        """Note that a key was begun."""
        with (self.folder / "begun").open("a") as file:
            file.write(f"{key} {os.getpid()}\n")

    def begun(self) -> list[str]:
        """Return what was begun, and by whom."""
        path = self.folder / "begun"
        return path.read_text().splitlines() if path.exists() else []

    def has_begun(self) -> bool:
        """Whether anything was begun."""
        return bool(self.begun())

    def go(self) -> None:
        """Let all go on."""
        (self.folder / "go").touch()


class Worker:
    """A process that populates once.

    Parameters
    ----------
    place
        Where.
    """

    def __init__(self, place: Place) -> None:
        context = get_context("forkserver")
        self._results, there = context.Pipe(duplex=False)
        self._process = context.Process(target=_work, args=(place, there))
        self._process.start()
        there.close()
        assert self._process.pid is not None, "started"
        self.pid = self._process.pid

    def result(self) -> tuple[int, list[dict[str, Any]]]:
        """Return how many keys it has made, and which it has lost."""
        made, lost = self._results.recv()
        self._process.join()
        return made, lost

    def end(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.join()


def _work(place: Place, results: Any) -> None:
    lost: list[dict[str, Any]] = []

    def hear(event: Any) -> None:
        if isinstance(event, Lost):
            lost.append(dict(event.key))

    with place.connect() as connection:
        _, slow = place.tables(connection)
        summary = slow.populate(reserve_jobs=True, listener=hear)
    results.send((summary["success_count"], lost))
