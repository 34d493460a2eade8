"""Counts the statements that reach a database, whoever sends them.

To a server they go through a relay that reads the first bytes of each message; for SQLite the calls of the driver
are watched. Only for counting: both are slow.
"""

from __future__ import annotations

import socket
import sqlite3
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from benchmarks.places import Place

Read = Callable[[int], bytes]

# MySQL: a command starts with number 0; queries and executions of prepared statements count.
_MYSQL_COMMANDS = {0x03, 0x17}
# PostgreSQL: simple queries and executions.
_POSTGRESQL_MESSAGES = {b"Q", b"E"}
_REQUESTS = {80877103, 80877104}  # for encryption; the server answers, then the client starts
_MYSQL_TLS = 0x0800  # among the abilities in the server's greeting


@dataclass
class Counter:
    """How many statements there were so far."""

    statements: int = 0

    def add(self, *_: object) -> None:
        """Count one more."""
        self.statements += 1


@contextmanager
def counted(place: Place) -> Iterator[tuple[Place, Counter]]:
    """Yield a way to a place on which statements are counted, and the counter."""
    counter = Counter()
    if place.backend == "sqlite":
        # Its own trace also tells of each look at a foreign key.
        sys.setprofile(lambda frame, event, called: _watch(event, called, counter))
        try:
            yield place, counter
        finally:
            sys.setprofile(None)
        return
    url = sa.make_url(place.url)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        relay = threading.Thread(
            target=_accept,
            args=(listener, (url.host, url.port), _READERS[place.backend], counter),
            daemon=True,
        )
        relay.start()
        yield place.at(listener.getsockname()[1]), counter


def _watch(event: str, called: object, counter: Counter) -> None:
    if event == "c_call" and getattr(called, "__name__", "").startswith("execute"):
        owner = getattr(called, "__self__", None)
        if isinstance(owner, sqlite3.Connection | sqlite3.Cursor):
            counter.add()


def _accept(
    listener: socket.socket,
    server: tuple[str, int],
    reader: Callable[[Read, Counter], Iterator[bytes]],
    counter: Counter,
) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:  # closed: counting is over
            return
        there = socket.create_connection(server)
        for one in (client, there):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        greet = _mysql_greeting if reader is _mysql else None
        threading.Thread(target=_back, args=(there, client, greet), daemon=True).start()
        threading.Thread(target=_forth, args=(client, there, reader, counter), daemon=True).start()


def _back(
    there: socket.socket, client: socket.socket, greet: Callable[[Read], bytes] | None
) -> None:
    try:
        if greet is not None:
            client.sendall(greet(lambda size: _exactly(there, size)))
        while data := there.recv(1 << 16):
            client.sendall(data)
    except (OSError, EOFError):
        return


def _forth(
    client: socket.socket,
    there: socket.socket,
    reader: Callable[[Read, Counter], Iterator[bytes]],
    counter: Counter,
) -> None:
    try:
        for message in reader(lambda size: _exactly(client, size), counter):
            there.sendall(message)
    except (OSError, EOFError):
        there.close()


def _exactly(source: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = source.recv(size - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def _mysql_greeting(read: Read) -> bytes:
    """Return what the server says first, without its offer of encryption, which would hide the statements.

    Source: MySQL Internals, Protocol::HandshakeV10.
    """
    head = read(4)
    body = bytearray(read(int.from_bytes(head[:3], "little")))
    if body[0] != 10:  # a refusal
        return head + bytes(body)
    # The protocol, the server's version and a zero, the connection, 8 bytes of a nonce, a zero, the abilities.
    abilities = body.index(0, 1) + 1 + 4 + 8 + 1
    offered = int.from_bytes(body[abilities : abilities + 2], "little")
    body[abilities : abilities + 2] = (offered & ~_MYSQL_TLS).to_bytes(2, "little")
    return head + bytes(body)


def _mysql(read: Read, counter: Counter) -> Iterator[bytes]:
    while True:
        head = read(4)
        body = read(int.from_bytes(head[:3], "little"))
        if head[3] == 0 and body and body[0] in _MYSQL_COMMANDS:
            counter.add()
        yield head + body


def _postgresql(read: Read, counter: Counter) -> Iterator[bytes]:
    while True:
        head = read(8)
        size, code = struct.unpack("!II", head)
        yield head + read(size - 8)
        if code not in _REQUESTS:
            break
    while True:
        head = read(5)
        if head[:1] in _POSTGRESQL_MESSAGES:
            counter.add()
        yield head + read(struct.unpack("!I", head[1:])[0] - 4)


_READERS = {"mysql": _mysql, "postgresql": _postgresql}
