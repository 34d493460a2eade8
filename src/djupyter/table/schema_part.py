"""What the parts of a schema need of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from djupyter.sql.connection import Connection


class SchemaPart:
    """Base of the parts of a schema, each with one concern; `Schema` is all of them."""

    @property
    def name(self) -> str:
        """The name of the schema in the database."""
        raise NotImplementedError

    @property
    def connection(self) -> Connection:
        """The connection of the schema."""
        raise NotImplementedError
