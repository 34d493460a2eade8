"""What codecs may use while rows are written: the objects of the rows share the fate of their transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

from djupyter.codecs.base import Context
from djupyter.heading.structure import TableStructure
from djupyter.stores.staging import Staging

if TYPE_CHECKING:
    from djupyter.sql.connection import Connection


@lru_cache(maxsize=512)
def has_objects(structure: TableStructure) -> bool:
    """Whether a table has attributes whose values lie in stores."""
    return any(a.type is not None and a.is_codec and a.type.in_store for a in structure.attributes)


@contextmanager
def writing(connection: Connection, structure: TableStructure, rows: int) -> Iterator[Context]:
    """Yield what codecs may use to encode some rows of a table.

    For a table with objects a transaction must be open. At the end of the block the objects are written; they are
    removed again when the transaction is undone.
    """
    context: Context = {"config": connection.settings, "stores": connection.stores}
    if not has_objects(structure):
        yield context
        return
    staging = new_staging(connection, rows)
    connection.at_end(staging)
    yield {**context, "staging": staging}
    staging.settle()


def new_staging(connection: Connection, rows: int) -> Staging:
    """Return what writes the objects of some rows, as the settings say."""
    settings = connection.settings
    workers = settings["objects.workers"]
    return Staging(
        connection.stores,
        workers=1 if rows == 1 else workers,
        grace=settings["objects.grace_period"],
        durable=workers if settings["objects.durable"] else 0,
    )


def transaction_for(
    connection: Connection, structure: TableStructure
) -> AbstractContextManager[object]:
    """Return a transaction to write rows in; nobody waits for it while objects are written."""
    return connection.late_transaction if has_objects(structure) else connection.transaction
