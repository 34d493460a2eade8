"""What runs in another process: the table arrives, opens its database there, and makes the keys it is given."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cloudpickle

from djupyter.populate.make import Key
from djupyter.populate.performing import Orders, Outcome, perform
from djupyter.table.default import adopt

if TYPE_CHECKING:
    from djupyter.populate.tiers import AutoPopulate
    from djupyter.sql.connection import Connection

# Seconds between two looks at whether the process that gives the work lives.
_LOOK = 1.0
# Tables that have arrived in this process, by what they were sent as. Unpickling one costs more than many keys.
_arrived: dict[bytes, tuple[AutoPopulate, Orders]] = {}


def packed(table: AutoPopulate, orders: Orders) -> bytes:
    """Return a table as it travels: with its class where that is written in a notebook, and its connection.

    Parameters
    ----------
    table
        An instance of it.
    orders
        How its keys are made.

    Raises
    ------
    DataJointError
        The database is in the memory of this process.
    """
    # The connection comes first: modules that the class is in may ask for the default one when they are imported.
    data: bytes = cloudpickle.dumps((table.connection, cloudpickle.dumps((type(table), orders))))
    return data


def prepare(memory: int | None = None) -> None:
    """Prepare a process for work.

    Parameters
    ----------
    memory
        Bytes that it may have; beyond, Python raises MemoryError, and compiled code mostly ends the process.
    """
    # Ctrl-C, and the end of a service, reach the whole group of processes; the one that gave the work decides what it
    # means.
    with suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    if memory is not None:
        limit_memory(memory)


def _end_with(parent: int) -> None:
    """End this process when the one that gave it work is gone: nobody hears of its results, nor ends it any more."""
    while os.getppid() == parent:
        time.sleep(_LOOK)
    os._exit(1)


def limit_memory(memory: int) -> None:
    """Let this process have no more than so many bytes; nothing happens where the system has no such limit."""
    with suppress(ImportError):
        import resource

        kind = resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS
        _, most = resource.getrlimit(kind)
        resource.setrlimit(kind, (memory if most < 0 else min(memory, most), most))


def work(data: bytes, keys: Sequence[Key], journal: str | None = None) -> list[Outcome]:
    """Make keys of a table that has travelled, and return what became of them.

    Parameters
    ----------
    data
        The table, as `packed` gave it.
    keys
        Primary-key values.
    journal
        A file that tells how far this is, should the process die; `read_journal` reads it.
    """
    table, orders = _unpacked(data)
    if journal is None:
        outcomes = perform(table, keys, orders)
    else:
        with Path(journal).open("wb", buffering=0) as file:
            outcomes = perform(
                table,
                keys,
                orders,
                begins=lambda _: _note(file, None),
                told=lambda outcome: _note(file, outcome),
            )
    return [_portable(outcome) for outcome in outcomes]


def _note(file: Any, outcome: Outcome | None) -> None:
    said = None
    if outcome is not None:
        said = [outcome.status, outcome.seconds, outcome.error, outcome.traceback, outcome.retry_in]
    file.write(json.dumps(said).encode() + b"\n")


def read_journal(journal: str, keys: Sequence[Key]) -> tuple[list[Outcome], bool]:
    """Return what became of the first keys, and whether the one after them had been begun."""
    outcomes: list[Outcome] = []
    begun = False
    for line in Path(journal).read_bytes().splitlines():
        try:
            said = json.loads(line)
        except ValueError:  # cut short by the death
            break
        begun = said is None
        if said is not None:
            status, seconds, error, stack, retry_in = said
            key = keys[len(outcomes)]
            outcomes.append(Outcome(key, status, seconds, error, stack, None, retry_in))
    return outcomes, begun


def _unpacked(data: bytes) -> tuple[AutoPopulate, Orders]:
    if data not in _arrived:
        connection: Connection
        connection, pickled = cloudpickle.loads(data)
        adopt(connection)
        cls, orders = cloudpickle.loads(pickled)
        _arrived[data] = cls(), orders
    return _arrived[data]


def _portable(outcome: Outcome) -> Outcome:
    """Return an outcome that can travel back: not every exception can."""
    if outcome.exception is None:
        return outcome
    try:
        cloudpickle.loads(cloudpickle.dumps(outcome.exception))
    except Exception:
        return Outcome(
            outcome.key, outcome.status, outcome.seconds, outcome.error, outcome.traceback
        )
    return outcome
