"""The magics: each reads its arguments, calls one function, and shows what came of it.

Those that change what is there are in `change_magics`, those for SQL and modules in `sql_magic` and `module_magic`.
"""

from __future__ import annotations

import keyword
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import cell_magic, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring

from djupyter.codecs.registry import list_codecs
from djupyter.errors import DefinitionError
from djupyter.graph.dependencies import pipeline
from djupyter.notebook.cards import with_parts
from djupyter.notebook.cell import parse_cell
from djupyter.notebook.connecting import connect, refuse_passwords
from djupyter.notebook.declaring import ChangedDefinitionError, cell_file, run_cell
from djupyter.notebook.making import make_of
from djupyter.notebook.overview import AUTOMATIC, rows_of, status_of
from djupyter.notebook.place import PlacedMagics, Refused
from djupyter.notebook.populating import populate_tables
from djupyter.notebook.shown import Shown
from djupyter.notebook.sources import filename_of
from djupyter.populate.background import Populating
from djupyter.populate.tiers import AutoPopulate
from djupyter.render.difference import difference_html, difference_text
from djupyter.render.listing import status_html, status_text, tables_html, tables_text
from djupyter.render.source import definition_html
from djupyter.table.schema import Schema


@magics_class
class DjMagics(PlacedMagics):
    """Pipelines in cells; see `%dj_schema?`, `%%dj_table?` and the others."""

    # -- where we are -------------------------------------------------------------------------------

    @magic_arguments()
    @argument(
        "url",
        nargs="?",
        help="sqlite:///lab.db, mysql://user@host or postgresql://user@host/database, without a "
        "password; left out, say where we are",
    )
    @line_magic
    def dj_connect(self, line: str) -> None:
        """Connect to a database, or say which one is connected.

        A password that the server wants is asked for; what you type is neither shown nor kept. A URL with a
        password in it is refused, because the notebook would be saved with it.
        """
        __tracebackhide__ = True  # IPython then shows the user's frames only
        refuse_passwords(line, self.shell)
        arguments = parse_argstring(self.dj_connect, line)
        if arguments.url:
            connect(arguments.url.strip("\"'"))
            self.place.current = None
        connection = self._connection()
        latency = connection.ping() * 1000
        print(f"{connection.label}  ({connection.server_version}, {latency:.1f} ms)")
        self.place.schemas = tuple(connection.catalog.schemas())

    @magic_arguments()
    @argument("name", help="name of the schema; it is created when it is not there")
    @line_magic
    def dj_schema(self, line: str) -> None:
        """Make a schema the current one and bind a variable of its name to it."""
        name = parse_argstring(self.dj_schema, line).name
        self.place.current = self._schema(name)
        if name.isidentifier() and not keyword.iskeyword(name):
            before = self._names.get(name)
            if before is not None and not isinstance(before, Schema):
                print(f"`{name}` was a {type(before).__name__}; now it is the schema.")
            self._names[name] = self.place.current
        else:
            print(f"`{name}` is the current schema; no variable can have its name.")
        # Completion asks no database: what it offers is read now.
        catalog = self.place.current.connection.catalog
        self.place.schemas, self.place.codecs = tuple(catalog.schemas()), tuple(list_codecs())
        catalog.related(name)

    @magic_arguments()
    @argument("schema", nargs="?", help="name of a schema; the current one without it")
    @line_magic
    def dj_tables(self, line: str) -> None:
        """List the tables of a schema: tier, rows, attributes, size on disk, progress."""
        name = parse_argstring(self.dj_tables, line).schema
        connection = self._connection()
        schema = name or self._current_schema().name
        graph = pipeline({schema: connection.catalog.structures(schema)})
        sizes = connection.backend.sizes(connection.fetch, schema)
        rows = rows_of(with_parts(graph), self._classes(), connection, sizes)
        Shown(tables_html(rows, schema), tables_text(rows)).show()

    @magic_arguments()
    @argument("table", help="Name, Master.Part or schema.Name")
    @line_magic
    def dj_describe(self, line: str) -> None:
        """Show the definition of a table as it stands in the database, in colour and ready to copy."""
        table = self._table(parse_argstring(self.dj_describe, line).table)
        text = table.describe()
        title = f"{table.name.class_name} : {table.name.tier or 'table'}"
        Shown(definition_html(text, title), text).show()

    @magic_arguments()
    @argument("schemas", nargs="*", help="schemas to look at; without any, those of this notebook")
    @line_magic
    def dj_status(self, line: str) -> None:
        """Show how far every table is that fills itself: keys done, keys that remain, errors.

        Without arguments these are the tables of the schemas of this notebook and of all that foreign keys
        join them to. Of tables whose class is not at hand, the keys are those of their parents.
        """
        asked = parse_argstring(self.dj_status, line).schemas
        connection = self._connection()
        catalog = connection.catalog
        classes = self._classes()
        own = {name.schema for name in classes} | set(connection.schemas)
        if asked:
            loaded = {schema: catalog.structures(schema) for schema in asked}
        else:
            loaded = dict(catalog.related(*own) if own else catalog.load_all())
        rows = status_of(loaded, classes, connection)
        Shown(status_html(rows), status_text(rows)).show()

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
        filename = cell_file(parsed, self._names)
        try:
            declared = run_cell(parsed, schema, self._names, filename)
        except ChangedDefinitionError as error:
            difference = error.difference
            Shown(difference_html(difference), difference_text(difference)).show()
            self.place.refused[f"{schema.name}.{parsed.header.full_name}"] = Refused(
                parsed, filename, schema, error.wanted
            )
            raise
        self._declared(parsed, schema, declared)

    @magic_arguments()
    @argument("name", help="an Imported or Computed table; Name or schema.Name")
    @cell_magic
    def dj_make(self, line: str, cell: str | None = None) -> None:
        """Say how a table makes a row: the cell is the body of its make.

        `self` is the table and `key` the key to compute; end with `self.insert1({**key, ...})`. Running the cell
        again replaces it. For a make in three parts, write them below the definition in the `%%dj_table` cell.
        """
        __tracebackhide__ = True
        name = parse_argstring(self.dj_make, line).name
        if cell is None:
            raise UsageError("%%dj_make is a cell magic: write the body of make below it.")
        cls = self._filling_class(name, f"%%dj_make {line}")
        filename = filename_of(self._names, f"<{name}.make>")
        cls.make = make_of(cell, cls.__name__, filename, self._names)
        print(
            f"{cls.__name__} has a new make. `%dj_populate {cls.__name__}` computes what is missing."
        )

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

    def _filling_class(self, name: str, line: str) -> Any:
        """Return the class of an Imported or Computed table; one that the notebook lacks is made and bound."""
        cls = self._class(name)
        if cls is None:
            found = self._table(name).name
            if found.tier in AUTOMATIC:
                made: dict[str, Any] = {"__name__": self._names.get("__name__", "__main__")}
                self._schema(found.schema).make_classes(made)
                self._names[found.class_name] = cls = made[found.class_name]
        if cls is None or not issubclass(cls, AutoPopulate):
            raise DefinitionError(
                f"{name} is not filled by a make",
                1,
                line.index(name) + 1,
                line,
                len(name),
                "Only Imported and Computed tables are: declare it with `%%dj_table Name : Computed`.",
            )
        return cls
