"""A connection to an empty database, and what makes tables in it from definitions."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
import sqlalchemy as sa

from djupyter.definition.names import TableName, to_table
from djupyter.definition.parser import parse
from djupyter.heading.structure import TableStructure, resolve
from djupyter.sql import ddl
from djupyter.sql.connection import Connection
from tests.conftest import Database, Servers
from tests.servers import KINDS, drop_schemas

Declare = Callable[..., TableStructure]

# Names that nobody else uses on a shared server.
_MARK = uuid4().hex[:8]
LAB, OTHER, FAR_AWAY, LABORATORY = (
    f"{name}_{_MARK}" for name in ("lab", "other", "far_away", "laboratory")
)


@pytest.fixture
def connection(db: Database) -> Iterator[Connection]:
    with Connection(db.url, timeout=0.3) as connection:
        yield connection
    if db.server in KINDS:
        drop_schemas(db.url, f"_{_MARK}")


def ours(connection: Connection) -> dict[str, dict[str, TableStructure]]:
    """Return all tables of the schemas of these tests; a server may have others."""
    loaded = connection.catalog.load_all().items()
    return {schema: dict(tables) for schema, tables in loaded if schema.endswith(_MARK)}


def place(connection: Connection, table: str, schema: str = LAB) -> str:
    """Return the quoted name of a table, for SQL."""
    found = connection.backend.table(TableName(schema, table))
    return connection.backend.compile(sa.select(sa.literal_column("1")).select_from(found)).split()[
        -1
    ]


@pytest.fixture
def declare(connection: Connection) -> Declare:
    """Declare a table by class name; parents are found by class name, too."""
    declared: dict[str, TableStructure] = {}

    def declare(class_name: str, definition: str, schema: str = LAB) -> TableStructure:
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
    names = connection.backend.table(TableName(LAB, table), values)
    connection.execute(*connection.backend.bound(names.insert().values(values)))


@pytest.fixture(params=list(KINDS))
def server_db(request: pytest.FixtureRequest, servers: Servers) -> Iterator[Database]:
    """Each server in turn, for what a file does not have: sessions, users, a network."""
    database = Database(request.param, servers.url(request.param))
    yield database
    database.close()
