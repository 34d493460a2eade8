"""Fixtures that put both libraries on one server: `peer` is datajoint, `db` is djupyter."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from djupyter.settings import Settings
from djupyter.sql.connection import Connection
from tests.conftest import Servers
from tests.interop.catalogue import snapshot


@dataclass
class Both:
    """One schema name on one server, reached by both libraries.

    Attributes
    ----------
    server
        `mariadb`, `mysql` or `postgresql`.
    peer
        datajoint's own instance.
    connection
        Ours.
    """

    server: str
    url: str
    peer: Any
    connection: Connection
    mark: str = field(default_factory=lambda: uuid4().hex[:8])

    @property
    def is_postgresql(self) -> bool:
        """Whether the server is PostgreSQL, where datajoint lacks some types."""
        return self.server == "postgresql"

    def schema_name(self, name: str = "lab") -> str:
        """Return a schema name that no other test has."""
        return f"{name}_{self.mark}"

    def snapshot(self, *schemas: str) -> dict[str, Any]:
        """Return everything that the server says about some schemas, system tables included."""
        return snapshot(self.connection, *schemas)

    def drop(self) -> None:
        """Drop what the test made."""
        for schema in self.connection.catalog.schemas():
            if schema.endswith(self.mark):
                cascade = " CASCADE" if self.is_postgresql else ""
                word = "SCHEMA" if self.is_postgresql else "DATABASE"
                quoted = self.connection.backend.quote(schema)
                self.connection.query(f"DROP {word} {quoted}{cascade}")


def peer_of(url: str) -> Any:
    """Return datajoint's instance for one of our URLs."""
    datajoint = pytest.importorskip("datajoint", reason="pip install datajoint==2.3.5")
    parts = sa.make_url(url)
    is_postgresql = parts.get_backend_name() == "postgresql"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there is no datajoint.json
        return datajoint.Instance(
            parts.host,
            parts.username,
            parts.password or "",
            port=parts.port,
            use_tls=False,
            backend="postgresql" if is_postgresql else "mysql",
            safemode=False,
        )


@pytest.fixture(params=["mariadb", "mysql", "postgresql"])
def both(request: pytest.FixtureRequest, servers: Servers) -> Iterator[Both]:
    """Both libraries on each server in turn."""
    url = servers.url(request.param)
    ours = Connection(url, settings=Settings(safemode=False))
    both = Both(request.param, url, peer_of(url), ours)
    yield both
    with contextlib.suppress(Exception):
        both.peer.connection.close()
    both.drop()
    ours.close()
