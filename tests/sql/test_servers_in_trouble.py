# ruff: noqa: PT012 - what fails here may be a block, the transaction
"""Servers that are stopped, full, or let nobody in: one clear error, nothing lost, and on it goes."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import djupyter as dj
from djupyter.errors import AccessError, DataJointError, LostConnectionError, QueryError
from djupyter.settings import Settings
from djupyter.sql.connection import Connection
from tests.servers import KINDS, NotAvailable, Server, running, unavailable

# As few as the server allows, besides those it keeps for administrators.
PLACES = {"mariadb": 10, "mysql": 4, "postgresql": 4}
USER, PASSWORD = "ann", "s3cret-of-the-test"
MAKE_USER = {
    "mysql": [
        f"CREATE USER '{USER}'@'%%' IDENTIFIED BY '{PASSWORD}'",
        f"GRANT ALL ON *.* TO '{USER}'@'%%'",
        # Neither server counts an administrator among those for whom there is no place.
        f"REVOKE SUPER ON *.* FROM '{USER}'@'%%'",
    ],
    "postgresql": [
        f"CREATE USER {USER} PASSWORD '{PASSWORD}'",
        f"GRANT CREATE ON DATABASE postgres TO {USER}",
    ],
}
OPTIONS = {
    "mariadb": "--max-connections={places}",
    "mysql": "--max-connections={places}",
    "postgresql": "-c max_connections={all} -c superuser_reserved_connections=4 -c hba_file={data}/pg_hba",
}
LOGINS = f"host all {USER} 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n"


def in_trouble(name: str) -> Any:
    """Return a kind of server that has few places, and asks for passwords."""
    kind = KINDS[name]

    def serve(data: Path, port: int) -> list[str]:
        (data / "pg_hba").write_text(LOGINS)
        (data / "pg_hba").chmod(0o644)
        words = {"places": PLACES[name], "all": PLACES[name] + 4, "data": data}
        return [*kind.serve(data, port), *OPTIONS[name].format(**words).split()]

    return replace(kind, serve=serve)


@pytest.fixture(scope="module", params=list(KINDS))
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server of our own, which a test may stop."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(KINDS, request.param, in_trouble(request.param))
        try:
            with running(request.param) as server:
                with Connection(server.url) as admin:
                    for statement in MAKE_USER[admin.backend.name]:
                        admin.query(statement)
                yield server
        except NotAvailable as reason:
            unavailable(request.param, str(reason))


def user(server: Server, password: str = PASSWORD) -> Connection:
    url = sa.make_url(server.url).set(username=USER, password=password)
    return Connection(url.render_as_string(hide_password=False), settings=Settings(safemode=False))


@pytest.fixture
def connection(server: Server) -> Iterator[Connection]:
    with Connection(server.url, settings=Settings(safemode=False)) as connection:
        yield connection


def numbers(connection: Connection, name: str) -> Any:
    schema = dj.Schema(name, connection=connection)
    return schema(type("Number", (dj.Manual,), {"definition": "n : int32\n---\nx : bytes"}))()


def test_a_stopped_server_is_named_and_its_rows_are_there_when_it_runs_again(
    server: Server, connection: Connection
) -> None:
    table = numbers(connection, "stopped")
    table.insert1((1, b"one"))
    port = str(sa.make_url(server.url).port)
    server.kill()
    try:
        for use in (
            lambda: table.to_arrays("n"),
            lambda: table.insert1((2, b"two")),
            lambda: table.insert([(2, b"two"), (3, b"three")]),
            table.delete,
            lambda: dj.Schema("another", connection=connection),
            Connection(server.url).connect,
        ):
            with pytest.raises(
                LostConnectionError, match=f"No database answers at .*{port}.*server runs"
            ):
                use()
    finally:
        server.start()
    assert table.to_arrays("n").tolist() == [1]
    table.insert([(2, b"two"), (3, b"three")])
    assert len(table) == 3


def test_a_server_that_stops_in_a_transaction_undoes_it(
    server: Server, connection: Connection
) -> None:
    table = numbers(connection, "halfway")
    table.insert1((1, b"one"))
    undone = pytest.raises(LostConnectionError, match="undone all that the transaction did")
    with undone, connection.transaction:
        table.insert1((2, b"two"))
        server.kill()
        try:
            table.insert1((3, b"three"))
        finally:
            server.start()
    assert not connection.in_transaction
    assert table.to_arrays("n").tolist() == [1]
    table.insert1((2, b"two"))


def test_a_wrong_password_is_refused_with_what_to_check(server: Server) -> None:
    with pytest.raises(AccessError, match=r"refuses to let the user in.*the password") as caught:
        user(server, "wr0ng-one").connect()
    assert "wr0ng-one" not in str(caught.value)
    url = sa.make_url(server.url).set(username=USER, password=None)
    with pytest.raises(AccessError, match="refuses to let the user in"):
        Connection(url.render_as_string()).connect()
    with user(server) as right:
        assert right.fetch("SELECT 1") == [(1,)]


def test_a_missing_database_is_named(server: Server) -> None:
    url = sa.make_url(server.url).set(database="no_such_database")
    with pytest.raises(DataJointError, match=r"no_such_database.*Check the name of the database"):
        Connection(url.render_as_string()).connect()


def connects(connection: Connection) -> bool:
    try:
        connection.connect()
    except DataJointError:
        return False
    return True


def test_a_server_without_a_place_says_so_and_takes_the_next_one_that_is_free(
    server: Server,
) -> None:
    taken = []
    with pytest.raises(DataJointError, match=r"no connection left.*Close others"):
        for _ in range(max(PLACES.values()) + 5):
            taken.append(user(server))
            taken[-1].connect()
    refused = taken.pop()
    assert len(taken) >= 4
    taken.pop().close()
    # The server may take a moment to see that the other one has gone.
    assert any(connects(refused) for _ in range(10_000))
    assert refused.fetch("SELECT 1") == [(1,)]
    for each in [*taken, refused]:
        each.close()


@pytest.fixture
def small(server: Server, connection: Connection, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A schema whose rows lie on a disk of 20 megabytes, and the folder where that is mounted."""
    mount = shutil.which("mount")
    if mount is None or not hasattr(os, "geteuid") or os.geteuid():
        pytest.skip("only root can mount a small disk")
    data = server._folder / "data"
    is_postgresql = connection.backend.name == "postgresql"
    folder = server._folder / "small" if is_postgresql else data / "small"
    if is_postgresql:
        folder.mkdir()
    else:
        connection.query("CREATE SCHEMA small")
    owner = data.stat()
    options = f"size=20m,mode=700,uid={owner.st_uid},gid={owner.st_gid}"
    if subprocess.run([mount, "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]).returncode:
        pytest.skip("this machine does not let root mount a disk")
    if is_postgresql:
        connection.query(f"CREATE TABLESPACE small LOCATION '{folder}'")
        connection.query("ALTER DATABASE postgres SET default_tablespace = small")
        connection.close()  # it holds for the connections to come
    yield "small", folder
    if is_postgresql:
        connection.query("ALTER DATABASE postgres RESET default_tablespace")
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_of_a_server_loses_nothing_and_is_written_again_when_there_is_room(
    connection: Connection, small: tuple[str, Path]
) -> None:
    name, folder = small
    table = numbers(connection, name)
    table.insert1((1, b"one"))
    filler = folder / "filler"
    filler.write_bytes(b"x" * 10_000_000)
    block = os.urandom(5_000)
    for bad in range(2):
        with pytest.raises(QueryError, match=r"No space is left.*Free some.*nothing was changed"):
            table.insert((n, block) for n in range(10, 3000))
        assert not connection.in_transaction
        assert table.to_arrays("n").tolist() == [1], bad
    with pytest.raises(QueryError, match="No space is left"), connection.transaction:
        table.insert1((2, b"two"))
        table.insert((n, block) for n in range(10, 3000))
    assert table.to_dicts() == [{"n": 1, "x": b"one"}]
    filler.unlink()
    table.insert((n, block) for n in range(10, 60))
    assert len(table) == 51
    table.drop()
