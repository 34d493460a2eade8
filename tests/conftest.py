"""The `db` fixture: every test that uses it runs once per database.

SQLite always runs, on a file of its own. Servers are started once per session when their programs
are installed, or are those of `DJ_TEST_MARIADB_URL`, `DJ_TEST_MYSQL_URL` and
`DJ_TEST_POSTGRESQL_URL`. What cannot be had is skipped with the way to get it, or fails when
`DJ_TEST_REQUIRE` names it: `sqlite,mariadb`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from uuid import uuid4

import hypothesis
import pytest

from djupyter.settings import Settings
from djupyter.sql.connection import Connection
from tests.object_stores import lab, s3_entry, s3_server, small_lab, store, store_entry
from tests.servers import KINDS, NotAvailable, drop_schemas, required, running, unavailable

__all__ = [
    "lab",
    "s3_entry",
    "s3_server",
    "small_lab",
    "store",
    "store_entry",
]  # fixtures for all tests

# How long an example takes says more about the machine than about the code.
# CI judges a change by the same examples each time; everyone else looks for new ones.
hypothesis.settings.register_profile(
    "djupyter", deadline=None, derandomize=bool(os.environ.get("CI"))
)
hypothesis.settings.load_profile("djupyter")


@pytest.fixture(autouse=True)
def _hears_ctrl_c() -> None:
    """Let Ctrl-C interrupt each test: a shell in the background has it ignored, and packages listen to it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _has_a_main_module() -> None:
    """Have what Python asks of the main module to start a process: neither xdist's nor a test shell's has it."""
    vars(sys.modules["__main__"]).setdefault("__spec__", None)


def pytest_configure() -> None:
    """Refuse at once to require what nobody knows."""
    required()


@dataclass(frozen=True)
class Database:
    """A place for one test: which database (`sqlite` or a kind of server), and where."""

    server: str
    url: str
    mark: str = field(default_factory=lambda: uuid4().hex[:8])

    @property
    def backend(self) -> str:
        """The name of the backend; MariaDB and MySQL share one."""
        return {"mariadb": "mysql"}.get(self.server, self.server)

    def schema_name(self, name: str) -> str:
        """Return a schema name that no other test has, also not on a shared server."""
        return f"{name}_{self.mark}"

    @cached_property
    def connection(self) -> Connection:
        """A connection that never asks before it deletes, closed when the test ends."""
        return Connection(self.url, settings=Settings(safemode=False))

    def close(self) -> None:
        """Close the connection, if the test made one, and remove the schemas of the test."""
        if "connection" in vars(self):
            self.connection.close()
        if self.server in KINDS:
            drop_schemas(self.url, f"_{self.mark}")


class Servers:
    """Servers by kind, each started when a test first asks for it."""

    def __init__(self) -> None:
        self._urls: dict[str, str] = {}
        self._running = ExitStack()

    def url(self, name: str) -> str:
        """Return the URL of a server, or skip or fail the test that asks."""
        if name not in self._urls:
            variable = f"DJ_TEST_{name.upper()}_URL"
            try:
                self._urls[name] = os.environ.get(variable) or self._start(name)
            except NotAvailable as reason:
                unavailable(name, f"{reason}, or set {variable}")
        return self._urls[name]

    def _start(self, name: str) -> str:
        return self._running.enter_context(running(name)).url

    def stop(self) -> None:
        """Stop what was started."""
        self._running.close()


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Servers that live as long as the session."""
    started = Servers()
    yield started
    started.stop()


@pytest.fixture(params=["sqlite", *KINDS])
def db(request: pytest.FixtureRequest, tmp_path: Path, servers: Servers) -> Iterator[Database]:
    """Each database in turn."""
    name = request.param
    url = f"sqlite:///{tmp_path / 'test.db'}" if name == "sqlite" else servers.url(name)
    database = Database(name, url)
    yield database
    database.close()
