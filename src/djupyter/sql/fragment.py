r"""User-written condition text: parsed once, checked, and written for any backend.

```
text --parse_condition--> Fragment(names, values, shape) --element--> SQLAlchemy element
      sqlglot, cached                                      one template per shape and backend
```

One portable language on every backend, by the rules of MySQL: "double" and 'single' quotes make
strings, `backticks` quote names, and a backslash in a string escapes: `\\` is one backslash, `\'` a
quote, `\n` a line end, while `\%` and `\_` keep it, for LIKE. Case matters in LIKE and REGEXP;
`collate nocase` ignores it. `/` gives a fraction, `||` is refused as it means two things. The clock
is the database's; SQLite's runs on UTC.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import Numeric, type_coerce
from sqlalchemy.sql.elements import ColumnElement

from djupyter.errors import QuerySyntaxError
from djupyter.sql.json_path import JsonPath, document_template, parse_json_path
from djupyter.sql.language.tree import Call, Name, Node, Value, kind_of, shape_of
from djupyter.sql.language.writer import FragmentElement, Tree, assemble, written

__all__ = [
    "Fragment",
    "JsonPath",
    "element",
    "json_document",
    "json_element",
    "parse_aggregate",
    "parse_condition",
    "parse_expression",
    "parse_json_path",
    "parse_ordering",
]

_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Fragment:
    """A condition, computed attribute or aggregation as the user wrote it, checked and taken apart.

    Parameters
    ----------
    text
        As the user wrote it.
    names
        The attributes it mentions, in order of first use; whether they exist the heading says.
    values
        The literals that were taken out, to be bound: int, float, Decimal or str, in order.
    compared
        For each value the attribute it is compared with, None where there is not exactly one.
    shape
        Equal for fragments that differ only in their values; a key for memoising.
    has_aggregate
        Whether it aggregates.
    tree
        The operations; for `element`.
    """

    text: str
    names: tuple[str, ...]
    values: tuple[object, ...]
    compared: tuple[str | None, ...]
    shape: str
    has_aggregate: bool
    tree: Tree = field(compare=False, repr=False)


@lru_cache(maxsize=_REMEMBERED)
def parse_condition(text: str) -> Fragment:
    """Return a condition that is true or false for each row.

    Raises
    ------
    QuerySyntaxError
        It cannot be read, aggregates, or has something that is not in the language.

    Examples
    --------
    >>> fragment = parse_condition('weight > 3 and name like "a%"')
    >>> fragment.names, fragment.values
    (('weight', 'name'), (3, 'a%'))
    >>> fragment.shape == parse_condition("weight > 5 and name like 'b'").shape
    True
    """
    fragment = _parse(text, as_condition=True)
    _refuse_aggregate(fragment, "A condition")
    return fragment


@lru_cache(maxsize=_REMEMBERED)
def parse_expression(text: str) -> Fragment:
    """Return a scalar expression, for a computed attribute.

    Raises
    ------
    QuerySyntaxError
        It cannot be read, aggregates, or has something that is not in the language.

    Examples
    --------
    >>> parse_expression("car.length:decimal(4,1)").names
    ('car',)
    """
    path = parse_json_path(text) if ":" in text else None
    if path is not None:
        return _fragment(text, Name(path.attribute, path.path, path.type), names=(path.attribute,))
    fragment = _parse(text)
    _refuse_aggregate(fragment, "A computed attribute")
    return fragment


@lru_cache(maxsize=_REMEMBERED)
def parse_aggregate(text: str) -> Fragment:
    """Return an expression that may aggregate.

    Raises
    ------
    QuerySyntaxError
        It cannot be read, or has something that is not in the language.

    Examples
    --------
    >>> parse_aggregate("max(y) - min(y)").has_aggregate
    True
    """
    return _parse(text)


def _parse(text: str, *, as_condition: bool = False) -> Fragment:
    # sqlglot costs a tenth of a second, which a session without text conditions need not pay.
    from djupyter.sql.language.rules import reader as new_reader

    reader = new_reader()
    node = reader.read(text)
    if as_condition and kind_of(node) != "bool":
        node = Call("condition", (node,), "bool")
    return _fragment(
        text,
        node,
        names=tuple(reader.names),
        values=tuple(reader.values),
        compared=tuple(reader.compared),
        has_aggregate=reader.has_aggregate,
    )


def _fragment(
    text: str,
    node: Node,
    *,
    names: tuple[str, ...],
    values: tuple[object, ...] = (),
    compared: tuple[str | None, ...] = (),
    has_aggregate: bool = False,
) -> Fragment:
    shape = shape_of(node)
    return Fragment(text, names, values, compared, shape, has_aggregate, Tree(shape, node))


def _refuse_aggregate(fragment: Fragment, what: str) -> None:
    if fragment.has_aggregate:
        raise QuerySyntaxError(
            f"{what} cannot aggregate: {fragment.text}. "
            'Aggregate with `A.aggr(B, n="count(*)")`, then restrict that.'
        )


_ORDER = re.compile(
    r"\s*(?:`(?P<quoted>(?:[^`]|``)+)`|(?P<plain>[A-Za-z_]\w*))(?:\s+(?P<way>asc|desc))?\s*", re.I
)


@lru_cache(maxsize=_REMEMBERED)
def parse_ordering(text: str) -> tuple[tuple[str, bool], ...]:
    """Return pairs (attribute, whether it descends).

    Raises
    ------
    QuerySyntaxError
        It is not a list of names, each followed by `asc`, `desc` or nothing.

    Examples
    --------
    >>> parse_ordering("a, b desc")
    (('a', False), ('b', True))
    >>> parse_ordering("KEY desc")
    (('KEY', True),)
    """
    found = []
    position = 0
    while True:
        match = _ORDER.match(text, position)
        if match is None or text[match.end() : match.end() + 1] not in ("", ","):
            raise QuerySyntaxError(
                f"The order `{text}` is not a list of attributes. "
                'Write names with `asc` or `desc`, for example "session_date desc, mouse_id"; '
                "to order by an expression, compute it first with .proj()."
            )
        name = match["plain"] or match["quoted"].replace("``", "`")
        found.append((name, (match["way"] or "").lower() == "desc"))
        position = match.end() + 1
        if match.end() == len(text):
            return tuple(found)


def element(
    fragment: Fragment,
    column: Callable[[str], ColumnElement[Any]],
    bind: Callable[[int], ColumnElement[Any]],
    dialect: str,
) -> ColumnElement[Any]:
    """Return the SQLAlchemy element of a fragment.

    Parameters
    ----------
    fragment
        What was parsed.
    column
        Gives the element of an attribute: a column, or the whole expression that computes it.
    bind
        Gives the bind parameter of a value by its place.
    dialect
        `sqlite`, `mysql`, `mariadb` or `postgresql`.
    """

    def leaf(node: Name | Value) -> ColumnElement[Any]:
        if isinstance(node, Name):
            return column(node.name)
        # The driver of SQLite takes no Decimal; the type makes it a float there.
        return (
            type_coerce(bind(node.index), Numeric()) if node.kind == "decimal" else bind(node.index)
        )

    return assemble(written(fragment.tree, dialect), leaf, dialect, kind_of(fragment.tree.root))


def json_document(bind: ColumnElement[Any], dialect: str) -> ColumnElement[Any]:
    """Return the element of a document, given as compact text, that a place of type `document` may equal."""
    before, after = document_template(dialect).split("{0}")
    return FragmentElement((before, after), [bind], "any")


def json_element(path: JsonPath, column: ColumnElement[Any], dialect: str) -> ColumnElement[Any]:
    """Return the element of a place in a JSON attribute; NULL if missing or of another type."""
    node = Name(path.attribute, path.path, path.type)
    tree = Tree(shape_of(node), node)
    return assemble(written(tree, dialect), lambda _: column, dialect, kind_of(node))
