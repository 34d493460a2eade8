"""The tables behind the work of a schema; names that begin with `~` are shown in no listing.

| table        | one row for                        | who else knows it                                        |
|--------------|------------------------------------|----------------------------------------------------------|
| `~~stat`     | a key of `Stat` that is to be made | datajoint 2.x, whose workers take jobs from it beside ours |
| `~workers`   | a worker that holds jobs           | only us                                                  |
| `~job_log`   | an attempt to make a key           | only us                                                  |

A worker of ours writes a number of its own, `worker`, as the `connection_id` of the jobs that it holds. It is beyond
any number of a connection, so that jobs held by workers of datajoint, which have no lease, are told apart.
Source of `~~stat`: the storage format of datajoint 2.x.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from djupyter.definition.names import TableName
from djupyter.definition.parser import parse
from djupyter.errors import DataJointError
from djupyter.heading.attribute import Attribute
from djupyter.heading.structure import TableStructure, resolve

WORKERS, LOG = "~workers", "~job_log"
# Numbers of connections are below: MySQL counts from 1, PostgreSQL's are numbers of processes.
FIRST_WORKER = 2**40
LONGEST_MESSAGE = 2047

_JOBS = """
status : enum('pending', 'reserved', 'success', 'error', 'ignore')
priority : int8
created_time = CURRENT_TIMESTAMP(3) : datetime(3)
scheduled_time = CURRENT_TIMESTAMP(3) : datetime(3)
reserved_time = null : datetime(3)
completed_time = null : datetime(3)
duration = null : float64
error_message = "" : varchar(2047)
error_stack = null : <blob>
user = "" : varchar(255)
host = "" : varchar(255)
pid = 0 : int32
connection_id = 0 : int64
version = "" : varchar(64)
index (status, priority, scheduled_time)
"""

_WORKERS = """
# Who holds jobs of this schema, and until when
connection_id : int64   # what the jobs that it holds have there
---
expires : float64       # seconds since 1970 by the clock of the database
started = CURRENT_TIMESTAMP(3) : datetime(3)
user = "" : varchar(255)
host = "" : varchar(255)
pid = 0 : int32
version = "" : varchar(255)
"""

_LOG = """
# Attempts to make keys of the tables of this schema
attempt : uuid             # in the order of time
---
table_name : varchar(64)
key_hash : char(32)        # of the key, by which its attempts are found
job_key : json
outcome : enum('success', 'error', 'lost')
started : datetime(3)      # UTC
duration : float64         # seconds
user = "" : varchar(255)
host = "" : varchar(255)
pid = 0 : int32
version = "" : varchar(255)
inputs = null : json       # which rows of which tables the result depends on
error_class = "" : varchar(255)
error_message = "" : varchar(2047)
error_stack = null : <blob>
index (table_name, key_hash)
"""


def jobs_name(target: TableName) -> TableName:
    """Return the name of the table of a target's jobs.

    >>> jobs_name(TableName("lab", "__stat")).table
    '~~stat'
    """
    return TableName(target.schema, f"~~{target.table.lstrip('_')}")


def job_key(target: TableStructure) -> tuple[str, ...]:
    """Return the attributes that name a job: those of the target's key that a foreign key brings.

    Raises
    ------
    DataJointError
        There are none.
    """
    brought = {n for key in target.foreign_keys if target.is_primary(key) for n in key.names}
    names = tuple(name for name in target.full_key if name in brought)
    if not names:
        raise DataJointError(
            f"Cannot create jobs table for {target.name}: no FK-derived primary key attributes found. "
            "Add `-> Parent` above the `---`."
        )
    return names


def jobs(target: TableStructure, quote: Callable[[str], str]) -> TableStructure:
    """Return the structure of the table of a target's jobs.

    Parameters
    ----------
    target
        Whose keys are made.
    quote
        How the database quotes a name, as datajoint writes it in the comment.

    Raises
    ------
    DataJointError
        No foreign key is in the target's key.
    """
    names, name = job_key(target), jobs_name(target.name)
    own = [each for each in target.heading.primary_key if each not in names]
    if own:
        warnings.warn(
            f"Jobs of {target.name.class_name} are told apart by {', '.join(names)} only: {', '.join(own)} is "
            "declared by the table itself. A job makes all keys that agree in these.",
            UserWarning,
            stacklevel=2,
        )
    comment = f"Job queue for {quote(name.schema)}.{quote(target.name.table)}"
    rest = resolve(parse(f"# {comment}\n---\n{_JOBS}"), name, _no_parent)
    keys = tuple(_key_attribute(target.by_name[each], name) for each in names)
    secondary = tuple(each for each in rest.attributes if not each.in_key)
    return replace(rest, attributes=keys + secondary)


@lru_cache(maxsize=256)
def joined(jobs: TableStructure, target: TableStructure) -> TableStructure:
    """Return a table of jobs whose key has the lineage of the target's key."""
    attributes = tuple(
        replace(
            each, lineage=target.by_name[each.name].lineage, type=target.by_name[each.name].type
        )
        if each.in_key and each.name in target.by_name
        else each
        for each in jobs.attributes
    )
    return replace(jobs, attributes=attributes)


def workers(schema: str) -> TableStructure:
    """Return the structure of the table of the workers of a schema."""
    return resolve(parse(_WORKERS), TableName(schema, WORKERS), _no_parent)


def log(schema: str) -> TableStructure:
    """Return the structure of the job log of a schema."""
    return resolve(parse(_LOG), TableName(schema, LOG), _no_parent)


def _key_attribute(attribute: Attribute, name: TableName) -> Attribute:
    lineage = f"{name.schema}.{name.table}.{attribute.name}"
    return replace(attribute, in_key=True, nullable=False, default=None, lineage=lineage)


def _no_parent(key: object) -> TableStructure:
    raise AssertionError("these tables refer to no others")
