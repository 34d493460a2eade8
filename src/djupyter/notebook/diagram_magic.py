"""`%dj_diagram`: the diagram of what is named, or of everything."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring
from IPython.display import display

from djupyter.definition.names import TableName, best_match
from djupyter.errors import DataJointError, nearest
from djupyter.graph.dependencies import pipeline
from djupyter.notebook.place import PlacedMagics
from djupyter.sql.connection import Connection
from djupyter.table.diagram import Diagram
from djupyter.table.schema import Schema
from djupyter.table.table import FreeTable, Table

_LEVELS = re.compile(r"[+-]\d+")


@magics_class
class DiagramMagics(PlacedMagics):
    """The magic that draws the pipeline; see `%dj_diagram?`."""

    @magic_arguments()
    @argument(
        "what",
        nargs="*",
        help="schemas, tables (Name, Master.Part or schema.Name), variables; without them, everything. "
        "+n adds n levels downstream, -n adds n levels upstream of what stands before it",
    )
    @line_magic
    def dj_diagram(self, line: str) -> None:
        """Show the diagram of schemas and tables.

        ::

            %dj_diagram                     all schemas
            %dj_diagram lab Scan +1         the schema lab, Scan, and what is right below them
            %dj_diagram Scan -99 +1         what Scan comes from, and what is right below all that
        """
        words = parse_argstring(self.dj_diagram, line).what
        sources = [word for word in words if not _LEVELS.fullmatch(word)]
        if words and not sources:
            raise UsageError(
                f"{words[0]} levels of what? Write the name of a table or schema before it."
            )
        connection = self._connection()
        found = self._everything(connection) if not words else self._diagram(words, connection)
        display(found)

    def _diagram(self, words: Sequence[str], connection: Connection) -> Diagram:
        diagram: Diagram | None = None
        for word in words:
            if _LEVELS.fullmatch(word):
                if diagram is None:
                    raise UsageError(f"{word} stands before what it extends; write it behind.")
                # `d + n` goes down, `d - n` up.
                number = int(word[1:])
                diagram = diagram + number if word[0] == "+" else diagram - number
            else:
                named = Diagram(self._source(word, connection))
                diagram = named if diagram is None else diagram + named
        assert diagram is not None, "there are names among the words"
        return diagram

    def _everything(self, connection: Connection) -> Diagram:
        schemas = dict.fromkeys(name.schema for name in _tables(connection))
        if not schemas:
            raise DataJointError("There are no tables yet. Declare one with `%%dj_table`.")
        return Diagram.from_sequence(Schema(name, connection=connection) for name in schemas)

    def _source(self, word: str, connection: Connection) -> object:
        """Return what a word stands for: a variable, a schema, a table."""
        value: Any = self._names.get(word.partition(".")[0])
        for part in word.split(".")[1:]:
            value = getattr(value, part, None)
        if _is_shown(value):
            return value
        schemas = connection.catalog.schemas()
        if word in schemas:
            return Schema(word, connection=connection)
        names = _tables(connection)
        schema, _, table = word.partition(".")
        here = best_match(table, (each for each in names if each.schema == schema))
        if here is not None:
            return FreeTable(connection, here)
        alike = [each for each in names if word in (each.class_name, each.table)]
        if len(alike) == 1:
            return FreeTable(connection, alike[0])
        if alike:
            places = ", ".join(f"{each.schema}.{each.class_name}" for each in alike)
            raise DataJointError(
                f"Several tables are called `{word}`: {places}. Write the schema too."
            )
        advice = nearest(word, [*schemas, *(each.class_name for each in names)])
        raise DataJointError(f"There is no table and no schema `{word}`. {advice}".strip())


def _is_shown(value: object) -> bool:
    if isinstance(value, type):
        return issubclass(value, Table) and value._name is not None
    return isinstance(value, Diagram | Schema | Table)


def _tables(connection: Connection) -> list[TableName]:
    """Return all tables there are, those of the system left out."""
    schemas = connection.catalog.load_all()
    return list(pipeline(schemas).structures)
