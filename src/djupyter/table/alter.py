"""Changing a table that is there, keeping what is in it."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Sequence

from djupyter.definition.names import TableName
from djupyter.graph.dependencies import pipeline
from djupyter.heading.alteration import Alteration
from djupyter.heading.following import followers
from djupyter.heading.planning import plan
from djupyter.heading.structure import TableStructure
from djupyter.sql import ddl
from djupyter.sql.backends.differences.records import Statement
from djupyter.sql.connection import Connection
from djupyter.sql.fitness import check_rows, losses, refuse_losses
from djupyter.sql.rebuild import rebuild, statements
from djupyter.sql.reflect import Catalog
from djupyter.table.cycles import refuse_cycles
from djupyter.table.prompt import confirmed


def alter(
    connection: Connection,
    existing: TableStructure,
    wanted: TableStructure,
    *,
    prompt: bool = False,
    dry_run: bool = False,
    agree: Callable[[str], bool] | None = None,
) -> str:
    """Make a table what a definition declares, and return a short sentence of what was done.

    Rows stay, and so do the tables that refer to it; those get the names and types that change. An
    attribute whose comment begins with `{old}` is the attribute `old` under a new name.

    Parameters
    ----------
    connection
        Where the table is.
    existing
        The table as the database has it; its name differs from the wanted one's where the tier changes.
    wanted
        The table as its definition declares it.
    prompt
        Show what would be done and ask first. Only a yes lets an attribute go that holds values.
    dry_run
        Change nothing; return the steps and the statements instead.
    agree
        Shows the steps, which it is given, and asks, in place of `prompt`.

    Raises
    ------
    DataJointError
        A transaction is open, or something would be lost: the message says what and how to go about it.
        Nothing was changed.
    InvalidValueError
        A value does not fit the new type of its attribute.
    DuplicateError
        A new key or unique index would hold a value twice.
    IntegrityError
        A row refers to no row of a new parent.
    DependencyCycle
        A new foreign key would close a cycle.
    """
    ddl.refuse_in_transaction(connection, f"{wanted.name} cannot be altered")
    alteration = plan(existing, wanted)
    if not alteration.steps:
        return alteration.told()
    parents = {key.parent.schema for key in wanted.foreign_keys}
    graph = pipeline(connection.catalog.connected(existing.name.schema, *parents))
    if alteration.new_keys:
        refuse_cycles(connection, alteration.wanted, graph)
    below = [graph.structures[name] for name in graph.descendants(existing.name)]
    together = (alteration, *followers(alteration, below))
    check_rows(connection, together)
    lost = losses(connection, alteration)
    if dry_run:
        return _dry(connection, together, lost)
    if prompt or agree:
        if not (agree or _asked)(described(together, lost)):
            return "not altered"
    elif lost:
        refuse_losses(connection, alteration)
    rebuild(connection, together)
    return alteration.told()


def _asked(steps: str) -> bool:
    print(steps)
    return confirmed("Proceed?")


def in_other_tier(catalog: Catalog, name: TableName) -> TableStructure | None:
    """Return the table that a class without a table of its own has in another tier.

    Its name in the database tells the tier, so that one and the same class may have been declared under
    another name.
    """
    if name.master is not None or name.tier is None:
        return None
    for other in catalog.structures(name.schema).values():
        is_master = other.name.master is None and other.name.tier is not None
        if is_master and other.name != name and other.name.class_name == name.class_name:
            return other
    return None


def described(together: Sequence[Alteration], lost: Sequence[str] = ()) -> str:
    """Return the plan of an alteration, one step in each line.

    >>> structure = TableStructure(TableName("lab", "mouse"), "", ())
    >>> print(described([plan(structure, TableStructure(structure.name, "Mice", ()))]))
    Mouse in schema `lab` would be altered:
      change comments
    """
    lines = [line for alteration in together for line in _lines(alteration)]
    return "\n".join([*lines, *(f"  LOST: {sentence}." for sentence in lost)])


def _lines(alteration: Alteration) -> list[str]:
    name = alteration.existing.name
    title = f"{name.class_name} in schema `{name.schema}` would be altered:"
    return [title, *(f"  {step}" for step in alteration.steps)]


def _dry(connection: Connection, together: Sequence[Alteration], lost: Sequence[str]) -> str:
    doubled = "format" in connection.backend.dialect.paramstyle
    planned = (_shown(statement, doubled) for statement in statements(connection, together))
    advice = ["(only after a yes to the question of `alter()`)"] if lost else []
    return "\n".join([described(together, lost), *advice, "With these statements:", *planned])


def _shown(statement: Statement, doubled: bool) -> str:
    """Return a statement as it can be given to the database; some drivers want each % twice."""
    sql, values = statement
    sql = sql.replace("%%", "%") if doubled else sql
    return f"  {sql};" + (f"  -- values: {reprlib.repr(tuple(values))}" if values else "")
