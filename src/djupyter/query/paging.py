"""Pages by keyset: the rows beyond a row, found by its values and never by counting rows.

A row has a place in an order, told by its values for the attributes of the order: its *anchor*. The rows after an
anchor `(a, b, c)` come in *legs*, each a range of one index, whatever the directions and wherever NULL is:

```
a is the same, b is the same, c is beyond
a is the same, b is beyond
a is beyond
```

One leg after the other is read until a page is full, so a page costs the same at any place of a table. Rows before an
anchor are those after it in the reversed order. NULL comes before all values, as everywhere here: in a descending order
it has a leg of its own at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from djupyter.errors import DataJointError
from djupyter.heading.attribute import Attribute
from djupyter.heading.heading import Heading
from djupyter.query import elements
from djupyter.query.anatomy import structures
from djupyter.query.conditions import AllOf, AnyOf, Condition, Equals
from djupyter.query.node import Node
from djupyter.query.restriction import Restriction
from djupyter.query.select import Element, Lowering, Selection
from djupyter.query.top import Order
from djupyter.sql.types import storage_of

Anchor = tuple[object, ...]


class Beyond(Condition):
    """An attribute comes after a value in an order; NULL never does."""

    __slots__ = ("descending", "name", "shape", "values")

    def __init__(self, name: str, value: object, *, descending: bool) -> None:
        self.name, self.descending = name, descending
        self.shape = ("beyond", name, descending)
        self.values = (value,)

    def lower(self, selection: Selection, lowering: Lowering, *, listed: bool = False) -> Element:
        """Compare as the order does."""
        column = selection.columns[self.name]
        return elements.Beyond(column, "<" if self.descending else ">", lowering.bind())


class Known(Condition):
    """An attribute is not NULL."""

    __slots__ = ("name", "shape", "values")

    def __init__(self, name: str) -> None:
        self.name, self.shape, self.values = name, ("known", name), ()

    def lower(self, selection: Selection, lowering: Lowering, *, listed: bool = False) -> Element:
        """Ask for a value."""
        return selection.columns[self.name].is_not(None)


def is_sortable(attribute: Attribute) -> bool:
    """Whether all databases put the values of an attribute in the same order, and cheaply.

    >>> from djupyter.definition.types import parse_type
    >>> [is_sortable(Attribute("a", parse_type(text))) for text in ("int8", "json", "<blob>")]
    [True, False, False]
    """
    if attribute.type is None:
        return True
    return not attribute.is_codec and storage_of(attribute.type).family not in ("json", "bytes")


def total_order(heading: Heading, order: Iterable[tuple[str, bool]] = ()) -> Order:
    """Return an order that leaves no two rows in the same place: the key comes last.

    Parameters
    ----------
    heading
        Of the relation.
    order
        Pairs (attribute, descending).

    Raises
    ------
    UnknownAttributeError
        A name is not an attribute.
    DataJointError
        An attribute has no order.

    Examples
    --------
    >>> from djupyter.definition.types import parse_type
    >>> key = Attribute("mouse", parse_type("int32"), in_key=True)
    >>> total_order(Heading([key, Attribute("weight", parse_type("float64"))]), [("weight", True)])
    (('weight', True), ('mouse', False))
    """
    wanted = dict(reversed(tuple(order)))
    first = [(name, wanted[name]) for name in reversed(wanted)]
    rest = [(name, False) for name in heading.primary_key if name not in wanted]
    for name, _ in (*first, *rest):
        if not is_sortable(heading.need(name)):
            raise DataJointError(
                f"Rows cannot be ordered by `{name}` : {heading[name].type_text}. "
                "Order by other attributes; a key that holds it has no order."
            )
    return (*first, *rest)


def reversed_order(order: Order) -> Order:
    """Return the order that puts the last row first."""
    return tuple((name, not descending) for name, descending in order)


def legs(
    heading: Heading, order: Order, anchor: Sequence[object], *, inclusive: bool = False
) -> list[Condition]:
    """Return the conditions for the rows after an anchor: the rows of one come before those of the next.

    Parameters
    ----------
    heading
        Of the relation.
    order
        Pairs (attribute, descending).
    anchor
        The values of the first attributes of the order, or of all of them; None for NULL.
    inclusive
        Whether the rows that have just these values come first.

    Examples
    --------
    >>> from djupyter.definition.types import parse_type
    >>> heading = Heading(Attribute(name, parse_type("int32"), in_key=True) for name in "ab")
    >>> [leg.shape for leg in legs(heading, (("a", False), ("b", False)), (1, 2))]
    [('and', ('=', 'a', False), ('beyond', 'b', False)), ('beyond', 'a', False)]
    """
    same = [Equals(name, value) for (name, _), value in zip(order, anchor, strict=False)]
    found = [_all(same)] if inclusive else []
    for place in reversed(range(len(same))):
        name, descending = order[place]
        beyond = _beyond(heading[name], anchor[place], descending=descending)
        found += [_all([*same[:place], each]) for each in beyond]
    return found


def _beyond(attribute: Attribute, value: object, *, descending: bool) -> Iterator[Condition]:
    if value is None:
        if not descending:
            yield Known(attribute.name)
        return
    yield Beyond(attribute.name, value, descending=descending)
    if descending and attribute.nullable:
        yield Equals(attribute.name, None)


def _all(conditions: Sequence[Condition]) -> Condition:
    return conditions[0] if len(conditions) == 1 else AllOf(conditions)


def relations(node: Node, legs: Sequence[Condition], *, at_once: bool = False) -> list[Node]:
    """Return the relations to read one after the other.

    Parameters
    ----------
    node
        What is paged.
    legs
        Of the rows that are wanted.
    at_once
        All in one statement: where no index helps, each costs a look at all rows.
    """
    if at_once and len(legs) > 1:
        return [Restriction(node, AnyOf(legs))]
    return [Restriction(node, leg) for leg in legs]


def is_indexed(node: Node, order: Order) -> bool:
    """Whether an index may put rows in an order: a key or an index of one of the tables begins like it.

    Only a guess; what hangs on it is how rows are asked for, not which are found.
    """
    if not order:
        return True
    first = order[0][0]
    return any(
        structure.full_key[:1] == (first,)
        or any(index.attributes[:1] == (first,) for index in structure.indexes)
        or any(key.names[:1] == (first,) for key in structure.foreign_keys)
        for structure in structures(node.shape)
    )
