"""Workers in processes of their own that make the keys of one table, are killed, and are replaced."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import psutil

import djupyter as dj
from djupyter.settings import Settings
from djupyter.sql.connection import Connection
from tests.statements import statements

# Seconds between two looks of a worker that finds nothing to do, and of whoever waits for something.
PAUSE = 0.02


@dataclass(frozen=True)
class Place:
    """What workers share.

    Parameters
    ----------
    url, schema
        Where the tables are.
    folder
        Where each worker tells what it has begun and sent.
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
        schema = dj.Schema(self.schema, connection=connection)
        begun = os.open(self.folder / "begun", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

        @schema
        class Item(dj.Manual):
            definition = "n : int32"

        @schema
        class Done(dj.Computed):
            definition = "-> Item\n---\nby : int32"

            def make(self, key: dict[str, Any]) -> None:
                os.write(begun, b"%d %d\n" % (key["n"], os.getpid()))
                time.sleep(0.001)
                self.insert1({**key, "by": os.getpid()})

        return Item, Done

    def begun(self) -> dict[int, list[int]]:
        """Return for each key which processes began it, in turn."""
        found: dict[int, list[int]] = {}
        for line in (self.folder / "begun").read_text().splitlines():
            key, process = map(int, line.split())
            found.setdefault(key, []).append(process)
        return found

    def size(self) -> int:
        """Return how many keys were begun, those begun twice counted twice."""
        path = self.folder / "begun"
        return path.read_bytes().count(b"\n") if path.exists() else 0

    def reports(self) -> list[dict[str, Any]]:
        """Return what the calls of populate that came to their end say of themselves."""
        return [
            json.loads(line)
            for path in self.folder.glob("*.report")
            for line in path.read_text().splitlines()
        ]


def work(place: Place) -> None:
    """Populate again and again until nothing is left to be made."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    with place.connect() as connection:
        _, done = place.tables(connection)
        with (place.folder / f"{os.getpid()}.report").open("a") as report:
            while done.progress()[0]:
                with statements(connection) as seen:
                    summary = done.populate(reserve_jobs=True, suppress_errors=True)
                kinds = Counter(_kind(sql) for sql in seen)
                said = {"made": summary["success_count"], "sent": kinds}
                said["errors"] = [error for _, error in summary["error_list"]]
                report.write(json.dumps(said) + "\n")
                report.flush()
                if not summary["success_count"]:
                    time.sleep(PAUSE)


def _kind(sql: str) -> str:
    if "SKIP LOCKED" in sql or ("UPDATE" in sql and "LIMIT" in sql):
        return "take"
    return sql.split(maxsplit=1)[0].upper()


@dataclass
class Crowd:
    """Some workers, each replaced when it has been killed.

    Parameters
    ----------
    place
        Where they work.
    count
        How many.
    """

    place: Place
    count: int
    killed: list[int] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    _working: list[BaseProcess] = field(default_factory=list)

    def __post_init__(self) -> None:
        # A server of forks that has imported all: many workers start at once, and none has this process's threads.
        self._context = get_context("forkserver")
        self._context.set_forkserver_preload([__name__])
        for _ in range(self.count):
            self.add()

    def add(self) -> None:
        """Start one more worker."""
        process = self._context.Process(target=work, args=(self.place,))
        process.start()
        self._working.append(process)

    def watch(self) -> int:
        """Return how many still work."""
        for process in list(self._working):
            if process.exitcode is not None:
                self._working.remove(process)
                if process.exitcode:
                    self.failed.append(process.exitcode)
        return len(self._working)

    def kill_one(self, *, with_guardian: bool) -> None:
        """Kill a worker, and start another one."""
        process = self.chance.choice(self._working)
        assert process.pid is not None, "started"
        if process.exitcode is not None:
            return
        kill(process.pid, with_guardian=with_guardian)
        process.join()
        self._working.remove(process)
        self.killed.append(process.pid)
        self.add()

    def end(self) -> None:
        """End all that still work."""
        for process in self._working:
            process.kill()
            process.join()


def kill(pid: int, *, with_guardian: bool) -> None:
    """Kill a worker; its guardian first, if that shall not tell of it."""
    with suppress(ProcessLookupError, psutil.Error):
        os.kill(pid, signal.SIGSTOP)  # or it would start another guardian
        if with_guardian:
            for guardian in guardians(pid):
                guardian.kill()
        os.kill(pid, signal.SIGKILL)


def guardians(pid: int) -> list[psutil.Process]:
    """Return the guardians of a worker: its only children."""
    return psutil.Process(pid).children()


def until(is_true: Callable[[], object], seconds: float = 60) -> float:
    """Wait for something that happens in other processes, and return how long it took."""
    start = time.monotonic()
    while not is_true():
        assert time.monotonic() - start < seconds, "it has not happened"
        time.sleep(PAUSE)
    return time.monotonic() - start
