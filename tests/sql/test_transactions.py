# ruff: noqa: PT012 - what fails here is a block, the transaction
from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from djupyter.errors import DataJointError, DuplicateError
from djupyter.sql.connection import Connection
from djupyter.sql.driven import Driven


@pytest.fixture(params=["file", "memory"])
def table(request, tmp_path) -> Connection:
    connection = Connection(
        "sqlite://" if request.param == "memory" else f"sqlite:///{tmp_path}/lab.db"
    )
    connection.execute("CREATE TABLE t (n INT PRIMARY KEY)")
    return connection


def insert(connection: Connection, n: int) -> None:
    connection.execute("INSERT INTO t VALUES (?)", (n,))


def rows(connection: Connection) -> list[int]:
    return [n for (n,) in connection.fetch("SELECT n FROM t ORDER BY n")]


def test_a_transaction_commits_at_its_end(table):
    with table.transaction as same:
        assert same is table
        assert table.in_transaction
        insert(table, 1)
    assert not table.in_transaction
    assert rows(table) == [1]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_any_exception_rolls_back_and_goes_on(table, error):
    with pytest.raises(error), table.transaction:
        insert(table, 1)
        raise error
    assert not table.in_transaction
    assert rows(table) == []


def test_an_inner_transaction_that_fails_undoes_only_itself(table):
    with table.transaction:
        insert(table, 1)
        with pytest.raises(ValueError, match="inner"), table.transaction:
            insert(table, 2)
            with table.transaction:
                insert(table, 3)
            raise ValueError("inner")
        insert(table, 4)
    assert rows(table) == [1, 4]


def test_the_outer_transaction_decides_about_the_inner_one(table):
    with pytest.raises(ValueError, match="outer"), table.transaction:
        with table.transaction:
            insert(table, 1)
        raise ValueError("outer")
    assert rows(table) == []


def test_transactions_can_be_opened_and_ended_by_calls(table):
    table.start_transaction()
    insert(table, 1)
    table.start_transaction()
    insert(table, 2)
    table.cancel_transaction()
    assert table.in_transaction
    table.commit_transaction()
    assert rows(table) == [1]


@pytest.mark.parametrize("end", [Connection.commit_transaction, Connection.cancel_transaction])
def test_ending_what_was_not_opened_is_refused(table, end):
    with pytest.raises(DataJointError, match="no transaction"):
        end(table)


def test_a_transaction_that_the_database_ended_cannot_be_committed(table):
    insert(table, 1)
    with pytest.raises(DataJointError, match="undid all of it"), table.transaction:
        insert(table, 2)
        with pytest.raises(DuplicateError):
            table.execute("INSERT OR ROLLBACK INTO t VALUES (1)")
        insert(table, 3)
    assert rows(table) == [1]
    with (
        pytest.raises(DataJointError, match="undid all of it"),
        table.transaction,
        pytest.raises(DuplicateError),
    ):
        table.execute("INSERT OR ROLLBACK INTO t VALUES (1)")
    assert not table.in_transaction
    insert(table, 5)
    assert rows(table) == [1, 5]


def test_an_inner_transaction_that_the_database_ended_leaves_the_outer_one_ended(table):
    with pytest.raises(DataJointError, match="undid all of it"), table.transaction:
        with pytest.raises(DataJointError, match="undid all of it"), table.transaction:
            insert(table, 1)
            with pytest.raises(DuplicateError):
                table.execute("INSERT OR ROLLBACK INTO t VALUES (1)")
        assert table.in_transaction
        insert(table, 2)
    assert not table.in_transaction
    assert rows(table) == []


def test_a_commit_that_fails_leaves_its_transaction_to_be_cancelled(table):
    table.start_transaction()
    table.start_transaction()
    insert(table, 1)
    with pytest.raises(DuplicateError):
        table.execute("INSERT OR ROLLBACK INTO t VALUES (1)")
    for _ in range(2):
        with pytest.raises(DataJointError, match="undid all of it"):
            table.commit_transaction()
        table.cancel_transaction()
    assert not table.in_transaction
    assert rows(table) == []


def test_closing_rolls_back(tmp_path):
    connection = Connection(f"sqlite:///{tmp_path}/lab.db")
    connection.execute("CREATE TABLE t (n INT)")
    connection.start_transaction()
    insert(connection, 1)
    connection.close()
    assert not connection.in_transaction
    assert rows(connection) == []


def test_a_transaction_locks_others_out_from_its_start_a_late_one_from_its_first_write(tmp_path):
    connection = Connection(f"sqlite:///{tmp_path}/lab.db")
    connection.execute("CREATE TABLE t (n INT PRIMARY KEY)")
    other = sqlite3.connect(tmp_path / "lab.db", isolation_level=None, timeout=0)
    with connection.transaction, pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("INSERT INTO t VALUES (1)")
    with connection.late_transaction:
        assert rows(connection) == []
        other.execute("INSERT INTO t VALUES (1)")
        insert(connection, 2)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("INSERT INTO t VALUES (3)")
    other.close()
    assert rows(connection) == [1, 2]


def test_a_late_transaction_rolls_back_its_nested_ones_too(table):
    with pytest.raises(ValueError, match="stop"), table.late_transaction:
        with table.transaction:
            insert(table, 1)
        raise ValueError("stop")
    with table.late_transaction:
        assert table.in_transaction
    assert rows(table) == []


def test_a_commit_that_the_disk_has_no_room_for_says_so_and_changes_nothing(
    tmp_path: Path,
) -> None:
    resource = pytest.importorskip("resource")
    connection = Connection(f"sqlite:///{tmp_path}/lab.db")
    connection.execute("CREATE TABLE t (n INT PRIMARY KEY)")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = (tmp_path / "lab.db-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        with pytest.raises(DataJointError) as caught, connection.transaction:
            insert(connection, 1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "rollback" not in str(caught.value)
    assert not connection.in_transaction
    insert(connection, 2)
    assert rows(connection) == [2]
    connection.close()


def test_ctrl_c_while_a_transaction_begins_leaves_none_open(db, monkeypatch):
    connection = db.connection
    connection.connect()
    session, execute = connection._sessions.current(), Driven._execute

    def interrupted(self, statement):
        execute(self, statement)
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(Driven, "_execute", interrupted)
    with pytest.raises(KeyboardInterrupt), connection.transaction:
        pass
    assert not connection.in_transaction
    assert session.is_dead or not session.backend.in_transaction(session.raw)
    with connection.transaction:
        assert connection.fetch("SELECT 1") == [(1,)]
