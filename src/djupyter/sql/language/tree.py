"""A condition as a tree: operations, attributes, bound values and fixed words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from djupyter.sql.json_path import Step

Kind = Literal["bool", "number", "text", "date", "any"]
ValueKind = Literal["int", "float", "decimal", "text"]


@dataclass(frozen=True, slots=True)
class Name:
    """An attribute, or a place inside a JSON attribute."""

    name: str
    path: tuple[Step, ...] = ()
    type: str = ""


@dataclass(frozen=True, slots=True)
class Value:
    """A literal that was taken out of the text; `index` is its place among the values."""

    index: int
    kind: ValueKind


@dataclass(frozen=True, slots=True)
class Word:
    """A piece of SQL from a list of ours, such as a unit of time; never the user's own text."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """An operation of `forms` on other nodes."""

    operation: str
    arguments: tuple[Node, ...]
    kind: Kind = "any"


Node = Name | Value | Word | Call


def kind_of(node: Node) -> Kind:
    """Return what a node yields; `any` for attributes, whose type the heading knows."""
    if isinstance(node, Call):
        return node.kind
    if isinstance(node, Value):
        return "text" if node.kind == "text" else "number"
    return "bool" if isinstance(node, Name) and node.type == "bool" else "any"


def shape_of(node: Node) -> str:
    """Return the same text for trees that differ only in the values that were taken out.

    >>> shape_of(Call(">", (Name("weight"), Value(0, "int"))))
    '>(`weight`,?int0)'
    """
    if isinstance(node, Name):
        quoted = node.name.replace("`", "``")
        return f"`{quoted}`{node.path or ''}{node.type}"
    if isinstance(node, Value):
        # Of which value, too: `locate(a, b)` is `instr(b, a)`, whose values come the other way round.
        return f"?{node.kind}{node.index}"
    if isinstance(node, Word):
        return repr(node.text)
    return f"{node.operation}({','.join(map(shape_of, node.arguments))})"
