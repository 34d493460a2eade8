"""A table on its way to another, on servers: its places, and its indexes before and after."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from djupyter.sql.backends.differences.records import TableChange

Signature = tuple[tuple[str, ...], bool]
"""What tells an index from others: its entries, by the names that attributes get, and whether it is unique."""


class AlteredTable(ABC):
    """What the servers have in common when they alter a table.

    Parameters
    ----------
    change
        What is to become of it.
    dialect
        Compiles what defines data.

    Attributes
    ----------
    place, target
        Where it lies before and after, as statements have it.
    """

    def __init__(self, change: TableChange, dialect: Dialect) -> None:
        self.change, self.alteration = change, change.alteration
        compiler: Any = dialect.ddl_compiler
        self._ddl: Any = compiler(dialect, None)
        self.quote = dialect.identifier_preparer.quote_identifier
        self.name = self.alteration.existing.name
        self.place = self._placed(self.name.table)
        self.target = self._placed(self.alteration.wanted.name.table)

    def _placed(self, table: str) -> str:
        return f"{self.quote(self.name.schema)}.{self.quote(table)}"

    @cached_property
    def _before(self) -> dict[Signature, sa.Index]:
        return {self._signature(i, self.alteration.new_name): i for i in self.change.before.indexes}

    @cached_property
    def _after(self) -> dict[Signature, sa.Index]:
        return {self._signature(index, {}): index for index in self.change.after.indexes}

    @abstractmethod
    def _signature(self, index: sa.Index, new_name: dict[str, str]) -> Signature:
        """Return what tells an index from others, with some attributes under new names."""
