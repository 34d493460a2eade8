"""Diagrams: choose tables of the pipeline, combine the choices, follow rows through them.

```python
dj.Diagram(schema) + 1                    # all tables of a schema and those right below them
dj.Diagram(Subject) + 10 - dj.Diagram(lab)  # what depends on Subject outside the schema lab
dj.Diagram.cascade(Subject & key).counts()  # what deleting would take
dj.Diagram.trace(Result & key)[Session]     # the sessions behind a result
```
"""

from __future__ import annotations

import copy
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any, Literal, Self

from djupyter.definition.names import TableName
from djupyter.errors import DataJointError
from djupyter.graph.cascade import Rows, restrict, trace
from djupyter.graph.routes import visible
from djupyter.graph.shown import Shown
from djupyter.query.algebra import instance
from djupyter.query.counts import counts
from djupyter.query.node import Node
from djupyter.query.source import Source
from djupyter.render.drawing import Box, Drawing
from djupyter.render.svg import Shades
from djupyter.sql.connection import Connection
from djupyter.table import planning
from djupyter.table.diagram_source import Origin, name_of, origin_of, shown
from djupyter.table.picturing import Pictures
from djupyter.table.table import FreeTable, Table

Kind = Literal["plain", "cascade", "restrict", "trace"]


class Diagram(Pictures):
    r"""Some tables of a pipeline, and rows of them.

    Diagrams are never changed: every operation returns a new one.

    | write            | to get                                                        |
    |------------------|---------------------------------------------------------------|
    | `d + n`, `d - n` | also the tables n levels downstream, upstream                 |
    | `d + e`, `d - e`, `d * e` | the tables of both, of only the first, common to both |
    | `for table in d` | its tables, parents before children                           |
    | `d.save(name)`   | a picture of it, as svg, png or mmd                           |

    Parameters
    ----------
    source
        A schema, a module with tables, a table or its class, or a query, which stands for the tables
        it is made from.
    context
        Accepted for code written for datajoint; tables have the names of their classes anyway.

    Raises
    ------
    DataJointError
        `source` is nothing of this kind.
    MissingTableError
        The table is not declared.

    Examples
    --------
    >>> import djupyter as dj
    >>> schema = dj.Schema("lab", connection=dj.Connection("sqlite://"))
    >>> @schema
    ... class Subject(dj.Manual):
    ...     definition = "subject : int32"
    >>> @schema
    ... class Session(dj.Manual):
    ...     definition = "-> Subject\nsession : int32"
    >>> dj.Diagram(Subject) + 1
    Diagram of 2 tables
      lab.Subject
      lab.Session  <- Subject
    >>> Subject.insert([(1,), (2,)])
    >>> Session.insert([(1, 1), (1, 2), (2, 1)])
    >>> dj.Diagram.cascade(Subject & "subject = 1").counts()
    {'`lab`.`subject`': 1, '`lab`.`session`': 2}
    >>> dj.Diagram.trace(Session & "session = 2")[Subject].keys()
    [{'subject': 1}]
    """

    def __init__(self, source: object, context: object = None) -> None:
        self._kind: Kind = "plain"
        self._chosen: Mapping[TableName, tuple[Node, ...]] = {}
        self._rows: Rows = {}
        if isinstance(source, Diagram):
            vars(self).update(vars(source))
            return
        self._begin([origin_of(source)])

    def _begin(self, origins: Sequence[Origin]) -> None:
        self._connection, self._shown = origins[0].connection, shown(origins)

    @classmethod
    def from_sequence(cls, sequence: Iterable[object]) -> Self:
        """Return the diagram of the tables of several sources.

        Raises
        ------
        DataJointError
            There are none, or they are not on one connection.
        """
        given = list(sequence)
        if not given:
            raise DataJointError("A diagram needs at least one schema, module or table.")
        diagrams = [each for each in given if isinstance(each, Diagram)]
        origins = [origin_of(each) for each in given if not isinstance(each, Diagram)]
        if not origins:
            return reduce(operator.add, diagrams[1:], cls(diagrams[0]))
        first = cls.__new__(cls)
        first._kind, first._chosen, first._rows = "plain", {}, {}
        first._begin(origins)
        return reduce(operator.add, diagrams, first)

    # -- rows ---------------------------------------------------------------------------------------

    @classmethod
    def cascade(cls, table_expr: Any, part_integrity: str = "enforce") -> Self:
        """Return what deleting some rows would take: the tables, and the rows of each.

        Parameters
        ----------
        table_expr
            A table, restricted or not.
        part_integrity
            As in `Table.delete`.

        Raises
        ------
        DataJointError
            Part rows would go while their master's row stays.
        """
        table = _table(table_expr, "cascade")
        plan = planning.planned(
            table.connection, table._graph(), table.name, table.node, part_integrity
        )
        shown = Shown(plan.graph, frozenset(plan.rows))
        return cls(table)._with(_kind="cascade", _rows=plan.rows, _shown=shown)

    @classmethod
    def trace(cls, table_expr: Any) -> Self:
        """Return what some rows depend on: the tables, and the rows of each, by any way.

        Parameters
        ----------
        table_expr
            A table, restricted or not.
        """
        table = _table(table_expr, "trace")
        return cls(table)._traced({table.name: table.node})

    def _traced(self, seeds: Mapping[TableName, Node]) -> Self:
        rows = trace(self._shown.graph, seeds)
        shown = self._shown.only(self._shown.names | rows.keys())
        return self._with(_kind="trace", _rows=rows, _shown=shown)

    def restrict(self, table_expr: Any) -> Self:
        """Return the diagram with only the rows that agree with a choice of rows of one table.

        The choice travels downstream. Where several ways meet, a row must agree with all of them, and
        so do rows below several restrictions; a row whose reference to a restricted table is NULL does not.

        Parameters
        ----------
        table_expr
            A table, restricted or not.

        Raises
        ------
        DataJointError
            The diagram comes from `cascade` or `trace`, which have their own rows.
        """
        if self._kind in ("cascade", "trace"):
            raise DataJointError(
                f"A diagram of Diagram.{self._kind}() has its own rows and cannot be restricted. "
                "Restrict the table before, or begin with Diagram(...)."
            )
        table = _table(table_expr, "restrict")
        self._refuse_others(table.connection)
        before = self._chosen.get(table.name, ())
        chosen = {**self._chosen, table.name: (*before, table.node)}
        rows = restrict(self._shown.graph, chosen)
        return self._with(_kind="restrict", _chosen=chosen, _rows=rows)

    def counts(self) -> dict[str, int]:
        """Return how many rows were chosen, for each table with a choice, in one statement.

        Raises
        ------
        DataJointError
            No rows were chosen.
        """
        if self._kind == "plain":
            raise DataJointError(
                "No rows were chosen, so there is nothing to count. Use Diagram.cascade(table), "
                "Diagram.trace(table) or diagram.restrict(table) first."
            )
        names = [name for name in self._shown if name in self._rows]
        return {str(name): count for name, count in self._counted(names).items()}

    def prune(self) -> Self:
        """Return the diagram without the tables that have no rows, or none that were chosen."""
        found = self._counted(list(self._shown))
        kept = (name for name, count in found.items() if count)
        return self._with(_shown=self._shown.only(kept))

    def __getitem__(self, table: Any) -> FreeTable:
        """Return the chosen rows of a table, named by its class or its quoted name."""
        name = name_of(table)
        if name not in self._rows:
            raise DataJointError(
                f"The diagram has no rows of {table if name is None else name.class_name}: it is not among "
                f"{', '.join(each.class_name for each in self._rows) or 'restricted tables, of which there are none'}."
            )
        assert name is not None
        return FreeTable(self._connection, name)._like(self._rows[name])

    def _counted(self, names: list[TableName]) -> dict[TableName, int]:
        structures = self._shown.graph.structures
        nodes = [self._rows.get(name) or Source(structures[name]) for name in names]
        return dict(zip(names, counts(self._connection, nodes), strict=True))

    # -- tables -------------------------------------------------------------------------------------

    def __add__(self, other: Any) -> Self:
        """Return the tables of both, or, for a number, also those so many levels downstream."""
        if _is_number(other):
            return self._with(_shown=self._shown.spread(int(other)))
        second = self._operand(other)
        return self._with(_shown=self._shown | second._shown, **self._merged_rows(second))

    def __sub__(self, other: Any) -> Self:
        """Return the tables of only this one, or, for a number, also those so many levels upstream."""
        if _is_number(other):
            return self._with(_shown=self._shown.spread(-int(other)))
        left = self._shown.names - self._operand(other)._shown.names
        return self._with(_shown=self._shown.only(left))

    def __mul__(self, other: Any) -> Self:
        """Return the tables common to both."""
        both = self._shown.names & self._operand(other)._shown.names
        return self._with(_shown=self._shown.only(both))

    def add_parts(self) -> Self:
        """Return the diagram with all parts of its tables."""
        return self._with(_shown=self._shown.with_parts())

    def collapse(self) -> Self:
        """Return the diagram with its tables drawn as one box for each schema.

        Added to another diagram, the tables of the other one are still drawn.
        """
        return self._with(_shown=replace(self._shown, collapsed=self._shown.names))

    def __iter__(self) -> Iterator[FreeTable]:
        return (FreeTable(self._connection, name) for name in self._shown)

    def __len__(self) -> int:
        return len(self._shown.names)

    def __contains__(self, table: object) -> bool:
        return name_of(table) in self._shown.names

    @property
    def nodes(self) -> list[str]:
        """The quoted names of its tables, parents before children."""
        return [str(name) for name in self._shown]

    @property
    def edges(self) -> list[tuple[str, str]]:
        """The references between its tables, pairs (parent, child), once for each foreign key."""
        return [(str(key.parent), str(name)) for name, key in self._shown.links()]

    # -- pictures -----------------------------------------------------------------------------------

    def drawing(self, *, notes: bool = False) -> Drawing:
        """Return the boxes and lines to draw, as plain data.

        Parameters
        ----------
        notes
            Whether boxes come with the definitions of their tables.
        """
        direction = self._connection.settings["display.diagram_direction"]
        return self._shown.drawing(direction, notes=notes)

    def _unfolded(self) -> tuple[Drawing, frozenset[Box]]:
        """Return all tables drawn one by one, in order, and which of them are drawn together otherwise."""
        shown = self._shown
        direction = self._connection.settings["display.diagram_direction"]
        drawing = replace(shown, collapsed=frozenset()).drawing(direction, notes=True)
        pairs = zip(shown, drawing.boxes, strict=True)
        return drawing, frozenset(box for name, box in pairs if name in shown.collapsed)

    @property
    def _theme(self) -> Shades:
        theme: Shades = self._connection.settings["display.diagram_theme"]
        return theme

    def __repr__(self) -> str:
        parents: dict[TableName, dict[str, None]] = {}
        for name, key in self._shown.links():
            near = key.parent.schema == name.schema
            told = key.parent.class_name if near else _told(key.parent)
            parents.setdefault(name, {})[told] = None
        lines = [f"Diagram of {len(self)} table{'' if len(self) == 1 else 's'}"]
        for name in self._shown:
            above = f"  <- {', '.join(parents[name])}" if name in parents else ""
            lines.append(f"  {_told(name)}{above}")
        return "\n".join(lines)

    # -- inside -------------------------------------------------------------------------------------

    def _with(self, **changes: Any) -> Self:
        changed = copy.copy(self)
        vars(changed).update(changes)
        return changed

    def _operand(self, other: object) -> Diagram:
        diagram = Diagram(other)
        self._refuse_others(diagram._connection)
        return diagram

    def _refuse_others(self, connection: Connection) -> None:
        if connection is not self._connection:
            raise DataJointError("The tables of a diagram must all be on one connection.")

    def _merged_rows(self, other: Diagram) -> dict[str, Any]:
        if other._kind == "plain":
            return {}
        if self._kind != "plain":
            raise DataJointError(
                "Both diagrams have chosen rows. Only one of those that are added may."
            )
        return {name: getattr(other, name) for name in ("_kind", "_rows", "_chosen")}


def _table(written: object, operation: str) -> Table:
    table = instance(written)
    if not isinstance(table, Table):
        raise DataJointError(
            f"{operation} needs a table, restricted or not, not {type(table).__name__}. "
            "For a query write `Table & query`."
        )
    return table


def upstream_of_row(table: Table, key: Mapping[str, Any]) -> Diagram:
    """Return what a row depends on by its primary key, whether it is there already or not.

    Parameters
    ----------
    table
        The table that the row is, or will be, in.
    key
        The values of its primary key.
    """
    structure = table.structure
    above: dict[TableName, list[dict[str, Any]]] = {}
    for reference in structure.foreign_keys:
        if structure.is_primary(reference):
            pairs = visible(structure, reference)
            above.setdefault(reference.parent, []).append(
                {there: key[here] for here, there in pairs}
            )
    seeds = {name: (FreeTable(table.connection, name) & rows).node for name, rows in above.items()}
    return Diagram(table)._traced(seeds)


def _is_number(value: object) -> bool:
    return hasattr(value, "__index__") and not isinstance(value, bool)


def _told(name: TableName) -> str:
    return f"{name.schema}.{name.class_name}"
