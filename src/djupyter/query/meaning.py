"""What an expression means for the types of its attributes: refused where databases disagree, else made plain.

The language alone knows no types. With those of a heading, `s + 1` is refused for a text `s`, of which one
database takes the digits and another nothing; `day = moment`, which SQLite would compare as texts of different
length, takes the day for its first moment; and `concat(u)` is text for a UUID that MySQL keeps as bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NoReturn

from djupyter.definition.model import TypeSpec
from djupyter.errors import DataJointError, QuerySyntaxError
from djupyter.heading.attribute import Attribute
from djupyter.heading.heading import Heading
from djupyter.query.types import node_type
from djupyter.sql.fragment import Fragment
from djupyter.sql.language.tree import Call, Name, Node, Value, Word, kind_of, shape_of
from djupyter.sql.language.writer import Tree, needs
from djupyter.sql.types import storage_of

_GROUPS = {
    **dict.fromkeys(("integer", "boolean", "real", "decimal"), "numbers"),
    **dict.fromkeys(("text", "enum"), "texts"),
    **dict.fromkeys(("date", "datetime"), "dates"),
}
# Of these databases have no order, no sum and no text that they agree on.
_OPAQUE = {"json", "bytes", "blob"}
_COMPARISONS = {"=", "<>", "<", "<=", ">", ">=", "<=>", "in", "between"}
_CHOICES = {"case", "coalesce", "ifnull", "nullif", "greatest", "least"}
_FAMILIES = {"number": "real", "bool": "boolean", "text": "text"}
# What each place of a form must not have, and what it is not.
_WRONG = {
    "number": ({"text", "enum", "date", "datetime", "time", "uuid", *_OPAQUE}, "no number"),
    "date": ({"uuid", *_OPAQUE, *(f for f in _GROUPS if _GROUPS[f] == "numbers")}, "no date"),
    "truth": (
        {"text", "enum", "literal", "date", "datetime", "time", "uuid", *_OPAQUE},
        "neither true nor false",
    ),
    "text": (_OPAQUE, "no text"),
    "order": ({"uuid", *_OPAQUE}, "in no order that all databases have"),
    "comparison": ({"json", "blob"}, "not compared as a whole in text"),
}
_PLACES = {"n": "number", "a": "number", "i": "number", "d": "date", "c": "truth", "t": "text"}
_ADVICE = "Convert it, for example with cast(... as signed), as char or as date"
_ADVICE_ON = {
    "json": "Name a place in the document, such as `car.length`, or give it in a mapping",
    "blob": "Only its codec can read it",
    "bytes": "Compare it by a mapping",
}


def understood(fragment: Fragment, heading: Heading) -> tuple[Fragment, dict[int, TypeSpec]]:
    """Return a fragment that means the same on every database, and types that its literals take.

    These are of literals that are compared with something computed, by their places among the values.

    Raises
    ------
    QuerySyntaxError
        It calculates with a text, compares a number with a date, or does something else that databases take
        for different things.

    Examples
    --------
    >>> from djupyter.definition.types import parse_type
    >>> from djupyter.heading.attribute import Attribute
    >>> from djupyter.sql.fragment import parse_condition
    >>> types = {"day": "date", "moment": "datetime"}
    >>> heading = Heading([Attribute(name, parse_type(type)) for name, type in types.items()])
    >>> understood(parse_condition("day = moment"), heading)[0].shape
    '=(as moment(`day`),`moment`)'
    """
    attributes = tuple([heading[name] for name in fragment.names])
    try:
        tree, taken = _meaning(fragment.tree, fragment.compared, attributes)
    except QuerySyntaxError as error:
        problem = f"`{fragment.text}` is not understood alike by all databases. {error}"
        raise QuerySyntaxError(problem) from None
    if tree is not fragment.tree and tree != fragment.tree:
        fragment = replace(fragment, shape=tree.shape, tree=tree)
    return fragment, taken


@lru_cache(maxsize=4096)
def _meaning(
    tree: Tree, compared: tuple[str | None, ...], attributes: tuple[Attribute, ...]
) -> tuple[Tree, dict[int, TypeSpec]]:
    """Return what a tree means, which depends on its shape only."""
    meaning = _Meaning(compared, {attribute.name: attribute for attribute in attributes})
    root = meaning.node(tree.root)
    return (tree if root is tree.root else Tree(shape_of(root), root)), meaning.taken


class _Meaning:
    """One expression over some attributes."""

    def __init__(self, compared: tuple[str | None, ...], heading: Mapping[str, Attribute]) -> None:
        self.compared, self.heading = compared, heading
        self.taken: dict[int, TypeSpec] = {}

    def node(self, node: Node) -> Node:
        """Return what a node means; itself where that is plain."""
        if not isinstance(node, Call):
            return node
        given = [self.node(argument) for argument in node.arguments]
        for place, need in enumerate(needs(node.operation, len(given))):
            given[place] = self._fitting(node.operation, need, given[place])
        if node.operation in _COMPARISONS:
            given = self._compared(node, given)
        elif node.operation in _CHOICES:
            given = self._alike(node, given, self._choices(given))
        is_same = all(new is old for new, old in zip(given, node.arguments, strict=True))
        return node if is_same else Call(node.operation, tuple(given), node.kind)

    def _fitting(self, operation: str, need: str, node: Node) -> Node:
        """Return an argument as its place needs it."""
        family = self._family(node)
        operation = operation.removesuffix(" distinct")
        if operation in ("cast char", "group_concat") and need == "v":
            need = "t"
        if operation in ("min", "max"):
            self._refuse("order", node, family)
        is_leading_number = operation.startswith("cast ") and family in ("text", "enum")
        if need in _PLACES and not is_leading_number and (operation, family) != ("length", "bytes"):
            self._refuse(_PLACES[need], node, family)
        if operation in ("asc", "desc") and family == "enum":
            return Call("text of enum", (node,), "text")
        return self._text(node, family) if need == "t" else node

    def _text(self, node: Node, family: str) -> Node:
        """Return a value as the text that it is on every database."""
        if family == "decimal":
            type = node_type(node, self.heading)
            assert type is not None, "its family is known"
            return Call("text of decimal", (node, Word(str(storage_of(type).scale))), "text")
        if family == "real" and self._name(node) in ("float32", "float"):
            return Call("text of single", (node,), "text")
        if family == "date" and isinstance(node, Call):
            return Call("date", (node,), "date")  # a moment on PostgreSQL, if it was calculated
        if family in ("datetime", "uuid"):
            return Call(f"text of {family}", (node,), "text")
        return node

    def _compared(self, node: Call, given: list[Node]) -> list[Node]:
        listed = given[-1]
        is_list = isinstance(listed, Call) and listed.operation == "list"
        items = listed.arguments if isinstance(listed, Call) and is_list else ()
        operands = [given[0], *items] if is_list else given
        for operand in operands:
            self._refuse("comparison", operand, self._family(operand))
        self._take_type(operands)
        alike = self._alike(node, operands, operands)
        return [alike[0], Call("list", tuple(alike[1:]))] if is_list else alike

    def _take_type(self, operands: Sequence[Node]) -> None:
        """Give texts the type of what they are compared with, if it is the only one."""
        found = {node_type(node, self.heading) for node in operands if not isinstance(node, Value)}
        type = found.pop() if len(found) == 1 else None
        if type is not None:
            loose = [node for node in operands if isinstance(node, Value) and self._is_loose(node)]
            self.taken.update((node.index, type) for node in loose)

    def _choices(self, given: Sequence[Node]) -> list[Node]:
        """Return the values of which one is chosen."""
        return [
            node.arguments[-1]
            if isinstance(node, Call) and node.operation in ("when", "else")
            else node
            for node in given
        ]

    def _alike(self, call: Call, given: list[Node], values: list[Node]) -> list[Node]:
        """Return the arguments of a call with their values made comparable."""
        families = [self._family(value) for value in values]
        groups = {_GROUPS.get(family, family) for family in families} - {"", "literal"}
        loose = [i for i, value in enumerate(values) if self._is_loose(value)]
        if call.operation in _CHOICES and loose and groups:
            groups.add("texts")
        places = groups & {"place"}
        if len(groups - places) > 1:
            found = " and ".join(sorted(groups - places))
            raise QuerySyntaxError(f"It puts {found} together. {_ADVICE}.")
        if groups == {"texts"}:
            is_padded = [self._name(value) in ("char", "character") for value in values]
            others = [
                family for family, padded in zip(families, is_padded, strict=True) if not padded
            ]
            if set(others) - {"literal", ""}:
                values = [
                    Call("text of char", (value,), "text") if padded else value
                    for value, padded in zip(values, is_padded, strict=True)
                ]
        elif places:
            values = [self._beside_place(value, groups) for value in values]
        elif "datetime" in families and ("date" in families or loose):
            values = [
                Call("as moment", (value,), "date") if family == "date" or i in loose else value
                for i, (value, family) in enumerate(zip(values, families, strict=True))
            ]
        return [_with_value(node, value) for node, value in zip(given, values, strict=True)]

    def _beside_place(self, value: Node, groups: set[str]) -> Node:
        """Return a value that is compared with a place in a document: as a number, or as text."""
        if "numbers" in groups:
            return value if isinstance(value, Value) else Call("number", (value,), "number")
        family = self._family(value)
        if family == "date":
            return Call("cast char", (value,), "text")
        return self._text(value, family)

    def _is_loose(self, node: Node) -> bool:
        """Whether a node is a text that took no type from an attribute."""
        if not isinstance(node, Value) or node.kind != "text":
            return False
        return self.compared[node.index] is None and node.index not in self.taken

    def _name(self, node: Node) -> str:
        """Return the name of a node's type; empty where it is not known."""
        type = None if isinstance(node, Word) else node_type(node, self.heading)
        return "" if type is None else type.name

    def _family(self, node: Node) -> str:
        """Return the family of a node's type; empty where only the database knows it."""
        if isinstance(node, Word) or (isinstance(node, Call) and node.operation == "null"):
            return ""
        if isinstance(node, Value):
            return "literal" if node.kind == "text" else "real"
        if isinstance(node, Name) and node.path and not node.type:
            return "place"
        type = node_type(node, self.heading)
        if type is None:
            return _FAMILIES.get(kind_of(node), "")
        if type.kind == "codec":
            return "blob"
        try:
            return storage_of(type).family
        except DataJointError:
            return ""  # a type of the database's own

    def _refuse(self, place: str, node: Node, family: str) -> None:
        wrong, what = _WRONG[place]
        if family in wrong:
            self._fail(node, family, what)

    def _fail(self, node: Node, family: str, what: str) -> NoReturn:
        advice = _ADVICE_ON.get(family, _ADVICE)
        if isinstance(node, Name):
            named = f"`{node.name}` : {self.heading[node.name].type_text} is {what}"
        else:
            named = f"A part of it, a value of the family {family}, is {what}"
        raise QuerySyntaxError(f"{named}. {advice}.")


def _with_value(node: Node, value: Node) -> Node:
    """Return an argument with another value; the value of an arm of CASE stands at its end."""
    if isinstance(node, Call) and node.operation in ("when", "else"):
        return Call(node.operation, (*node.arguments[:-1], value), node.kind)
    return value
