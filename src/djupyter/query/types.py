"""What type a computed attribute has, where its expression tells: databases without types of their own need it.

SQLite gives text for a date and a float for a decimal; by the type, results are what they would be elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from djupyter.definition.model import TypeSpec
from djupyter.definition.types import parse_type
from djupyter.heading.attribute import Attribute
from djupyter.heading.heading import Heading
from djupyter.sql.fragment import Fragment
from djupyter.sql.language.tree import Call, Name, Node, Value, Word
from djupyter.sql.types import storage_of

_INT, _FLOAT, _BOOL = parse_type("int64"), parse_type("float64"), parse_type("bool")
_DATE, _DATETIME = parse_type("date"), parse_type("datetime(6)")
# The widest that databases have in common.
_DIGITS = 38

Kinds = list[TypeSpec | None]


def type_of(fragment: Fragment, heading: Heading) -> TypeSpec | None:
    """Return the type of an expression over a heading; None where the database has to tell.

    Examples
    --------
    >>> from djupyter.heading.attribute import Attribute
    >>> from djupyter.sql.fragment import parse_aggregate
    >>> heading = Heading([Attribute("day", parse_type("date"))])
    >>> str(type_of(parse_aggregate("max(day)"), heading))
    'date'
    >>> str(type_of(parse_aggregate("datediff(now(), day) / 7"), heading))
    'float64'
    >>> type_of(parse_aggregate("concat(day, '!')"), heading) is None
    True
    """
    return node_type(fragment.tree.root, heading)


def node_type(node: Node, heading: Mapping[str, Attribute]) -> TypeSpec | None:
    """Return the type of a part of an expression; None where the database has to tell."""
    if isinstance(node, Name):
        return _json_type(node.type) if node.path else _own_type(node.name, heading)
    if isinstance(node, Value):
        return {"int": _INT, "float": _FLOAT}.get(node.kind)
    if isinstance(node, Word):
        return None
    if node.kind == "bool":
        return _BOOL
    if node.operation == "case":
        results = [_result(arm) for arm in node.arguments]
        return _common([node_type(result, heading) for result in results if not _is_null(result)])
    operation = node.operation.removesuffix(" distinct")
    if operation == "cast decimal":
        return _decimal_of(node)
    given = [argument for argument in node.arguments if not _is_null(argument)]
    if operation in _SAME_FOR_ALL:
        return _SAME_FOR_ALL[operation]
    if operation in _CALCULATIONS:
        given = [Call("cast float", (node,)) if _is_place(node) else node for node in given]
    if operation in _CHOICES:
        given = _without_adapted(given, heading)
    if operation in _BY_ARGUMENTS:
        return _BY_ARGUMENTS[operation]([node_type(argument, heading) for argument in given])
    if operation in ("date_add", "date_sub"):
        return _shifted(node_type(node.arguments[0], heading), node.arguments[2])
    return None


def _own_type(name: str, heading: Mapping[str, Attribute]) -> TypeSpec | None:
    attribute = heading[name]
    # A number that the database gives out is just a number anywhere else.
    return _INT if attribute.autoincrement else attribute.type


def _json_type(name: str) -> TypeSpec | None:
    if name.startswith("decimal"):
        return parse_type(name)
    return {"float": _FLOAT, "int": _INT, "bool": _BOOL}.get(name)


def _without_adapted(given: list[Node], heading: Mapping[str, Attribute]) -> list[Node]:
    """Leave out literals that took the type of an attribute which is no text."""
    others = [node for node in given if not isinstance(node, Value) or node.kind != "text"]
    kinds = [node_type(node, heading) for node in others]
    is_text = any(kind is None or _family(kind) in ("", "text", "enum") for kind in kinds)
    return given if is_text else others


def _is_place(node: Node) -> bool:
    return isinstance(node, Name) and bool(node.path) and not node.type


def _result(arm: Node) -> Node:
    assert isinstance(arm, Call), "arms of a case are calls"
    return arm.arguments[-1]


def _is_null(node: Node) -> bool:
    return isinstance(node, Call) and node.operation == "null"


def _decimal_of(node: Call) -> TypeSpec:
    precision, scale = (word.text for word in node.arguments[1:] if isinstance(word, Word))
    return parse_type(f"decimal({precision},{scale})")


def _shifted(moment: TypeSpec | None, unit: Node) -> TypeSpec | None:
    whole_days = isinstance(unit, Word) and unit.text in ("DAY", "WEEK", "MONTH", "YEAR")
    if moment is None or moment.name not in ("date", "datetime"):
        return None
    return _DATE if moment == _DATE and whole_days else _DATETIME


def _family(kind: TypeSpec) -> str:
    return "" if kind.kind == "codec" else storage_of(kind).family


def _decimal(digits: int) -> TypeSpec:
    return parse_type(f"decimal({_DIGITS},{min(digits, _DIGITS)})")


def _scale(kind: TypeSpec) -> int:
    return storage_of(kind).scale


def _first(kinds: Kinds) -> TypeSpec | None:
    return kinds[0] if kinds else None


def _common(kinds: Kinds) -> TypeSpec | None:
    """Return the type of one of several values."""
    if len(set(kinds)) == 1:
        return kinds[0]
    return _number(kinds) or _moment(kinds)


def _number(kinds: Kinds, scale: Callable[[Iterable[int]], int] = max) -> TypeSpec | None:
    """Return the type of numbers put together; `scale` tells how many digits behind the point a decimal has."""
    known = [kind for kind in kinds if kind is not None]
    families = {_family(kind) for kind in known}
    if len(known) < len(kinds) or not families <= {"integer", "boolean", "decimal", "real"}:
        return None
    if "real" in families:
        return _FLOAT
    return _decimal(scale(map(_scale, known))) if "decimal" in families else _INT


def _moment(kinds: Kinds) -> TypeSpec | None:
    families = {"" if kind is None else _family(kind) for kind in kinds}
    return _DATETIME if "datetime" in families and families <= {"date", "datetime"} else None


def _product(kinds: Kinds) -> TypeSpec | None:
    return _number(kinds, sum)


def _same(kind: TypeSpec, *operations: str) -> dict[str, TypeSpec]:
    return dict.fromkeys(operations, kind)


_SAME_FOR_ALL = {
    **_same(_INT, "count", "count*", "length", "char_length", "instr", "sign", "floor", "ceil"),
    **_same(_INT, "div", "cast signed", "&", "|", "<<", ">>", "unix_timestamp", "datediff"),
    **_same(_INT, "year", "quarter", "month", "day", "hour", "minute", "second", "microsecond"),
    **_same(_INT, "dayofyear", "dayofweek", "weekday"),
    **_same(_INT, "timestampdiff seconds", "timestampdiff months"),
    **_same(_FLOAT, "avg", "stddev_pop", "stddev_samp", "var_pop", "var_samp", "/", "cast float"),
    **_same(_FLOAT, "power", "log", "log10", "log2", "ln", "sqrt", "exp", "pi"),
    **_same(_FLOAT, "sin", "cos", "tan", "atan", "atan2", "radians", "degrees"),
    **_same(_DATE, "date", "curdate", "cast date", "last_day"),
    **_same(_DATETIME, "now", "cast datetime", "as moment"),
    **_same(parse_type("time"), "time", "cast time", "curtime"),
}
_CALCULATIONS = {"sum", "+", "-", "*", "mod", "neg", "abs", "round", "truncate", "number"}
_CHOICES = {"coalesce", "ifnull", "nullif", "greatest", "least"}
_BY_ARGUMENTS: dict[str, Callable[[Kinds], TypeSpec | None]] = {
    **dict.fromkeys(("min", "max", "any_value", "nullif", "number"), _first),
    **dict.fromkeys(("coalesce", "ifnull", "greatest", "least"), _common),
    **dict.fromkeys(("sum", "+", "-", "mod", "neg", "abs"), _number),
    **dict.fromkeys(("round", "truncate"), lambda kinds: _number(kinds[:1])),
    "*": _product,
}
