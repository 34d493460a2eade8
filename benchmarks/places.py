"""Where the benchmarks run, and how each contender gets there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

NAMES = ("sqlite", "mariadb", "mysql", "postgresql")
# The variables in which the tests look for servers too.
_URLS = {name: f"DJ_TEST_{name.upper()}_URL" for name in NAMES[1:]}


@dataclass(frozen=True)
class Place:
    """A database file or a server.

    Parameters
    ----------
    name
        `sqlite`, `mariadb`, `mysql` or `postgresql`.
    url
        As djupyter takes it.
    mark
        Ends the names of all schemas, so that runs on one server do not meet.
    """

    name: str
    url: str
    mark: str

    @property
    def backend(self) -> str:
        """The family of backends, by which aims differ."""
        return {"mariadb": "mysql"}.get(self.name, self.name)

    @property
    def has_datajoint(self) -> bool:
        """Whether datajoint can be measured here: it needs a server and the package itself."""
        if self.backend == "sqlite":
            return False
        import importlib.util

        return importlib.util.find_spec("datajoint") is not None

    def schema(self, name: str) -> str:
        """Return the full name of a schema."""
        return f"{name}_{self.mark}"

    def at(self, port: int) -> Place:
        """Return the same server behind another port of this machine."""
        url = sa.make_url(self.url).set(host="127.0.0.1", port=port)
        return Place(self.name, url.render_as_string(hide_password=False), self.mark)


@dataclass(frozen=True)
class Library:
    """One of the two libraries, connected: its public names and a maker of schemas."""

    dj: Any
    connection: Any
    schema: Any

    def close(self) -> None:
        """Disconnect."""
        self.connection.close()


def djupyter(place: Place) -> Library:
    """Return djupyter, connected."""
    import djupyter as dj

    # The driver and datajoint do not encrypt either; but datajoint does where MySQL has certificates.
    connection = dj.Connection(place.url, use_tls=False)
    connection.connect()
    # datajoint has loaded its settings when it is imported; "import, settings read" compares that.
    assert connection.settings is not None
    return Library(dj, connection, lambda name: dj.Schema(name, connection=connection))


def datajoint(place: Place) -> Library:
    """Return datajoint, connected; all it is told comes from here, nothing from files."""
    import logging
    import warnings

    url = sa.make_url(place.url)
    options = {"database__name": url.database} if place.backend == "postgresql" else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it misses its configuration file
        import datajoint as dj

        logging.getLogger("datajoint").setLevel(logging.ERROR)
        instance = dj.Instance(
            url.host,
            url.username,
            url.password or "",
            port=url.port,
            use_tls=False,
            backend=place.backend,
            **options,
        )
    return Library(dj, instance.connection, instance.Schema)


LIBRARIES = {"djupyter": djupyter, "datajoint": datajoint}


@contextmanager
def opened(name: str) -> Iterator[Place]:
    """Yield a place; a server is that of its variable, or started for this and stopped afterwards."""
    mark = uuid4().hex[:8]
    if name == "sqlite":
        with TemporaryDirectory() as folder:
            yield Place(name, f"sqlite:///{Path(folder) / 'benchmark.db'}", mark)
        return
    if url := os.environ.get(_URLS[name]):
        yield Place(name, url, mark)
        return
    from tests.servers import running

    with running(name) as server:
        yield Place(name, server.url, mark)
