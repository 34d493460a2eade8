"""sqlglot's tree to ours: the gate that everything in a condition passes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlglot import exp

from djupyter.errors import QuerySyntaxError
from djupyter.sql.json_path import Step
from djupyter.sql.language import calls
from djupyter.sql.language.parsing import parse
from djupyter.sql.language.tree import Call, Name, Node, Value, ValueKind


class Reader:
    """Reads one text; collects its names and values on the way."""

    def __init__(self, rules: Mapping[type, Rule]) -> None:
        self._rules = rules
        self.names: dict[str, None] = {}
        self.values: list[object] = []
        self.compared: list[str | None] = []
        self.has_aggregate = False
        self._in_aggregate = False
        self._depth = 0

    def read(self, text: str) -> Node:
        """Return the tree of a text.

        Raises
        ------
        QuerySyntaxError
            It cannot be read, or has something that is not in the language.
        """
        try:
            tree = parse(text)
            return self._node_of_text(tree, text)
        except RecursionError:
            raise QuerySyntaxError(f"The condition is nested too deeply: {text[:60]}...") from None

    def _node_of_text(self, tree: object, text: str) -> Node:
        try:
            return self.node(tree)
        except QuerySyntaxError as error:
            raise QuerySyntaxError(f"{error}\n    {text}") from None

    def node(self, tree: object) -> Node:
        """Return the node of a piece of sqlglot's tree; the one gate that everything passes."""
        rule = self._rules.get(type(tree))
        if rule is None or not isinstance(tree, exp.Expr) or _has_more(tree):
            problem = f"{_described(tree)} is not in the condition language. {_advice(tree)}"
            raise QuerySyntaxError(problem.rstrip())
        self._depth += 1
        if self._depth > _DEEPEST:
            raise QuerySyntaxError("The condition is nested too deeply.")
        node = rule(self, tree)
        self._depth -= 1
        return node

    def value(self, value: object, kind: ValueKind) -> Value:
        """Take a literal out of the text."""
        self.values.append(value)
        self.compared.append(None)
        return Value(len(self.values) - 1, kind)

    def name(self, name: str, path: tuple[Step, ...] = ()) -> Name:
        """Note an attribute."""
        self.names.setdefault(name)
        return Name(name, path)

    def compare(self, operation: str, *operands: Node) -> Call:
        """Return a comparison; its literals belong to the attribute that they are compared with."""
        self.belong(operands)
        return calls.comparison(operation, operands)

    def belong(self, operands: Sequence[Node]) -> None:
        """Note that literals take the type of the attribute among them, if it is the only one."""
        names = [node.name for node in operands if isinstance(node, Name) and not node.path]
        if len(names) == 1:
            for node in operands:
                if isinstance(node, Value):
                    self.compared[node.index] = names[0]

    def nodes(self, trees: list[Any]) -> list[Node]:
        """Return the nodes of several arguments."""
        return [self.node(tree) for tree in trees]

    def aggregate(self, name: str, arguments: Callable[[], list[Node]]) -> Call:
        """Return an aggregate of arguments, which may not have aggregates themselves."""
        if self._in_aggregate:
            raise QuerySyntaxError(
                f"The aggregate `{name}` stands inside another aggregate. Aggregate twice."
            )
        self.has_aggregate = self._in_aggregate = True
        call = calls.function(name, arguments())
        self._in_aggregate = False
        return call


Rule = Callable[[Reader, Any], Node]

# Writing takes three frames a level, and Python has a thousand for everything.
_DEEPEST = 150
_KNOWN_PARTS = {
    "this", "expression", "expressions", "is_string", "quoted", "table", "db", "catalog", "negate",
    "query", "unnest", "field", "low", "high", "ifs", "true", "false", "default", "to", "_type",
    "separator", "position", "start", "length", "substr", "safe", "typed", "coalesce",
}  # fmt: skip


def _has_more(tree: exp.Expr) -> bool:
    """Tell whether a construct has a part that no rule reads, such as BETWEEN SYMMETRIC."""
    return any(part and name not in _KNOWN_PARTS for name, part in tree.args.items())


def _described(tree: object) -> str:
    """Return how a user would call a construct."""
    if isinstance(tree, exp.Select | exp.Subquery | exp.Exists):
        return "A subquery"
    if isinstance(tree, exp.Window):
        return "A window function"
    if isinstance(tree, exp.HexString | exp.BitString | exp.Introducer | exp.National):
        return "A literal other than numbers and plain strings"
    if isinstance(tree, exp.Parameter | exp.SessionParameter | exp.Placeholder):
        return "A variable or parameter"
    return f"`{str(tree)[:60]}`"


def _advice(tree: object) -> str:
    if isinstance(tree, exp.Select | exp.Subquery | exp.Exists):
        return "Restrict by a query object instead: `A & B`, `A - B`."
    return ""
