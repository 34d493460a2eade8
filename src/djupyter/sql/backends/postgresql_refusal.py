"""The code with which a PostgreSQL server refuses a login, which the driver does not keep.

libpq makes a text of a refused login, in the language of the server. It can be told to write nothing but the
code, only not through the driver: so it is told directly, and asked once more.
"""

from __future__ import annotations

import ctypes
import re
import select
import sys
import time
from typing import Any

import psycopg
from psycopg import pq

_CODE = re.compile(r"\b(?P<code>[0-9A-Z]{5})\s*$")
_NO_ANSWER, _BROKEN_OFF = "08001", "08006"
# https://www.postgresql.org/docs/current/libpq-control.html: PQERRORS_SQLSTATE
_CODES_ONLY = 3
_SECONDS = 10.0


def sqlstate(arguments: dict[str, Any]) -> str | None:
    """Return why a login fails; None where that cannot be told.

    Parameters
    ----------
    arguments
        Of the connection, as libpq takes them.
    """
    place: dict[str, Any] = {
        name: arguments[name] for name in ("host", "port", "connect_timeout") if name in arguments
    }
    if pq.PGconn.ping(_joined(place)) == pq.Ping.NO_RESPONSE:
        return _NO_ANSWER
    connection = pq.PGconn.connect_start(_joined(arguments))
    try:
        if not _write_codes(connection):
            return None
        _log_in(connection)
        if connection.status == pq.ConnStatus.OK:
            return _BROKEN_OFF  # it was no refusal: the server had gone, and is back
        match = _CODE.search(connection.error_message.decode("ascii", "replace"))
        return match["code"] if match else None
    finally:
        connection.finish()


def _joined(arguments: dict[str, Any]) -> bytes:
    return psycopg.conninfo.make_conninfo(**arguments).encode()


def _write_codes(connection: Any) -> bool:
    """Tell libpq to write codes in place of texts, where it can be found.

    https://www.psycopg.org/psycopg3/docs/api/pq.html#psycopg.pq.PGconn.pgconn_ptr is for such calls.
    """
    module = sys.modules[type(connection).__module__]
    try:
        # The driver in Python has loaded libpq itself, the compiled one is linked with it.
        library = module.impl.pq if hasattr(module, "impl") else ctypes.CDLL(module.__file__)
        control = library.PQsetErrorVerbosity
    except (OSError, AttributeError):
        return False
    control.argtypes, control.restype = [ctypes.c_void_p, ctypes.c_int], ctypes.c_int
    control(connection.pgconn_ptr, _CODES_ONLY)
    return True


def _log_in(connection: Any) -> None:
    waits = {pq.PollingStatus.READING: (True, False), pq.PollingStatus.WRITING: (False, True)}
    deadline = time.monotonic() + _SECONDS
    while (status := connection.connect_poll()) in waits and time.monotonic() < deadline:
        reads, writes = waits[status]
        descriptor = [connection.socket]
        select.select(descriptor * reads, descriptor * writes, [], _SECONDS)
