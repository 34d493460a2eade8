"""One program at a time defines tables of a schema, also where no transaction keeps the others out."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress

from djupyter.errors import DataJointError, QueryError
from djupyter.sql.connection import Connection


@contextmanager
def alone(connection: Connection, schemas: Collection[str]) -> Iterator[None]:
    """Let nobody else define tables of some schemas inside the block, or wait until nobody does.

    Parameters
    ----------
    connection
        Inside the transaction that defines, where the database has such.
    schemas
        Their names.

    Raises
    ------
    QueryError
        Somebody else defines tables for longer than the timeout of the connection.
    """
    backend, taken = connection.backend, list[str]()
    try:
        # In the same order for all, or two could wait for each other.
        for schema in sorted(schemas):
            for sql in backend.define_alone(schema, connection.timeout):
                if connection.fetch(sql)[0][0] in (0, None):
                    raise _busy(schema)
            taken.append(schema)
        yield
    finally:
        for schema in reversed(taken):
            for sql in backend.define_freely(schema):
                # A connection that was lost has lost its locks.
                with suppress(DataJointError):
                    connection.fetch(sql)


def _busy(schema: str) -> QueryError:
    return QueryError(
        f"Another program has been defining tables of the schema `{schema}` for too long; nothing was changed. "
        "Let it end and try again."
    )
