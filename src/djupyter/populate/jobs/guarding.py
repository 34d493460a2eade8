"""The program of the process that keeps a worker's lease alive; `guardian` starts it.

Orders come as lines of JSON. It renews the lease three times in its duration. When the worker has gone without
saying so, it ends the lease, so that others need not wait for that, and notes what the worker died over.
Only Python's own modules are imported until the first renewal: most workers end before.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

# Seconds between two looks at whether the worker lives, and after its time limit in which it may end by itself.
_LOOK, _GRACE = 1.0, 5.0
# Windows has only one way to end a process, by another name.
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)


def main() -> None:
    """Obey the orders of the worker that started this process."""
    # Whoever stops a service may send the signal to all its processes: the worker decides when it ends.
    with suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    orders: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(orders,), daemon=True).start()
    state = orders.get()
    if state is not None:
        sys.path[:] = state["path"]
        _Watch(state).keep(orders)
    os._exit(0)  # Python would wait for the thread that reads


def _read(orders: queue.SimpleQueue[dict[str, Any] | None]) -> None:
    for line in sys.stdin.buffer:
        orders.put(json.loads(line))
    orders.put(None)


class _Watch:
    """What is known of the worker."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state
        self.pause = state["seconds"] / 3
        # Python may take seconds to import what it takes to renew, where many start at once.
        self.next = time.monotonic() + self.pause / 2

    def keep(self, orders: queue.SimpleQueue[dict[str, Any] | None]) -> None:
        """Renew the lease until the worker ends."""
        while True:
            for order in self._heard(orders):
                if order is None:
                    return self.bury()
                if order.get("end"):
                    return
                self.state.update(order)
            if os.getppid() != self.state["parent"]:
                return self.bury()
            now = time.monotonic()
            if self._is_late():
                os.kill(self.state["parent"], _KILL)
                return self.bury(is_late=True)
            if now >= self.next:
                self.next = now + self.pause
                # The server may be away; what then happens to the lease it decides when it is back.
                with suppress(Exception):
                    self._renew()

    def _heard(self, orders: queue.SimpleQueue[dict[str, Any] | None]) -> Iterator[Any]:
        wait = max(0.0, min(self.next - time.monotonic(), _LOOK))
        with suppress(queue.Empty):
            yield orders.get(timeout=wait)
            while True:
                yield orders.get_nowait()

    def _now_at(self) -> dict[str, Any] | None:
        """Return what the worker is making, or was when it died; None when it had begun nothing."""
        with suppress(ValueError, OSError):  # only in part, or the worker has just ended
            written = Path(self.state["work"]).read_bytes().partition(b"\n")[0]
            found: dict[str, Any] | None = json.loads(written)
            return found
        return None

    def _is_late(self) -> bool:
        work = self._now_at()
        if work is None or work["limit"] is None:
            return False
        deadline: float = work["began"] + work["limit"] + _GRACE
        return time.monotonic() > deadline  # the same clock as the worker's

    def _renew(self) -> None:
        from djupyter.populate.jobs.leases import renew

        renewed = [
            renew(workers, self.state["worker"], self.state["seconds"], self.state["about"])
            for workers in self._workers()
        ]
        if all(renewed) and self.state.get("health_file"):
            Path(self.state["health_file"]).touch()

    def _workers(self) -> Iterator[Any]:
        from djupyter.populate.jobs.tables import WORKERS
        from djupyter.sql.connection import Connection
        from djupyter.sql.travelling import opened
        from djupyter.table.table import FreeTable

        if "connection" not in self.state:
            self.state["connection"] = opened(Connection, self.state["place"])
        for schema in self.state["schemas"]:
            yield FreeTable(self.state["connection"], f"`{schema}`.`{WORKERS}`")

    def bury(self, *, is_late: bool = False) -> None:
        """End the lease of a worker that has died, and note what it died over."""
        from djupyter.populate.jobs.deaths import note_death

        tables = list(self._workers())
        work = self._now_at()
        if work:
            note_death(
                self.state["connection"],
                self.state["worker"],
                work,
                self.state["about"],
                is_late=is_late,
            )
        for workers in tables:
            (workers & {"connection_id": self.state["worker"]}).delete_quick()
        Path(self.state["work"]).unlink(missing_ok=True)


if __name__ == "__main__":
    main()
