"""Database servers for the tests: made in a temporary folder, on a free port, gone at the end.

A server refuses to run as root, so under root it gets an unprivileged account and a folder that
belongs to it.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest

START_SECONDS = 60


class NotAvailable(Exception):
    """A server cannot be had on this machine; the message says how to get it."""


def unavailable(backend: str, reason: str) -> NoReturn:
    """Skip a test, or fail it when `DJ_TEST_REQUIRE` names its backend."""
    if backend in re.split(r"[,\s]+", os.environ.get("DJ_TEST_REQUIRE", "")):
        pytest.fail(f"{backend} is required by DJ_TEST_REQUIRE, but {reason}")
    pytest.skip(reason)


@dataclass(frozen=True)
class Kind:
    """What differs between the servers."""

    backend: str
    accounts: tuple[str, ...]
    url: str
    initialise: Callable[[Path], list[str]]
    serve: Callable[[Path, int], list[str]]
    connect: Callable[[int], Any]
    stop_signal: signal.Signals


@contextmanager
def running(backend: str) -> Iterator[str]:
    """Start a server of a backend; yield its SQLAlchemy URL; stop it and remove its data."""
    kind = KINDS[backend]
    with _owned_folder(kind.accounts) as (folder, account):
        initialise = kind.initialise(folder / "data")
        port = _free_port()
        with (folder / "log").open("wb") as log:
            options = {"stdout": log, "stderr": log, "cwd": folder, **account}
            if subprocess.run(initialise, **options, check=False).returncode:
                raise RuntimeError(_failure(f"{initialise[0]} failed", folder))
            # A session of its own: Ctrl-C is for pytest, which then stops the server.
            process = subprocess.Popen(
                kind.serve(folder / "data", port), **options, start_new_session=True
            )
        try:
            _wait_until_it_answers(kind, process, port, folder)
            yield kind.url.format(port=port)
        finally:
            _stop(process, kind.stop_signal)


def _wait_until_it_answers(
    kind: Kind, process: subprocess.Popen[bytes], port: int, folder: Path
) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            kind.connect(port).close()
            return
        except ImportError as error:
            raise NotAvailable(
                f"{error.name} is not installed: pip install {error.name}"
            ) from error
        except Exception as error:  # each driver has its own; the last one is shown
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(_failure(f"{kind.backend} did not start", folder)) from error
        try:
            process.wait(timeout=0.05)
        except subprocess.TimeoutExpired:
            continue


def _stop(process: subprocess.Popen[bytes], stop_signal: signal.Signals) -> None:
    process.send_signal(stop_signal)
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _failure(what: str, folder: Path) -> str:
    return f"{what}:\n" + (folder / "log").read_text(errors="replace")[-2000:]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _owned_folder(accounts: Sequence[str]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Make a folder, and what `subprocess` needs to run as its unprivileged owner."""
    # Not pytest's tmp_path: its parents are closed to other accounts.
    folder = Path(tempfile.mkdtemp(prefix="djupyter-"))
    try:
        account: dict[str, Any] = {}
        if os.geteuid() == 0:
            owner = _first_account(accounts)
            os.chown(folder, owner.pw_uid, owner.pw_gid)
            account = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        yield folder, account
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _first_account(names: Sequence[str]) -> pwd.struct_passwd:
    for name in (*names, "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NotAvailable(f"servers do not run as root; make an account named {names[0]}")


def program(names: Sequence[str], packages: str, folders: Sequence[str]) -> str:
    """Return the path of the first program found in PATH or in one of the folders."""
    root = Path("/")
    places = [str(place) for pattern in folders for place in sorted(root.glob(pattern))]
    path = os.pathsep.join([os.environ.get("PATH", ""), *reversed(places)])
    for name in names:
        if found := shutil.which(name, path=path):
            return found
    raise NotAvailable(f"{names[0]} is not installed: apt-get install {packages}")


# PostgreSQL


def _postgresql_program(name: str) -> str:
    return program([name], "postgresql", ["usr/lib/postgresql/*/bin"])


def _initialise_postgresql(data: Path) -> list[str]:
    arguments = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale"]
    return [_postgresql_program("initdb"), f"--pgdata={data}", "--no-sync", *arguments]


def _serve_postgresql(data: Path, port: int) -> list[str]:
    # The data live as long as the tests: nothing is worth waiting for the disk.
    options = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
    options += ["listen_addresses=127.0.0.1", f"port={port}", f"unix_socket_directories={data}"]
    settings = [word for option in options for word in ("-c", option)]
    return [_postgresql_program("postgres"), "-D", str(data), *settings]


def _connect_postgresql(port: int) -> Any:
    import psycopg

    return psycopg.connect(host="127.0.0.1", port=port, user="postgres", dbname="postgres")


# MariaDB, or MySQL where that is installed instead

_SERVER = (["mariadbd", "mysqld"], "mariadb-server", ["usr/sbin", "usr/libexec"])


def _initialise_mysql(data: Path) -> list[str]:
    server = program(*_SERVER)
    if (
        "MariaDB"
        not in subprocess.run([server, "--version"], capture_output=True, text=True).stdout
    ):
        return [server, "--no-defaults", "--initialize-insecure", f"--datadir={data}"]
    installer = program(["mariadb-install-db", "mysql_install_db"], "mariadb-server", ["usr/bin"])
    arguments = ["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]
    return [installer, *arguments, f"--datadir={data}"]


def _serve_mysql(data: Path, port: int) -> list[str]:
    folders = [f"--datadir={data}", f"--socket={data}/s.sock", f"--pid-file={data}/s.pid"]
    fast = ["--skip-log-bin", "--innodb-flush-log-at-trx-commit=0"]
    network = [f"--port={port}", "--bind-address=127.0.0.1"]
    return [program(*_SERVER), "--no-defaults", *folders, *fast, *network]


def _connect_mysql(port: int) -> Any:
    import pymysql

    return pymysql.connect(host="127.0.0.1", port=port, user="root")


KINDS = {
    "mysql": Kind(
        backend="mysql",
        accounts=("mysql",),
        url="mysql+pymysql://root@127.0.0.1:{port}",
        initialise=_initialise_mysql,
        serve=_serve_mysql,
        connect=_connect_mysql,
        stop_signal=signal.SIGTERM,
    ),
    "postgresql": Kind(
        backend="postgresql",
        accounts=("postgres",),
        url="postgresql+psycopg://postgres@127.0.0.1:{port}/postgres",
        initialise=_initialise_postgresql,
        serve=_serve_postgresql,
        connect=_connect_postgresql,
        # SIGTERM would wait until the last client has gone.
        stop_signal=signal.SIGINT,
    ),
}
