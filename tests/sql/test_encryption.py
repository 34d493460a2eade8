"""Encryption with real certificates: what is asked for is done or refused, never dropped."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa

from djupyter.errors import DataJointError
from djupyter.sql.connection import Connection
from tests.servers import KINDS, NotAvailable, Server, running, unavailable

OPTIONS = {
    "mariadb": "--ssl-ca={0}/ca.pem --ssl-cert={0}/server.pem --ssl-key={0}/server.key",
    "mysql": "--ssl-ca={0}/ca.pem --ssl-cert={0}/server.pem --ssl-key={0}/server.key",
    "postgresql": "-c ssl=on -c ssl_cert_file={0}/server.pem -c ssl_key_file={0}/server.key",
}
# The servers as they are without the certificate.
PLAIN = dict(KINDS)


def certificates(folder: Path) -> Path:
    """Make an authority, a certificate of it for `localhost`, and another authority."""

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    for name in ("ca", "other"):
        subject = ["-subj", f"/CN=djupyter {name}", "-days", "2"]
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key",
                "-out", f"{name}.pem", *subject)  # fmt: skip
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out", "server.csr",
            "-subj", "/CN=localhost")  # fmt: skip
    (folder / "names").write_text("subjectAltName=DNS:localhost\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", "server.pem")  # fmt: skip
    return folder


def with_certificate(name: str, folder: Path) -> Any:
    """Return a kind of server that uses the certificate, whose key must belong to its account."""
    kind = KINDS[name]

    def serve(data: Path, port: int) -> list[str]:
        owner = data.stat()
        for file in ("ca.pem", "server.pem", "server.key"):
            copy = Path(shutil.copy(folder / file, data / file))
            copy.chmod(0o600)
            if os.geteuid() == 0:
                os.chown(copy, owner.st_uid, owner.st_gid)
        return [*kind.serve(data, port), *OPTIONS[name].format(data).split()]

    return replace(kind, serve=serve)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: apt-get install openssl")
    return certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module", params=list(KINDS))
def server(request: pytest.FixtureRequest, files: Path) -> Iterator[Server]:
    """A server of our own with TLS."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(KINDS, request.param, with_certificate(request.param, files))
        try:
            with running(request.param) as server:
                yield server
        except NotAvailable as reason:
            unavailable(request.param, str(reason))


def at_localhost(server: Server) -> str:
    return server.url.replace("127.0.0.1", "localhost")


@pytest.mark.parametrize(("asked", "encrypted"), [(True, True), (None, True), (False, False)])
def test_tls_is_used_when_asked_for_and_when_nothing_is_said(
    server: Server, asked: Any, encrypted: bool
) -> None:
    with Connection(server.url, use_tls=asked) as connection:
        raw = connection._sessions.current().raw
        used = raw.pgconn.ssl_in_use if hasattr(raw, "pgconn") else hasattr(raw._sock, "cipher")
        assert used is encrypted


def test_an_authority_is_asked_about_the_server(server: Server, files: Path) -> None:
    good = {"ca": str(files / "ca.pem")}
    with Connection(at_localhost(server), use_tls=good) as connection:
        assert connection.fetch("SELECT 1") == [(1,)]
    with pytest.raises(DataJointError, match=r"cannot be encrypted as use_tls asks.*certificate"):
        Connection(at_localhost(server), use_tls={"ca": str(files / "other.pem")}).connect()


def test_the_name_of_the_host_is_checked_unless_told_otherwise(server: Server, files: Path) -> None:
    ca = str(files / "ca.pem")
    with pytest.raises(DataJointError, match="cannot be encrypted"):
        Connection(server.url, use_tls={"ca": ca}).connect()
    with Connection(server.url, use_tls={"ca": ca, "check_hostname": False}) as connection:
        assert connection.fetch("SELECT 1") == [(1,)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"cafile": "x"}, "no option `cafile`"),
        ({"ca": "/nowhere/ca.pem"}, "does not exist"),
        ({"check_hostname": True}, "cannot check the name of the host without `ca`"),
        ({"key": __file__}, "`key` without `cert`"),
        ({"ca": __file__}, r"test_encryption\.py that use_tls names as `ca` holds no certificate"),
        ({"cert": __file__}, r"test_encryption\.py that use_tls names as `cert` .* cannot be used"),
        ("false", "use_tls is True, False, None or a mapping"),
        (["ca"], "use_tls is True, False, None or a mapping"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(options: Any, words: str) -> None:
    with pytest.raises(DataJointError, match=words):
        Connection("mysql://ann:secret@localhost", use_tls=options)


def test_a_certificate_may_lie_in_one_file_with_its_key(server: Server, files: Path) -> None:
    both = files / "both.pem"
    both.write_text((files / "server.pem").read_text() + (files / "server.key").read_text())
    both.chmod(0o600)
    with Connection(server.url, use_tls={"cert": str(both)}) as connection:
        assert connection.fetch("SELECT 1") == [(1,)]


SOCKET = {
    "mysql": ("SELECT @@socket", "{url.drivername}://{url.username}@localhost/?unix_socket={path}"),
    "postgresql": (
        "SHOW unix_socket_directories",
        "{url.drivername}://{url.username}@:{url.port}/postgres?host={path}",
    ),
}


def test_a_socket_of_this_machine_is_encrypted_when_asked_for_or_refused(server: Server) -> None:
    with Connection(server.url, use_tls=False) as connection:
        question, form = SOCKET[connection.backend.name]
        url, path = sa.make_url(server.url), connection.fetch(question)[0][0]
    there = form.format(url=url, path=path)
    with Connection(there) as connection:
        assert connection.fetch("SELECT 1") == [(1,)]
    with Connection(there, use_tls=True) as connection:
        try:
            raw = connection._sessions.current().raw
        except DataJointError as error:
            assert "cannot be encrypted as use_tls asks" in str(error)  # noqa: PT017
        else:
            assert hasattr(raw._sock, "cipher")


# MySQL makes certificates of its own, so there is always TLS.
@pytest.fixture(params=["mariadb", "postgresql"])
def plain(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server of our own without TLS."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(KINDS, request.param, PLAIN[request.param])
        try:
            with running(request.param) as server:
                yield server
        except NotAvailable as reason:
            unavailable(request.param, str(reason))


def test_without_tls_on_the_server_it_is_refused_or_warned_of(plain: Server, files: Path) -> None:
    for asked in (True, {"ca": str(files / "ca.pem")}):
        with pytest.raises(DataJointError, match="cannot be encrypted as use_tls asks"):
            Connection(plain.url, use_tls=asked).connect()
    with pytest.warns(UserWarning, match="has no TLS"):
        Connection(plain.url).connect()
    with Connection(plain.url, use_tls=False) as connection:
        assert connection.fetch("SELECT 1") == [(1,)]


def test_threads_that_find_out_at_once_that_there_is_no_tls_all_connect(plain: Server) -> None:
    together = Barrier(8)

    def answer(connection: Connection) -> object:
        together.wait()
        return connection.fetch("SELECT 1")

    with (
        pytest.warns(UserWarning, match="has no TLS"),
        Connection(plain.url) as connection,
        ThreadPoolExecutor(8) as pool,
    ):
        assert [*pool.map(answer, [connection] * 8)] == [[(1,)]] * 8


def test_a_stopped_server_is_named_and_used_again_once_it_is_back(plain: Server) -> None:
    with Connection(plain.url, use_tls=False) as connection:
        connection.connect()
        plain.kill()
        with pytest.raises(DataJointError, match=r"No database answers at .*127\.0\.0\.1"):
            connection.fetch("SELECT 1")
        plain.start()
        assert connection.fetch("SELECT 1") == [(1,)]
