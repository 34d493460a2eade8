"""The `db` fixture: every test that uses it runs once per backend.

SQLite always runs, on a file of its own. Servers are started once per session when their programs
are installed, or are those of `DJ_TEST_MYSQL_URL` and `DJ_TEST_POSTGRESQL_URL`. What cannot be had
is skipped with the way to get it, or fails when `DJ_TEST_REQUIRE` names it: `sqlite,mysql`.
"""

from __future__ import annotations

import importlib.util
import os
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
from tests.servers import NotAvailable, running, unavailable

# How long an example takes says more about the machine than about the code.
# CI judges a change by the same examples each time; everyone else looks for new ones.
hypothesis.settings.register_profile(
    "djupyter", deadline=None, derandomize=bool(os.environ.get("CI"))
)
hypothesis.settings.load_profile("djupyter")


@dataclass(frozen=True)
class Database:
    """A place for one test: which backend, and where."""

    backend: str
    url: str
    mark: str = field(default_factory=lambda: uuid4().hex[:8])

    def schema_name(self, name: str) -> str:
        """Return a schema name that no other test has, also not on a shared server."""
        return f"{name}_{self.mark}"

    @cached_property
    def connection(self) -> Connection:
        """A connection that never asks before it deletes, closed when the test ends."""
        return Connection(self.url, settings=Settings(safemode=False))

    def close(self) -> None:
        """Close the connection, if the test made one."""
        if "connection" in vars(self):
            self.connection.close()


class Servers:
    """Servers by backend, each started when a test first asks for it."""

    def __init__(self) -> None:
        self._urls: dict[str, str] = {}
        self._running = ExitStack()

    def url(self, backend: str) -> str:
        """Return the URL of a server, or skip or fail the test that asks."""
        if backend not in self._urls:
            given = os.environ.get(f"DJ_TEST_{backend.upper()}_URL")
            try:
                self._urls[backend] = given or self._running.enter_context(running(backend))
            except NotAvailable as reason:
                unavailable(backend, f"{reason}, or set DJ_TEST_{backend.upper()}_URL")
        return self._urls[backend]

    def stop(self) -> None:
        """Stop what was started."""
        self._running.close()


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Servers that live as long as the session."""
    started = Servers()
    yield started
    started.stop()


@pytest.fixture(params=["sqlite", "mysql", "postgresql"])
def db(request: pytest.FixtureRequest, tmp_path: Path, servers: Servers) -> Iterator[Database]:
    """A database on each backend in turn."""
    backend = request.param
    if importlib.util.find_spec(f"djupyter.sql.backends.{backend}") is None:
        unavailable(backend, f"the {backend} backend is not in djupyter yet")
    is_file = backend == "sqlite"
    database = Database(
        backend, f"sqlite:///{tmp_path / 'test.db'}" if is_file else servers.url(backend)
    )
    yield database
    database.close()
