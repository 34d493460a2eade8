"""When, how long and by which code a row was made, written into its hidden attributes where its table has them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from djupyter.heading.job_metadata import DURATION, LONGEST_VERSION, START, VERSION, job_metadata_of
from djupyter.sql import write
from djupyter.table.one import adapters_of

if TYPE_CHECKING:
    from djupyter.table.table import Table


def stamp(table: Table, key: Mapping[str, Any], began: float, seconds: float, version: str) -> None:
    """Note in the rows of a key how they were made, by one statement in the transaction that inserts them.

    Nothing is done where the table was declared without these attributes.

    Parameters
    ----------
    table
        Whose key.
    key
        Names all rows that one make has inserted.
    began
        Seconds since 1970. The local time of this worker is written, as datajoint does.
    seconds
        How long it took.
    version
        Of the code.
    """
    structure, backend = table.structure, table.connection.backend
    names = job_metadata_of(structure)
    if not names:
        return
    values = {
        **key,
        START.name: datetime.fromtimestamp(round(began, 3)),
        DURATION.name: seconds,
        VERSION.name: version[:LONGEST_VERSION],
    }
    sql, order = write.update(structure, names, tuple(key), backend)
    adapters = adapters_of(structure, backend)
    table.connection.execute(
        sql,
        [
            values[name] if (adapt := adapters[name]) is None else adapt(values[name])
            for name in order
        ],
    )
