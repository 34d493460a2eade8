"""The tiers that users fill: Manual, Lookup, and the parts of any table.

Imported and Computed, which fill themselves, are in `populate.tiers`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from djupyter.definition.names import Tier
from djupyter.errors import DataJointError
from djupyter.table.alter import alter, in_other_tier
from djupyter.table.table import Table

# The base class of each tier. Those that fill themselves are added when `populate.tiers` is imported.
TIER_CLASS: dict[Tier, type[UserTable]] = {}


class UserTable(Table):
    """Base of every class that declares a table."""

    tier: ClassVar[Tier]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "tier" in vars(cls):
            TIER_CLASS.setdefault(cls.tier, cls)

    def declare(self, context: Mapping[str, Any] | None = None) -> None:
        """Declare the table and its parts, as the decorator does where the schema creates tables.

        Tables that are there already stay as they are.

        Parameters
        ----------
        context
            Names that the definition may use, beside those around the class.

        Raises
        ------
        DefinitionError
            The definition cannot be read.
        """
        self._bound().declare(type(self), context)

    def alter(
        self,
        prompt: bool = True,
        context: Mapping[str, Any] | None = None,
        *,
        dry_run: bool = False,
    ) -> None:
        """Change the table in the database to what the class says; rows stay.

        A line whose comment begins with `{old}` renames the attribute `old`. A class that has become
        another tier takes its table along, with the parts and all that refers to it.

        Parameters
        ----------
        prompt
            Show what would be done and ask first.
        context
            Names that the definition may use, beside those around the class.
        dry_run
            Only print what would be done, in words and in SQL.

        Raises
        ------
        DataJointError
            Something would be lost: the message says what and how to go about it. Nothing was changed.
        """
        wanted = self._bound().declared_by(type(self), context)
        catalog = self.connection.catalog
        existing = catalog.structure(self.name) or in_other_tier(catalog, self.name)
        existing = existing or self.structure
        print(alter(self.connection, existing, wanted, prompt=prompt, dry_run=dry_run))


class Manual(UserTable):
    """Rows are entered by people or by code outside the pipeline."""

    tier = "Manual"


class Lookup(UserTable):
    """Rows are part of the pipeline's design; `contents` are inserted when the table is declared."""

    tier = "Lookup"
    contents: ClassVar[Iterable[Any]] = ()


class Part(UserTable):
    """Rows belong to a row of the master, the class this one is nested in."""

    tier = "Part"
    master: ClassVar[type[UserTable] | None] = None

    def delete(
        self,
        transaction: bool = True,
        prompt: bool | None = None,
        part_integrity: str = "enforce",
        *,
        dry_run: bool = False,
        collect: bool = False,
    ) -> Any:
        """Refuse, unless `part_integrity` is `ignore` or `cascade`: parts go with their master."""
        if part_integrity == "enforce":
            raise DataJointError(
                f"Cannot delete from a Part directly. Delete from its master instead, or pass "
                f'part_integrity="ignore" (only the parts) or "cascade" (their masters too): {self.name}.'
            )
        return super().delete(transaction, prompt, part_integrity, dry_run=dry_run, collect=collect)

    def drop(self, prompt: bool | None = None, part_integrity: str = "enforce") -> None:
        """Refuse, unless `part_integrity` is `ignore`: parts are dropped with their master."""
        if part_integrity != "ignore":
            raise DataJointError(
                f'Cannot drop a Part directly. Drop its master, or pass part_integrity="ignore": {self.name}.'
            )
        super().drop(prompt, part_integrity)
