"""Statements 203 to 208: transactions, connections that get lost, and SQL of one's own."""

from __future__ import annotations

from typing import Any

import pytest

import djupyter as dj
from djupyter.errors import (
    LostConnectionError,
    MissingTableError,
    QuerySyntaxError,
    UnknownAttributeError,
)
from djupyter.settings import Settings
from tests.conftest import Database


@pytest.fixture
def A(schema: dj.Schema) -> Any:
    @schema
    class A(dj.Manual):
        definition = "a : int32\n---\nname = '' : varchar(20)"

    return A


class Stop(Exception):
    """What a user's code may raise."""


def left(table: Any) -> list[int]:
    return list(table.to_arrays("a", order_by="KEY"))


@pytest.mark.statement(203)
def test_an_inner_transaction_is_a_savepoint(A: Any, db: Database) -> None:
    """Instead of an error that rolls the outer transaction back."""

    def inner() -> None:
        with db.connection.transaction:
            A.insert1({"a": 2})
            raise Stop

    with db.connection.transaction:
        A.insert1({"a": 1})
        with pytest.raises(Stop):
            inner()
        with db.connection.transaction:
            A.insert1({"a": 3})
    assert left(A) == [1, 3]
    assert not db.connection.in_transaction


@pytest.mark.statement(203)
def test_transactions_started_by_hand_nest_too(A: Any, db: Database) -> None:
    connection = db.connection
    connection.start_transaction()
    A.insert1({"a": 1})
    connection.start_transaction()
    A.insert1({"a": 2})
    connection.cancel_transaction()
    connection.commit_transaction()
    assert left(A) == [1]


@pytest.mark.statement(204)
@pytest.mark.parametrize("error", [Stop, KeyboardInterrupt, SystemExit])
def test_an_exception_rolls_back_and_goes_on(
    A: Any, db: Database, error: type[BaseException]
) -> None:
    def work() -> None:
        with db.connection.transaction:
            A.insert1({"a": 1})
            raise error

    with pytest.raises(error):
        work()
    assert left(A) == []


ENDED = {
    "mysql": ("SELECT connection_id()", "KILL {}"),
    "postgresql": ("SELECT pg_backend_pid()", "SELECT pg_terminate_backend({})"),
}


def end_the_connection(db: Database, connection: dj.Connection) -> None:
    """Let the server end a connection, as an administrator or a timeout does."""
    if db.backend not in ENDED:
        pytest.skip("SQLite reads a file: there is no server that could end the connection")
    which, kill = ENDED[db.backend]
    ((number,),) = connection.query(which).fetchall()
    with dj.Connection(db.url) as other:
        other.query(kill.format(int(number)))


@pytest.mark.statement(205)
def test_a_connection_that_the_server_ended_is_opened_again(A: Any, db: Database) -> None:
    """On PostgreSQL too."""
    A.insert1({"a": 1})
    end_the_connection(db, db.connection)
    assert left(A) == [1]


@pytest.mark.statement(205)
def test_inside_a_transaction_a_lost_connection_is_an_error(A: Any, db: Database) -> None:
    """The work of the transaction is undone, and the next one works."""

    def work() -> None:
        with db.connection.transaction:
            A.insert1({"a": 1})
            end_the_connection(db, db.connection)
            A.insert1({"a": 2})

    with pytest.raises(LostConnectionError):
        work()
    A.insert1({"a": 3})
    assert left(A) == [3]


@pytest.mark.statement(205)
def test_without_reconnect_a_lost_connection_is_an_error(A: Any, db: Database) -> None:
    settings = Settings(safemode=False)
    settings.database.reconnect = False
    with dj.Connection(db.url, settings=settings) as connection:
        table = dj.FreeTable(connection, A.full_table_name)
        assert len(table) == 0
        end_the_connection(db, connection)
        with pytest.raises(LostConnectionError):
            len(table)


@pytest.mark.statement(206)
def test_a_closed_connection_is_opened_by_the_next_query(A: Any, db: Database) -> None:
    A.insert1({"a": 1})
    db.connection.close()
    assert left(A) == [1]


@pytest.mark.statement(207)
def test_a_percent_sign_in_sql_of_ones_own(A: Any, db: Database) -> None:
    """Single without arguments; with arguments it must be doubled, as for the drivers."""
    A.insert([(1, "50%"), (2, "x")])
    table = _quoted(db, A)
    assert db.connection.query(f"SELECT a FROM {table} WHERE name LIKE '50%'").fetchall() == [(1,)]
    found = db.connection.query(f"SELECT a FROM {table} WHERE name LIKE '5%%' AND a = %s", (1,))
    assert found.fetchall() == [(1,)]


@pytest.mark.statement(208)
def test_errors_of_sql_of_ones_own_are_of_one_family(A: Any, db: Database) -> None:
    table = _quoted(db, A)
    for sql, kind in (
        ("SELEC 1", QuerySyntaxError),
        (f"SELECT 1 FROM {_quoted(db, A, 'nothing')}", MissingTableError),
        (f"SELECT nope FROM {table}", UnknownAttributeError),
    ):
        with pytest.raises(kind):
            db.connection.query(sql)
    assert left(A) == []


def _quoted(db: Database, table: Any, name: str | None = None) -> str:
    """Return a table as SQL of one's own has to name it."""
    backend = db.connection.backend
    schema, own = backend.locate(table().name)
    if name is not None:
        own = own.replace(table().name.table, name) if schema is None else name
    return backend.quote(own) if schema is None else f"{backend.quote(schema)}.{backend.quote(own)}"
