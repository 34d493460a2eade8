"""A worker as a process, and a pipeline whose keys do what their row says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import djupyter as dj
from djupyter.populate.jobs.tables import WORKERS
from tests.conftest import Database

MODULE = """
import time
from pathlib import Path

import djupyter as dj

schema = dj.Schema(NAME)


@schema
class Order(dj.Manual):
    definition = "i : int32\\n---\\nwhat : varchar(20)"


@schema
class Result(dj.Computed):
    definition = "-> Order"

    def make(self, key):
        print('{"event": "not of the log"}', flush=True)
        globals()[(Order & key).fetch1("what")](key)
        self.insert1(key)


@schema
class Report(dj.Computed):
    definition = "-> Result"

    def make(self, key):
        self.insert1(key)


def ok(key):
    pass


def fail(key):
    raise ValueError("bad\\nkey")


def leave(key):
    raise SystemExit(7)


def wait(key):
    Path(f"begun{key['i']}").touch()
    while not Path("go").exists():
        time.sleep(0.02)


def sleep(key):
    time.sleep(1000)


def stubborn(key):
    while True:
        try:
            time.sleep(1000)
        except Exception:
            pass


def deaf(key):
    while True:
        try:
            time.sleep(1000)
        except BaseException:
            pass


def greedy(key):
    bytearray(8_000_000_000)
"""


class Lab:
    """A folder with the module `processing`, and the tables it declares in a database.

    Parameters
    ----------
    folder
        Where workers run.
    url
        Of the database.
    name
        Of the schema.
    connection
        To the same database.
    """

    def __init__(self, folder: Path, url: str, name: str, connection: dj.Connection) -> None:
        self.folder, self.url, self.name, self.connection = folder, url, name, connection
        (folder / "processing.py").write_text(MODULE.replace("NAME", repr(name)))
        schema = dj.Schema(name, connection=connection)
        tables: dict[str, Any] = {}
        for base, name_, definition in (
            (dj.Manual, "Order", "i : int32\n---\nwhat : varchar(20)"),
            (dj.Computed, "Result", "-> Order"),
            (dj.Computed, "Report", "-> Result"),
        ):
            cls = type(name_, (base,), {"definition": definition})
            tables[name_] = schema(cls, context=dict(tables))
        self.Order, self.Result, self.Report = tables.values()

    @classmethod
    def of(cls, db: Database, folder: Path) -> Lab:
        """Return one in the database of a test."""
        return cls(folder, db.url, db.schema_name("lab"), db.connection)

    def order(self, *what: str) -> None:
        """Let keys 0, 1, ... do something each."""
        self.Order.insert(list(enumerate(what)))

    def made(self, table: Any = None) -> list[int]:
        """Return the keys that have been made."""
        return list((table or self.Result)().to_arrays("i", order_by="KEY"))

    def statuses(self) -> dict[int, str]:
        """Return the status of each job of `Result`."""
        return {row["i"]: row["status"] for row in self.Result.jobs.to_dicts()}

    @property
    def leases(self) -> int:
        """How many workers have one."""
        return len(dj.FreeTable(self.connection, f"`{self.name}`.`{WORKERS}`"))

    def worker(self, *options: str, url: str | None = None, **environment: str) -> Worker:
        """Start a worker whose log is JSON."""
        arguments = ["processing", "--url", url or self.url, "--json", *options]
        return Worker(arguments, self.folder, environment)


class Worker:
    """`djupyter worker` in a process of its own; a context, at whose end it is no more.

    Parameters
    ----------
    arguments
        What follows the command.
    folder
        Its working directory.
    environment
        Further variables.
    """

    def __init__(
        self, arguments: list[str], folder: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "djupyter.cli", "worker", *arguments],
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=(folder / "errors.txt").open("wb"),
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _events(self) -> Iterator[dict[str, Any]]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(line)
            yield json.loads(line)

    def until(self, event: str, **facts: Any) -> dict[str, Any]:
        """Return the next event of a kind, waiting for it."""
        for said in self._events():
            if said["event"] == event and all(said.get(name) == facts[name] for name in facts):
                return said
        raise AssertionError(f"the worker ended without {event!r}: {''.join(self.lines)}")

    def send(self, number: signal.Signals, *, to_all: bool = False) -> None:
        """Send a signal to the worker, or to all processes that it has started too."""
        send = os.killpg if to_all else os.kill
        send(self._process.pid, number)

    def children(self) -> list[int]:
        """Return the numbers of the processes that make keys for it."""
        found = Path(f"/proc/{self._process.pid}/task").glob("*/children")
        return [int(number) for file in found for number in file.read_text().split()]

    def ended(self) -> tuple[int, list[dict[str, Any]]]:
        """Wait for the end, and return the exit status and all that was said."""
        for _ in self._events():
            pass
        return self._process.wait(), [json.loads(line) for line in self.lines]

    def status(self) -> int:
        """Wait for the end, and return the exit status."""
        return self.ended()[0]
