"""A connection to an empty database, and what makes tables in it from definitions."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator

import pytest

from djupyter.definition.names import TableName, to_table
from djupyter.definition.parser import parse
from djupyter.heading.structure import TableStructure, resolve
from djupyter.sql import ddl
from djupyter.sql.connection import Connection
from tests.conftest import Database, Servers
from tests.servers import KINDS

Declare = Callable[..., TableStructure]


@pytest.fixture
def connection(db: Database) -> Iterator[Connection]:
    with Connection(db.url, timeout=0.3) as connection:
        yield connection


@pytest.fixture
def declare(connection: Connection) -> Declare:
    """Declare a table by class name; parents are found by class name, too."""
    declared: dict[str, TableStructure] = {}

    def declare(class_name: str, definition: str, schema: str = "lab") -> TableStructure:
        if not connection.catalog.exists(schema):
            ddl.create_schema(connection, schema)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # native types are used on purpose
            parsed = parse(definition)
        name = TableName(schema, to_table(class_name, "Manual"))
        structure = resolve(parsed, name, lambda key: declared[key.parent])
        declared[class_name] = structure
        assert ddl.declare(connection, structure)
        return structure

    return declare


def put(connection: Connection, table: str = "subject", **values: object) -> None:
    """Insert a row, past all checks in Python."""
    names = connection.backend.table(TableName("lab", table), values)
    connection.execute(*connection.backend.bound(names.insert().values(values)))


@pytest.fixture(params=list(KINDS))
def server_db(request: pytest.FixtureRequest, servers: Servers) -> Iterator[Database]:
    """Each server in turn, for what a file does not have: sessions, users, a network."""
    database = Database(request.param, servers.url(request.param))
    yield database
    database.close()
