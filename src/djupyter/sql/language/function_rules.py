"""How functions of sqlglot become nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from djupyter.errors import QuerySyntaxError
from djupyter.sql.language import calls
from djupyter.sql.language.function_forms import AGGREGATES, FUNCTION_NAMES, unknown_function
from djupyter.sql.language.operator_rules import fixed, shift
from djupyter.sql.language.reader import Reader, Rule
from djupyter.sql.language.tree import Call, Node


def _case(reader: Reader, tree: exp.Case) -> Node:
    arms: list[Node] = []
    for arm in tree.args["ifs"]:
        condition = reader.node(arm.this)
        if tree.this is not None:
            condition = reader.compare("=", reader.node(tree.this), condition)
        arms.append(Call("when", (condition, reader.node(arm.args["true"]))))
    if tree.args.get("default") is not None:
        arms.append(Call("else", (reader.node(tree.args["default"]),)))
    return calls.case(arms)


def _if(reader: Reader, tree: exp.If) -> Node:
    branches = [tree.this, tree.args.get("true"), tree.args.get("false")]
    if any(branch is None for branch in branches):
        raise QuerySyntaxError("IF takes three arguments: `if(condition, then, else)`.")
    condition, then, otherwise = reader.nodes(branches)
    return calls.case([Call("when", (condition, then)), Call("else", (otherwise,))])


def _function(reader: Reader, tree: exp.Anonymous) -> Node:
    name = str(tree.this).lower()
    arguments = tree.expressions
    if name not in FUNCTION_NAMES:
        # Operators have rows, too: `list(a, b)` must not be taken for one of them.
        raise unknown_function(name)
    special = _SPECIAL.get(name)
    if special:
        return special(reader, name, arguments)
    return _plain_function(reader, name, arguments)


def _plain_function(reader: Reader, name: str, arguments: list[Any]) -> Node:
    if calls.canonical(name) in AGGREGATES:
        name = calls.canonical(name)
        if arguments and isinstance(arguments[0], exp.Distinct):
            arguments, name = arguments[0].expressions, f"{name} distinct"
        return reader.aggregate(name, lambda: reader.nodes(arguments))
    nodes = reader.nodes(arguments)
    if name in _CHOICES:
        reader.belong(nodes)
    return calls.function(name, nodes)


_CHOICES = {"coalesce", "ifnull", "nullif", "greatest", "least"}


def _count(reader: Reader, name: str, arguments: list[Any]) -> Node:
    if len(arguments) == 1 and isinstance(arguments[0], exp.Star):
        return reader.aggregate("count*", list)
    return _plain_function(reader, name, arguments)


def _date_shift(reader: Reader, name: str, arguments: list[Any]) -> Node:
    if len(arguments) == 2 and isinstance(arguments[1], exp.Interval):
        return shift(reader, calls.canonical(name), *arguments)
    if len(arguments) == 2 and name in ("adddate", "subdate"):
        moment, days = reader.nodes(arguments)
        return calls.shift(calls.canonical(name), moment, days, "DAY")
    raise QuerySyntaxError(f"Write `{name}(moment, interval 3 day)`.")


def _with_unit(reader: Reader, name: str, arguments: list[Any]) -> Node:
    if len(arguments) != 3:
        raise QuerySyntaxError(f"`{name}` takes 3 arguments: `{name}(hour, a, b)`.")
    unit, first, second = arguments[0].name, *reader.nodes(arguments[1:])
    if name == "timestampadd":
        return calls.shift("date_add", second, first, unit)
    return calls.timestampdiff(unit, first, second)


def _date_format(reader: Reader, name: str, arguments: list[Any]) -> Node:
    if len(arguments) != 2 or not isinstance(arguments[1], exp.Literal):
        raise QuerySyntaxError(
            f'`{name}` takes a moment and a format in quotes: `{name}(d, "%Y-%m")`.'
        )
    return Call(
        "date_format", (reader.node(arguments[0]), calls.date_format(arguments[1].this)), "text"
    )


def _now(reader: Reader, name: str, arguments: list[Any]) -> Node:
    if arguments and not (len(arguments) == 1 and isinstance(arguments[0], exp.Literal)):
        raise QuerySyntaxError(
            f"`{name}` takes no arguments but the digits of the second: `{name}(3)`."
        )
    # These digits are the backend's affair.
    return calls.function(name, [])


def _locate(reader: Reader, name: str, arguments: list[Any]) -> Node:
    if len(arguments) != 2:
        raise QuerySyntaxError("`locate` takes 2 arguments: `locate(part, text)`.")
    return calls.function("instr", reader.nodes(arguments)[::-1])


def _modulo(reader: Reader, name: str, arguments: list[Any]) -> Node:
    if len(arguments) != 2:
        raise QuerySyntaxError("`mod` takes 2 arguments.")
    return calls.operator("mod", *reader.nodes(arguments))


def _logarithm(reader: Reader, name: str, arguments: list[Any]) -> Node:
    return calls.function("ln" if len(arguments) == 1 else "log", reader.nodes(arguments))


_SPECIAL: dict[str, Callable[[Reader, str, list[Any]], Node]] = {
    "adddate": _date_shift,
    "count": _count,
    "current_timestamp": _now,
    "date_add": _date_shift,
    "date_format": _date_format,
    "date_sub": _date_shift,
    "localtime": _now,
    "localtimestamp": _now,
    "locate": _locate,
    "log": _logarithm,
    "mod": _modulo,
    "now": _now,
    "subdate": _date_shift,
    "timestampadd": _with_unit,
    "timestampdiff": _with_unit,
}


def _group_concat(reader: Reader, tree: exp.GroupConcat) -> Node:
    body, separator = tree.this, tree.args.get("separator")
    ordered = body.expressions if isinstance(body, exp.Order) else []
    body = body.this if isinstance(body, exp.Order) else body
    distinct = isinstance(body, exp.Distinct)
    trees = body.expressions if isinstance(body, exp.Distinct) else [body]

    def arguments() -> list[Node]:
        nodes = reader.nodes(trees)
        whole = nodes[0] if len(nodes) == 1 else calls.function("concat", nodes)
        between = reader.node(separator) if separator is not None else reader.value(",", "text")
        keys = [
            Call("desc" if key.args.get("desc") else "asc", (reader.node(key.this),))
            for key in ordered
        ]
        return calls.group_concat_arguments(whole, between, keys, distinct=distinct)

    return reader.aggregate("group_concat distinct" if distinct else "group_concat", arguments)


def _trim(reader: Reader, tree: exp.Trim) -> Node:
    if tree.expression is not None and tree.args.get("expression") is not None:
        raise QuerySyntaxError("`trim` takes off blanks only. For other characters use replace().")
    position = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(tree.text("position").upper(), "trim")
    return calls.function(position, [reader.node(tree.this)])


def _substring(reader: Reader, tree: exp.Substring) -> Node:
    parts = [tree.this, tree.args.get("start"), tree.args.get("length")]
    return calls.function("substring", reader.nodes([part for part in parts if part is not None]))


FUNCTION_RULES: dict[type, Rule] = {
    exp.Case: _case,
    exp.If: _if,
    exp.Cast: lambda reader, tree: calls.cast(reader.node(tree.this), tree.to),
    exp.Anonymous: _function,
    exp.Concat: lambda reader, tree: calls.function("concat", reader.nodes(tree.expressions)),
    exp.GroupConcat: _group_concat,
    exp.Trim: _trim,
    exp.Substring: _substring,
    exp.StrPosition: lambda reader, tree: calls.function(
        "instr", reader.nodes([tree.this, tree.args["substr"]])
    ),
    exp.Extract: lambda reader, tree: calls.extract(tree.name, reader.node(tree.expression)),
    exp.CurrentDate: fixed("curdate"),
    exp.CurrentTime: fixed("curtime"),
    exp.CurrentTimestamp: fixed("now"),
    exp.Localtime: fixed("now"),
    exp.Localtimestamp: fixed("now"),
}
