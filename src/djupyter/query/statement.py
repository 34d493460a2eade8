"""From an expression to SQL text with places for values, built once for each shape."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from djupyter.errors import QueryError
from djupyter.query.node import Node
from djupyter.query.restriction import chain
from djupyter.query.select import Element, Lowering, Selection, cut, named
from djupyter.query.source import Source

_MEMO_SIZE = 2048
# A statement with thousands of parameters is as long as it is rare: keeping it would cost more than it saves.
MEMO_VALUES = 1000
_memo: dict[Hashable, Statement] = {}


Slot = int | tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL text and, for each of its placeholders in order, which of the node's values go there.

    Parameters
    ----------
    text
        With the driver's placeholders.
    slots
        The place of one value, or (place of the first, rows, width) for many that travel as JSON.
    """

    text: str
    slots: tuple[Slot, ...]

    def parameters(
        self, values: Sequence[object], adapt: Callable[[object], object]
    ) -> tuple[object, ...]:
        """Return the driver's parameters for the values of a node."""
        return tuple(
            [
                adapt(values[slot]) if isinstance(slot, int) else _packed(values, slot, adapt)
                for slot in self.slots
            ]
        )


def _packed(
    values: Sequence[object], slot: tuple[int, int, int], adapt: Callable[[object], object]
) -> str:
    start, rows, width = slot
    flat = [adapt(value) for value in values[start : start + rows * width]]
    # Drivers that take dates and decimals as they are get them here as they are written.
    return json.dumps([flat[i : i + width] for i in range(0, len(flat), width)], default=str)


def rows(
    node: Node, backend: Any, names: Sequence[str] | None = None, most: int | None = None
) -> Statement:
    """Return the statement for the rows, all or not more than `most`, with all attributes or only the named ones."""
    chosen = None if names is None else tuple(names)

    def build(selection: Selection, lowering: Lowering) -> sa.Select[Any]:
        if most is not None and selection.is_limited:
            selection = selection.nested(lowering)
        if chosen is None:
            select = selection.statement()
        else:
            if selection.depends_on_columns:
                selection = selection.nested(lowering)
            select = selection.statement([named(selection.columns[n], n) for n in chosen])
        return select if most is None else cut(select, sa.literal_column(str(int(most))))

    return _built(("rows", chosen, most), node, backend, build)


def count(node: Node, backend: Any, bound: int | None = None) -> Statement:
    """Return the statement for the number of rows, counting no further than `bound`."""

    def build(selection: Selection, lowering: Lowering) -> sa.Select[Any]:
        counted = sa.func.count().label("n")
        if selection.is_flat and bound is None:
            return selection.statement([counted])
        # Attributes take time to compute and seldom matter.
        inner = selection.statement() if selection.depends_on_columns else _ones(selection)
        if bound is not None:
            if selection.is_limited:
                inner = sa.select(sa.literal_column("1")).select_from(inner.subquery())
            inner = cut(inner, sa.literal_column(str(int(bound))))
        return sa.select(counted).select_from(inner.subquery(lowering.alias()))

    return _built(("count", bound), node, backend, build)


def exists(node: Node, backend: Any) -> Statement:
    """Return the statement that yields a row if the relation has any."""

    def build(selection: Selection, lowering: Lowering) -> sa.Select[Any]:
        if not selection.is_flat:
            selection = selection.nested(lowering)
        return cut(_ones(selection), sa.literal_column("1"))

    return _built("exists", node, backend, build)


def several(nodes: Sequence[Node], backend: Any, *, counted: bool) -> Statement:
    """Return the statement for one row that says of each relation how many rows it has, or whether any.

    Parameters
    ----------
    nodes
        The relations; their values are bound one relation after the other.
    backend
        Writes the statement.
    counted
        Whether to count.
    """
    key = (backend, "several", counted, *(node.shape for node in nodes))
    statement = _memo.get(key)
    if statement is None:
        lowering = Lowering(backend)
        answers = [_answer(node.lower(lowering), lowering, counted) for node in nodes]
        columns = [answer.label(f"n{place}") for place, answer in enumerate(answers)]
        statement = compiled(sa.select(*columns), backend)
        _remember(key, statement, lowering.binds)
    return statement


def _answer(selection: Selection, lowering: Lowering, counted: bool) -> Element:
    flat = selection.flat(lowering)
    if counted:
        return flat.statement([sa.func.count()]).scalar_subquery()
    return sa.exists(flat.statement([sa.literal_column("1")]))


def preview(node: Node, backend: Any, opaque: Sequence[str], prefix: int) -> Statement:
    """Return the statement for a repr: of opaque attributes only the first bytes and the size travel."""
    large = tuple(opaque)

    def build(selection: Selection, lowering: Lowering) -> sa.Select[Any]:
        if large and not selection.is_plain:
            selection = selection.nested(lowering)
        elements: list[Element] = []
        for name, column in selection.columns.items():
            if name in large:
                start = sa.func.substr(
                    column, sa.literal_column("1"), sa.literal_column(str(int(prefix)))
                )
                elements += [named(start, name), sa.func.length(column).label(f"{name}~size")]
            else:
                elements.append(named(column, name))
        return selection.statement(elements)

    return _built(("preview", large, prefix), node, backend, build)


def condition(node: Node, backend: Any, table: sa.TableClause) -> sa.ColumnElement[bool]:
    """Return the condition that selects, in a DELETE of `table`, the rows of a node.

    Restrictions of the table itself become its WHERE; anything else is looked up by primary key.
    """
    lowering = Lowering(backend)
    base, conditions = chain(node)
    if isinstance(base, Source):
        own = Selection({name: table.c[name] for name in base.heading}, table)
        lowered = (each.lower(own, lowering, listed=True) for each in conditions)
        return sa.and_(sa.true(), *lowered)
    found = node.lower(lowering).flat(lowering)
    matched = [found.columns[name] == table.c[name] for name in node.heading.primary_key]
    select = found.statement([sa.literal_column("1")]).where(*matched)
    return sa.exists(select.correlate_except(found.source))


def update(node: Node, backend: Any, table: sa.TableClause, name: str) -> Statement:
    """Return the UPDATE of an attribute of the rows of a node; its value comes after the values of the node."""
    value = sa.bindparam(f"p{len(node.values)}", type_=sa.types.NullType())
    clause = sa.update(table).values({name: value}).where(condition(node, backend, table))
    return compiled(clause, backend)


def compiled(clause: sa.ClauseElement, backend: Any) -> Statement:
    """Return the text of a statement whose parameters are those of `Lowering`."""
    result = clause.compile(dialect=backend.dialect)
    order: Sequence[str] = getattr(result, "positiontup", None) or []
    return Statement(str(result), tuple(map(_slot, order)))


def _slot(parameter: str) -> Slot:
    places = [int(part) for part in parameter[1:].split("x")]
    return places[0] if len(places) == 1 else (places[0], places[1], places[2])


def forget() -> None:
    """Forget the statements made so far, as a new process would."""
    _memo.clear()


def _built(
    kind: Hashable,
    node: Node,
    backend: Any,
    build: Callable[[Selection, Lowering], sa.Select[Any]],
) -> Statement:
    key = (backend, kind, node.shape)
    try:
        statement = _memo.get(key)
        if statement is None:
            statement = _new(node, backend, build)
            _remember(key, statement, len(node.values))
    except RecursionError:
        raise QueryError(
            "The query is nested too deep to write as one statement. Fetch the keys of an inner part "
            "and restrict by those: `table & inner.keys()`."
        ) from None
    return statement


def _remember(key: Hashable, statement: Statement, values: int) -> None:
    if values > MEMO_VALUES:
        return
    if len(_memo) >= _MEMO_SIZE:
        _memo.clear()
    _memo[key] = statement


def _new(
    node: Node, backend: Any, build: Callable[[Selection, Lowering], sa.Select[Any]]
) -> Statement:
    lowering = Lowering(backend)
    select = build(node.lower(lowering), lowering)
    assert lowering.binds == len(node.values), "every value has one parameter, in order"
    return compiled(select, backend)


def _ones(selection: Selection) -> sa.Select[Any]:
    return selection.statement([sa.literal_column("1").label("one")])
