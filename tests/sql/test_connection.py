from __future__ import annotations

import _thread
import os
import socket
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from djupyter.errors import (
    AccessError,
    DataJointError,
    DuplicateError,
    IntegrityError,
    InvalidValueError,
    LostConnectionError,
    MissingTableError,
    QueryError,
    QuerySyntaxError,
    UnknownAttributeError,
)
from djupyter.settings import Settings
from djupyter.sql.address import url_of
from djupyter.sql.connection import Connection


# SQL by hand is in the words of one database, here SQLite; what all databases have in common is tested in
# test_sessions.py and, through tables, elsewhere.
@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    with Connection(f"sqlite:///{tmp_path}/test.db", timeout=0.3) as connection:
        yield connection


@pytest.fixture
def numbers(connection: Connection) -> Connection:
    connection.execute("CREATE TABLE numbers (n INT PRIMARY KEY)")
    connection.execute_many("INSERT INTO numbers VALUES (?)", [(n,) for n in range(5)])
    return connection


def in_thread(work):
    """Run something in a thread of its own and return what it returns or raises."""
    result = []

    def run():
        try:
            result.append(work())
        except BaseException as error:
            result.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return result[0]


def test_a_connection_opens_when_it_is_first_used(connection):
    assert not connection.is_connected
    assert connection.fetch("SELECT 1") == [(1,)]
    assert connection.is_connected


def test_it_tells_whether_the_file_was_created_just_now(tmp_path):
    url = f"sqlite:///{tmp_path}/lab.db"
    with Connection(url) as first, Connection(url) as second:
        first.connect()
        second.connect()
        assert (first.created, second.created) == (True, False)


def test_a_change_of_folder_does_not_change_the_database(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    connection = Connection("sqlite:///lab.db")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    connection.connect()
    assert (tmp_path / "lab.db").exists()


def test_a_closed_connection_opens_again(numbers):
    numbers.close()
    assert "not connected" in repr(numbers)
    assert len(numbers.fetch("SELECT n FROM numbers")) == 5
    assert "(connected)" in repr(numbers)


def test_sqlite_checks_foreign_keys_and_a_file_is_read_while_it_is_written(tmp_path):
    connection = Connection(f"sqlite:///{tmp_path}/lab.db")
    assert connection.fetch("PRAGMA foreign_keys") == [(1,)]
    assert connection.fetch("PRAGMA journal_mode") == [("wal",)]


def test_ping_user_and_version_are_told(connection):
    assert connection.ping() >= 0
    assert "@" in connection.get_user()
    assert connection.server_version.lower().startswith(connection.backend.name)


@pytest.mark.parametrize("url", ["sqlit:///lab.db", "ann:secret@db", "oracle://ann:secret@db"])
def test_a_url_that_cannot_be_used_is_explained_without_repeating_it(url):
    with pytest.raises(DataJointError) as caught:
        Connection(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["sqlite://lab.db", "sqlite://data/lab.db", "sqlite://ann:secret@/lab.db"]
)
def test_a_path_that_would_be_taken_for_a_host_is_refused(url):
    with pytest.raises(DataJointError, match="three slashes") as caught:
        Connection(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://ann:secret@db?connect_timeout=soon",
        "postgresql://ann:secret@db?keepalives_idle=long",
        "sqlite:///lab.db?mode=readonly",
    ],
)
def test_an_option_whose_value_cannot_be_meant_is_named(url):
    with pytest.raises(DataJointError, match=r"`(connect_timeout|keepalives_idle|mode)`") as caught:
        Connection(url).connect()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["what?.db", "%41.db", "50%.db", "a#b.db", "a b.db", "ä.db"])
def test_a_path_in_the_settings_is_the_name_of_the_file(tmp_path, name):
    settings = Settings()
    settings["database.path"] = str(tmp_path / name)
    with Connection(url_of(settings)) as connection:
        connection.connect()
    assert [path.name for path in tmp_path.iterdir()] == [name]


# Rows


def test_execute_many_tells_how_many_rows_it_changed(numbers):
    assert numbers.execute_many("INSERT INTO numbers VALUES (?)", iter([(7,), (8,)])) == 2
    assert numbers.execute("DELETE FROM numbers WHERE n > ?", (6,)) == 2


def test_a_batch_that_fails_leaves_nothing(numbers):
    with pytest.raises(DuplicateError):
        numbers.execute_many("INSERT INTO numbers VALUES (?)", [(10,), (11,), (1,)])
    assert numbers.fetch("SELECT count(*) FROM numbers") == [(5,)]


def test_a_batch_that_fails_leaves_nothing_inside_a_transaction_that_goes_on(numbers):
    with numbers.transaction:
        numbers.execute("INSERT INTO numbers VALUES (9)")
        with pytest.raises(DuplicateError):
            numbers.execute_many("INSERT INTO numbers VALUES (?)", [(10,), (1,)])
    assert numbers.fetch("SELECT n FROM numbers WHERE n > 4") == [(9,)]


def test_ddl_is_all_or_nothing(connection):
    with pytest.raises(QuerySyntaxError):
        connection.ddl(["CREATE TABLE a (x INT)", "CREATE TABLE nonsense"])
    with pytest.raises(MissingTableError):
        connection.fetch("SELECT * FROM a")


@pytest.mark.parametrize("url", ["file", "sqlite://"])
def test_a_stream_yields_the_rows_there_were_at_its_start(url, tmp_path):
    connection = Connection(f"sqlite:///{tmp_path}/lab.db" if url == "file" else url)
    connection.execute("CREATE TABLE t (n INT)")
    connection.execute_many("INSERT INTO t VALUES (?)", [(n,) for n in range(10)])
    seen = []
    for batch in connection.stream("SELECT n FROM t WHERE n < ?", (100,), size=3):
        assert len(batch) <= 3
        seen += batch
        connection.execute_many("INSERT INTO t VALUES (?)", batch)
    assert seen == [(n,) for n in range(10)]


def test_a_stream_inside_a_transaction_sees_its_work_and_no_more(numbers):
    with numbers.transaction:
        numbers.execute("INSERT INTO numbers VALUES (50)")
        seen = []
        for batch in numbers.stream("SELECT n FROM numbers", size=2):
            seen += batch
            numbers.execute_many("INSERT INTO numbers VALUES (?)", [(n + 100,) for (n,) in batch])
    assert len(seen) == 6
    assert (50,) in seen


def test_a_stream_that_is_left_early_holds_nothing(numbers):
    stream = numbers.stream("SELECT n FROM numbers", size=1)
    assert next(stream) == [(0,)]
    stream.close()
    numbers.ddl(["DROP TABLE numbers"])


def test_a_stream_of_a_bad_statement_fails_when_it_is_read(connection):
    with pytest.raises(MissingTableError):
        list(connection.stream("SELECT * FROM nope"))


@pytest.mark.parametrize(
    ("sql", "args"),
    [
        ("SELECT n AS x, 'a%s' AS s FROM numbers WHERE n = %s", (3,)),
        ("SELECT n AS x, 'a%s' AS s FROM numbers WHERE n = %(n)s", {"n": 3}),
        ("SELECT n AS x, 'a%s' AS s FROM numbers WHERE n %% 4 = %s", (3,)),
    ],
)
def test_raw_sql_takes_the_placeholders_of_any_backend(numbers, sql, args):
    assert numbers.query(sql, args, as_dict=True).fetchall() == [{"x": 3, "s": "a%s"}]


def test_the_result_of_raw_sql_reads_like_a_cursor_and_like_a_list(numbers):
    result = numbers.query("SELECT n FROM numbers")
    assert (len(result), result.names, result.fetchone()) == (5, ("n",), (0,))
    assert list(result) == [(1,), (2,), (3,), (4,)]
    assert result.fetchone() is None
    assert numbers.query("DELETE FROM numbers").rowcount == 5


@pytest.mark.parametrize("sql", ["BEGIN", " commit", "ROLLBACK", "SAVEPOINT x"])
def test_raw_sql_cannot_end_a_transaction_behind_our_back(connection, sql):
    with pytest.raises(DataJointError, match="transaction"):
        connection.query(sql)


# Threads


@pytest.mark.parametrize("url", ["file", "sqlite://"])
def test_threads_write_together_and_lose_nothing(url, tmp_path):
    connection = Connection(f"sqlite:///{tmp_path}/lab.db" if url == "file" else url)
    connection.execute("CREATE TABLE t (worker INT, n INT)")

    def work(worker):
        for n in range(20):
            with connection.transaction:
                ((count,),) = connection.fetch("SELECT count(*) FROM t WHERE worker=?", (worker,))
                connection.execute("INSERT INTO t VALUES (?, ?)", (worker, count))
                assert n == count

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert connection.fetch("SELECT count(*), count(DISTINCT worker) FROM t") == [(80, 4)]


def test_a_transaction_is_not_seen_by_another_thread(numbers):
    with numbers.transaction:
        numbers.execute("DELETE FROM numbers")
        assert in_thread(lambda: numbers.fetch("SELECT count(*) FROM numbers")) == [(5,)]
        assert in_thread(lambda: numbers.in_transaction) is False
    assert in_thread(lambda: numbers.fetch("SELECT count(*) FROM numbers")) == [(0,)]


def test_a_thread_that_ends_in_a_transaction_leaves_no_lock(numbers):
    def work():
        numbers.start_transaction()
        numbers.execute("DELETE FROM numbers")

    in_thread(work)
    assert numbers.execute("INSERT INTO numbers VALUES (77)") == 1
    assert numbers.fetch("SELECT count(*) FROM numbers") == [(6,)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_gets_connections_of_its_own(numbers):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        rows = numbers.execute("INSERT INTO numbers VALUES (42)")
        os.write(writing, b"%d" % rows)
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 1) == b"1"
    assert numbers.fetch("SELECT n FROM numbers WHERE n = 42") == [(42,)]


def test_ctrl_c_ends_a_long_query_and_leaves_the_connection_usable(connection):
    connection.connect()
    interrupter = threading.Thread(target=_thread.interrupt_main)
    endless = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT sum(n) FROM t"
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - the query must run when it comes
        interrupter.start()
        connection.fetch(endless)
    interrupter.join()
    assert connection.fetch("SELECT 1") == [(1,)]


# Files that cannot be used


@pytest.mark.parametrize("fate", ["deleted", "replaced"])
def test_nothing_is_written_to_a_file_that_is_gone(tmp_path, fate):
    file = tmp_path / "lab.db"
    connection = Connection(f"sqlite:///{file}")
    connection.execute("CREATE TABLE t (n INT)")
    file.rename(tmp_path / "old.db")
    if fate == "replaced":
        Connection(f"sqlite:///{file}").execute("CREATE TABLE t (n INT)")
    for write in (
        lambda: connection.execute("INSERT INTO t VALUES (1)"),
        connection.start_transaction,
    ):
        with pytest.raises(LostConnectionError, match="deleted, moved or replaced"):
            write()
    assert not connection.in_transaction
    connection.close()
    connection.execute("CREATE TABLE IF NOT EXISTS t (n INT)")
    connection.execute("INSERT INTO t VALUES (1)")
    with Connection(f"sqlite:///{file}") as other:
        assert other.fetch("SELECT n FROM t") == [(1,)]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(DataJointError, match="nowhere"):
        Connection(f"sqlite:///{tmp_path}/nowhere/lab.db").connect()


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "lab.db").write_text("# not a database, but long enough to look at\n" * 50)
    with pytest.raises(DataJointError, match=r"lab\.db.*not a database"):
        Connection(f"sqlite:///{tmp_path}/lab.db").connect()


def test_a_folder_in_place_of_the_file_is_refused(tmp_path):
    with pytest.raises(DataJointError, match=rf"{tmp_path}.*unable to open"):
        Connection(f"sqlite:///{tmp_path}").connect()


def test_a_file_to_be_read_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataJointError, match=r"absent\.db.*unable to open"):
        Connection(f"sqlite:///{tmp_path}/absent.db?mode=ro").connect()
    assert not list(tmp_path.iterdir())


def test_a_database_opened_for_reading_refuses_to_write(tmp_path):
    with Connection(f"sqlite:///{tmp_path}/lab.db") as writer:
        writer.execute("CREATE TABLE t (n INT)")
        reader = Connection(f"sqlite:///{tmp_path}/lab.db?mode=ro")
        assert reader.fetch("SELECT count(*) FROM t") == [(0,)]
        with pytest.raises(AccessError, match="readonly"):
            reader.execute("INSERT INTO t VALUES (1)")


def test_a_locked_file_is_waited_for_and_then_reported(tmp_path):
    numbers = Connection(f"sqlite:///{tmp_path}/lab.db", timeout=0.3)
    numbers.execute("CREATE TABLE numbers (n INT)")
    other = sqlite3.connect(tmp_path / "lab.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(QueryError, match="locked"):
        numbers.execute("DELETE FROM numbers")
    with pytest.raises(QueryError, match="locked"):
        numbers.start_transaction()
    assert not numbers.in_transaction
    other.execute("COMMIT")
    other.close()
    assert numbers.execute("INSERT INTO numbers VALUES (1)") == 1


@pytest.mark.parametrize(
    ("sql", "params", "kind"),
    [
        ("SELEC 1", (), QuerySyntaxError),
        ("SELECT * FROM nope", (), MissingTableError),
        ("SELECT m FROM numbers", (), UnknownAttributeError),
        ("INSERT INTO numbers VALUES (?)", (1,), DuplicateError),
        ("INSERT INTO numbers VALUES (?)", (2**70,), InvalidValueError),
        ("INSERT INTO numbers VALUES (?)", (object(),), InvalidValueError),
        ("INSERT INTO numbers VALUES (?)", ("\ud800",), InvalidValueError),
        ("INSERT INTO numbers VALUES (?)", (1, 2), QueryError),
    ],
)
def test_errors_of_the_driver_become_ours_with_their_cause(numbers, sql, params, kind):
    with pytest.raises(kind) as caught:
        numbers.execute(sql, params)
    assert caught.value.__cause__ is not None
    assert not isinstance(caught.value, IntegrityError)


@pytest.mark.parametrize("address", ["mysql+pymysql://ann", "postgresql+psycopg://ann"])
def test_a_server_that_never_answers_is_given_up(address: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with (
            Connection(f"{address}@127.0.0.1:{port}/lab", timeout=1) as connection,
            pytest.raises(DataJointError, match=f"127.0.0.1:{port}"),
        ):
            connection.connect()
