# ruff: noqa: PT012 - what fails here is a block, the transaction
"""Connections that the server drops: what is repeated, what is reported, what is lost."""

from __future__ import annotations

import select
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import djupyter as dj
from djupyter.errors import DataJointError, LostConnectionError
from djupyter.settings import Settings
from djupyter.sql.connection import Connection
from tests.conftest import Database

KILL = {"mysql": "KILL {}", "postgresql": "SELECT pg_terminate_backend({})"}
WAITING = {
    "mysql": "SELECT 1 FROM information_schema.processlist WHERE id = {} AND info LIKE 'INSERT%%'",
    "postgresql": "SELECT 1 FROM pg_stat_activity WHERE pid = {} AND wait_event_type = 'Lock'",
}


@pytest.fixture
def admin(server_db: Database) -> Iterator[Connection]:
    with Connection(server_db.url) as connection:
        yield connection


@pytest.fixture
def table(server_db: Database) -> Any:
    class Number(dj.Manual):
        definition = "n : int32"

    schema = dj.Schema(server_db.schema_name("lost"), connection=server_db.connection)
    return schema(Number)


def left(table: Any) -> list[int]:
    return list(table.to_arrays("n", order_by="KEY"))


def drop(connection: Connection, admin: Connection) -> None:
    """End the session of this thread, and wait until the news has arrived."""
    admin.query(KILL[admin.backend.name].format(connection.connection_id))
    wait_until_dropped(connection)


def wait_until_dropped(connection: Connection) -> None:
    raw = connection._sessions.current().raw
    descriptor = raw.fileno() if hasattr(raw, "fileno") else raw._sock.fileno()
    assert select.select([descriptor], [], [], 30)[0]


def full_name(table: Any) -> str:
    quote, name = table.connection.backend.quote, table().name
    return f"{quote(name.schema)}.{quote(name.table)}"


def test_a_read_is_repeated_on_a_new_connection(table: Any, admin: Connection) -> None:
    table.insert1((1,))
    before = table.connection.connection_id
    drop(table.connection, admin)
    assert left(table) == [1]
    assert table.connection.connection_id != before


def test_a_write_that_was_not_sent_yet_goes_to_a_new_connection(
    table: Any, admin: Connection
) -> None:
    drop(table.connection, admin)
    table.insert1((1,))
    drop(table.connection, admin)
    table.connection.execute(f"INSERT INTO {full_name(table)} VALUES (%s)", (2,))
    drop(table.connection, admin)
    with table.connection.transaction:
        table.insert1((3,))
    assert left(table) == [1, 2, 3]


def test_a_write_that_was_under_way_is_not_repeated(table: Any, admin: Connection) -> None:
    connection, name = table.connection, full_name(table)
    number: list[int] = []
    known = threading.Event()
    caught: list[BaseException] = []

    def work() -> None:
        number.append(connection.connection_id)
        known.set()
        try:
            connection.execute(f"INSERT INTO {name} VALUES (%s)", (1,))
        except BaseException as error:
            caught.append(error)

    with Connection(str(table.connection._url.render_as_string(False))) as other, other.transaction:
        other.execute(f"INSERT INTO {name} VALUES (%s)", (1,))
        thread = threading.Thread(target=work)
        thread.start()
        assert known.wait(30)
        while not admin.query(WAITING[admin.backend.name].format(number[0])).fetchall():
            assert thread.is_alive()
        admin.query(KILL[admin.backend.name].format(number[0]))
        thread.join(30)
        other.cancel_transaction()
        other.start_transaction()
    assert isinstance(caught[0], LostConnectionError)
    assert "not known whether it was carried out" in str(caught[0])
    assert left(table) == []


@pytest.mark.parametrize("nested", [False, True])
def test_in_a_transaction_the_error_says_that_all_of_it_was_undone(
    table: Any, admin: Connection, nested: bool
) -> None:
    connection = table.connection

    def work() -> None:
        table.insert1((1,))
        if nested:
            connection.start_transaction()
        drop(connection, admin)
        with pytest.raises(LostConnectionError, match="undone all"):
            table.insert1((2,))
        left(table)

    with (
        pytest.raises(LostConnectionError, match="Connection was lost during a transaction"),
        connection.transaction,
    ):
        work()
    if nested:
        connection.cancel_transaction()
    assert not connection.in_transaction
    assert left(table) == []
    table.insert1((3,))
    assert left(table) == [3]


def test_a_transaction_that_goes_on_as_if_nothing_were_does_not_commit(
    table: Any, admin: Connection
) -> None:
    with (
        pytest.raises(LostConnectionError, match="undone all"),
        table.connection.transaction,
    ):
        table.insert1((1,))
        drop(table.connection, admin)
        with pytest.raises(LostConnectionError):
            left(table)
    with pytest.raises(LostConnectionError), table.connection.transaction:
        table.insert1((2,))
        drop(table.connection, admin)
    assert left(table) == []
    assert not table.connection.in_transaction


def test_an_inner_transaction_that_was_lost_takes_the_outer_one_with_it(
    table: Any, admin: Connection
) -> None:
    connection = table.connection
    with pytest.raises(LostConnectionError, match="undone all"), connection.transaction:
        table.insert1((1,))
        with pytest.raises(LostConnectionError), connection.transaction:
            drop(connection, admin)
            with pytest.raises(LostConnectionError):
                table.insert1((2,))
        assert connection.in_transaction
        table.insert1((3,))
    assert left(table) == []
    table.insert1((4,))
    assert left(table) == [4]


ENDS_AT_COMMIT = """
CREATE FUNCTION "{schema}".ends() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER ends AFTER INSERT ON "{schema}".number DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION "{schema}".ends()"""


@pytest.mark.parametrize("server_db", ["postgresql"], indirect=True)
def test_of_a_commit_that_was_under_way_nobody_knows_whether_it_was_done(
    table: Any, admin: Connection
) -> None:
    # Only PostgreSQL can be told to close a connection right then.
    admin.query(ENDS_AT_COMMIT.format(schema=table().name.schema))
    connection = table.connection
    with pytest.raises(LostConnectionError) as caught, connection.transaction:
        table.insert1((1,))
    assert "not known whether" in str(caught.value)
    assert "undone" not in str(caught.value)
    assert not connection.in_transaction
    assert left(table) == []


def test_without_reconnect_the_loss_is_reported_and_the_next_statement_connects(
    server_db: Database, table: Any, admin: Connection
) -> None:
    connection = table.connection
    with connection.settings.override(database__reconnect=False):
        drop(connection, admin)
        with pytest.raises(LostConnectionError, match=r"database\.reconnect is off"):
            left(table)
        assert left(table) == []
        drop(connection, admin)
        assert connection.query("SELECT 1", reconnect=True).fetchall() == [(1,)]
    drop(connection, admin)
    with pytest.raises(LostConnectionError, match="Nothing was done"):
        connection.query("SELECT 1", reconnect=False)


def test_a_stream_that_breaks_off_says_after_how_many_rows(table: Any, admin: Connection) -> None:
    connection, name = table.connection, full_name(table)
    table.insert([(n,) for n in range(100)])
    # Far more than what is on its way between server and client.
    many = f"SELECT repeat('x', 1000) FROM {name} a, {name} b, {name} c"
    batches = connection.stream(many, size=10)
    assert len(next(batches)) == 10
    handle = batches.gi_yieldfrom.gi_frame.f_locals["handle"]  # type: ignore[attr-defined]
    number = connection.backend.session_id(handle.dbapi_connection)
    admin.query(KILL[admin.backend.name].format(number))
    with pytest.raises(LostConnectionError, match="Start the query again"):
        for _ in batches:
            pass
    assert len(table) == 100


def test_a_stream_may_be_left_early(table: Any) -> None:
    connection, name = table.connection, full_name(table)
    table.insert([(n,) for n in range(100)])
    many = f"SELECT repeat('x', 1000) FROM {name} a, {name} b, {name} c"
    for _ in range(7):  # more often than there are connections in the pool
        batches = connection.stream(many, size=10)
        next(batches)
        batches.close()  # type: ignore[attr-defined]
    assert len(table) == 100


def test_a_pooled_connection_that_died_is_not_handed_out(table: Any, admin: Connection) -> None:
    connection = table.connection
    numbers: list[int] = []
    thread = threading.Thread(target=lambda: numbers.append(connection.connection_id))
    thread.start()
    thread.join()
    for _ in connection.stream("SELECT 1"):
        pass
    admin.query(KILL[admin.backend.name].format(numbers[0]))
    assert list(connection.stream("SELECT 1")) == [[(1,)]]


def test_closing_inside_a_transaction_undoes_it_and_nothing_after_it_is_written(
    table: Any,
) -> None:
    connection = table.connection
    with pytest.raises(DataJointError, match="closed inside this transaction"):  # noqa: SIM117
        with connection.transaction:
            table.insert1((1,))
            connection.close()
            table.insert1((2,))
    assert left(table) == []
    with pytest.raises(DataJointError, match="closed inside"), connection.transaction:
        table.insert1((1,))
        connection.close()
    table.insert1((3,))
    assert left(table) == [3]


IDLE = {
    "mariadb": ("SET wait_timeout = 1", "SET idle_transaction_timeout = 1"),
    "mysql": ("SET wait_timeout = 1",) * 2,
    "postgresql": (
        "SET idle_session_timeout = 1",
        "SET idle_in_transaction_session_timeout = 1",
    ),
}


def test_a_connection_that_was_idle_for_too_long_is_opened_again(
    table: Any, server_db: Database
) -> None:
    connection, (limit, _) = table.connection, IDLE[server_db.server]
    for work in (
        lambda: left(table),
        lambda: table.insert1((1,)),
        lambda: table.insert([(2,), (3,)]),
    ):
        connection.query(limit)
        wait_until_dropped(connection)
        work()
    assert left(table) == [1, 2, 3]


def test_a_transaction_that_was_idle_for_too_long_is_lost(table: Any, server_db: Database) -> None:
    connection, (_, limit) = table.connection, IDLE[server_db.server]
    with pytest.raises(LostConnectionError, match="lost during a transaction"):  # noqa: SIM117
        with connection.transaction:
            table.insert1((1,))
            connection.query(limit)
            wait_until_dropped(connection)
            table.insert1((2,))
    assert left(table) == []


def test_settings_say_whether_to_reconnect() -> None:
    assert Settings().database.reconnect is True
