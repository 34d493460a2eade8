"""Inserting: rows in any form, in batches, all or nothing."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Literal

from djupyter.errors import (
    DataJointError,
    DuplicateError,
    IntegrityError,
    InvalidValueError,
    TooLargeError,
)
from djupyter.heading.structure import TableStructure
from djupyter.query import statement
from djupyter.query.algebra import Algebra, instance
from djupyter.query.expression import Query
from djupyter.query.select import Lowering
from djupyter.sql import write
from djupyter.table.copying import check_copied, copied
from djupyter.table.culprit import with_double, with_orphan
from djupyter.table.encoding import check_given, encoded, known_names
from djupyter.table.objects import has_objects, transaction_for, writing
from djupyter.table.one import adapters_of, one_encoded
from djupyter.table.passed import give_up_passed_over
from djupyter.table.rows import Batch, batches
from djupyter.table.unfit import with_character, with_largest

if TYPE_CHECKING:
    from djupyter.sql.connection import Connection
    from djupyter.table.table import Table

Mode = Literal["error", "skip", "replace"]

# Bounds memory for generators; large enough that the work per batch does not show.
_BATCH_ROWS = 10_000
# Values that pass through codecs may be large.
_HEAVY_ROWS = 200


def insert(
    table: Table, rows: Any, mode: Mode, *, ignore_extra: bool, chunk_size: int | None
) -> int:
    """Insert rows into a table and return how many; see `Table.insert`."""
    query = instance(rows)
    if isinstance(query, Algebra):
        if chunk_size is not None:
            raise DataJointError(
                "chunk_size does not apply to a query, whose rows stay in the database."
            )
        return _insert_query(table, query, mode, ignore_extra=ignore_extra)
    if chunk_size is not None and chunk_size < 1:
        raise DataJointError(f"chunk_size must be at least 1, not {chunk_size}.")
    structure, connection = table.structure, table.connection
    is_one = type(rows) is list and len(rows) == 1
    if is_one and type(rows[0]) is dict:
        ready = one_encoded(rows[0], structure, connection.backend)
        if ready is not None:
            return _send(connection, structure, ready, mode)
    # With chunk_size every chunk is committed by itself; otherwise one transaction holds all batches.
    is_whole = chunk_size is None and not is_one
    size = chunk_size or _batch_rows(structure)
    with transaction_for(connection, structure) if is_whole else nullcontext():
        return sum(
            _insert_batch(connection, structure, batch, mode, ignore_extra=ignore_extra)
            for batch in batches(rows, structure.heading.names, size)
        )


def _batch_rows(structure: TableStructure) -> int:
    is_heavy = any(attribute.is_codec for attribute in structure.heading.values())
    return _HEAVY_ROWS if is_heavy else _BATCH_ROWS


def _insert_batch(
    connection: Connection,
    structure: TableStructure,
    batch: Batch,
    mode: Mode,
    *,
    ignore_extra: bool,
) -> int:
    adapters = adapters_of(structure, connection.backend)
    # One row by itself needs no transaction, unless it has objects.
    with transaction_for(connection, structure) if has_objects(structure) else nullcontext():
        with writing(connection, structure, batch.size) as context:
            ready = encoded(
                batch, structure, lambda a: adapters[a.name], context, ignore_extra=ignore_extra
            )
        count = _send(connection, structure, ready, mode)
        if mode == "skip" and "staging" in context:
            give_up_passed_over(connection, structure, ready, context["staging"])
        return count


def _send(connection: Connection, structure: TableStructure, ready: Batch, mode: Mode) -> int:
    sql = write.insert(structure, ready.names, mode, connection.backend)
    rows = list(zip(*ready.columns, strict=True)) if ready.names else [()] * ready.size
    try:
        if ready.size == 1:
            return connection.execute(sql, rows[0])
        return connection.execute_many(sql, rows)
    except DuplicateError as error:
        if mode != "error":  # a key that is there already was not the reason
            raise
        raise with_double(error, connection, structure, ready) from error
    except IntegrityError as error:
        raise with_orphan(error, connection, structure, ready) from error
    except TooLargeError as error:
        raise with_largest(error, structure, ready) from error
    except InvalidValueError as error:
        raise with_character(error, structure, ready) from error


def _insert_query(table: Table, query: Algebra, mode: Mode, *, ignore_extra: bool) -> int:
    structure, connection = table.structure, table.connection
    names = known_names(query.heading, structure, ignore_extra=ignore_extra)
    check_given(names, structure, structure.name.class_name)
    if query.connection is not connection:
        assert isinstance(query, Query), "U has no connection"
        with transaction_for(connection, structure):
            return sum(
                _insert_batch(connection, structure, batch, mode, ignore_extra=False)
                for batch in copied(query, structure, names, _batch_rows(structure))
            )
    check_copied(query.heading, structure, names)
    lowering = Lowering(connection.backend)
    selection = query.node.lower(lowering)
    select = selection.statement([selection.columns[name].label(name) for name in names])
    prepared = statement.compiled(
        write.insert_from(structure, names, select, mode, connection.backend), connection.backend
    )
    return connection.execute(
        prepared.text, prepared.parameters(query.node.values, connection.backend.adapt)
    )
