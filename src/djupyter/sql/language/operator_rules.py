"""How names, literals and operators of sqlglot become nodes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sqlglot import exp

from djupyter.errors import QuerySyntaxError
from djupyter.sql.json_path import Step, check_key
from djupyter.sql.language import calls
from djupyter.sql.language.reader import Reader, Rule
from djupyter.sql.language.tree import Call, Node

_INDEX = re.compile(r"\d{1,9}", re.ASCII)
_SQL_WORDS = {
    "collate",
    "div",
    "exists",
    "from",
    "having",
    "in",
    "interval",
    "like",
    "select",
    "where",
}


def _literal(reader: Reader, tree: exp.Literal) -> Node:
    if tree.is_string:
        return reader.value(tree.this, "text")
    return reader.value(*calls.number(tree.this))


def _neg(reader: Reader, tree: exp.Neg) -> Node:
    inner = tree.this
    if isinstance(inner, exp.Literal) and not inner.is_string:
        return reader.value(*calls.number("-" + inner.this))
    return Call("neg", (reader.node(inner),), "number")


def _attribute(reader: Reader, tree: exp.Expr) -> Node:
    """Return the attribute of a name; qualified and indexed names are places in a JSON attribute."""
    steps = _steps(tree)
    first = steps[0]
    if not isinstance(first, exp.Identifier):
        raise QuerySyntaxError(f"`{tree.sql('mysql')}` is not the name of an attribute.")
    if not first.quoted and first.name.lower() in _SQL_WORDS:
        raise QuerySyntaxError(
            f"`{first.name}` is a word of SQL. An attribute of this name goes in `backticks`."
        )
    return reader.name(first.name, tuple(_step(step) for step in steps[1:]))


def _steps(tree: object) -> list[exp.Identifier | int]:
    """Return the identifiers and indices of `a.b[0].c` from left to right."""
    if isinstance(tree, exp.Identifier):
        return [tree]
    if isinstance(tree, exp.Column):
        parts = [tree.args.get(part) for part in ("catalog", "db", "table", "this")]
        return [step for part in parts if part is not None for step in _steps(part)]
    if isinstance(tree, exp.Dot):
        return _steps(tree.this) + _steps(tree.expression)
    if isinstance(tree, exp.Bracket) and len(tree.expressions) == 1:
        index = tree.expressions[0]
        if isinstance(index, exp.Literal) and not index.is_string and _INDEX.fullmatch(index.this):
            return [*_steps(tree.this), int(index.this)]
    raise QuerySyntaxError(f"`{tree}` is no attribute and no place such as `car.wheels[0].size`.")


def _step(step: exp.Identifier | int) -> Step:
    return step if isinstance(step, int) else check_key(step.name)


def _logical(operation: str) -> Callable[[Reader, Any], Node]:
    def read(reader: Reader, tree: exp.Connector) -> Node:
        # Flattened, as a chain of a thousand ORs would be a tree of that depth.
        return Call(operation, tuple(reader.nodes(list(tree.flatten()))), "bool")

    return read


def _operator(operation: str) -> Callable[[Reader, Any], Node]:
    def read(reader: Reader, tree: exp.Binary) -> Node:
        return calls.operator(operation, reader.node(tree.this), reader.node(tree.expression))

    return read


def _bitwise(operation: str) -> Callable[[Reader, Any], Node]:
    plain = _operator(operation)

    def read(reader: Reader, tree: exp.Binary) -> Node:
        for side in (tree.this, tree.expression):
            # sqlglot gives all bit operators one precedence, MySQL three.
            if isinstance(side, exp.BitwiseAnd | exp.BitwiseOr) and type(side) is not type(tree):
                raise QuerySyntaxError(
                    "Mixed bit operators need parentheses, for example `(a & 3) | b`."
                )
        return plain(reader, tree)

    return read


def _comparison(operation: str) -> Callable[[Reader, Any], Node]:
    def read(reader: Reader, tree: exp.Binary) -> Node:
        left, right = tree.this, tree.expression
        if isinstance(left, exp.Tuple) and isinstance(right, exp.Tuple) and operation == "=":
            return _tuples_equal(reader, left, right)
        return reader.compare(operation, reader.node(left), reader.node(right))

    return read


def _tuples_equal(reader: Reader, left: exp.Tuple, right: object) -> Node:
    if not isinstance(right, exp.Tuple) or len(left.expressions) != len(right.expressions):
        raise QuerySyntaxError(
            "`(a, b)` is compared with tuples of the same length: `(a, b) in ((1, 2), (3, 4))`."
        )
    pairs = zip(left.expressions, right.expressions, strict=True)
    return Call(
        "and", tuple(reader.compare("=", reader.node(a), reader.node(b)) for a, b in pairs), "bool"
    )


def _addition(sign: str) -> Callable[[Reader, Any], Node]:
    def read(reader: Reader, tree: exp.Binary) -> Node:
        left, right = tree.this, tree.expression
        if isinstance(left, exp.Interval) and sign == "+":
            left, right = right, left
        if isinstance(right, exp.Interval):
            return shift(reader, "date_add" if sign == "+" else "date_sub", left, right)
        return calls.operator(sign, reader.node(left), reader.node(right))

    return read


def _not(reader: Reader, tree: exp.Not) -> Node:
    return Call("not", (reader.node(tree.this),), "bool")


def _is(reader: Reader, tree: exp.Is) -> Node:
    words = {exp.Null: "is null", exp.Boolean: f"is {str(tree.expression.this).lower()}"}
    operation = words.get(type(tree.expression))
    if operation is None:
        raise QuerySyntaxError("IS takes NULL, NOT NULL, TRUE or FALSE.")
    return Call(operation, (reader.node(tree.this),), "bool")


def _in(reader: Reader, tree: exp.In) -> Node:
    if tree.args.get("query") is not None:
        return reader.node(tree.args["query"])
    if any(tree.args.get(other) is not None for other in ("unnest", "field")):
        raise QuerySyntaxError("IN takes a list in parentheses: `x in (1, 2, 3)`.")
    if not tree.expressions:
        return Call("false", (), "bool")
    if isinstance(tree.this, exp.Tuple):
        rows = [_tuples_equal(reader, tree.this, row) for row in tree.expressions]
        return _negated(tree, Call("or", tuple(rows), "bool"))
    subject = reader.node(tree.this)
    return _negated(tree, reader.compare("in", subject, *reader.nodes(tree.expressions)))


def _between(reader: Reader, tree: exp.Between) -> Node:
    bounds = [tree.this, tree.args["low"], tree.args["high"]]
    return _negated(tree, reader.compare("between", *reader.nodes(bounds)))


def _negated(tree: exp.Expr, node: Node) -> Node:
    return Call("not", (node,), "bool") if tree.args.get("negate") else node


def _like(reader: Reader, tree: exp.Binary) -> Node:
    operation = "regexp" if isinstance(tree, exp.RegexpLike) else "like"
    call = calls.search(operation, [reader.node(tree.this), reader.node(tree.expression)])
    return _negated(tree, call)


def _escape(reader: Reader, tree: exp.Escape) -> Node:
    pattern = tree.this
    if not isinstance(pattern, exp.Like) or not isinstance(tree.expression, exp.Literal):
        raise QuerySyntaxError("ESCAPE follows LIKE and takes one character in quotes.")
    nodes = [reader.node(pattern.this), reader.node(pattern.expression)]
    return _negated(pattern, calls.search("like", [*nodes, *calls.escape(tree.expression.this)]))


def _collate(reader: Reader, tree: exp.Collate) -> Node:
    return calls.collate(reader.node(tree.this), tree.expression.name)


def fixed(name: str) -> Rule:
    """Return the rule of an operation without arguments."""
    return lambda reader, tree: calls.function(name, [])


def shift(reader: Reader, name: str, moment: object, interval: exp.Interval) -> Node:
    """Return a date moved by an interval."""
    start = reader.node(moment)
    amount = interval.this
    if isinstance(amount, exp.Literal):
        # sqlglot turns the number of an interval into text.
        count: Node = reader.value(*calls.number(amount.this))
    else:
        count = reader.node(amount)
    return calls.shift(name, start, count, interval.text("unit"))


OPERATOR_RULES: dict[type, Rule] = {
    exp.Literal: _literal,
    exp.Neg: _neg,
    exp.Column: _attribute,
    exp.Dot: _attribute,
    exp.Bracket: _attribute,
    exp.Null: fixed("null"),
    exp.Boolean: lambda reader, tree: calls.function("true" if tree.this else "false", []),
    exp.Paren: lambda reader, tree: reader.node(tree.this),
    exp.And: _logical("and"),
    exp.Or: _logical("or"),
    exp.Xor: lambda reader, tree: Call(
        "xor", (reader.node(tree.this), reader.node(tree.expression)), "bool"
    ),
    exp.Not: _not,
    exp.EQ: _comparison("="),
    exp.NEQ: _comparison("<>"),
    exp.LT: _comparison("<"),
    exp.LTE: _comparison("<="),
    exp.GT: _comparison(">"),
    exp.GTE: _comparison(">="),
    exp.NullSafeEQ: _comparison("<=>"),
    exp.Is: _is,
    exp.In: _in,
    exp.Between: _between,
    exp.Like: _like,
    exp.RegexpLike: _like,
    exp.Escape: _escape,
    exp.Add: _addition("+"),
    exp.Sub: _addition("-"),
    exp.Mul: _operator("*"),
    exp.Div: _operator("/"),
    exp.IntDiv: _operator("div"),
    exp.Mod: _operator("mod"),
    exp.BitwiseAnd: _bitwise("&"),
    exp.BitwiseOr: _bitwise("|"),
    exp.BitwiseLeftShift: _operator("<<"),
    exp.BitwiseRightShift: _operator(">>"),
    exp.Collate: _collate,
}
