"""Reads pages of a query: those at its ends, those around a row, and the row so many rows further on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from djupyter.errors import InvalidValueError
from djupyter.heading.attribute import Attribute
from djupyter.heading.coerce import coerce_value
from djupyter.query import fetch, statement
from djupyter.query.conditions import AllOf, Equals
from djupyter.query.node import Node
from djupyter.query.paging import Anchor, Known, is_indexed, legs, relations, reversed_order
from djupyter.query.restriction import Restriction
from djupyter.query.show import shown_rows
from djupyter.query.top import Limited, Order

if TYPE_CHECKING:
    from djupyter.sql.connection import Connection


@dataclass(frozen=True, slots=True)
class Page:
    """Some consecutive rows.

    Parameters
    ----------
    rows
        As a repr shows them, in the order of the heading.
    anchors
        The place of each.
    more
        Whether there are further rows in the direction that was read.
    """

    rows: tuple[tuple[object, ...], ...]
    anchors: tuple[Anchor, ...]
    more: bool


def _nothing() -> None:
    pass


class Pages:
    """The rows of a relation in an order.

    Parameters
    ----------
    connection
        Where they are; the thread's own session is used.
    node
        The relation.
    order
        As `paging.total_order` gives it.
    check
        Called before each statement; what it raises ends the work.
    """

    def __init__(
        self,
        connection: Connection,
        node: Node,
        order: Order,
        check: Callable[[], None] = _nothing,
    ) -> None:
        self.connection, self.node, self.order, self.check = connection, node, order, check
        self.is_indexed = is_indexed(node, order)

    def checked(self, check: Callable[[], None]) -> Pages:
        """Return the same with another check."""
        return Pages(self.connection, self.node, self.order, check)

    def within(self, values: Sequence[object]) -> Pages:
        """Return the rows that have some values for the first attributes of the order."""
        if not values:
            return self
        same = [Equals(name, value) for (name, _), value in zip(self.order, values, strict=False)]
        node = Restriction(self.node, AllOf(same))
        return Pages(self.connection, node, self.order[len(values) :], self.check)

    def known(self) -> Pages:
        """Return the rows in which the first attribute of the order is not NULL."""
        node = Restriction(self.node, Known(self.order[0][0]))
        return Pages(self.connection, node, self.order, self.check)

    # -- rows ---------------------------------------------------------------------------------------

    def first(self, size: int) -> Page:
        """Return the first rows."""
        return self._page([self.node], self.order, size)

    def last(self, size: int) -> Page:
        """Return the last rows, in order; `more` tells whether there are rows before them."""
        return _turned(self._page([self.node], reversed_order(self.order), size))

    def after(self, anchor: Anchor, size: int, *, inclusive: bool = False) -> Page:
        """Return the rows after a place."""
        return self._page(self._beyond(self.order, anchor, inclusive), self.order, size)

    def before(self, anchor: Anchor, size: int) -> Page:
        """Return the rows before a place, in order; `more` tells whether there are rows before them."""
        order = reversed_order(self.order)
        return _turned(self._page(self._beyond(order, anchor, False), order, size))

    def values(self, name: str, anchor: Anchor | None, size: int) -> list[object]:
        """Return the values of one attribute in the rows from a place on, or from the beginning."""
        found: list[object] = []
        nodes = [self.node] if anchor is None else self._beyond(self.order, anchor, True)
        for node in nodes:
            self.check()
            limited = Limited(node, self.order, size - len(found), 0)
            planned = fetch.plan(limited, self.connection.backend, [name])
            parameters = planned.statement.parameters(limited.values, self.connection.backend.adapt)
            rows = self.connection.fetch(planned.statement.text, parameters)
            found += [row[name] for row in planned.dicts(rows, {})]
            if len(found) >= size:
                break
        return found

    def row(self, anchor: Anchor) -> Node:
        """Return the relation of the one row at a place."""
        return self.within(anchor).node

    # -- places -------------------------------------------------------------------------------------

    def edge(self, *, last: bool = False) -> Anchor | None:
        """Return the place of the first row, or of the last one; None where there is none."""
        order = reversed_order(self.order) if last else self.order
        return self._place(self.node, order, 0)

    def at(self, anchor: Anchor) -> Anchor | None:
        """Return the place of the first row that has the values of an anchor or comes after them."""
        for node in self._beyond(self.order, anchor, True):
            found = self._place(node, self.order, 0)
            if found is not None:
                return found
        return None

    def skip(self, anchor: Anchor | None, count: int) -> tuple[Anchor | None, int]:
        """Return the place of the row that is so many rows after another, and how many there were on the way.

        It costs a look at the index entries in between, so `count` must be bounded.

        Parameters
        ----------
        anchor
            Where to start; None before the first row.
        count
            At least 1.

        Returns
        -------
        tuple
            None where there are fewer rows, and the number of those that there are.
        """
        gone = 0
        nodes = [self.node] if anchor is None else self._beyond(self.order, anchor, False)
        for node in nodes:
            here = self.count(node, count - gone)
            if gone + here >= count:
                return self._place(node, self.order, count - gone - 1), count
            gone += here
        return None, gone

    def count(self, node: Node | None = None, bound: int | None = None) -> int:
        """Return the number of rows of all, or of a part, counted no further than a bound."""
        node = node or self.node
        self.check()
        prepared = statement.count(node, self.connection.backend, bound)
        adapt = self.connection.backend.adapt
        ((number,),) = self.connection.fetch(prepared.text, prepared.parameters(node.values, adapt))
        return int(number)

    # -- inside -------------------------------------------------------------------------------------

    def _beyond(self, order: Order, anchor: Anchor, inclusive: bool) -> list[Node]:
        found = legs(self.node.heading, order, anchor, inclusive=inclusive)
        return relations(self.node, found, at_once=not self.is_indexed)

    def _page(self, nodes: Sequence[Node], order: Order, size: int) -> Page:
        rows: list[list[object]] = []
        for node in nodes:
            wanted = size + 1 - len(rows)
            self.check()
            rows += shown_rows(self.connection, Limited(node, order, wanted, 0))
            if len(rows) > size:
                break
        kept = rows[:size]
        anchors = tuple(self._anchor(row) for row in kept)
        return Page(tuple(map(tuple, kept)), anchors, len(rows) > size)

    def _place(self, node: Node, order: Order, passed: int) -> Anchor | None:
        if not order:
            return None
        self.check()
        names = [name for name, _ in self.order]
        limited = Limited(node, order, 1, passed)
        planned = fetch.plan(limited, self.connection.backend, names)
        parameters = planned.statement.parameters(limited.values, self.connection.backend.adapt)
        rows = self.connection.fetch(planned.statement.text, parameters)
        if not rows:
            return None
        (row,) = planned.dicts(rows, {})
        return tuple(_canonical(node.heading[name], row[name]) for name in names)

    def _anchor(self, row: Sequence[object]) -> Anchor:
        heading = self.node.heading
        values = dict(zip(heading, row, strict=True))
        return tuple(_canonical(heading[name], values[name]) for name, _ in self.order)


def _turned(page: Page) -> Page:
    return Page(page.rows[::-1], page.anchors[::-1], page.more)


def _canonical(attribute: Attribute, value: object) -> object:
    """Return a fetched value as it is compared: a float32 is told rounded to the digits that matter."""
    if value is None or attribute.type is None:
        return value
    try:
        made = coerce_value(attribute, value)
    except InvalidValueError:  # written by another program, past the checks of this one
        return value
    return value if made is None else made
