"""`%dj_alter` and `%dj_drop`: they show exactly what would change, ask, and do it."""

from __future__ import annotations

from collections.abc import Callable

from IPython.core.magic import line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring

from djupyter.errors import DataJointError
from djupyter.heading.differences import differences
from djupyter.heading.structure import TableStructure
from djupyter.notebook.declaring import difference_of, run_cell
from djupyter.notebook.place import PlacedMagics, Refused
from djupyter.notebook.shown import Shown
from djupyter.render.difference import difference_html, difference_text
from djupyter.table.alter import alter, in_other_tier
from djupyter.table.drop import drop, dropped_with
from djupyter.table.prompt import confirmed
from djupyter.table.schema import Schema
from djupyter.table.table import Table
from djupyter.table.tiers import UserTable

_REFUSAL = "not altered"
_WOULD = "These tables would be dropped with all their rows:"
_UNATTENDED = "Nothing was changed. Add `--yes` to go ahead without asking."


@magics_class
class ChangeMagics(PlacedMagics):
    """Changing and dropping tables."""

    @magic_arguments()
    @argument("table", help="Name, Master.Part or schema.Name")
    @argument("--yes", action="store_true", help="do not ask, also where values would be lost")
    @argument("--dry-run", action="store_true", help="only show the steps, and the SQL")
    @line_magic
    def dj_alter(self, line: str) -> None:
        """Change a table to what its cell or class says, and keep its rows.

        That is the `%%dj_table` cell that was refused because its definition differs from the table's, or else the
        class as it was defined last. The steps are shown first, with what would be lost.
        """
        __tracebackhide__ = True  # IPython then shows the user's frames only
        arguments = parse_argstring(self.dj_alter, line)
        refused = self._refused(arguments.table)
        schema, wanted = self._wanted(arguments.table, refused)
        connection = schema.connection
        existing = connection.catalog.structure(wanted.name)
        existing = existing or in_other_tier(connection.catalog, wanted.name)
        if existing is None:
            raise DataJointError(
                f"{wanted.name.class_name} is not in the database: there is nothing to alter. Run the cell that "
                "declares it."
            )
        if arguments.dry_run:
            print(alter(connection, existing, wanted, dry_run=True))
            return
        changes = differences(wanted, existing)
        if any(change.kind != "same" for change in changes):
            difference = difference_of(wanted.name, changes)
            Shown(difference_html(difference), difference_text(difference)).show()
        told = alter(connection, existing, wanted, agree=_agreement(arguments.yes))
        print(told)
        if refused is not None and told != _REFUSAL:
            declared = run_cell(refused.cell, schema, self._names, refused.filename)
            self._declared(refused.cell, schema, declared)

    @magic_arguments()
    @argument("table", help="Name, Master.Part or schema.Name")
    @argument("--yes", action="store_true", help="do not ask")
    @line_magic
    def dj_drop(self, line: str) -> None:
        """Drop a table with all its rows, and every table that depends on it."""
        __tracebackhide__ = True
        arguments = parse_argstring(self.dj_drop, line)
        table = self._table(arguments.table)
        going = dropped_with(table)
        print(_WOULD)
        for name, count in going:
            print(f"  {count:>9,}  {name.class_name}  ({name.schema})")
        if not (arguments.yes or confirmed("Proceed?", _UNATTENDED)):
            print("Nothing was dropped.")
            return
        drop(table, prompt=False, part_integrity="enforce")
        print(f"Dropped {len(going)} {'table' if len(going) == 1 else 'tables'}.")

    def _refused(self, name: str) -> Refused | None:
        current = self.place.current.name if self.place.current else ""
        return self.place.refused.get(name) or self.place.refused.get(f"{current}.{name}")

    def _wanted(self, name: str, refused: Refused | None) -> tuple[Schema, TableStructure]:
        """Return a table as the notebook wants it, and its schema."""
        if refused is not None:
            return refused.schema, refused.wanted
        cls = self._class(name)
        if cls is not None and issubclass(cls, UserTable) and cls._schema is not None:
            return cls._schema, cls._schema.declared_by(cls, self._names)
        table: Table = self._table(name)
        raise DataJointError(
            f"No cell and no class of this notebook defines {table.name.class_name}, so there is nothing to alter it "
            f"to. Write its new definition below `%%dj_table {name} : {table.name.tier}`; `%dj_describe {name}` "
            "gives the present one."
        )


def _agreement(without_asking: bool) -> Callable[[str], bool]:
    def agree(steps: str) -> bool:
        print(steps)
        return without_asking or confirmed("Proceed?", _UNATTENDED)

    return agree
