"""Conditions as users write them, to the tree of `conditions`.

| written as                  | means                                                  |
|-----------------------------|--------------------------------------------------------|
| text                        | a condition in the portable language                   |
| mapping, record             | equality on every key that is an attribute, AND-ed     |
| list, tuple, set, frame ... | any of the items (OR)                                  |
| `AndList`                   | all of the items                                       |
| `Not(c)`                    | negation                                               |
| query, table                | rows with a match on the common attributes             |
| True, False                 | every row, no row                                      |
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

import numpy as np

from djupyter.errors import DataJointError, InvalidValueError, QuerySyntaxError
from djupyter.heading.attribute import Attribute
from djupyter.heading.coerce import coerce_column, coerce_value
from djupyter.heading.heading import Heading
from djupyter.heading.matching import matched_names
from djupyter.query.conditions import (
    AllOf,
    AndList,
    AnyOf,
    Condition,
    Constant,
    Equals,
    Matches,
    Negation,
    Not,
    OneOf,
    Text,
)
from djupyter.query.node import Node
from djupyter.query.text import computation
from djupyter.sql.fragment import JsonPath, parse_condition, parse_json_path

Record = Mapping[Any, object]

_BEFORE_PLACE = re.compile(r"[.\[]")
_SEVERAL = (list, tuple, set, np.ndarray)
_TRUE, _FALSE = Constant(True), Constant(False)


class ReadOperand(Protocol):
    """Recognises queries, tables and `U` among what users write."""

    def __call__(self, written: object) -> Node | bool | None:
        """Return the operand's node, True for a relation that restricts nothing, None for anything else."""


class Reader:
    """Reads conditions for one heading.

    Parameters
    ----------
    heading
        Attributes that may be named.
    operand
        Recognises relations.
    check
        Whether attributes matched with a relation need equal lineage.
    """

    def __init__(self, heading: Heading, operand: ReadOperand, *, check: bool = True) -> None:
        self.heading, self.operand, self.check = heading, operand, check

    def read(self, written: object) -> Condition:
        """Return the condition for what a user wrote.

        Raises
        ------
        DataJointError
            It cannot be a condition.
        UnknownAttributeError
            Text names something that is not an attribute.
        InvalidValueError
            A value cannot be compared with its attribute.
        """
        try:
            return self._read(written)
        except RecursionError:
            raise QuerySyntaxError("The restriction is nested too deep.") from None

    def _read(self, written: object) -> Condition:
        if isinstance(written, str):
            return Text(computation(parse_condition(written), self.heading))
        if isinstance(written, bool):
            return Constant(written)
        record = _record(written)
        if record is not None:
            return self._equalities(record)
        node = self.operand(written)
        if node is True:
            return Constant(True)
        if isinstance(node, Node):
            return Matches(node, matched_names(self.heading, node.heading, check=self.check))
        if isinstance(written, Not):
            return self._negation(written)
        if isinstance(written, AndList):
            return _all_of([self.read(item) for item in written])
        return self._any(_items(written))

    def _negation(self, written: Not) -> Condition:
        if isinstance(written.restriction, Not):
            return self.read(written.restriction.restriction)
        inner = self.read(written.restriction)
        if isinstance(inner, Constant):
            return Constant(not inner.truth, inner.ignored)
        return Negation(inner)

    def _any(self, items: Iterable[object]) -> Condition:
        alternatives: list[Condition] = []
        alike: dict[tuple[str, ...], list[Record]] = {}
        for item in items:
            record = _record(item)
            names = () if record is None else self._key_of(record)
            if record is not None and names:
                alike.setdefault(names, []).append(record)
            else:
                alternatives.append(self.read(item))
        for names, records in alike.items():
            alternatives += self._keys(names, records)
        return _any_of(alternatives)

    def _key_of(self, record: Record) -> tuple[str, ...]:
        """Return the attributes that a record gives; nothing when it also gives places in JSON."""
        if any(self._place(name) for name in record if name not in self.heading):
            return ()
        return tuple(name for name in self.heading if name in record)

    def _keys(self, names: tuple[str, ...], records: Sequence[Record]) -> Iterator[Condition]:
        """Yield conditions for records that give the same attributes: one for all without NULL."""
        columns = [
            _values(self.heading[name], [record[name] for record in records]) for name in names
        ]
        full: dict[tuple[str, ...], list[list[object]]] = {}
        for row in zip(*columns, strict=True):
            given = tuple(n for n, value in zip(names, row, strict=True) if value is not None)
            full.setdefault(given, []).append([value for value in row if value is not None])
        for given, rows in full.items():
            nulls: list[Condition] = [Equals(name, None) for name in names if name not in given]
            if not given:
                yield _all_of(nulls)
            elif len(rows) == 1:
                yield _all_of([*map(Equals, given, rows[0]), *nulls])
            else:
                yield _all_of([OneOf(given, rows), *nulls])

    def _equalities(self, record: Record) -> Condition:
        conditions: list[Condition] = []
        canonical = self.heading.canonical
        for name, value in record.items():
            known = canonical.get(name)
            if known is not None and type(value) is known[0] and known[1]((value,)):
                conditions.append(Equals(name, value))
                continue
            attribute = self.heading.get(name)
            if attribute is not None:
                conditions.append(Equals(name, _value(attribute, value)))
                continue
            path = self._place(name)
            if path is not None:
                conditions.append(_place_equals(path, value))
        if conditions:
            return conditions[0] if len(conditions) == 1 else AllOf(conditions)
        return Constant(True, tuple(map(str, record)) or ("{}",))

    def _place(self, name: object) -> JsonPath | None:
        """Return the place in a JSON attribute that a name means; None for a name of something else."""
        attribute = (
            self.heading.get(_BEFORE_PLACE.split(name)[0]) if isinstance(name, str) else None
        )
        if attribute is None:
            return None
        path = parse_json_path(str(name))
        # Passed over like other unknown names, it would restrict nothing.
        if path is None or not (attribute.is_json or attribute.type is None):
            raise QuerySyntaxError(
                f"`{name}` is no place in a JSON document: `{attribute.name}` is declared as "
                f"{attribute.type_text}. Places are written like `car.wheels[0].size`."
            )
        return path


def plain(value: Any) -> object:
    """Return the Python value that a NumPy or pandas scalar stands for; None for a gap in the data.

    >>> plain(np.int64(3)), plain(np.float64("nan")), plain(np.datetime64("2024-01-31"))
    (3, None, datetime.date(2024, 1, 31))
    """
    if value is None or isinstance(value, str | bytes):
        return value
    if isinstance(value, np.datetime64) and value.dtype != np.dtype("datetime64[D]"):
        value = value.astype("datetime64[us]")
    if isinstance(value, np.generic):
        value = value.item()
    pandas = sys.modules.get("pandas")
    if pandas is not None and value is getattr(pandas, "NA", None):
        return None
    # NaN and NaT are the values that differ from themselves.
    return None if isinstance(value, float | datetime | Decimal) and value != value else value


def _value(attribute: Attribute, value: object) -> object:
    """Return what an attribute is compared with; as `_values`, which costs more for one."""
    if attribute.type is None or attribute.is_codec or type(value) in _SEVERAL:
        return _values(attribute, [value])[0]
    return coerce_value(attribute, value)


def _values(attribute: Attribute, values: list[object]) -> list[object]:
    """Return what an attribute is compared with; None stands for NULL."""
    if attribute.is_codec:
        raise InvalidValueError(
            f"Attribute `{attribute.name}` is {attribute.type_text}: its values cannot be compared. "
            "Leave it out of the restriction, for example restrict by the key only."
        )
    if attribute.type is None:
        return [_comparable(attribute, plain(value)) for value in values]
    try:
        return coerce_column(attribute, values)
    except InvalidValueError as error:
        value = values[error.row or 0]
        if isinstance(value, _SEVERAL):
            raise error.suggest(
                f"For any of several values write [{{'{attribute.name}': v}} for v in values]."
            ) from None
        raise


def _comparable(attribute: Attribute, value: object) -> object:
    if isinstance(value, list | tuple | set | dict | np.ndarray):
        raise InvalidValueError(
            f"Attribute `{attribute.name}` cannot be compared with a {type(value).__name__}. "
            f"For any of several values write [{{'{attribute.name}': v}} for v in values]."
        )
    return value


def _place_equals(path: JsonPath, value: object) -> Equals:
    """Return the condition that a place in a JSON document has a value, compared by the kind of that."""
    if isinstance(value, dict | list):
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        return Equals(path.attribute, text, replace(path, type=path.type or "document"))
    value = plain(value)
    if path.type == "text" and value is not None:
        value = str(value)
    if not path.type and isinstance(value, str):
        path = replace(path, type="string")
    if not path.type and isinstance(value, int | float | Decimal):
        path, value = (
            replace(path, type="number"),
            int(value) if value is True or value is False else value,
        )
    return Equals(path.attribute, value, path)


def _record(written: object) -> Record | None:
    if type(written) is dict or isinstance(written, Mapping):
        return written
    if isinstance(written, np.void) and written.dtype.names:
        return {name: written[name] for name in written.dtype.names}
    return None


def _items(written: object) -> Iterable[object]:
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(written, pandas.DataFrame):
        named = any(name is not None for name in written.index.names)
        records: list[object] = (written.reset_index() if named else written).to_dict("records")
        return records
    if isinstance(written, Iterable) and not isinstance(written, bytes | np.generic):
        return written
    kind = "None" if written is None else type(written).__name__
    raise DataJointError(
        f"Invalid restriction type {'numpy.' if isinstance(written, np.generic) else ''}{kind}. "
        "Restrict by text, a mapping, a list of them, True or False, a table or a query."
        + (" If one truth is meant, write bool(...)." if isinstance(written, np.bool_) else "")
    )


def _any_of(conditions: list[Condition]) -> Condition:
    """Return the condition that one of several holds; True makes it True, and False does not count."""
    for condition in conditions:
        if isinstance(condition, Constant) and condition.truth:
            return condition
    counting = [c for c in conditions if type(c) is not Constant or c != _FALSE]
    if all(isinstance(c, Constant) for c in counting):
        return Constant(False, _ignored(counting))
    return counting[0] if len(counting) == 1 else AnyOf(counting)


def _all_of(conditions: list[Condition]) -> Condition:
    """Return the condition that several hold; True does not count, but what it ignored is kept."""
    counting = [c for c in conditions if type(c) is not Constant or c != _TRUE]
    if all(isinstance(c, Constant) and c.truth for c in counting):
        return Constant(True, _ignored(counting))
    return counting[0] if len(counting) == 1 else AllOf(counting)


def _ignored(conditions: list[Condition]) -> tuple[str, ...]:
    return tuple(name for c in conditions if isinstance(c, Constant) for name in c.ignored)
