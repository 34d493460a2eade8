"""One row as the driver takes it, by the shortest way where its values are canonical already."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from djupyter.errors import InvalidValueError
from djupyter.heading.attribute import Attribute
from djupyter.heading.structure import TableStructure
from djupyter.heading.type_rules import rule_for
from djupyter.sql.backends.base import Backend
from djupyter.table.encoding import Adapter, is_required
from djupyter.table.rows import Batch


class _Field(NamedTuple):
    """What tells a canonical value of an attribute, and what the driver takes for it."""

    name: str
    exact: type
    fits: Callable[[Sequence[Any]], bool]
    adapt: Adapter | None


@lru_cache(maxsize=512)
def adapters_of(structure: TableStructure, backend: Backend) -> Mapping[str, Adapter | None]:
    """Return what turns the canonical values of each attribute into the driver's."""
    return {attribute.name: backend.adapter(attribute.type) for attribute in structure.attributes}


def one_encoded(
    row: Mapping[str, Any], structure: TableStructure, backend: Backend
) -> Batch | None:
    """Return a row as the driver takes it; None unless it is complete and all its values are canonical.

    What is refused has the way of all other rows before it, which says why.
    """
    fields = _fields(structure, tuple(row), backend)
    if fields is None:
        return None
    values: list[tuple[Any]] = []
    try:
        for name, exact, fits, adapt in fields:
            given = (row[name],)
            if type(given[0]) is not exact or not fits(given):
                return None
            values.append(given if adapt is None else (adapt(given[0]),))
    except InvalidValueError:
        return None
    return Batch(tuple([field[0] for field in fields]), tuple(values), 1)


@lru_cache(maxsize=512)
def _fields(
    structure: TableStructure, names: tuple[str, ...], backend: Backend
) -> tuple[_Field, ...] | None:
    """Return the attributes of a row in the order of the table; None where it needs a second look."""
    heading = structure.heading
    attributes = [attribute for name, attribute in heading.items() if name in names]
    required = {name for name, attribute in heading.items() if is_required(attribute)}
    if len(attributes) != len(names) or not required.issubset(names):
        return None
    adapters = adapters_of(structure, backend)
    fields = [_field(attribute, adapters[attribute.name]) for attribute in attributes]
    known = [field for field in fields if field is not None]
    return tuple(known) if len(known) == len(fields) and known else None


def _field(attribute: Attribute, adapt: Adapter | None) -> _Field | None:
    rule = None if attribute.is_codec else rule_for(attribute)
    if rule is None or rule.exact is None:
        return None
    return _Field(attribute.name, rule.exact, rule.all_fit, adapt)
