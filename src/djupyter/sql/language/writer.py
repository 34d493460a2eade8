"""The tree of a condition as SQL text with places, and as an SQLAlchemy element."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, zip_longest
from typing import Any, Literal

from sqlalchemy import (
    CHAR,
    BigInteger,
    Boolean,
    ColumnClause,
    ColumnElement,
    Enum,
    Integer,
    LargeBinary,
    String,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import BindParameter, Grouping, Label
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import NullType, TypeEngine

from djupyter.sql.json_path import json_template
from djupyter.sql.language.date_forms import DATE_CODES
from djupyter.sql.language.forms import FOLDING
from djupyter.sql.language.function_forms import find_form
from djupyter.sql.language.tree import Call, Kind, Name, Node, Value, Word, kind_of


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree that is known by its shape, so that it is cheap to look up."""

    shape: str
    root: Node = field(compare=False)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an attribute or a value goes, and what the text around it needs (see `forms`)."""

    leaf: Name | Value
    need: str


Piece = str | Place
_Known = Kind | Literal["enum", "padded", "small"]

_PLACE = re.compile(r"\{(?P<index>\d|\*(?P<between>[^:{}]*))(?::(?P<need>\w))?\}")


@lru_cache(maxsize=4096)
def written(tree: Tree, dialect: str) -> tuple[Piece, ...]:
    """Return a tree as the SQL of one backend, in pieces."""
    return tuple(_pieces(tree.root, "", dialect))


@lru_cache(maxsize=1024)
def needs(operation: str, count: int) -> tuple[str, ...]:
    """Return what each argument of an operation must be, by the letters of `forms`; empty for anything.

    >>> needs("left", 2), needs("concat", 3), needs("is null", 1)
    (('t', 'i'), ('t', 't', 't'), ('',))
    """
    if operation == "any case":
        return ("",)
    found = [""] * count
    form = find_form(operation, count)
    for match in _PLACE.finditer(form.sqlite + form.postgresql):
        index = match["index"]
        for place in [int(index)] if index.isdigit() else range(count):
            found[place] = match["need"] or found[place]
    return tuple(found)


def _pieces(node: Node, need: str, dialect: str) -> Iterator[Piece]:
    if isinstance(node, Word):
        yield node.text
    elif isinstance(node, Call):
        yield from _call(node, need, dialect)
    else:
        yield Place(node, need)


def _call(node: Call, need: str, dialect: str) -> Iterator[Piece]:
    if node.operation == "any case":
        yield from _pieces(node.arguments[0], need, dialect)
        return
    template = find_form(node.operation, len(node.arguments)).template(dialect)
    if node.operation == "date_format" and dialect == "postgresql":
        template = template.replace("{1}", _postgresql_format(node.arguments[1]))
    adapted = _ADAPTED.get((need, node.kind), "{}") if dialect == "postgresql" else "{}"
    before, after = adapted.split("{}")
    yield before
    yield from _filled(template, node.arguments, dialect)
    yield after


# Where PostgreSQL must be told to order texts by their code points, if its own order is another.
_BY_CODE_POINTS = "\0"

# The number that a text begins with, 0 where there is none; a 0 before it is none too many.
_LEADING_NUMBER = (
    r"CAST(REGEXP_REPLACE({}, '^\s*([-+]?)((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)?.*$', "
    r"'\10\2') AS NUMERIC)"
)
# What PostgreSQL does not convert by itself: (need, kind) to SQL.
_ADAPTED = {
    ("n", "bool"): "CAST({} AS INTEGER)",
    ("n", "text"): _LEADING_NUMBER,
    ("n", "padded"): _LEADING_NUMBER,
    ("v", "bool"): "CAST({} AS INTEGER)",
    ("v", "enum"): "CAST({} AS TEXT)",
    ("o", "bool"): "CAST({} AS INTEGER)",
    ("o", "enum"): f"(CAST({{}} AS TEXT){_BY_CODE_POINTS})",
    ("o", "padded"): f"({{}}{_BY_CODE_POINTS})",
    ("o", "text"): f"({{}}{_BY_CODE_POINTS})",
    ("a", "bool"): "CAST({} AS INTEGER)",
    # Two of them could give a number that is out of their range.
    ("a", "small"): "CAST({} AS BIGINT)",
    ("c", "small"): "({} <> 0)",
    ("c", "number"): "({} <> 0)",
    ("c", "any"): "({} <> 0)",
    ("t", "number"): "CAST({} AS TEXT)",
    ("t", "bool"): "CAST(CAST({} AS INTEGER) AS TEXT)",
    ("t", "date"): "CAST({} AS TEXT)",
    ("t", "any"): "CAST({} AS TEXT)",
    ("t", "small"): "CAST({} AS TEXT)",
    ("t", "enum"): "CAST({} AS TEXT)",
    ("t", "padded"): "CAST({} AS TEXT)",
    ("d", "text"): "CAST({} AS TIMESTAMP)",
    ("i", "number"): "CAST({} AS INTEGER)",
    ("i", "any"): "CAST({} AS INTEGER)",
    ("i", "small"): "CAST({} AS INTEGER)",
}


def _filled(template: str, arguments: Sequence[Node], dialect: str) -> Iterator[Piece]:
    end = 0
    for match in _PLACE.finditer(template):
        yield template[end : match.start()]
        end = match.end()
        need = match["need"] or ""
        if match["index"].isdigit():
            yield from _pieces(arguments[int(match["index"])], need, dialect)
            continue
        for position, argument in enumerate(arguments):
            if position:
                yield match["between"] or ", "
            yield from _pieces(argument, need, dialect)
    yield template[end:]


def _postgresql_format(node: Node) -> str:
    """Return a format of MySQL for TO_CHAR, where all that is not a code goes in double quotes."""
    assert isinstance(node, Word)
    parts = re.findall(r"%(.)|([^%]+)", node.text)
    return "".join(
        DATE_CODES[code] if code not in ("", "%") else f'"{plain or code}"' for code, plain in parts
    )


_TYPES: dict[Kind, TypeEngine[Any]] = {"bool": Boolean(), "text": String()}


class FragmentElement(ColumnElement[Any]):
    """SQL text with other elements between its pieces."""

    __visit_name__ = "djupyter_fragment"
    inherit_cache = True
    _traverse_internals = [  # noqa: RUF012 - the name and form that SQLAlchemy asks for
        ("texts", InternalTraversal.dp_plain_obj),
        ("parts", InternalTraversal.dp_clauseelement_list),
        ("type", InternalTraversal.dp_type),
    ]

    def __init__(
        self, texts: tuple[str, ...], parts: Sequence[ColumnElement[Any]], kind: Kind
    ) -> None:
        self.texts, self.parts = texts, list(parts)
        self.type = _TYPES.get(kind, NullType())

    @property
    def _from_objects(self) -> list[Any]:
        return list(chain.from_iterable(part._from_objects for part in self.parts))

    def self_group(self, against: object = None) -> Any:
        """Return itself: its text has parentheses wherever it needs them."""
        return self


@compiles(FragmentElement)
def _compile(element: FragmentElement, compiler: SQLCompiler, **options: Any) -> str:
    options["within_columns_clause"] = False
    # A percent sign in the text is doubled for drivers that read it as the mark of a parameter.
    collation = ' COLLATE "C"' if getattr(compiler.dialect, "collates", False) else ""
    folding = getattr(compiler.dialect, "folding", "")
    texts = [
        compiler.post_process_text(text)  # type: ignore[no-untyped-call]
        .replace(_BY_CODE_POINTS, collation)
        .replace(FOLDING, folding)
        for text in element.texts
    ]
    parts = [compiler.process(part, **options) for part in element.parts]
    return "".join(chain.from_iterable(zip_longest(texts, parts, fillvalue="")))


def assemble(
    pieces: Sequence[Piece],
    leaf: Callable[[Name | Value], ColumnElement[Any]],
    dialect: str,
    kind: Kind,
) -> ColumnElement[Any]:
    """Return the element of pieces, with an element in each place."""
    texts, parts = [""], []
    for piece in pieces:
        if isinstance(piece, str):
            texts[-1] += piece
            continue
        child = leaf(piece.leaf)
        before, *rest = _template(piece, child, dialect).split("{0}")
        texts[-1] += before
        for text in rest:
            parts.append(_enclosed(child))
            texts.append(text)
    return FragmentElement(tuple(texts), parts, kind)


def _enclosed(child: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return an element that keeps its meaning whatever stands beside it."""
    if isinstance(child, Label):
        child = child.element
    exact = getattr(child.type, "exact", None)
    if exact is not None:
        return exact(child)  # type: ignore[no-any-return]
    whole = isinstance(child, ColumnClause | BindParameter | FragmentElement)
    return child if whole else Grouping(child)


def _template(place: Place, child: ColumnElement[Any], dialect: str) -> str:
    """Return the SQL around one attribute or value."""
    leaf, need = place.leaf, place.need
    if isinstance(leaf, Name) and leaf.path:
        type = leaf.type or ("number" if need in ("n", "c", "a") else "")
        inner, kind = json_template(leaf.path, type, dialect), _JSON_KINDS.get(type, "text")
    else:
        inner, kind = "{0}", _kind(leaf, child)
    if dialect != "postgresql" or (isinstance(leaf, Value) and need in ("n", "a", "o")):
        return inner
    if isinstance(leaf, Value) and leaf.kind == "text" and need in ("", "t", "r"):
        return f"CAST({inner} AS TEXT)"
    return _ADAPTED.get((need, kind), "{}").replace("{}", inner)


_JSON_KINDS: dict[str, _Known] = {"bool": "bool", "number": "number"}


def _kind(leaf: Name | Value, child: ColumnElement[Any]) -> _Known:
    """Return what a leaf yields; the type of the column says it for attributes."""
    if isinstance(leaf, Value):
        return kind_of(leaf)
    for types, kind in _KINDS:
        if isinstance(child.type, types):
            return kind
    return "any"


_KINDS: tuple[tuple[Any, _Known], ...] = (
    (Boolean, "bool"),
    (Enum, "enum"),
    (CHAR, "padded"),
    # Bytes are left alone, too: their length is not that of a text.
    (String | LargeBinary, "text"),
    (BigInteger, "any"),
    (Integer, "small"),
)
