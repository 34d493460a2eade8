"""Database servers for the tests: made in a temporary folder, on a free port, gone at the end.

```
with running("mariadb") as server:
    Connection(server.url)      # server.kill(), server.start(): a server that a test may break
```

A server refuses to run as root, so under root it gets an unprivileged account and a folder that
belongs to it.
"""

from __future__ import annotations

import atexit
import os
import pwd
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any, NoReturn

import pytest
import sqlalchemy as sa

START_SECONDS = 60


class NotAvailable(Exception):
    """A server cannot be had on this machine; the message says how to get it."""


def unavailable(server: str, reason: str) -> NoReturn:
    """Skip a test, or fail it when `DJ_TEST_REQUIRE` names what it needs."""
    if server in required():
        pytest.fail(f"{server} is required by DJ_TEST_REQUIRE, but {reason}")
    pytest.skip(reason)


def required() -> set[str]:
    """Return what `DJ_TEST_REQUIRE` says must be there.

    Raises
    ------
    pytest.UsageError
        It names something that no test asks for, which would be required in vain.
    """
    names = set(filter(None, re.split(r"[,\s]+", os.environ.get("DJ_TEST_REQUIRE", ""))))
    known = {"sqlite", "chromium", *KINDS}
    if names - known:
        raise pytest.UsageError(
            f"DJ_TEST_REQUIRE names {', '.join(sorted(names - known))}; known are {', '.join(sorted(known))}."
        )
    return names


@dataclass(frozen=True)
class Kind:
    """What differs between the servers."""

    name: str
    accounts: tuple[str, ...]
    url: str
    initialise: Callable[[Path], list[str]]
    serve: Callable[[Path, int], list[str]]
    connect: Callable[[int], Any]
    stop_signal: signal.Signals


class Server:
    """A running server.

    Parameters
    ----------
    kind
        Which.
    folder
        Where its data and its log are.
    options
        What `subprocess` needs to run as the owner of the folder.
    """

    def __init__(self, kind: Kind, folder: Path, options: dict[str, Any]) -> None:
        self._kind, self._folder = kind, folder
        self._options = {**options, "cwd": folder}
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = kind.url.format(port=self._port)

    def initialise(self) -> None:
        """Make its data folder."""
        command = self._kind.initialise(self._folder / "data")
        with self._log() as log:
            if subprocess.run(command, stdout=log, stderr=log, **self._options).returncode:
                raise RuntimeError(_failure(f"{command[0]} failed", self._folder))

    def start(self) -> None:
        """Start it, also again after it was killed or stopped: same data, same URL."""
        command = self._kind.serve(self._folder / "data", self._port)
        with self._log() as log:
            # A session of its own: Ctrl-C is for pytest, which then stops the server.
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, start_new_session=True, **self._options
            )
        _wait_until_it_answers(self._kind, self._process, self._port, self._folder)

    def kill(self) -> None:
        """End it like a power failure."""
        if self._process:
            import psutil

            # PostgreSQL serves each connection by a process, which may answer once more.
            serving = psutil.Process(self._process.pid).children(recursive=True)
            self._process.kill()
            for process in serving:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            self._process.wait()

    def stop(self) -> None:
        """End it as an administrator does: open connections are closed."""
        if self._process and self._process.poll() is None:
            _stop(self._process, self._kind.stop_signal)

    def _log(self) -> IO[bytes]:
        return (self._folder / "log").open("ab")


@contextmanager
def running(name: str) -> Iterator[Server]:
    """Start a server of a kind (`mariadb`, `mysql`, `postgresql`); stop it and remove its data."""
    kind = KINDS[name]
    with _owned_folder(kind.accounts) as (folder, account):
        server = Server(kind, folder, account)
        server.initialise()
        try:
            server.start()
            yield server
        finally:
            server.stop()


def drop_schemas(url: str, ending: str) -> None:
    """Remove all schemas whose name ends like this."""
    engine = sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    is_postgresql = engine.dialect.name == "postgresql"
    # Schemas that refer to each other go in any order.
    impatient = "SET lock_wait_timeout = 10, foreign_key_checks = 0"
    with engine.connect() as connection:
        connection.exec_driver_sql("SET lock_timeout = 10000" if is_postgresql else impatient)
        for schema in sa.inspect(connection).get_schema_names():
            if schema.endswith(ending):
                connection.execute(sa.schema.DropSchema(schema, cascade=is_postgresql))


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
                raise RuntimeError(_failure(f"{kind.name} did not start", folder)) from error
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
    folder = Path(tempfile.mkdtemp(prefix="djupyter-", dir=_fastest_place()))
    try:
        account: dict[str, Any] = {}
        if os.geteuid() == 0:
            owner = _first_account(accounts)
            os.chown(folder, owner.pw_uid, owner.pw_gid)
            account = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        yield folder, account
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fastest_place() -> str | None:
    """Return the folder in memory where that is large enough; the data live as long as the tests."""
    memory = Path("/dev/shm")
    is_large = memory.is_dir() and shutil.disk_usage(memory).free > 4 * 2**30
    return str(memory) if is_large and os.access(memory, os.W_OK) else None


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
    # Commits reach the system, which survives a killed server, but do not wait for the disk.
    options = ["fsync=off", "full_page_writes=off"]
    options += ["listen_addresses=127.0.0.1", f"port={port}", f"unix_socket_directories={data}"]
    settings = [word for option in options for word in ("-c", option)]
    return [_postgresql_program("postgres"), "-D", str(data), *settings]


def _connect_postgresql(port: int) -> Any:
    import psycopg

    return psycopg.connect(host="127.0.0.1", port=port, user="postgres", dbname="postgres")


# MariaDB and MySQL

# Commits reach the system, which survives a killed server, but do not wait for the disk.
_LOCAL = ["--bind-address=127.0.0.1", "--skip-log-bin", "--innodb-flush-log-at-trx-commit=2"]
_LOCAL += ["--innodb-doublewrite=0"]


def _initialise_mariadb(data: Path) -> list[str]:
    installer = program(["mariadb-install-db", "mysql_install_db"], "mariadb-server", ["usr/bin"])
    arguments = ["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]
    return [installer, *arguments, f"--datadir={data}", _temporary(data)]


def _serve_mariadb(data: Path, port: int) -> list[str]:
    server = program(["mariadbd"], "mariadb-server", ["usr/sbin", "usr/libexec"])
    return [server, "--no-defaults", *_places(data, port), *_LOCAL]


def _initialise_mysql(data: Path) -> list[str]:
    return [*_mysql(), "--initialize-insecure", f"--datadir={data}", _temporary(data)]


def _serve_mysql(data: Path, port: int) -> list[str]:
    small = ["--performance-schema=OFF", "--mysqlx=OFF", "--innodb-redo-log-capacity=64M"]
    return [*_mysql(), *_places(data, port), *_LOCAL, *small]


def _places(data: Path, port: int) -> list[str]:
    return [
        f"--datadir={data}",
        _temporary(data),
        f"--socket={data}/s.sock",
        f"--pid-file={data}/s.pid",
        f"--port={port}",
    ]


def _temporary(data: Path) -> str:
    """Return the option for a folder of its own for temporary tables.

    A server that starts removes the temporary tables that it finds: another MariaDB of this machine that
    shares the folder crashes.
    """
    return f"--tmpdir={data.parent}"


def _mysql() -> list[str]:
    """Return the start of a command that runs MySQL itself; MariaDB goes by the same name."""
    if home := os.environ.get("DJ_TEST_MYSQL_HOME"):
        return _unpacked_mysql(Path(home).resolve())
    try:
        server = program(["mysqld"], "mysql-server", ["usr/sbin", "usr/libexec"])
        version = subprocess.run([server, "--version"], capture_output=True, text=True).stdout
        if "MariaDB" not in version:
            return [server, "--no-defaults"]
    except NotAvailable:
        pass
    raise NotAvailable(
        "MySQL is not installed: apt-get install mysql-server where there is one, or unpack it into "
        "a folder and name that in DJ_TEST_MYSQL_HOME"
    )


def _unpacked_mysql(home: Path) -> list[str]:
    """Run a MySQL that was unpacked without installing it, by its own loader and libraries."""
    if not (home / "usr/sbin/mysqld").exists():
        raise NotAvailable(f"DJ_TEST_MYSQL_HOME is {home}, where there is no usr/sbin/mysqld")
    home = _open_to_all(home)
    loader = next((home / "usr").glob("lib*/ld-linux-*.so.*"))
    libraries = [*(home / "usr/lib").glob("*-linux-gnu"), home / "usr/lib/mysql/private"]
    share = home / "usr/share/mysql"
    return [
        str(loader),
        "--library-path",
        os.pathsep.join(map(str, libraries)),
        str(home / "usr/sbin/mysqld"),
        "--no-defaults",
        f"--basedir={home / 'usr'}",
        f"--lc-messages-dir={share}",
        f"--character-sets-dir={share / 'charsets'}",
        "--secure-file-priv=NULL",
    ]


@cache
def _open_to_all(home: Path) -> Path:
    """Return the folder, or a copy where the unprivileged account may not enter it."""
    entered = [home, *home.parents]
    if os.geteuid() or all(folder.stat().st_mode & stat.S_IXOTH for folder in entered):
        return home
    copy = Path(tempfile.mkdtemp(prefix="djupyter-mysql-", dir=_fastest_place()))
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    copy.chmod(0o755)
    shutil.copytree(home / "usr", copy / "usr", symlinks=True)
    return copy


def _connect_mysql(port: int) -> Any:
    import pymysql

    return pymysql.connect(host="127.0.0.1", port=port, user="root")


KINDS = {
    "mariadb": Kind(
        name="mariadb",
        accounts=("mysql",),
        url="mariadb+pymysql://root@127.0.0.1:{port}",
        initialise=_initialise_mariadb,
        serve=_serve_mariadb,
        connect=_connect_mysql,
        stop_signal=signal.SIGTERM,
    ),
    "mysql": Kind(
        name="mysql",
        accounts=("mysql",),
        url="mysql+pymysql://root@127.0.0.1:{port}",
        initialise=_initialise_mysql,
        serve=_serve_mysql,
        connect=_connect_mysql,
        stop_signal=signal.SIGTERM,
    ),
    "postgresql": Kind(
        name="postgresql",
        accounts=("postgres",),
        url="postgresql+psycopg://postgres@127.0.0.1:{port}/postgres",
        initialise=_initialise_postgresql,
        serve=_serve_postgresql,
        connect=_connect_postgresql,
        # SIGTERM would wait until the last client has gone.
        stop_signal=signal.SIGINT,
    ),
}
