from types import SimpleNamespace
from typing import Any

import pytest

import djupyter as dj
from tests.conftest import Database
from tests.pipelines import letters


@pytest.fixture
def schema(db: Database) -> dj.Schema:
    """An empty schema on each backend."""
    return dj.Schema(db.schema_name("lab"), connection=db.connection)


@pytest.fixture
def t(schema: dj.Schema) -> SimpleNamespace:
    """The tables of `letters`, filled."""
    tables = letters.declare(schema)
    letters.fill(tables)
    return tables


@pytest.fixture
def typed(schema: dj.Schema) -> Any:
    """A table with an attribute of every kind."""

    @schema
    class Typed(dj.Manual):
        definition = """
        id : int32
        ---
        i = null : int16
        f = null : float32
        g = null : float64
        m = null : decimal(6,2)
        flag = null : bool
        d = null : date
        t = null : datetime(6)
        u = null : uuid
        j = null : json
        e = null : enum('low', 'high')
        v = null : varchar(30)
        raw = null : bytes
        blob = null : <blob>
        """

    return Typed
