"""The magics: each reads its arguments, calls one function, and shows what came of it."""

from __future__ import annotations

from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring

from djupyter.definition.names import TableName
from djupyter.errors import DataJointError, nearest
from djupyter.graph.dependencies import pipeline
from djupyter.notebook.cards import card, rows_of, with_parts
from djupyter.notebook.cell import parse_cell
from djupyter.notebook.declaring import ChangedDefinitionError, run_cell
from djupyter.notebook.populating import populate_tables
from djupyter.notebook.shown import Shown
from djupyter.populate.background import Populating
from djupyter.render.card import card_html, card_text
from djupyter.render.difference import difference_html, difference_text
from djupyter.render.listing import tables_html, tables_text
from djupyter.render.source import definition_html
from djupyter.session import default
from djupyter.sql.connection import Connection
from djupyter.table.schema import Schema
from djupyter.table.table import Table
from djupyter.table.tiers import UserTable


@magics_class
class DjMagics(Magics):
    """Pipelines in cells; see `%dj_schema?`, `%%dj_table?` and the others."""

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self._current: Schema | None = None
        self._told: Connection | None = None

    # -- where we are -------------------------------------------------------------------------------

    @magic_arguments()
    @argument("url", nargs="?", help="for example sqlite:///lab.db; without it, say where we are")
    @line_magic
    def dj_connect(self, line: str) -> None:
        """Connect to a database, or say which one is connected."""
        arguments = parse_argstring(self.dj_connect, line)
        if arguments.url:
            connection = default.connect(arguments.url)
            self._current = None
        connection = self._connection()
        latency = connection.ping() * 1000
        print(f"{connection.label}  ({connection.server_version}, {latency:.1f} ms)")

    @magic_arguments()
    @argument("name", help="name of the schema; it is created when it is not there")
    @line_magic
    def dj_schema(self, line: str) -> None:
        """Make a schema the current one and bind a variable of its name to it."""
        name = parse_argstring(self.dj_schema, line).name
        self._current = self._schema(name)
        if name.isidentifier():
            self._names[name] = self._current

    @magic_arguments()
    @argument("schema", nargs="?", help="name of a schema; the current one without it")
    @line_magic
    def dj_tables(self, line: str) -> None:
        """List the tables of a schema: tier, rows, attributes, progress."""
        name = parse_argstring(self.dj_tables, line).schema
        connection = self._connection()
        schema = name or self._current_schema().name
        graph = pipeline({schema: connection.catalog.structures(schema)})
        rows = rows_of(with_parts(graph), self._classes(), connection)
        Shown(tables_html(rows, schema), tables_text(rows)).show()

    @magic_arguments()
    @argument("table", help="Name, Master.Part or schema.Name")
    @line_magic
    def dj_describe(self, line: str) -> None:
        """Show the definition of a table as it stands in the database."""
        table = self._table(parse_argstring(self.dj_describe, line).table)
        text = table.describe()
        title = f"{table.name.class_name} : {table.name.tier or 'table'}"
        Shown(definition_html(text, title), text).show()

    # -- declaring and computing --------------------------------------------------------------------

    @cell_magic
    def dj_table(self, line: str, cell: str | None = None) -> None:
        r"""Declare a table; the cell is its definition.

        ::

            %%dj_table [SCHEMA.]Name : Tier [--alter | --replace]
            # comment
            -> Parent
            attribute : type        # comment
            ---
            attribute = default : type

        Tier is Manual, Lookup, Imported or Computed; `%%dj_table Master.Part` declares a part. After a line
        `===` a Lookup may list its rows as CSV or as a Python list. Python that follows, from the first
        line that begins with def, class, import or @, becomes the body of the class: `make`, `key_source` ...

        --alter     change the table to the cell's definition and keep its rows, where that is safe
        --replace   drop the table and all that depend on it, and declare it anew; asks when there are rows
        """
        __tracebackhide__ = True  # IPython then shows the user's frames only
        if cell is None:
            raise UsageError("%%dj_table is a cell magic: write the definition below it.")
        parsed = parse_cell(line, cell)
        name = parsed.header.schema
        schema = self._schema(name) if name else self._current_schema()
        try:
            declared = run_cell(parsed, schema, self._names)
        except ChangedDefinitionError as error:
            difference = error.difference
            Shown(difference_html(difference), difference_text(difference)).show()
            raise
        self._show_card(declared.table(), declared.note)

    @magic_arguments()
    @argument("tables", nargs="+", help="Imported or Computed tables, in any order")
    @argument("--where", metavar="EXPR", help="only keys that meet this condition, or Python value")
    @argument("--max", type=int, metavar="N", help="at most N keys of each table")
    @argument("-w", "--workers", type=int, default=1, metavar="N", help="N processes make keys")
    @argument("-b", "--background", action="store_true", help="leave the cell at once")
    @line_magic
    def dj_populate(self, line: str) -> Populating[Any]:
        """Compute the missing keys of tables, parents before children, in a panel with a Stop button.

        The cell ends with the work, and fails when keys did; with -b it ends at once, and other cells can run
        meanwhile. Either way it gives a handle: `run = %dj_populate -b Stat`, then run.stop(), run.errors ...
        """
        arguments = parse_argstring(self.dj_populate, line)
        tables = [self._table(name) for name in arguments.tables]
        restrictions = () if arguments.where is None else (self._value(arguments.where),)
        return populate_tables(
            tables,
            restrictions,
            max_calls=arguments.max,
            processes=arguments.workers,
            background=arguments.background,
        )

    # -- inside -------------------------------------------------------------------------------------

    @property
    def _names(self) -> dict[str, Any]:
        assert self.shell is not None, "magics are registered with a shell"
        names: dict[str, Any] = self.shell.user_ns
        return names

    def _connection(self) -> Connection:
        connection = default.connection
        connection.connect()
        if connection.created and self._told is not connection:
            print(f"Created a new database: {connection.label}")
        self._told = connection
        return connection

    def _schema(self, name: str) -> Schema:
        bound = self._names.get(name)
        connection = self._connection()
        if isinstance(bound, Schema) and bound.database == name and bound.connection is connection:
            return bound
        return Schema(name, connection=connection)

    def _current_schema(self) -> Schema:
        if self._current is None:
            raise DataJointError(
                "No schema is chosen. Run `%dj_schema NAME` first, or write `%%dj_table NAME.Table : Tier`."
            )
        return self._current

    def _classes(self) -> dict[TableName, type[Table]]:
        found: dict[TableName, type[Table]] = {}
        for value in self._names.values():
            if isinstance(value, type) and issubclass(value, UserTable) and value._name is not None:
                found[value._name] = value
        return found

    def _table(self, name: str) -> Table:
        value: Any = self._names.get(name.partition(".")[0])
        for part in name.split(".")[1:]:
            value = getattr(value, part, None) if isinstance(value, type) else None
        if isinstance(value, type) and issubclass(value, Table) and value._name is not None:
            return value()
        schema, dot, table = name.partition(".")
        connection = self._connection()
        if dot and connection.catalog.exists(schema):
            return Schema(schema, connection=connection).get_table(table)
        if self._current is not None:
            return self._current.get_table(name)
        known = [each.class_name for each in self._classes()]
        raise DataJointError(f"There is no table `{name}`. {nearest(name, known)}".strip())

    def _value(self, text: str) -> object:
        """Return the Python value of an argument, or the text itself as a condition."""
        value = self._names.get(text)
        if value is not None:
            return value
        return text[1:-1] if text[:1] == text[-1:] and text[:1] in "\"'" else text

    def _show_card(self, table: Table, note: str) -> None:
        graph = pipeline(table.connection.catalog.connected(table.name.schema))
        shown = card(table, graph, note)
        Shown(card_html(shown), card_text(shown)).show()
