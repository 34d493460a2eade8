"""Where a notebook is: its names, its connection, its current schema; shared by all magics.

| what                | where it comes from                                                         |
|---------------------|-----------------------------------------------------------------------------|
| a class by its name | the notebook's names, else the current schema, else the database             |
| the connection      | the default session, which the functions of the package use too             |
| the current schema  | the last `%dj_schema`                                                       |
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from IPython.core.magic import Magics, magics_class

from djupyter.definition.names import TableName
from djupyter.errors import DataJointError, nearest
from djupyter.graph.dependencies import pipeline
from djupyter.heading.structure import TableStructure
from djupyter.notebook.cards import card
from djupyter.notebook.cell import Cell
from djupyter.notebook.declaring import Declared
from djupyter.notebook.shown import Shown
from djupyter.render.card import card_html, card_text
from djupyter.session import default
from djupyter.sql.connection import Connection
from djupyter.table.declare import parts_of
from djupyter.table.schema import Schema
from djupyter.table.table import Table
from djupyter.table.tiers import UserTable


@dataclass(frozen=True, slots=True)
class Refused:
    """A cell that would change a table, and was not carried out: `%dj_alter` does.

    Parameters
    ----------
    cell, filename
        The cell, and the name under which Python finds its source.
    schema
        The schema of the table.
    wanted
        The table as the cell declares it.
    """

    cell: Cell
    filename: str
    schema: Schema
    wanted: TableStructure


@dataclass
class Place:
    """What the magics of one shell know.

    Attributes
    ----------
    current
        The schema that was chosen last.
    told
        The connection whose new file was spoken of.
    cells
        The `%%dj_table` cell of each class that was declared by one.
    refused
        Cells that would change a table, by the schema and the full name of its class.
    ran
        The Python of every cell that has run, in order: where helpers of the tables are found.
    schemas, codecs
        Their names when a schema was last chosen; completion offers them.
    """

    current: Schema | None = None
    told: Connection | None = None
    cells: WeakKeyDictionary[type, Cell] = field(default_factory=WeakKeyDictionary)
    refused: dict[str, Refused] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    schemas: tuple[str, ...] = ()
    codecs: tuple[str, ...] = ()


@magics_class
class PlacedMagics(Magics):
    """Magics that know where the notebook is.

    Parameters
    ----------
    shell
        The shell they are registered with.
    place
        What they share with the others.
    """

    def __init__(self, shell: Any, place: Place | None = None) -> None:
        super().__init__(shell)
        self.place = place or Place()

    @property
    def _names(self) -> dict[str, Any]:
        assert self.shell is not None, "magics are registered with a shell"
        names: dict[str, Any] = self.shell.user_ns
        return names

    @property
    def _current(self) -> Schema | None:
        return self.place.current

    def _connection(self) -> Connection:
        connection = default.connection
        connection.connect()
        if connection.created and self.place.told is not connection:
            print(f"Created a new database: {connection.label}")
        self.place.told = connection
        return connection

    def _schema(self, name: str) -> Schema:
        bound = self._names.get(name)
        connection = self._connection()
        if isinstance(bound, Schema) and bound.database == name and bound.connection is connection:
            return bound
        return Schema(name, connection=connection)

    def _current_schema(self) -> Schema:
        if self.place.current is None:
            raise DataJointError(
                "No schema is chosen. Run `%dj_schema NAME` first, or write `%%dj_table NAME.Table : Tier`."
            )
        return self.place.current

    def _classes(self) -> dict[TableName, type[Table]]:
        return {cls._name: cls for cls in classes_in(self._names) if cls._name is not None}

    def _class(self, name: str) -> type[Table] | None:
        """Return the class that a name means in the notebook, if it means one."""
        value: Any = self._names.get(name.partition(".")[0])
        for part in name.split(".")[1:]:
            value = getattr(value, part, None) if isinstance(value, type) else None
        is_table = isinstance(value, type) and issubclass(value, Table) and value._name is not None
        return value if is_table else None

    def _table(self, name: str) -> Table:
        cls = self._class(name)
        if cls is not None:
            return cls()
        schema, dot, table = name.partition(".")
        connection = self._connection()
        if dot and connection.catalog.exists(schema):
            return Schema(schema, connection=connection).get_table(table)
        if self.place.current is not None:
            return self.place.current.get_table(name)
        known = [each.class_name for each in self._classes()]
        raise DataJointError(f"There is no table `{name}`. {nearest(name, known)}".strip())

    def _declared(self, cell: Cell, schema: Schema, declared: Declared) -> None:
        """Note what a cell has declared, and show its card."""
        self.place.cells[declared.table] = cell
        self.place.refused.pop(f"{schema.name}.{cell.header.full_name}", None)
        self._show_card(declared.table(), declared.note)

    def _show_card(self, table: Table, note: str) -> None:
        graph = pipeline(table.connection.catalog.connected(table.name.schema))
        shown = card(table, graph, note)
        Shown(card_html(shown), card_text(shown)).show()

    def _value(self, text: str) -> object:
        """Return the Python value of an argument, or the text itself as a condition."""
        value = self._names.get(text)
        if value is not None:
            return value
        return text[1:-1] if text[:1] == text[-1:] and text[:1] in "\"'" else text


def classes_in(names: dict[str, Any]) -> Iterator[type[UserTable]]:
    """Yield each declared class among some names, its parts after it."""
    for value in list(names.values()):
        # Not issubclass: that of an abstract class asks all its subclasses, the first time it meets a type.
        cls: Any = value if isinstance(value, type) and UserTable in value.__mro__ else None
        if cls is not None and cls._name is not None:
            yield cls
            yield from parts_of(cls)
