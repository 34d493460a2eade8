"""Tables for the numbered statements: `t` is filled once for each backend and only read, `fresh` is one test's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from uuid import uuid4

import pytest

import djupyter as dj
from djupyter.settings import Settings
from tests.conftest import Database
from tests.pipelines import letters


class Shared:
    """The tables of `letters` on each backend, made when first asked for."""

    def __init__(self, folder: pytest.TempPathFactory) -> None:
        self._folder, self._tables = folder.mktemp("letters"), dict[str, SimpleNamespace]()
        self._kept = ExitStack()

    def tables(self, db: Database) -> SimpleNamespace:
        """Return the tables on the backend of a test."""
        if db.server not in self._tables:
            url = f"sqlite:///{self._folder / 'letters.db'}" if db.server == "sqlite" else db.url
            connection = self._kept.enter_context(
                dj.Connection(url, settings=Settings(safemode=False))
            )
            schema = dj.Schema(f"letters_{uuid4().hex[:8]}", connection=connection)
            self._kept.callback(schema.drop)
            tables = letters.declare(schema)
            letters.fill(tables)
            self._tables[db.server] = tables
        return self._tables[db.server]

    def close(self) -> None:
        """Drop what was made."""
        self._kept.close()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    made = Shared(tmp_path_factory)
    yield made
    made.close()


@pytest.fixture
def t(db: Database, shared: Shared) -> SimpleNamespace:
    """The tables of `letters`, for reading."""
    return shared.tables(db)


@pytest.fixture
def schema(db: Database) -> dj.Schema:
    """An empty schema on each backend."""
    return dj.Schema(db.schema_name("edge"), connection=db.connection)


@pytest.fixture
def fresh(schema: dj.Schema) -> SimpleNamespace:
    """The tables of `letters`, for changing."""
    tables = letters.declare(schema)
    letters.fill(tables)
    return tables
