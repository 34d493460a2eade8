"""How many rows tables have, and how far those are that fill themselves: many tables, few statements, bounded work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from djupyter.definition.names import TableName
from djupyter.errors import DataJointError
from djupyter.heading.structure import TableStructure
from djupyter.populate.keys import chosen_keys, default_key_source
from djupyter.populate.tiers import AutoPopulate
from djupyter.query.counts import counts
from djupyter.query.expression import Query
from djupyter.query.node import Node
from djupyter.query.top import Top
from djupyter.sql.connection import Connection
from djupyter.table.table import FreeTable, Table
from djupyter.table.tiers import UserTable

BOUND = 10_000
"""Rows and keys that are counted; where there are more, that is all that is said."""


@dataclass(frozen=True, slots=True)
class Badge:
    """What is counted of a table.

    Parameters
    ----------
    rows
        Rows, or keys that are done.
    keys
        Keys there are to do; None for tables that others fill.
    """

    rows: int
    keys: int | None = None

    @property
    def text(self) -> str:
        """What is written on the table.

        >>> Badge(1).text, Badge(10_001).text, Badge(3, 12).text, Badge(2, 10_001).text
        ('1 row', '> 10,000 rows', '3 / 12', '2 / > 10,000')
        """
        if self.keys is None:
            return f"{_number(self.rows)} row{'' if self.rows == 1 else 's'}"
        return f"{_number(self.rows)} / {_number(self.keys)}"

    @property
    def part(self) -> float | None:
        """How much is done, from 0 to 1; None where nothing is to be done or it is not known."""
        if not self.keys or self.keys > BOUND:
            return None
        return self.rows / self.keys


def _number(value: int) -> str:
    return f"{value:,}" if value <= BOUND else f"> {BOUND:,}"


def badges(
    connection: Connection, tables: Sequence[TableStructure], *, keys: bool = True
) -> dict[TableName, Badge]:
    """Return what is counted of some tables.

    Each count ends after `BOUND`, and 200 of them are one statement.

    Parameters
    ----------
    connection
        Where the tables are.
    tables
        Which ones.
    keys
        Whether to count keys too. A key source is someone's query, which may take long whatever the bound is.
    """
    classes = known_classes(connection)
    asked = {s.name: tuple(_relations(connection, s, classes.get(s.name), keys)) for s in tables}
    found = iter(counts(connection, [node for nodes in asked.values() for node in nodes]))
    return {name: Badge(*(next(found) for _ in nodes)) for name, nodes in asked.items()}


def known_classes(connection: Connection) -> dict[TableName, type[UserTable]]:
    """Return the classes of this process for tables of a connection; of several for one table the newest."""
    return {
        cls._name: cls
        for cls in _below(UserTable)
        if cls._name is not None
        and cls._schema is not None
        and cls._schema.connection is connection
    }


def _below(cls: type[UserTable]) -> Iterator[type[UserTable]]:
    for each in cls.__subclasses__():
        yield each
        yield from _below(each)


def _relations(
    connection: Connection, structure: TableStructure, cls: type[UserTable] | None, keys: bool
) -> Iterator[Node]:
    table: Table = cls() if cls is not None else FreeTable(connection, structure.name)
    source = _keys(table, structure) if keys else None
    if source is None:
        yield _some(table).node
        return
    some = _some(source)
    yield (some & table.proj()).node
    yield some.node


def _some(query: Query) -> Query:
    some: Query = query.proj() & Top(BOUND + 1, order_by=None)
    return some


def _keys(table: Table, structure: TableStructure) -> Query | None:
    """Return the keys that a table fills itself for; None where nobody can say."""
    if structure.name.tier not in ("Imported", "Computed"):
        return None
    try:
        if isinstance(table, AutoPopulate):
            return chosen_keys(table, ())
        return default_key_source(table)
    except DataJointError:  # a key source that cannot be used; populate says so
        return None
