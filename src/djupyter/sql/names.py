"""Where a table lies: its schema and name in words of the database.

On servers a schema is a database or a namespace of its own. An SQLite file knows no schemas, and
foreign keys do not reach across files, so there one file holds all of them: table `session` of
schema `lab` is the single identifier `"lab.session"`.
"""

from __future__ import annotations

from djupyter.definition.names import TableName
from djupyter.errors import DataJointError

LINEAGE = "~lineage"  # one per schema, the same as in datajoint


def physical(name: TableName) -> str:
    """Return the identifier of a table in a file that holds all schemas.

    >>> physical(TableName("lab", "#kind"))
    'lab.#kind'
    """
    return f"{name.schema}.{name.table}"


def logical(identifier: str) -> TableName | None:
    """Return the table an identifier stands for; None for a table that is not ours.

    >>> logical("lab.#kind")
    TableName(schema='lab', table='#kind')
    >>> logical("android_metadata") is None
    True
    """
    schema, dot, table = identifier.partition(".")
    return TableName(schema, table) if dot and schema and table else None


def check_schema_name(schema: str) -> None:
    """Refuse a schema name that could not be told from a table's.

    Raises
    ------
    DataJointError
        The name is no text, empty, too long, or holds a dot, a quote or a blank.
    """
    if (
        not isinstance(schema, str)
        or not 0 < len(schema) <= 64
        or any(char in schema for char in ".`\"' \t\n")
    ):
        raise DataJointError(
            f"`{schema}` cannot name a schema. "
            "Use letters, digits and underscores, at most 64 characters."
        )
