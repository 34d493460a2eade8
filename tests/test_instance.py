"""Several connections at once, each with its settings; programs without any shared state."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

import djupyter as dj
from djupyter.errors import (
    DataJointError,
    LostConnectionError,
    MissingAttributeError,
    UnknownAttributeError,
    UnknownSettingError,
)
from djupyter.session import default
from djupyter.settings import Settings
from djupyter.sql.connection import Connection
from tests.conftest import Database

GLOBAL = r"Global DataJoint state is disabled in thread-safe mode\. Use dj\.Instance\(\)"


class Mouse(dj.Manual):
    definition = """
    mouse_id : int32
    ---
    name : varchar(20)
    born = null : date
    weight = null : float64
    trace : <blob>
    """


def mouse(connection: Connection, name: str) -> Any:
    """Return the table of mice on a connection, a class of its own for each."""
    cls = type("Mouse", (dj.Manual,), {"definition": Mouse.definition})
    return dj.Schema(name, connection=connection)(cls)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Connection]:
    with Connection(f"sqlite:///{tmp_path}/here.db", settings=Settings(safemode=False)) as opened:
        yield opened


def test_rows_are_copied_between_databases(db: Database, here: Connection) -> None:
    name = db.schema_name("copy")
    source, target = mouse(here, name), mouse(db.connection, name)
    rows = [
        (1, "ann", "2024-01-31", 0.1, np.arange(5)),
        (2, "Ünal \\ 'x'", None, None, {"a": [1, 2.5, "x"], "b": np.eye(2)}),
    ]
    source.insert(rows)
    target.insert(source & "mouse_id < 3")
    for table in (target,):
        first, second = table.to_dicts(order_by="KEY")
        assert (first["name"], str(first["born"]), first["weight"]) == ("ann", "2024-01-31", 0.1)
        assert first["trace"].tolist() == [0, 1, 2, 3, 4]
        assert (second["name"], second["born"]) == ("Ünal \\ 'x'", None)
        assert second["trace"]["b"].tolist() == [[1, 0], [0, 1]]
    source.delete()
    source.insert(target)
    assert source.to_dicts(order_by="KEY")[0]["name"] == "ann"


def traces(table: Any) -> list[bytes | None]:
    """Return what the database holds of the traces, whatever a codec would make of it."""
    backend = table.connection.backend
    place = backend.table(table().name, ["mouse_id", "trace"])
    select = sa.select(place.c.trace).order_by(place.c.mouse_id)
    rows = table.connection.fetch(backend.compile(select))
    return [None if trace is None else bytes(trace) for (trace,) in rows]


def test_blobs_are_copied_byte_for_byte_without_being_read(
    db: Database, here: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = db.schema_name("copy")
    source, target = mouse(here, name), mouse(db.connection, name)
    codec = type(dj.get_codec("blob"))
    strange = [bytes([n]) + b"\0\\'%s\xff" + bytes(range(256)) for n in range(3)]
    with monkeypatch.context() as patch:
        # As another program, or an older one, may have written them.
        patch.setattr(codec, "encode", lambda self, value, **_: strange[value])
        source.insert((n, "ann", None, None, n) for n in range(3))

    def refuse(*_: object) -> None:
        raise AssertionError("a blob was read or written anew")

    with monkeypatch.context() as patch:
        patch.setattr(codec, "decode", refuse)
        patch.setattr(codec, "encode", refuse)
        target.insert(source)
        assert traces(target) == traces(source) == strange
        source.delete()
        source.insert(target & "mouse_id > 0")
        assert traces(source) == strange[1:]


def test_a_copy_names_what_the_target_lacks_before_it_reads_a_row(
    db: Database, here: Connection
) -> None:
    name = db.schema_name("copy")
    source, target = mouse(here, name), mouse(db.connection, name)
    with pytest.raises(UnknownAttributeError, match="`born_at`"):
        target.insert(source.proj("name", "trace", born_at="born"))
    with pytest.raises(MissingAttributeError, match="`trace`"):
        target.insert(source.proj("name"))
    source.insert1((1, "ann", None, None, [1, 2]))
    target.insert(source.proj(..., more="1"), ignore_extra_fields=True)
    assert target.fetch1("trace") == [1, 2]


def test_rows_are_copied_in_batches(db: Database, here: Connection) -> None:
    name = db.schema_name("copy")
    source, target = mouse(here, name), mouse(db.connection, name)
    source.insert((n, str(n), None, n / 8, n) for n in range(12_345))
    target.insert(source)
    assert target.to_arrays("weight", order_by="mouse_id").tolist() == [
        n / 8 for n in range(12_345)
    ]
    assert traces(target) == traces(source)


def test_a_copy_that_fails_copies_nothing(db: Database, here: Connection) -> None:
    name = db.schema_name("copy")
    source, target = mouse(here, name), mouse(db.connection, name)
    source.insert((n, str(n), None, None, n) for n in range(100))
    target.insert1((99, "there", None, None, 0))
    with pytest.raises(DataJointError):
        target.insert(source)
    assert len(target) == 1
    target.insert(source, skip_duplicates=True)
    assert len(target) == 100


def test_operands_of_different_connections_are_refused(db: Database, here: Connection) -> None:
    name = db.schema_name("copy")
    ours, theirs = mouse(here, name), mouse(db.connection, name)
    for combine in (
        lambda: ours * theirs,
        lambda: ours & theirs,
        lambda: ours - theirs.proj(),
        lambda: ours.proj() + theirs.proj(),
    ):
        with pytest.raises(DataJointError, match="different connections"):
            combine()


def test_an_instance_has_settings_and_a_connection_of_its_own(db: Database) -> None:
    one, two = dj.Instance(db.url, display__limit=3, safemode=False), dj.Instance(db.url)
    name = db.schema_name("own")
    schema = one.Schema(name)
    table = schema(type("Mouse", (dj.Manual,), {"definition": "n : int32"}))
    table.insert1((1,))
    assert two.FreeTable(f"{name}.mouse").to_dicts() == [{"n": 1}]
    assert (one.config.display.limit, two.config.display.limit) == (3, Settings().display.limit)
    assert table.connection is one.connection is not two.connection
    one.connection.close()
    two.connection.close()


def test_an_instance_refuses_unknown_settings() -> None:
    with pytest.raises(UnknownSettingError, match=r"display\.limits"):
        dj.Instance("sqlite://", display__limits=3)


@pytest.mark.parametrize("value", ["1", "true", "YES", "on"])
def test_thread_safe_mode_has_no_shared_state(
    monkeypatch: pytest.MonkeyPatch, db: Database, value: str
) -> None:
    monkeypatch.setenv("DJ_THREAD_SAFE", value)
    for use in (
        lambda: dj.config,
        lambda: dj.conn(),
        lambda: dj.conn("sqlite://"),
        lambda: dj.Schema("lab"),
        lambda: dj.FreeTable("lab.mouse"),
        lambda: dj.VirtualModule("lab", "lab"),
        lambda: dj.list_schemas(),
    ):
        with pytest.raises(dj.ThreadSafetyError, match=GLOBAL):
            use()
    instance = dj.Instance(db.url)
    name = db.schema_name("safe")
    mouse(instance.connection, name).insert1((1, "ann", None, None, 1))
    assert len(instance.FreeTable(f"{name}.mouse")) == 1
    assert name in dj.list_schemas(instance.connection)
    assert dj.VirtualModule("lab", name, connection=instance.connection).Mouse.fetch1("name")
    instance.connection.close()


def test_without_thread_safe_mode_there_is_shared_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJ_THREAD_SAFE", "0")
    assert dj.config.display.limit >= 0


@pytest.fixture
def nothing_connected(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As in a new process: no connection yet, and none of this test afterwards."""
    monkeypatch.setattr(default, "_connection", None)
    with dj.config.override(safemode=False):
        yield
    if default.is_open:
        dj.conn().close()


@pytest.mark.usefixtures("nothing_connected")
def test_conn_takes_a_host_a_user_and_a_password_once(db: Database) -> None:
    if db.backend == "sqlite":
        pytest.skip("a file has no host")
    url = sa.make_url(db.url)
    with dj.config.override(database__backend=db.backend, database__name=url.database):
        connection = dj.conn(f"{url.host}:{url.port}", url.username, "", use_tls=False)
        assert connection.is_connected
        assert connection.conn_info["user"] == url.username
        assert dj.conn() is connection
        # Whoever asks later gets what there is, whatever the arguments.
        assert dj.conn("elsewhere.invalid", "nobody", "secret") is connection
        name = db.schema_name("shared")
        mouse(dj.conn(), name).insert1((1, "ann", None, None, 1))
        assert dj.Schema(name).connection is connection
        with pytest.raises(LostConnectionError, match="No database answers") as caught:
            dj.conn("elsewhere.invalid", "nobody", "secret", reset=True)
        assert "secret" not in str(caught.value)
        assert dj.conn() is connection
        again = dj.conn(f"{url.host}:{url.port}", url.username, "", reset=True, use_tls=False)
        assert again is not connection
        assert dj.FreeTable(f"{name}.mouse").fetch1("name") == "ann"
        connection.close()


@pytest.mark.usefixtures("nothing_connected")
def test_conn_takes_from_the_settings_what_is_left_out(db: Database) -> None:
    if db.backend == "sqlite":
        pytest.skip("a file has no host")
    url = sa.make_url(db.url)
    place = {"host": url.host, "port": url.port, "user": url.username, "name": url.database}
    settings = {f"database__{name}": value for name, value in place.items()}
    with dj.config.override(database__backend=db.backend, **settings):
        assert dj.conn().conn_info["port"] == url.port
        with pytest.raises(DataJointError):
            dj.conn(user="nobody-of-that-name", password="secret", reset=True)
        with (
            dj.config.override(database__user=None),
            pytest.raises(DataJointError, match="Database user not configured"),
        ):
            dj.conn("db.example.org", reset=True)


def test_a_server_needs_a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataJointError, match=r"Database user not configured.*DJ_USER"):
        Connection("db.example.org")
    with pytest.raises(DataJointError, match="leave out the other arguments"):
        Connection("mysql://ann@db.example.org", "ann")


@pytest.mark.parametrize(
    ("host", "port", "info"),
    [
        ("db", None, ("db", None)),
        ("db:3307", None, ("db", 3307)),
        ("db", 3308, ("db", 3308)),
        ("[::1]:3307", None, ("::1", 3307)),
        ("::1", None, ("::1", None)),
    ],
)
def test_a_host_may_come_with_its_port(host: str, port: int | None, info: Any) -> None:
    connection = Connection(host, "ann", "secret", port)
    assert (connection.conn_info["host"], connection.conn_info["port"]) == info
    assert "secret" not in repr(connection) + str(connection.conn_info) + connection.url


def test_a_wrong_password_is_explained_without_showing_it(db: Database) -> None:
    if db.backend == "sqlite":
        pytest.skip("a file has no passwords")
    user, password = "nobody-of-that-name", "s3cret"
    url = db.url.replace("root@", f"{user}:{password}@").replace("postgres@", f"{user}:{password}@")
    with pytest.raises(DataJointError, match="password") as caught:
        Connection(url).connect()
    error: BaseException | None = caught.value
    while error is not None:
        assert password not in f"{error} {error!r}"
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda url: url.replace("127.0.0.1", "no-such-host.invalid"), "No database answers at"),
        (lambda url: url.partition("127.0.0.1:")[0] + "127.0.0.1:1/x", "No database answers at"),
        (lambda url: re.sub(r"(:\d+).*", r"\1/no_such_database", url), "no_such_database"),
    ],
)
def test_a_place_without_database_is_explained(db: Database, change: Any, words: str) -> None:
    if db.backend == "sqlite":
        pytest.skip("a file has no host")
    with pytest.raises(DataJointError, match=words):
        Connection(change(db.url)).connect()
