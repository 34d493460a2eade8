"""`%%dj_sql`: SQL through the current connection, its rows as a DataFrame."""

from __future__ import annotations

from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import line_cell_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring

from djupyter.errors import DataJointError, QueryError
from djupyter.notebook.place import PlacedMagics
from djupyter.notebook.sql_cell import parse_sql, placed


@magics_class
class SqlMagics(PlacedMagics):
    """SQL of one's own."""

    @magic_arguments()
    @argument(
        "-o", "--out", metavar="VAR", help="bind the result to this name instead of showing it"
    )
    @line_cell_magic
    def dj_sql(self, line: str, cell: str | None = None) -> Any:
        """Carry out the SQL of the cell, and return its rows as a DataFrame.

        `{name}` stands for a value of the notebook, also `{row.attribute}` and `{row[item]}`. It is bound as a
        parameter, never written into the SQL; a list is for IN: `WHERE kind IN {kinds}`. A brace is written `{{`
        or `}}`. Of a statement that changes rows, their number is told.
        """
        __tracebackhide__ = True  # IPython then shows the user's frames only
        if cell is None:
            raise UsageError("%%dj_sql is a cell magic: write the SQL below it.")
        out = parse_argstring(self.dj_sql, line).out
        if out is not None and not out.isidentifier():
            raise UsageError(f"-o {out}: not a name of Python.")
        asked = parse_sql(cell, self._names)
        connection = self._connection()
        problem: DataJointError | None = None
        try:
            result = connection.query(asked.sql, asked.values)
        except QueryError as error:
            problem = placed(cell, str(error).rstrip("."))
            if problem is None:
                raise
        if problem is not None:
            raise problem
        value, told = _shown(result)
        if out is not None:
            self._names[out] = value
            print(f"{out}: {told}" if result.names else told)
            return None
        if result.names:
            return value
        print(told)
        return None


def _shown(result: Any) -> tuple[Any, str]:
    """Return what a statement gave, a frame or the number of rows, and that in words."""
    if not result.names:
        count = result.rowcount
        told = f"{count:,} {'row' if count == 1 else 'rows'} changed" if count >= 0 else "done"
        return max(count, 0), told
    import pandas as pd

    frame = pd.DataFrame.from_records(result.fetchall(), columns=list(result.names))
    return frame, f"{len(frame):,} × {len(result.names)}"
