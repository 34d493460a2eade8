"""One connection in several threads and processes, and Ctrl-C in the middle of a statement."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

import pytest
from pymysql.connections import MySQLResult

import djupyter as dj
from djupyter.errors import DataJointError, DuplicateError
from djupyter.sql.connection import Connection
from tests.conftest import Database

LONG = {
    "mysql": "SELECT SLEEP(600)",
    "postgresql": "SELECT pg_sleep(600)",
    "sqlite": "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT sum(n) FROM t",
}
RUNS = {
    "mysql": "SELECT 1 FROM information_schema.processlist WHERE id = {} AND info LIKE 'SELECT SLEEP%%'",
    "postgresql": "SELECT 1 FROM pg_stat_activity WHERE pid = {} AND query LIKE 'SELECT pg_sleep%%' "
    "AND state = 'active'",
}


@pytest.fixture
def table(db: Database) -> Any:
    class Number(dj.Manual):
        definition = "worker : int32\nn : int32"

    return dj.Schema(db.schema_name("many"), connection=db.connection)(Number)


def in_threads(count: int, work: Callable[[int], None]) -> list[BaseException]:
    """Do something in several threads that begin together; return what they raise."""
    together = threading.Barrier(count)
    errors: list[BaseException] = []

    def run(worker: int) -> None:
        try:
            together.wait(60)
            work(worker)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(worker,)) for worker in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return errors


def test_threads_with_transactions_of_their_own_lose_and_mix_nothing(
    table: Any, db: Database
) -> None:
    def work(worker: int) -> None:
        mine = table & {"worker": worker}
        for n in range(10):
            try:
                with db.connection.transaction:
                    table.insert1((worker, n))
                    assert len(mine) == n - n // 5 + 1
                    if n % 5 == 4:
                        raise ValueError
            except ValueError:
                assert n % 5 == 4

    assert in_threads(4, work) == []
    assert len(table) == 4 * 8


def test_one_thread_streams_while_others_write(table: Any, db: Database) -> None:
    table.insert([(-1, n) for n in range(500)])
    seen: list[int] = []

    def work(worker: int) -> None:
        if worker == 0:
            seen.extend(row["n"] for row in table & {"worker": -1})
        for n in range(20):
            table.insert1((worker, n))

    assert in_threads(3, work) == []
    assert sorted(seen) == list(range(500))
    assert len(table) == 560


def test_what_another_thread_has_not_committed_is_not_seen(table: Any, db: Database) -> None:
    written, looked = threading.Event(), threading.Event()
    counts: list[int] = []

    def work(worker: int) -> None:
        if worker == 0:
            with db.connection.transaction:
                table.insert1((0, 0))
                written.set()
                assert looked.wait(60)
        else:
            assert written.wait(60)
            counts.append(len(table))
            looked.set()

    assert in_threads(2, work) == []
    assert counts == [0]
    assert len(table) == 1


def test_a_thread_that_ends_in_a_transaction_leaves_nothing_locked(
    table: Any, db: Database
) -> None:
    def work(_: int) -> None:
        db.connection.start_transaction()
        table.insert1((1, 1))

    assert in_threads(1, work) == []
    table.insert1((1, 1))
    assert len(table) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_neither_uses_nor_disturbs_the_connections_of_its_parent(
    table: Any, db: Database
) -> None:
    def in_child(work: Callable[[], None]) -> int:
        child = os.fork()
        if child == 0:
            try:
                work()
            except BaseException:
                os._exit(1)
            os._exit(0)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    assert len(table) == 0
    before = db.connection.connection_id
    assert in_child(lambda: table.insert1((1, 1))) == 0
    assert in_child(db.connection.close) == 0
    assert db.connection.connection_id == before
    assert len(table) == 1
    if db.backend == "sqlite":
        return  # one process writes at a time
    with db.connection.transaction:
        table.insert1((2, 2))
        assert in_child(lambda: table.insert1((3, 3))) == 0
    assert len(table) == 3


@contextmanager
def interrupted(connection: Connection, db: Database) -> Iterator[None]:
    """Press Ctrl-C once the server is busy with the long query, until this program has heard it.

    It does not hear what comes just before it waits for the server.
    """
    number, heard = connection.connection_id, threading.Event()

    def press() -> None:
        if number is not None:
            with Connection(db.url) as watcher:
                while not watcher.query(RUNS[db.backend].format(number)).fetchall():
                    pass
        while not heard.is_set():
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            heard.wait(0.2)

    def hear(*_: object) -> None:
        if not heard.is_set():
            heard.set()
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, hear)
    thread = threading.Thread(target=press)
    thread.start()
    try:
        yield
    finally:
        heard.set()
        thread.join()
        signal.signal(signal.SIGINT, before)


def test_ctrl_c_ends_a_long_query_also_on_the_server(table: Any, db: Database) -> None:
    connection = db.connection
    number = connection.connection_id
    with pytest.raises(KeyboardInterrupt), interrupted(connection, db):
        connection.fetch(LONG[db.backend])
    table.insert1((1, 1))
    assert table.to_dicts() == [{"worker": 1, "n": 1}]
    if number is not None:
        with Connection(db.url) as watcher:
            # It ends at once rather than after ten minutes.
            while watcher.query(RUNS[db.backend].format(number)).fetchall():
                pass


WITH_POLARS = """
import polars, signal, sys
from djupyter.sql.connection import Connection

connection = Connection(sys.argv[1])
print(connection.connection_id, flush=True)
try:
    connection.fetch(sys.argv[2])
except KeyboardInterrupt:
    print("heard")
"""


def test_ctrl_c_ends_a_long_query_also_when_polars_listens_to_it(server_db: Database) -> None:
    """The handler of polars has the system take up interrupted waiting again."""
    command = [sys.executable, "-c", WITH_POLARS, server_db.url, LONG[server_db.backend]]
    program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    try:
        running = RUNS[server_db.backend].format(int(program.stdout.readline()))
        with Connection(server_db.url) as watcher:
            while not watcher.query(running).fetchall():
                assert program.poll() is None
        while program.poll() is None:
            program.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                program.wait(1)
        assert program.stdout.read() == "heard\n"
    finally:
        program.kill()
        program.communicate()


def test_ctrl_c_in_a_transaction_undoes_it(table: Any, db: Database) -> None:
    connection = db.connection
    connection.connect()
    with pytest.raises(KeyboardInterrupt), connection.transaction:  # noqa: PT012
        table.insert1((1, 1))
        with interrupted(connection, db):
            connection.fetch(LONG[db.backend])
    assert not connection.in_transaction
    assert len(table) == 0
    table.insert1((2, 2))
    assert len(table) == 1


def test_ctrl_c_that_a_program_survives_commits_nothing_by_halves(table: Any, db: Database) -> None:
    connection = db.connection
    connection.connect()
    try:
        with connection.transaction:
            table.insert1((1, 1))
            with pytest.raises(KeyboardInterrupt), interrupted(connection, db):
                connection.fetch(LONG[db.backend])
            table.insert1((2, 2))
    except DataJointError as error:
        assert "undone all" in str(error)  # noqa: PT017 - one of two good ends
    assert len(table) in (0, 2)


@pytest.mark.parametrize("within", [False, True])
def test_closing_stops_what_another_thread_runs_and_tells_it(
    table: Any, db: Database, within: bool
) -> None:
    connection, told = db.connection, list[BaseException]()
    connected = threading.Event()

    def work() -> None:
        try:
            with connection.transaction if within else nullcontext():
                if within:
                    table.insert1((1, 1))
                connection.connect()
                connected.set()
                connection.fetch(LONG[db.backend])
        except BaseException as error:
            told.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    assert connected.wait(60)
    (other,) = set(connection._sessions._open) - {connection._sessions.own}
    while other._running.acquire(blocking=False):  # until the driver works
        other._running.release()
    connection.close()
    thread.join(60)
    assert not thread.is_alive()
    assert isinstance(told[0], DataJointError)
    assert ("closed inside this transaction" if within else "closed by another thread") in str(
        told[0]
    )
    assert len(table) == 0


def test_an_error_in_a_transaction_undoes_its_statement_only(table: Any, db: Database) -> None:
    with db.connection.transaction:
        table.insert1((1, 1))
        with pytest.raises(DuplicateError):
            table.insert1((1, 1))
        with pytest.raises(DataJointError):
            db.connection.query("SELECT nothing FROM nowhere")
        with pytest.raises(DataJointError):
            db.connection.fetch("SELECT nothing FROM nowhere")
        table.insert1((2, 2))
        assert len(table) == 2
    assert len(table) == 2


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE t (n INT)",
        "drop table t",
        "ALTER TABLE t ADD m INT",
        "-- a note\n/* and another */ ; CREATE TABLE t (n INT)",
    ],
)
def test_what_would_commit_a_transaction_on_one_database_is_refused_on_all(
    table: Any, db: Database, sql: str
) -> None:
    with pytest.raises(ValueError, match="stop"), db.connection.transaction:  # noqa: PT012
        table.insert1((1, 1))
        with pytest.raises(DataJointError, match="inside a transaction would commit it"):
            db.connection.query(sql)
        raise ValueError("stop")
    assert len(table) == 0


@pytest.mark.parametrize(
    "sql",
    [
        "commit",
        "-- a note\nCOMMIT",
        " /* a note */ ;; ROLLBACK",
        "ABORT",
        "END",
        "SET @@session.autocommit = 1",
        "SET autocommit = 1",
        "PREPARE TRANSACTION 'x'",
        "XA COMMIT 'x'",
    ],
)
def test_no_statement_ends_a_transaction_behind_our_back(
    table: Any, db: Database, sql: str
) -> None:
    with pytest.raises(ValueError, match="stop"), db.connection.transaction:  # noqa: PT012
        table.insert1((1, 1))
        with pytest.raises(DataJointError, match=r"with connection\.transaction"):
            db.connection.query(sql)
        raise ValueError("stop")
    assert len(table) == 0
    assert db.connection.query("/* a note */ SELECT 1").fetchall() == [(1,)]


@pytest.mark.parametrize("server_db", ["mariadb", "mysql"], indirect=True)
def test_after_a_statement_that_has_ended_a_transaction_nothing_is_written(
    server_db: Database,
) -> None:
    connection, schema = server_db.connection, server_db.schema_name("ends")
    connection.query(f"CREATE DATABASE {schema}")
    connection.query(f"CREATE TABLE {schema}.t (n INT)")
    connection.query(f"CREATE PROCEDURE {schema}.ends() COMMIT")
    with pytest.raises(DataJointError, match="has ended the transaction"), connection.transaction:  # noqa: PT012
        connection.query(f"INSERT INTO {schema}.t VALUES (1)")
        with pytest.raises(DataJointError, match="has ended the transaction"):
            connection.query(f"CALL {schema}.ends()")
        with pytest.raises(DataJointError, match="has ended the transaction"):
            connection.query(f"INSERT INTO {schema}.t VALUES (2)")
    assert connection.query(f"SELECT n FROM {schema}.t").fetchall() == [(1,)]


def test_a_connection_tells_of_itself_but_not_the_password(db: Database) -> None:
    connection = db.connection
    assert connection.adapter.backend == db.backend
    assert set(connection.conn_info) == {"host", "port", "user", "database"}
    assert connection.ping() >= 0
    assert "@" in connection.get_user()
    number = connection.connection_id
    assert (number is None) == (db.backend == "sqlite")
    assert connection.connection_id == number
    assert connection.is_connected
    connection.close()
    assert not connection.is_connected


def test_an_unknown_option_in_a_url_is_refused_with_the_known_ones(db: Database) -> None:
    with pytest.raises(DataJointError, match=r"has no option `colour`.*The options are \w+"):
        Connection(f"{db.url}?colour=blue")


def test_a_connection_knows_the_schemas_that_are_activated_on_it(table: Any, db: Database) -> None:
    schema = dj.Schema(db.schema_name("many"), connection=db.connection)
    assert db.connection.schemas[db.schema_name("many")] is schema


def test_what_statements_are_written_for_is_the_server_that_answers(server_db: Database) -> None:
    connection = Connection(server_db.url)
    assert "not connected" in repr(connection)
    assert connection.conn_info["host"] == "127.0.0.1"
    assert not connection.is_connected
    product = getattr(connection.backend, "product", "PostgreSQL")
    assert product.lower() == server_db.server
    connection.close()


@pytest.mark.parametrize("db", ["mariadb", "mysql"], indirect=True)
def test_an_error_in_the_middle_of_an_answer_leaves_nothing_of_it_for_the_next_question(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise TimeoutError

    assert db.connection.fetch("SELECT 1") == [(1,)]
    with monkeypatch.context() as patch:
        patch.setattr(MySQLResult, "_read_row_from_packet", interrupt)
        with pytest.raises(TimeoutError):
            db.connection.fetch("SELECT 2 UNION SELECT 3")
    assert db.connection.fetch("SELECT 4") == [(4,)]
