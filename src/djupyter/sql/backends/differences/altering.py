"""How tables become others and keep their rows."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from djupyter.definition.model import TypeSpec
from djupyter.definition.names import TableName
from djupyter.sql.backends.differences.defining import Defining
from djupyter.sql.backends.differences.records import Conversion, Fetch, Statement, TableChange


class Altering(Defining):
    """The part of a backend that alters tables.

    Attributes
    ----------
    retypes_keys
        Whether an attribute that foreign keys hold on to can get another type.
    """

    retypes_keys: bool = True

    @abstractmethod
    def conversion(
        self, column: sa.ColumnElement[Any], old: TypeSpec, new: TypeSpec
    ) -> Conversion | None:
        """Return how the values of a column become those of another type; None where they cannot."""

    @abstractmethod
    def alter(self, fetch: Fetch, changes: Sequence[TableChange]) -> list[Statement]:
        """Return the statements that alter tables and keep their rows.

        Comments and lineage are not among them; see `annotate`.

        Parameters
        ----------
        fetch
            Reads what else belongs to the tables.
        changes
            What is to become of each table, parents before children.
        """

    def has_broken_keys(self, fetch: Fetch, name: TableName) -> bool:
        """Whether a row of a table refers to a parent that is not there, after an alteration."""
        return False
