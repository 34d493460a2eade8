"""Garbage collection, as users ask for it: `scan` and `collect`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from djupyter.errors import DataJointError
from djupyter.sql.connection import Connection
from djupyter.stores.store import Store
from djupyter.table.aliases import distinct
from djupyter.table.collected import Report
from djupyter.table.collection import Collection
from djupyter.table.telling import Listener, teller


def scan(
    *schemas: Any,
    store: str | Sequence[str] | None = None,
    grace_period: float | None = None,
    progress: bool | Listener = False,
) -> Report:
    """Return how much lies in the stores for some schemas, and how much of it no row refers to.

    Nothing is changed. Rows of all tables that the database shows count, of whatever schema, imported or not.

    Parameters
    ----------
    *schemas
        Schemas, or virtual ones, of one connection.
    store
        The name of a store, or several; None for all that are configured.
    grace_period
        Seconds for which objects without a row do not count as orphans; None for the setting
        `objects.grace_period`.
    progress
        True shows a bar; a function hears of each `ObjectProgress`.

    Raises
    ------
    DataJointError
        A store is not configured.

    Examples
    --------
    >>> from djupyter.settings import Settings
    >>> from djupyter.table.schema import Schema
    >>> connection = Connection("sqlite://", settings=Settings())
    >>> connection.settings["stores"] = {"default": "raw", "raw": {"protocol": "memory", "location": "scanned"}}
    >>> schema = Schema("lab", connection=connection)
    >>> connection.stores.get("raw").put("_schema/lab/scan/n=1/movie_x1y2z3w4.bin", b"left behind")
    >>> scan(schema, grace_period=0).orphans
    1
    """
    return _work(schemas, store, True, grace_period, progress)


def collect(
    *schemas: Any,
    store: str | Sequence[str] | None = None,
    dry_run: bool = True,
    grace_period: float | None = None,
    progress: bool | Listener = False,
) -> Report:
    """Remove the objects of some schemas that no row refers to and that are older than the grace period.

    It may run while others insert. Let the grace period be longer than any insert or `make` takes, from its first
    object to its commit.

    Parameters
    ----------
    *schemas, store, grace_period, progress
        As for `scan`.
    dry_run
        Only report.

    Raises
    ------
    CollectionRefused
        Something that may refer to an object could not be read. Nothing was removed.
    DataJointError
        A transaction is open, or a store is not configured.
    """
    return _work(schemas, store, dry_run, grace_period, progress)


def _work(
    schemas: Sequence[Any],
    store: str | Sequence[str] | None,
    dry_run: bool,
    grace_period: float | None,
    progress: bool | Listener,
) -> Report:
    connection, names = connection_of(schemas)
    stores = chosen_stores(connection, store)
    with teller(progress) as tell:
        collection = Collection(connection, names, stores, grace_of(connection, grace_period), tell)
        carried_out(collection, dry_run=dry_run)
        return collection.report(dry_run=dry_run)


def carried_out(collection: Collection, *, dry_run: bool) -> None:
    """Look for orphans and remove them."""
    if collection.connection.in_transaction and not dry_run:
        raise DataJointError(
            "A transaction is open: rows that it deletes would come back when it is undone, their objects would not. "
            "Commit it, then collect."
        )
    collection.look(dry_run=dry_run)
    if not dry_run:
        collection.remove()


def grace_of(connection: Connection, grace_period: float | None) -> float:
    """Return the grace period in seconds: as given, or that of the settings."""
    found = connection.settings["objects.grace_period"] if grace_period is None else grace_period
    if not found >= 0:
        raise DataJointError(f"The grace period must be 0 seconds or more, not {found}.")
    return float(found)


def chosen_stores(connection: Connection, store: str | Sequence[str] | None) -> list[Store]:
    """Return the stores of some names, all configured ones for None; each place once."""
    names = (
        connection.stores.names if store is None else [store] if isinstance(store, str) else store
    )
    return distinct([connection.stores.get(name) for name in names])


def connection_of(schemas: Sequence[Any]) -> tuple[Connection, list[str]]:
    """Return the connection and the names of some schemas, which may be virtual ones.

    Raises
    ------
    DataJointError
        There are none, or they are on several connections.
    """
    found = [getattr(schema, "schema", schema) for schema in schemas]
    if not found:
        raise DataJointError("Name at least one schema whose objects are to be looked for.")
    connection: Connection = found[0].connection
    if any(schema.connection is not connection for schema in found):
        raise DataJointError("Collect schemas of one connection at a time.")
    return connection, list(dict.fromkeys(schema.name for schema in found))
