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
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from platform import node as host_name
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from djupyter.codecs.blob import pack
from djupyter.definition.names import TableName
from djupyter.errors import AccessError
from djupyter.heading.structure import TableStructure
from djupyter.populate.jobs import tables as job_tables
from djupyter.sql import ddl, write
from djupyter.table.one import adapters_of
from djupyter.table.table import FreeTable

if TYPE_CHECKING:
    from djupyter.sql.connection import Connection

Outcome = Literal["success", "error", "lost"]
_encoder = json.JSONEncoder(sort_keys=True, default=str)


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
    place
        The host and the process that made it; None for this one.
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
    place: tuple[str, int] | None = None


class JobLog:
    """Writes and reads the logs of the schemas of a connection.

    Parameters
    ----------
    connection
        Where the schemas are. Where the user may not create a log, or not write to it, none is kept.
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
                try:
                    self._insert(table.structure, rows)
                except AccessError:
                    self._refused.add(schema)
            del self._waiting[schema]

    def is_kept(self, schema: str) -> bool:
        """Return whether attempts of a schema can be counted, as far as it was tried to write some."""
        return self._table(schema) is not None

    def _insert(self, structure: TableStructure, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows whose values are canonical: they need none of the checks that an insert makes for users."""
        connection, names = self._connection, tuple(structure.heading)
        if not any(row["error_class"] or row["error_message"] for row in rows):
            names = tuple(name for name in names if not name.startswith("error_"))
        adapters = adapters_of(structure, connection.backend)
        columns = []
        for name in names:
            adapt = adapters[name]
            values = [row[name] for row in rows]
            # What is JSON or a blob is what the column holds already.
            if adapt is not None and not structure.by_name[name].is_json:
                values = [None if value is None else adapt(value) for value in values]
            columns.append(values)
        # A first attempt may have lost its connection after it was carried out.
        sql = write.insert(structure, names, "skip", connection.backend)
        connection.execute_many(sql, zip(*columns, strict=True))

    def of(self, table: TableName, key: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the attempts to make a key, the first one first."""
        log = FreeTable(self._connection, job_tables.log(table.schema).name)
        if not log.is_declared:
            return []
        found: Any = log & {"table_name": table.table, "key_hash": key_hash(key)}
        return list(found.to_dicts(order_by="KEY"))

    def last(
        self, table: TableName, key: Mapping[str, Any], most: int
    ) -> tuple[list[dict[str, Any]], int]:
        """Return the last attempts to make a key, the first of them first, and how many came before those."""
        log = FreeTable(self._connection, job_tables.log(table.schema).name)
        if not log.is_declared:
            return [], 0
        all_of_it: Any = log & {"table_name": table.table, "key_hash": key_hash(key)}
        found = all_of_it.to_dicts(order_by="attempt DESC", limit=most) if most else []
        earlier = len(all_of_it) - len(found) if len(found) == most else 0
        return found[::-1], earlier

    def failures(
        self, table: TableName, key: Mapping[str, Any], outcome: Outcome, error_class: str = ""
    ) -> int:
        """Return how often a key has ended in a way since it was last made; what was taken down is sent before.

        Parameters
        ----------
        table, key
            Which key.
        outcome
            In which way.
        error_class
            Count only those with this class of error, if any is given.
        """
        self.write()
        counted = 0
        for attempt in self.of(table, key):
            if attempt["outcome"] == "success":
                counted = 0
            elif attempt["outcome"] == outcome and error_class in ("", attempt["error_class"]):
                counted += 1
        return counted

    def failed_since(
        self, table: TableName, keys: Sequence[Mapping[str, Any]], moment: float
    ) -> dict[str, dict[str, Any]]:
        """Return the last failures of some keys, by the hash of the key.

        Parameters
        ----------
        table, keys
            Which keys.
        moment
            Seconds since 1970; only attempts that began later count.
        """
        log = FreeTable(self._connection, job_tables.log(table.schema).name)
        if not log.is_declared:
            return {}
        since = _moment(moment)
        found: Any = log & {"table_name": table.table, "outcome": "error"}
        found = found & [{"key_hash": key_hash(key)} for key in keys] & f"started >= '{since}'"
        return {row["key_hash"]: row for row in found.to_dicts(order_by="KEY")}

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
    return _hash(_text(key))


def _hash(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _text(key: Mapping[str, Any]) -> str:
    return _encoder.encode(dict(key))


def _row(attempt: Attempt) -> dict[str, Any]:
    key, here = _text(attempt.key), _whereabouts(os.getpid())
    host, pid = attempt.place or (here["host"], here["pid"])
    return {
        # In the order of time, so that they are written one beside the other.
        "attempt": UUID(int=(time.time_ns() << 64) | random.getrandbits(64)),
        "table_name": attempt.table.table,
        "key_hash": _hash(key),
        "job_key": key,
        "outcome": attempt.outcome,
        "started": _moment(attempt.started),
        "duration": attempt.seconds,
        "user": here["user"],
        "host": host,
        "pid": pid,
        "version": attempt.version[:255],
        "inputs": None if attempt.inputs is None else _encoder.encode(attempt.inputs),
        "error_class": attempt.error_class[:255],
        "error_message": attempt.message[: job_tables.LONGEST_MESSAGE],
        "error_stack": None if attempt.stack is None else pack(attempt.stack),
    }


def _moment(seconds: float) -> datetime:
    """Return what the column of the log holds, UTC to the millisecond."""
    exact = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    return exact.replace(microsecond=exact.microsecond // 1000 * 1000)


@cache
def _whereabouts(pid: int) -> dict[str, Any]:
    """Return who works where, once for each process: a fork is another one."""
    try:
        user = getpass.getuser()[:255]
    except (OSError, KeyError):  # a container's user without a name
        user = ""
    return {"user": user, "host": host_name()[:255], "pid": pid}
