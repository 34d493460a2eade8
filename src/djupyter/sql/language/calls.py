"""How operations are put together from their arguments, before any backend is known."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from djupyter.errors import QuerySyntaxError, nearest
from djupyter.sql.language.date_forms import DATE_CODES, UNIT_MICROSECONDS, UNIT_MONTHS
from djupyter.sql.language.function_forms import ALIASES, find_form
from djupyter.sql.language.tree import Call, Node, Value, ValueKind, Word, kind_of

_LARGEST = 2**63
_MOST_DIGITS = 400  # a float ends before, and Python reads no whole number of thousands


def number(text: str) -> tuple[object, ValueKind]:
    """Return a number as Python has it: int, float, or Decimal where a float would lose digits.

    >>> number("0.1"), number("12345678901234567.89")
    ((0.1, 'float'), (Decimal('12345678901234567.89'), 'decimal'))
    """
    if re.fullmatch(r"\s*-?\d+\s*", text):
        if len(text) > _MOST_DIGITS:
            raise QuerySyntaxError(f"`{text[:20]}...` is too large a number.")
        whole = int(text)
        return (whole, "int") if -_LARGEST <= whole < _LARGEST else (Decimal(whole), "decimal")
    try:
        exact = Decimal(text)
    except ArithmeticError:
        raise QuerySyntaxError(f"`{text}` is not a number.") from None
    if abs(exact) > Decimal(sys.float_info.max):
        raise QuerySyntaxError(f"`{text}` is too large a number.")
    digits = len(exact.normalize().as_tuple().digits)
    if "e" in text.lower() or digits <= 15:
        return float(exact), "float"
    return exact, "decimal"


def canonical(name: str) -> str:
    """Return the one name of a function that has several."""
    return ALIASES.get(name, name)


def function(name: str, arguments: Sequence[Node]) -> Call:
    """Return a call of a listed function.

    Raises
    ------
    QuerySyntaxError
        It is not listed, or takes another number of arguments.
    """
    form = find_form(canonical(name), len(arguments))
    if form.name in ("greatest", "least") and len(arguments) < 2:
        raise QuerySyntaxError(
            f"`{name}` takes two or more arguments; for the rows of a group write max or min."
        )
    return Call(form.name, tuple(arguments), form.kind)


def operator(operation: str, left: Node, right: Node) -> Call:
    """Return an operation on two numbers."""
    return Call(operation, (left, right), "number")


def comparison(operation: str, operands: Sequence[Node]) -> Call:
    """Return a comparison; beside a number, truth values count as 0 and 1.

    Text without regard to case (COLLATE ..._ci) makes the whole comparison so.
    """
    if any(isinstance(node, Call) and node.operation == "any case" for node in operands):
        operands = [_lowered(node) for node in operands]
    elif any(kind_of(node) in ("number", "bool") for node in operands):
        operands = [
            node if isinstance(node, Value) else Call("number", (node,), "number")
            for node in operands
        ]
    if operation == "in":
        operands = [operands[0], Call("list", tuple(operands[1:]))]
    return Call(operation, tuple(operands), "bool")


def _as_number(node: Node) -> Node:
    return node if isinstance(node, Value) else Call("number", (node,), "number")


def search(operation: str, operands: Sequence[Node]) -> Call:
    """Return LIKE or REGEXP."""
    if any(isinstance(node, Call) and node.operation == "any case" for node in operands):
        operands = [node if isinstance(node, Word) else _lowered(node) for node in operands]
    return Call(operation, tuple(operands), "bool")


def _lowered(node: Node) -> Node:
    inner = node.arguments[0] if isinstance(node, Call) and node.operation == "any case" else node
    return Call("lower", (inner,), "text")


def collate(node: Node, name: str) -> Node:
    """Return a text with a collation: those ending in _ci ignore case, those in _bin do not."""
    lower = name.lower()
    if lower == "nocase" or lower.endswith("_ci"):
        return Call("any case", (node,), "text")
    if lower == "c" or lower.endswith(("_bin", "_cs")):
        return Call("binary", (node,), "text")
    raise QuerySyntaxError(
        f"Collation `{name}` is not known on all backends. Write `collate nocase` or a name ending "
        "in _ci to ignore case, one ending in _bin to respect it."
    )


def escape(character: str) -> list[Node]:
    """Return the argument for the escape character of LIKE; none for the default, a backslash."""
    if len(character) != 1 or character in "'\"%_":
        raise QuerySyntaxError("ESCAPE takes one character, other than quotes, % and _.")
    return [] if character == "\\" else [Word(character)]


def case(arms: Sequence[Node]) -> Call:
    """Return a CASE of its arms; what they agree on is its kind."""
    kinds = {kind_of(arm.arguments[-1]) for arm in arms if isinstance(arm, Call)}
    kind = kinds.pop() if len(kinds) == 1 else "any"
    # The arms yield 1 and 0 for truth values: PostgreSQL cannot mix them with numbers.
    return Call("case", tuple(arms), "number" if kind == "bool" else kind)


_CASTS = {
    "CHAR": "cast char", "NCHAR": "cast char", "VARCHAR": "cast char", "TEXT": "cast char",
    "BIGINT": "cast signed", "UBIGINT": "cast signed", "INT": "cast signed", "UINT": "cast signed",
    "FLOAT": "cast float", "DOUBLE": "cast float",
    "DATE": "cast date", "TIME": "cast time",
    "DATETIME": "cast datetime", "TIMESTAMP": "cast datetime", "TIMESTAMPTZ": "cast datetime",
}  # fmt: skip


def cast(node: Node, to: Any) -> Call:
    """Return a value turned into a type, which sqlglot has read."""
    name = getattr(to.this, "name", str(to.this))
    sizes = [int(size.name) for size in to.expressions if size.name.isdigit()]
    if name == "DECIMAL":
        precision, scale = [*sizes, 0][:2] if sizes else (10, 0)
        return function("cast decimal", [node, Word(str(precision)), Word(str(scale))])
    if name in ("BINARY", "VARBINARY"):
        return function("binary", [node])
    if name not in _CASTS:
        raise QuerySyntaxError(
            f"Cannot cast to {to.sql()}. "
            "Types: char, signed, decimal(p,s), double, date, datetime, time."
        )
    whole = function(_CASTS[name], [node])
    if _CASTS[name] == "cast char" and sizes:
        return function("left", [whole, Word(str(sizes[0]))])
    return whole


_EXTRACTABLE = ("year", "quarter", "month", "day", "hour", "minute", "second", "microsecond")


def extract(unit: str, moment: Node) -> Call:
    """Return a part of a date or time."""
    if unit.lower() not in _EXTRACTABLE:
        raise QuerySyntaxError(f"Cannot extract {unit}. Write one of {', '.join(_EXTRACTABLE)}.")
    return function(unit.lower(), [moment])


def _unit(name: str) -> str:
    """Return a unit of time in capitals."""
    unit = name.upper().removesuffix("S") or name
    if unit not in UNIT_MICROSECONDS and unit not in UNIT_MONTHS:
        units = [unit.lower() for unit in (*UNIT_MICROSECONDS, *UNIT_MONTHS)]
        raise QuerySyntaxError(
            f"`{name}` is not a unit of time. {nearest(name, units)} Units of time: {', '.join(units)}."
        )
    return unit


def shift(name: str, moment: Node, count: Node, unit: str) -> Call:
    """Return a moment moved by an interval: `date_add` or `date_sub`."""
    unit = _unit(unit)
    if unit != "SECOND" and not (isinstance(count, Value) and count.kind == "int"):
        count = function("round", [count])  # as MySQL does
    if unit == "QUARTER":
        count, unit = Call("*", (count, Word("3")), "number"), "MONTH"
    return Call(name, (moment, count, Word(unit)), "date")


def timestampdiff(unit: str, first: Node, second: Node) -> Call:
    """Return the whole units of time from the first moment to the second."""
    unit = _unit(unit)
    months = UNIT_MONTHS.get(unit)
    size = months or UNIT_MICROSECONDS[unit]
    operation = f"timestampdiff {'months' if months else 'seconds'}"
    return Call(operation, (Word(unit), first, second, Word(str(size))), "number")


def date_format(text: str) -> Word:
    """Return a format of dates, checked, as the word that goes into the SQL."""
    codes = re.findall(r"%(.?)", text)
    unknown = [code for code in codes if code not in DATE_CODES]
    if unknown:
        raise QuerySyntaxError(
            f"`%{unknown[0]}` is not known in formats. Codes: %{', %'.join(DATE_CODES)}."
        )
    if re.search(r"[\"'\\\x00-\x1f]", text):
        raise QuerySyntaxError("A format of dates has no quotes and no backslashes.")
    return Word(text)


def group_concat_arguments(
    whole: Node, between: Node, keys: Sequence[Call], *, distinct: bool
) -> list[Node]:
    """Return the arguments of group_concat.

    Raises
    ------
    QuerySyntaxError
        Distinct values are ordered by something else: one value may stand for many rows.
    """
    if any(isinstance(key.arguments[0], Value) for key in keys):
        raise QuerySyntaxError(
            "group_concat is ordered by attributes or expressions, not by numbers."
        )
    if distinct and any(key.arguments[0] != whole for key in keys):
        raise QuerySyntaxError(
            "group_concat of distinct values can be ordered only by these values."
        )
    return [whole, between, Call("list", tuple(keys))] if keys else [whole, between]
