"""Starts the process that keeps a worker's lease alive, and talks to it.

It is a process because nothing inside the worker is sure to run: code of the user may hold Python's lock for
hours. What it does stands in `guarding`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING, Any

from djupyter.sql.travelling import recipe

if TYPE_CHECKING:
    from djupyter.sql.connection import Connection

_PROGRAM = Path(__file__).with_name("guarding.py")
_SECONDS_TO_END = 5


class Guardian:
    """The process that renews a lease, from the parent's side.

    Parameters
    ----------
    connection
        Where the lease is.
    worker
        Its number.
    seconds
        How long it lasts.
    """

    def __init__(self, connection: Connection, worker: int, seconds: float) -> None:
        self._connection = connection
        self._known: dict[str, Any] = {"worker": worker, "seconds": seconds}
        self._process: subprocess.Popen[bytes] | None = None
        number, self._known["work"] = mkstemp(prefix="djupyter-", suffix=".work")
        self._work = open(number, "r+b", buffering=0)  # noqa: SIM115  # lives as long as this

    def tell(self, order: Mapping[str, Any]) -> None:
        """Send an order; starts the process if there is none, or it has died."""
        self._known.update(order)
        if self._process is None or not self._sent(order):
            self._start()

    def revive(self) -> None:
        """Start the process again if it has died."""
        if self._process is not None and self._process.poll() is not None:
            self._bury()
            self._start()

    def works_on(self, table: str, key: Mapping[str, Any] | None, limit: float | None) -> None:
        """Say which key is being made, if any, and how many seconds that may take.

        It stands in a file, which the process looks into when it must: to be told would wake it for each key.
        """
        work = None
        if key is not None:
            work = {"table": table, "key": dict(key), "limit": limit, "began": time.monotonic()}
        self._work.seek(0)
        self._work.write(json.dumps(work, default=str).encode() + b"\n")

    def end(self) -> None:
        """End the process; the lease is the caller's to give up."""
        self._work.close()
        Path(self._known["work"]).unlink(missing_ok=True)
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        with suppress(OSError):
            process.stdin.write(b'{"end": true}\n')
            process.stdin.flush()
        with suppress(OSError):
            process.stdin.close()
        try:
            process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _start(self) -> None:
        # Its text is run, not its module, which would import the whole package before it is needed. In a session of
        # its own no Ctrl-C reaches it.
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM.read_text(encoding="utf-8")],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        about = {"path": sys.path, "parent": os.getpid(), "place": recipe(self._connection)}
        self._sent({**about, **self._known})

    def _bury(self) -> None:
        """Let go of a process that has died."""
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            process.wait()
            with suppress(OSError):
                process.stdin.close()  # would send what was not sent

    def _sent(self, order: Mapping[str, Any]) -> bool:
        assert self._process is not None, "started before"
        assert self._process.stdin is not None, "a pipe"
        try:
            self._process.stdin.write(json.dumps(order, default=str).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:  # it was killed
            self._bury()
            return False
        return True
