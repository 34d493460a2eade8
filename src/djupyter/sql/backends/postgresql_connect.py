"""Reaching a PostgreSQL server: arguments of the driver, encryption, and why it did not work."""

from __future__ import annotations

import logging
import math
import socket
import ssl
import struct
from collections.abc import Callable
from typing import Any

import psycopg
import sqlalchemy as sa

from djupyter.errors import DataJointError
from djupyter.sql.backends.postgresql_refusal import sqlstate
from djupyter.sql.backends.sockets import is_readable
from djupyter.sql.backends.tls import Tls, warn_unencrypted
from djupyter.sql.failures import Failure, connecting_error
from djupyter.sql.rights import Need, Right

# https://www.postgresql.org/docs/current/protocol-message-formats.html: SSLRequest
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)


def _is_news(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith("error ignored terminating")


# What ends a batch is raised; that the batch has ended is no news, but would show in a notebook.
logging.getLogger("psycopg").addFilter(_is_news)


def arguments(url: sa.URL, timeout: float) -> dict[str, Any]:
    """Return what the driver is told, without what concerns encryption.

    Parameters
    ----------
    url
        Where the server is, with options of the driver.
    timeout
        Seconds to wait for the server, where the options do not say it. libpq takes 2 at least.
    """
    given = {
        "host": url.host,
        "port": url.port,
        "user": url.username,
        "password": url.password,
        "dbname": url.database,
        **url.query,
    }
    wanted = {name: value for name, value in given.items() if value is not None}
    return {
        "client_encoding": "utf8",
        "application_name": "djupyter",
        "connect_timeout": max(2, math.ceil(timeout)),
        **wanted,
    }


def connector(wanted: dict[str, Any], tls: Tls, context: Any) -> Callable[[], Any]:
    """Return what opens a connection in autocommit mode, encrypted as asked for.

    libpq's own `prefer` also goes on without encryption when the encryption fails, so that somebody between
    could make it fail.
    """
    mode = _modes(tls)

    def connect() -> Any:
        asked = dict(mode)  # another thread may find out meanwhile that there is no TLS
        try:
            raw = psycopg.connect(**wanted, **asked, autocommit=True, context=context)
            if tls.mode == "required" and not raw.pgconn.ssl_in_use:
                raw.close()
                raise _not_encrypted(wanted, "there is none through a socket of this machine")
            return raw
        except psycopg.OperationalError as error:
            trouble = None if asked["sslmode"] == "disable" else _trouble(wanted, tls)
            if trouble is None:
                error.sqlstate = error.sqlstate or sqlstate({**wanted, **asked})
                raise
            if tls.mode == "required":
                raise _not_encrypted(wanted, trouble) from error
        mode["sslmode"] = "disable"
        raw = connect()
        warn_unencrypted(wanted.get("host"))
        return raw

    return connect


def _not_encrypted(wanted: dict[str, Any], detail: str) -> DataJointError:
    place = f"{wanted.get('host', 'localhost')}:{wanted.get('port', '')}".rstrip(":")
    return connecting_error(Failure("no encryption", detail), place)


def _modes(tls: Tls) -> dict[str, Any]:
    if tls.mode == "off":
        return {"sslmode": "disable"}
    if tls.ca is None:
        mode = "require"
    else:
        mode = "verify-full" if tls.check_hostname else "verify-ca"
    files = {"sslrootcert": tls.ca, "sslcert": tls.cert, "sslkey": tls.key or tls.cert}
    return {"sslmode": mode, **{name: path for name, path in files.items() if path}}


def _trouble(wanted: dict[str, Any], tls: Tls) -> str | None:
    """Return why a server cannot be reached with encryption; None when that is not the reason.

    The driver has no codes for it, so the server is asked in its protocol.
    """
    host, port = wanted.get("host", "localhost"), wanted.get("port", 5432)
    if str(host).startswith("/"):
        return None  # a socket of this machine, on which there is no encryption
    try:
        with socket.create_connection((host, port), float(wanted["connect_timeout"])) as probe:
            probe.sendall(_SSL_REQUEST)
            if probe.recv(1) == b"N":
                return "the server has no TLS"
            if tls.mode == "required":
                tls.context().wrap_socket(probe, server_hostname=host).close()
    except ssl.SSLError as error:
        return str(error)
    except OSError:
        return None
    return None


def is_alive(raw: Any) -> bool:
    """Whether a connection is open; what waits on an idle one may be a notice or the end."""
    try:
        if is_readable(raw.fileno()):
            raw.pgconn.exec_(b"")
    except (psycopg.Error, OSError):
        return False
    return not raw.closed and raw.pgconn.status == psycopg.pq.ConnStatus.OK


def failure(error: BaseException, failure: Failure) -> Failure:
    """Return why a connection could not be opened; without a code nothing is known of it."""
    if getattr(error, "sqlstate", None) or not isinstance(error, psycopg.Error):
        return failure
    detail = " ".join(str(error).split())
    asked = getattr(error, "pgconn", None)
    needs_password = asked is not None and asked.needs_password
    return Failure("refused" if needs_password else "other", detail)


def right(need: Need, url: sa.URL, quote: Callable[[str], str]) -> Right:
    """Return the privilege that a statement lacked, with the statement that grants it."""
    user = quote(url.username or "public")
    schema = quote(need.schema) if need.schema else "public"
    if need.verb == "CREATE SCHEMA":
        place = f"DATABASE {quote(url.database or 'postgres')}"
        return Right(need.verb, place, f"GRANT CREATE ON {place} TO {user}")
    if need.verb == "CREATE" or need.table is None:
        place = f"SCHEMA {schema}"
        return Right(need.verb, place, f"GRANT USAGE, CREATE ON {place} TO {user}")
    place = f"{schema}.{quote(need.table)}"
    if need.verb in ("ALTER", "DROP"):  # only the owner may
        return Right(need.verb, place, f"ALTER TABLE {place} OWNER TO {user}")
    grant = f"GRANT USAGE ON SCHEMA {schema} TO {user}; GRANT {need.verb} ON {place} TO {user}"
    return Right(need.verb, place, grant)
