"""The job log of a schema: each attempt to make a key, how it ended, when, where, by which code, from which rows.

It is written in batches, so that a key costs no statement of its own; a worker that is killed may leave the last
moment's successes out.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import random
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from platform import node as host_name
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from djupyter.definition.names import TableName
from djupyter.errors import AccessError
from djupyter.populate import job_tables
from djupyter.sql import ddl
from djupyter.table.table import FreeTable

if TYPE_CHECKING:
    from djupyter.sql.connection import Connection

Outcome = Literal["success", "error", "lost"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to make a key.

    Parameters
    ----------
    table
        Whose key.
    key
        Primary-key values.
    outcome
        `lost` when the worker died or lost its right to the job.
    started
        Seconds since 1970.
    seconds
        How long it took.
    version
        Of the code.
    inputs
        What the result depends on, as plain data.
    error_class, message, stack
        Of an error: its class, its words and its traceback.
    """

    table: TableName
    key: Mapping[str, Any]
    outcome: Outcome
    started: float
    seconds: float
    version: str = ""
    inputs: Mapping[str, Any] | None = None
    error_class: str = ""
    message: str = ""
    stack: str | None = None


class JobLog:
    """Writes and reads the logs of the schemas of a connection.

    Parameters
    ----------
    connection
        Where the schemas are. Where the user may not create a log, none is kept.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._waiting: dict[str, list[dict[str, Any]]] = {}
        self._refused: set[str] = set()

    def note(self, attempt: Attempt) -> None:
        """Take down an attempt; `write` sends it."""
        self._waiting.setdefault(attempt.table.schema, []).append(_row(attempt))

    def write(self) -> None:
        """Send what was taken down, in one statement for each schema."""
        while self._waiting:
            schema, rows = next(iter(self._waiting.items()))
            table = self._table(schema)
            if table is not None:
                # A first attempt may have lost its connection after it was carried out.
                table.insert(rows, skip_duplicates=True)
            del self._waiting[schema]

    def of(self, table: TableName, key: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the attempts to make a key, the first one first."""
        log = FreeTable(self._connection, job_tables.log(table.schema).name)
        if not log.is_declared:
            return []
        found: Any = log & {"table_name": table.table, "key_hash": key_hash(key)}
        return list(found.to_dicts(order_by="KEY"))

    def failures(self, table: TableName, key: Mapping[str, Any], *outcomes: Outcome) -> int:
        """Return how often a key has ended in one of some ways since it was last made."""
        counted = 0
        for attempt in self.of(table, key):
            counted = (
                0 if attempt["outcome"] == "success" else counted + (attempt["outcome"] in outcomes)
            )
        name = key_hash(key)
        waiting = [
            row
            for row in self._waiting.get(table.schema, ())
            if row["outcome"] in outcomes and row["key_hash"] == name
        ]
        return counted + len(waiting)

    def _table(self, schema: str) -> FreeTable | None:
        structure = job_tables.log(schema)
        table = FreeTable(self._connection, structure.name)
        if schema not in self._refused and not table.is_declared:
            # The work matters more than the record of it.
            with suppress(AccessError):
                ddl.declare(self._connection, structure)
                return table
            self._refused.add(schema)
        return None if schema in self._refused else table


def key_hash(key: Mapping[str, Any]) -> str:
    """Return what the attempts of a key are found by.

    >>> key_hash({"a": 1, "b": "x"}) == key_hash({"b": "x", "a": 1})
    True
    """
    return hashlib.md5(_text(key).encode(), usedforsecurity=False).hexdigest()


def _text(key: Mapping[str, Any]) -> str:
    return json.dumps(dict(key), sort_keys=True, default=str)


def _row(attempt: Attempt) -> dict[str, Any]:
    return {
        # In the order of time, so that they are written one beside the other.
        "attempt": UUID(int=(time.time_ns() << 64) | random.getrandbits(64)),
        "table_name": attempt.table.table,
        "key_hash": key_hash(attempt.key),
        "job_key": json.loads(_text(attempt.key)),
        "outcome": attempt.outcome,
        "started": datetime.fromtimestamp(attempt.started, UTC).replace(tzinfo=None),
        "duration": attempt.seconds,
        "user": _user(),
        "host": host_name()[:255],
        "pid": os.getpid(),
        "version": attempt.version[:255],
        "inputs": attempt.inputs,
        "error_class": attempt.error_class[:255],
        "error_message": attempt.message[: job_tables.LONGEST_MESSAGE],
        "error_stack": attempt.stack,
    }


@cache
def _user() -> str:
    try:
        return getpass.getuser()[:255]
    except (OSError, KeyError):  # a container's user without a name
        return ""
