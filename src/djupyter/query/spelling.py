"""A query as the Python text that makes it, so that what is seen on screen can be put into a program."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from djupyter.definition.names import TableName
from djupyter.query.aggregation import Aggregation, Total
from djupyter.query.algebra import Algebra, instance
from djupyter.query.conditions import AndList, Not
from djupyter.query.join import Join
from djupyter.query.node import Node
from djupyter.query.projection import Plan, Projection
from djupyter.query.restriction import Restriction
from djupyter.query.source import Source
from djupyter.query.text import Computation
from djupyter.query.top import Limited, Order
from djupyter.query.universal import Distinct

NameOf = Callable[[TableName], str]

_PLAIN = (str, int, float, bool, bytes, type(None))


class _UnspelledError(Exception):
    """There is no text for a part of it."""


def spelled(node: Node, name_of: NameOf | None = None) -> str | None:
    r"""Return Python text that makes a relation; None where a part of it has no text.

    Parameters
    ----------
    node
        The relation.
    name_of
        What the class of a table is called.

    Examples
    --------
    >>> import djupyter as dj
    >>> schema = dj.Schema("lab", connection=dj.Connection("sqlite://"))
    >>> @schema
    ... class Mouse(dj.Manual):
    ...     definition = "mouse : int32\n---\nweight : float64"
    >>> print(spelled((Mouse.proj(w="weight * 2") & "w > 3" & {"mouse": 1}).node))
    Mouse.proj(w='weight * 2') & 'w > 3' & {'mouse': 1}
    """
    try:
        return _Speller(name_of or (lambda name: name.class_name)).text(node)
    except (_UnspelledError, RecursionError):
        return None


def restricted(text: str, restrictions: Iterable[object], order: Order = ()) -> str:
    """Return the text of a query with further restrictions and an order.

    >>> restricted("Mouse * Cage", ["weight > 3"], (("weight", True), ("mouse", False)))
    "Mouse * Cage & 'weight > 3' & dj.Top(None, 'weight desc, mouse')"
    """
    conditions = [_value(each) for each in restrictions]
    if order:
        keys = ", ".join(f"{name} desc" if descending else name for name, descending in order)
        conditions.append(f"dj.Top(None, {keys!r})")
    return " & ".join([text, *conditions])


def _value(value: object) -> str:
    if isinstance(value, _PLAIN):
        return repr(value)
    if isinstance(value, datetime.date | Decimal):
        return repr(str(value))
    if isinstance(value, Not):
        return f"dj.Not({_value(value.restriction)})"
    if isinstance(value, AndList):
        return f"dj.AndList([{', '.join(map(_value, value))}])"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{k!r}: {_value(v)}' for k, v in value.items())}}}"
    if type(value) in (list, tuple) and isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    raise _UnspelledError


class _Speller:
    def __init__(self, name_of: NameOf) -> None:
        self._name_of = name_of

    def text(self, node: Node) -> str:
        match node:
            case Source():
                return self._name_of(node.structure.name)
            case Restriction():
                return self.restriction(node)
            case Projection():
                return f"{self.operand(node.operand)}.proj({_arguments(node.plan)})"
            case Join():
                return self.join(node)
            case Aggregation():
                return self.aggregation(node)
            case Total():
                arguments = ", ".join(filter(None, [self.text(node.group), _arguments(node.plan)]))
                return f"dj.U({', '.join(map(repr, node.names))}).aggr({arguments})"
            case Distinct():
                return f"dj.U({', '.join(map(repr, node.names))}) & {self.operand(node.operand)}"
            case Limited():
                return self.limited(node)
        raise _UnspelledError

    def operand(self, node: Node) -> str:
        """Return a text that a method can be called on, or that stands beside `*`."""
        text = self.text(node)
        return text if isinstance(node, Source | Projection | Aggregation | Total) else f"({text})"

    def restriction(self, node: Restriction) -> str:
        inner = self.text(node.operand)
        if node.written is True:
            return inner
        if node.written is None:
            raise _UnspelledError
        negated = type(node.written) is Not
        written = node.written.restriction if isinstance(node.written, Not) else node.written
        sign = "-" if negated else "&"
        # `a & b - c` means `a & (b - c)`.
        if negated and not isinstance(node.operand, Source | Projection | Aggregation):
            inner = f"({inner})"
        return f"{inner} {sign} {self.condition(written)}"

    def condition(self, written: object) -> str:
        written = instance(written)
        if isinstance(written, Algebra):
            return self.operand(written.node)
        return _value(written)

    def join(self, node: Join) -> str:
        if node.nulls:
            raise _UnspelledError
        left, right = self.operand(node.left), self.operand(node.right)
        if node.outer:
            return f"{left}.join({self.text(node.right)}, left=True)"
        return f"{left} * {right}"

    def aggregation(self, node: Aggregation) -> str:
        more = "" if node.outer or node.group.is_restricted else "exclude_nonmatching=True"
        arguments = ", ".join(filter(None, [self.text(node.group), _arguments(node.plan), more]))
        return f"{self.operand(node.operand)}.aggr({arguments})"

    def limited(self, node: Limited) -> str:
        order = [f"{name} desc" if descending else name for name, descending in node.order]
        offset = f", offset={node.offset}" if node.offset else ""
        top = f"dj.Top({node.limit}, {order or None!r}{offset})"
        return f"{self.text(node.operand)} & {top}"


def _arguments(plan: Plan) -> str:
    def computed(each: Computation) -> str:
        return repr(each.fragment.text)

    named = {
        **{new: repr(old) for new, old in plan.renamed.items()},
        **{new: repr(f"({old})") for new, old in plan.copied.items()},
        **{new: computed(each) for new, each in plan.computed.items()},
    }
    return ", ".join([*map(repr, plan.kept), *(f"{name}={text}" for name, text in named.items())])
