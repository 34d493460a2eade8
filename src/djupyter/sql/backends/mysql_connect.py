"""Reaching a MySQL or MariaDB server, and what is left of a connection after an interrupt."""

from __future__ import annotations

import re
import signal
import ssl
import sys
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha1
from typing import Any

import pymysql
from pymysql.connections import Connection as PyMySQLConnection
from pymysql.constants import CLIENT, ER

from djupyter.errors import DataJointError
from djupyter.sql.backends.differences.records import Fetch
from djupyter.sql.backends.mysql_long import Cursor, LongStatement, count_packets, packets
from djupyter.sql.backends.sockets import is_readable
from djupyter.sql.backends.tls import Tls, warn_unencrypted
from djupyter.sql.failures import Failure
from djupyter.sql.rights import Need, Right

# No server takes less by default.
_SMALL = 1_000_000


class Connection(PyMySQLConnection):  # type: ignore[misc]  # the driver has no types
    """A connection that refuses statements that the server would; it closes connections that send them."""

    _largest: int | None = None
    _read_timeout: float | None  # the driver's

    def connect(self, sock: Any = None) -> None:
        """Connect; a server that takes the connection but says nothing is given up too."""
        reads: float | None = self._read_timeout
        self._read_timeout = reads or self.connect_timeout
        try:
            super().connect(sock)
        finally:
            self._read_timeout = reads

    def query(self, sql: str | bytes | LongStatement, unbuffered: bool = False) -> Any:
        """Send a statement."""
        if len(sql) > _SMALL:
            if isinstance(sql, str):
                sql = sql.encode(self.encoding, "surrogateescape")  # as the driver does
            self._check_size(len(sql))
        if "polars" in sys.modules:
            # Its own handler of Ctrl-C has the system take up again the waiting that Ctrl-C should end.
            signal.siginterrupt(signal.SIGINT, True)
        return super().query(sql, unbuffered)

    def _execute_command(self, command: int, sql: Any) -> None:
        """Send a command; a long statement piece by piece."""
        if not isinstance(sql, LongStatement):
            super()._execute_command(command, sql)
            return
        # Also reads what may be left of answers before, as the driver does before each command.
        self.ping(reconnect=False)
        try:
            for part in packets(sql):
                self._write_bytes(part)
        except BaseException:
            self._force_close()  # the server waits for the rest
            raise
        self._next_seq_id = count_packets(sql) % 256

    def _check_size(self, size: int) -> None:
        if self._largest is None:
            with self.cursor() as cursor:
                cursor.execute("SELECT @@max_allowed_packet")
                self._largest = int(cursor.fetchone()[0])
        if size + 1 >= self._largest:
            raise pymysql.err.DataError(
                ER.NET_PACKET_TOO_LARGE,
                f"the statement has {size:,} bytes, and the server takes less than {self._largest:,} "
                "(max_allowed_packet in its configuration)",
            )


def opened(*place: Any, **options: Any) -> Connection:
    """Return a new connection.

    Raises
    ------
    DataJointError
        The driver lacks what a password needs to go over a connection that is not encrypted.
    """
    try:
        return Connection(*place, cursorclass=Cursor, **options)
    except RuntimeError as error:
        raise DataJointError(
            f"The password cannot be sent unencrypted: {str(error).rstrip('.')}. "
            "Let the connection be encrypted (use_tls=True), or pip install cryptography."
        ) from error


_OLDEST = {"MariaDB": (10, 6), "MySQL": (8, 0)}
_VERSION = re.compile(r"(?:5\.5\.5-)?(\d+)\.(\d+)")


def product(raw: Any) -> str:
    """Return what the server that answered is called.

    Raises
    ------
    DataJointError
        It is too old.
    """
    version = raw.get_server_info()
    product = "MariaDB" if "MariaDB" in version else "MySQL"
    match = _VERSION.match(version)
    oldest = _OLDEST[product]
    if match is None or (int(match[1]), int(match[2])) < oldest:
        raise DataJointError(
            f"The server is {product} {version}; {product} {'.'.join(map(str, oldest))} or newer is needed."
        )
    return product


def encryption(tls: Tls) -> dict[str, Any]:
    """Return the driver's arguments for encryption; without any it takes TLS where the server has it."""
    if tls.mode == "off":
        return {"ssl_disabled": True}
    if tls.mode == "preferred":
        return {}
    return {"ssl": tls.context()}


def warn_if_plain(raw: Any, tls: Tls) -> None:
    """Warn when the server said that it has no encryption, and none was asked for or refused."""
    if tls.mode == "preferred" and not raw.server_capabilities & CLIENT.SSL and not raw.unix_socket:
        warn_unencrypted(raw.host)


_SQL_MODE = (
    "NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,STRICT_ALL_TABLES,"
    "NO_ENGINE_SUBSTITUTION,ONLY_FULL_GROUP_BY"
)


def prepare(raw: Any, collation: str, seconds: int, more: str = "") -> None:
    """Let a new connection compare by a collation, take nothing half, and wait for locks so long.

    Parameters
    ----------
    raw
        The driver's connection.
    collation
        Of texts that belong to no column.
    seconds
        How long to wait.
    more
        What else to set.
    """
    with raw.cursor() as cursor:
        cursor.execute(
            "SET collation_connection = %s, sql_mode = %s, group_concat_max_len = %s, "
            f"innodb_lock_wait_timeout = %s, lock_wait_timeout = %s{more}",
            (collation, _SQL_MODE, 2**32 - 1, seconds, seconds),
        )


def failure(error: BaseException, failure: Failure) -> Failure:
    """Return why a connection could not be opened; a refused certificate has the code of an absent server."""
    cause = getattr(error, "original_exception", None)
    return Failure("no encryption", str(cause)) if isinstance(cause, ssl.SSLError) else failure


def is_alive(raw: Any) -> bool:
    """Whether a connection is open; what waits on an idle one may be a ticket of TLS or the end."""
    if not raw.open:
        return False
    if not is_readable(raw._sock.fileno()):
        return True
    try:
        raw.ping(reconnect=False)
    except (pymysql.Error, OSError):
        return False
    return True


def survives(raw: Any, error: BaseException, connect: Callable[[], Any]) -> bool:
    """Whether a connection can go on after an interrupt; what runs on it is ended.

    The driver closes its socket when it is interrupted while it reads, and the server would go on computing.
    Between two packets of an answer it leaves the rest unread, so that answers no longer belong to their
    questions. Any error may be such an interrupt, as a handler of a signal may raise it.
    """
    result = raw._result  # None from when a statement is sent until its answer was read
    has_unread = result is not None and result.unbuffered_active
    is_over = result is not None and not has_unread
    if raw.open and is_over and isinstance(error, Exception | GeneratorExit):
        return True
    # Without a word to the server, which is not listening; the pool closes it properly.
    raw._force_close()
    if has_unread:
        result.unbuffered_active = False  # or its cursor would read on, and complain
    if not isinstance(error, GeneratorExit | pymysql.Error):
        kill(raw.thread_id(), connect)
    return False


def kill(number: int, connect: Callable[[], Any], what: str = "CONNECTION") -> None:
    """End a connection by its number, or only the `QUERY` that runs on it."""
    with suppress(pymysql.Error, DataJointError):
        handle = connect()
        try:
            with suppress(pymysql.Error):  # it may have ended meanwhile
                handle.cursor().execute(f"KILL {what} {number:d}")
        finally:
            handle.close()


def right(need: Need, fetch: Fetch, quote: Callable[[str], str]) -> Right:
    """Return the privilege that a statement lacked, with the statement that grants it."""
    user, _, host = str(fetch("SELECT CURRENT_USER()", ())[0][0]).rpartition("@")
    schema = quote(need.schema) if need.schema else "*"
    makes = need.verb.startswith("CREATE") or need.table is None
    place = f"{schema}.*" if makes else f"{schema}.{quote(need.table or '')}"
    verb = need.verb.removesuffix(" SCHEMA")
    # A table with foreign keys needs more than the right to make tables.
    wanted = "CREATE, ALTER, INDEX, REFERENCES" if need.verb == "CREATE" else verb
    return Right(need.verb, place, f"GRANT {wanted} ON {place} TO '{user}'@'{host}'")


def lock_name(schema: str) -> str:
    """Return the name of the lock on the definitions of a schema, which may have 64 characters.

    >>> len(lock_name("lab"))
    49
    """
    return f"djupyter {sha1(schema.encode(), usedforsecurity=False).hexdigest()}"
