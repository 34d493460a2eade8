"""What runs in another process: the table arrives, opens its database there, and makes the keys it is given."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import replace
from functools import lru_cache
from multiprocessing.connection import wait
from pathlib import Path
from traceback import format_exception
from typing import TYPE_CHECKING, Any

import cloudpickle

from djupyter.errors import DataJointError
from djupyter.populate.jobs.job import Job
from djupyter.populate.making.performing import Orders, perform
from djupyter.populate.outcome import Key, Outcome
from djupyter.sql.travelling import check_same
from djupyter.table.default import adopt

if TYPE_CHECKING:
    from djupyter.populate.tiers import AutoPopulate
    from djupyter.sql.connection import Connection

# Two threads that unpickle the same class at once could meet one that is half made.
_arriving = threading.Lock()
# Seconds between two looks at whether the process that gave the work lives, where it does not say so.
_LOOK = 1.0


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
        The database is in the memory of this process, or the class refers to what cannot travel.
    """
    # The connection comes first: modules that the class is in may ask for the default one when they are imported.
    # They are looked for where this process finds them, too.
    try:
        inner = cloudpickle.dumps((type(table), orders))
        return bytes(cloudpickle.dumps((_places(type(table)), table.connection, inner)))
    except DataJointError:
        raise
    except Exception as error:
        name = type(table).__name__
        raise DataJointError(
            f"{name} cannot be sent to another process: {type(error).__name__}: {error}. Its class refers to an object "
            "that lives in this process only, such as an open file or a lock; make that inside of `make`, or move "
            "the class to a module."
        ) from error


def _places(cls: type) -> list[str]:
    """Return where modules are found here; the first is the folder of the module or package that a class is in."""
    places = [str(Path(place).absolute()) for place in sys.path]
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    if file is not None:
        depth = cls.__module__.count(".") + (Path(file).name == "__init__.py")
        places.insert(0, str(Path(file).absolute().parents[depth]))
    return places


def prepare(memory: int | None = None) -> None:
    """Prepare a process for work.

    Parameters
    ----------
    memory
        Bytes that it may have; beyond, Python raises MemoryError, and compiled code mostly ends the process.
    """
    # Ctrl-C, and the end of a service, reach the whole group of processes; the one that gave the work decides what it
    # means. Pools that a make starts end theirs by SIGTERM, which those would inherit as ignored.
    with suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, _unless_forked(os.getpid()))
    # loky leaves its own as what Python's multiprocessing starts processes by, and those do not know it.
    multiprocessing.set_start_method(None, force=True)
    if memory is not None:
        limit_memory(memory)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _unless_forked(owner: int) -> Callable[[int, object], None]:
    """Return a handler that does nothing in one process, and lets those that a make has forked be ended as usual."""

    def hear(number: int, _: object) -> None:
        if os.getpid() != owner:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    return hear


def _end_with_parent() -> None:
    """End this process when the one that gave the work is gone, whatever is being made: nobody waits for it."""
    parent = multiprocessing.parent_process()
    sentinel = getattr(parent, "_sentinel", None)
    if sentinel is not None:
        wait([sentinel])
    else:
        before = os.getppid()
        while os.getppid() == before:
            time.sleep(_LOOK)
    os._exit(1)


def limit_memory(memory: int) -> None:
    """Let this process have no more than so many bytes; nothing happens where the system has no such limit."""
    with suppress(ImportError):
        import resource

        kind = resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS
        _, most = resource.getrlimit(kind)
        resource.setrlimit(kind, (memory if most < 0 else min(memory, most), most))


# Seconds since 1970 that no clock shows: a journal of then says that no key is in work, until it is written to again.
FAR = 2.0**32


def work(data: bytes, keys: Sequence[Key], journal: str | None = None, call: str = "") -> bytes:
    """Make keys of a table that has travelled, and return for `outcomes_of` what became of them, or what failed.

    Parameters
    ----------
    data
        The table, as `packed` gave it.
    keys
        Primary-key values.
    journal
        A file that tells how far this is, should the process die; `read_journal` reads it.
    call
        Makes each call different from all others.
    """
    # Not every executor knows how to pickle what is written in a notebook, as a class of exceptions; and an error that
    # comes from it shall be its own.
    try:
        outcomes = _performed(data, keys, journal)
    except Exception as error:
        message, stack = f"{type(error).__name__}: {error}", "".join(format_exception(error))
        return bytes(cloudpickle.dumps(_sent(Outcome({}, "failed", 0.0, message, stack, error))))
    return bytes(cloudpickle.dumps([_sent(outcome) for outcome in outcomes]))


def _performed(data: bytes, keys: Sequence[Key], journal: str | None) -> list[Outcome]:
    table, orders = _unpacked(data)
    if journal is None:
        return perform(table, keys, orders)
    with Path(journal).open("wb", buffering=0) as file:
        return perform(
            table,
            keys,
            orders,
            begins=lambda _: _note(file, None),
            fails=lambda: os.utime(journal, (FAR, FAR)),
            told=lambda outcome: _note(file, outcome),
        )


def outcomes_of(data: bytes) -> list[Outcome]:
    """Return what `work` has returned in another process.

    Raises
    ------
    Exception
        It had failed as a whole.
    """
    said = cloudpickle.loads(data)
    if isinstance(said, tuple):
        error = _received(*said).exception
        assert error is not None, "it is why it failed"
        raise error
    return [_received(*sent) for sent in said]


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
            outcome = Outcome(key, status, seconds, error, stack, None, retry_in)
            outcomes.append(_received(outcome, None))
    return outcomes, begun


@lru_cache(maxsize=64)  # it costs more than many keys; a worker of a cluster may live for weeks
def _unpacked(data: bytes) -> tuple[AutoPopulate, Orders]:
    connection: Connection
    with _arriving:
        places, connection, inner = cloudpickle.loads(data)
        sys.path.extend(place for place in places if place not in sys.path)
        adopt(connection)
        try:
            cls, orders = cloudpickle.loads(inner)
        except ImportError as error:
            raise DataJointError(
                f"A table cannot be opened in another process: {error}. Install the module there, or let its classes "
                "travel as those of a notebook do, with cloudpickle.register_pickle_by_value(module)."
            ) from error
        table = cls()
        if table.connection is not connection:
            check_same(table.connection, connection, cls.__name__)
            if orders.hold is not None:
                # A job must end in the transaction that holds its result.
                orders.hold = copy(orders.hold)
                orders.hold.job = Job(table)
    return table, orders


class WorkerTraceback(Exception):  # noqa: N818 - the cause of an error: it only shows where that was raised
    """Where an error was raised in another process; its text is that traceback."""


def _sent(outcome: Outcome) -> tuple[Outcome, bytes | None]:
    """Return an outcome as it travels: its exception apart, for not every one can."""
    error: bytes | None = None
    with suppress(Exception):
        error = cloudpickle.dumps(outcome.exception)
    return replace(outcome, exception=None), error


def _received(outcome: Outcome, packed_error: bytes | None) -> Outcome:
    """Return an outcome as it was there; a traceback cannot travel, so its text becomes the cause."""
    if not outcome.error:
        return outcome
    error: Any = None
    with suppress(Exception):
        error = None if packed_error is None else cloudpickle.loads(packed_error)
    if not isinstance(error, BaseException):
        error = DataJointError(outcome.error)
    error.__cause__ = WorkerTraceback(f"\n{outcome.traceback}")
    return replace(outcome, exception=error)
