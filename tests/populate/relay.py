"""A relay between a worker and its server, which loses the network at a chosen moment."""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import suppress
from multiprocessing import get_context
from typing import Any

import sqlalchemy as sa

# Seconds that each loss lasts, with the pauses that a worker makes; 0 lasts until the worker has tried a few times.
LOSS = float(os.environ.get("DJ_TEST_LOSS_SECONDS", "0"))
_REFUSALS = 3


class _Relay:
    """Listens beside a server, and passes on all bytes until it is told otherwise.

    Parameters
    ----------
    url
        The server.

    """

    def __init__(self, url: str) -> None:
        self._server = sa.make_url(url)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._until, self._refusals, self._swallows = 0.0, 0, False
        self._trigger: tuple[bytes, bool] | None = None
        self.losses = 0
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def lose_at(self, words: bytes, passes: bool) -> None:
        self._trigger = words, passes

    def lose(self) -> None:
        self.losses += 1
        self._until, self._refusals = time.monotonic() + LOSS, 0 if LOSS else _REFUSALS
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            _end(*pair)

    def _is_lost(self) -> bool:
        if self._refusals:
            self._refusals -= 1
            return True
        return time.monotonic() < self._until

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            if self._is_lost():
                client.close()
                continue
            there = socket.create_connection((self._server.host, self._server.port))
            self._pairs.append((client, there))
            for one, other, sees in ((client, there, self._asks), (there, client, self._answers)):
                threading.Thread(target=_pass, args=(one, other, sees), daemon=True).start()

    def _asks(self, data: bytes) -> bool:
        """Lose the network when it is time; return whether the data shall still pass."""
        if self._trigger is None or self._trigger[0] not in data:
            return True
        (_, self._swallows), self._trigger = self._trigger, None
        if not self._swallows:
            self.lose()
        return self._swallows

    def _answers(self, _: bytes) -> bool:
        """Lose the network where the answer must not be heard: what was asked for is done."""
        if not self._swallows:
            return True
        self._swallows = False
        self.lose()
        return False


def _pass(one: socket.socket, other: socket.socket, sees: Any) -> None:
    with suppress(OSError):
        while data := one.recv(1 << 16):
            if sees(data):
                other.sendall(data)
    _end(one, other)


def _end(*sockets: socket.socket) -> None:
    for each in sockets:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()


def _serve(url: str, orders: Any) -> None:
    relay = _Relay(url)
    with suppress(EOFError):
        while True:
            name, *arguments = orders.recv()
            found = getattr(relay, name)
            orders.send(found(*arguments) if callable(found) else found)


class Relay:
    """A relay in a process of its own: drivers may keep Python's lock while they wait for it.

    Parameters
    ----------
    url
        The server.
    """

    def __init__(self, url: str) -> None:
        context = get_context("forkserver")
        self._orders, there = context.Pipe()
        self._process = context.Process(target=_serve, args=(url, there), daemon=True)
        self._process.start()
        there.close()
        port = self._order("port")
        self.url = sa.make_url(url).set(host="127.0.0.1", port=port).render_as_string(False)

    @property
    def losses(self) -> int:
        """How often the network was lost."""
        return int(self._order("losses"))

    def lose(self) -> None:
        """Lose the network: every connection ends, and no other one is made for a while."""
        self._order("lose")

    def lose_at(self, words: bytes, *, passes: bool) -> None:
        """Lose the network once, when these words are sent; just before, or when they were carried out."""
        self._order("lose_at", words, passes)

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.join()
        self._orders.close()

    def _order(self, *words: object) -> Any:
        self._orders.send(words)
        return self._orders.recv()
