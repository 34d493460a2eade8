"""Batches of rows as the driver takes them: known attributes only, coerced, encoded. Pure: no connection."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import lru_cache
from typing import Any

from djupyter.codecs.base import Context
from djupyter.codecs.chain import Chain, chain_of
from djupyter.errors import (
    DataJointError,
    InvalidValueError,
    MissingAttributeError,
    UnknownAttributeError,
)
from djupyter.heading.attribute import Attribute
from djupyter.heading.coerce import coerce_column, coerce_value
from djupyter.heading.structure import TableStructure
from djupyter.table.packing import Stored, packed_ahead
from djupyter.table.rows import Batch

Adapter = Callable[[Any], Any]


def encoded(
    batch: Batch,
    structure: TableStructure,
    adapter: Callable[[Attribute], Adapter | None],
    context: Context,
    *,
    ignore_extra: bool = False,
    partial: bool = False,
) -> Batch:
    """Return a batch as the driver takes it.

    Parameters
    ----------
    batch
        Rows as users gave them.
    structure
        The table.
    adapter
        For each attribute, what turns canonical values into the driver's.
    context
        What codecs may use; without `staging` values for stores are only checked.
    ignore_extra
        Leave out what is not an attribute of the table.
    partial
        Whether attributes that an insert must give may be missing.

    Raises
    ------
    UnknownAttributeError
        The batch has something that is not an attribute.
    MissingAttributeError
        A value that must be given is missing.
    InvalidValueError
        A value does not fit; the message has the row's position.
    """
    names = _order(batch.names, structure, ignore_extra)
    if not (partial or _required(structure).issubset(names)):
        check_given(names, structure, place(structure, batch))
    by_name = dict(zip(batch.names, batch.columns, strict=True))
    columns = tuple(
        [
            encoded_column(
                structure.heading[name], by_name[name], batch, structure, adapter, context
            )
            for name in names
        ]
    )
    return Batch(names, columns, batch.size, batch.first)


# Asked for every insert, of a few combinations.
@lru_cache(maxsize=512)
def _order(
    names: tuple[str, ...], structure: TableStructure, ignore_extra: bool
) -> tuple[str, ...]:
    return tuple(known_names(names, structure, ignore_extra=ignore_extra))


@lru_cache(maxsize=512)
def _required(structure: TableStructure) -> frozenset[str]:
    return frozenset(n for n, attribute in structure.heading.items() if is_required(attribute))


def known_names(
    names: Iterable[str], structure: TableStructure, *, ignore_extra: bool
) -> list[str]:
    """Return the names that are attributes, in the order of the table.

    Raises
    ------
    UnknownAttributeError
        A name is not, and extra ones are not to be ignored.
    """
    given = list(names)
    known = [name for name in structure.heading if name in given]
    if len(known) < len(given) and not ignore_extra:
        extra = next(name for name in given if name not in structure.heading)
        raise UnknownAttributeError.of(extra, structure.heading, structure.name.class_name)
    return known


def check_given(names: Iterable[str], structure: TableStructure, where: str) -> None:
    """Refuse rows without an attribute that has no default.

    Raises
    ------
    MissingAttributeError
        One is missing.
    """
    given = set(names)
    required = [name for name in structure.heading if name in _required(structure)]
    for name in required:
        if name not in given:
            raise MissingAttributeError(
                f"{where}: attribute `{name}` is missing and has no default. Required: {', '.join(required)}."
            )


def encoded_column(
    attribute: Attribute,
    values: Sequence[Any],
    batch: Batch,
    structure: TableStructure,
    adapter: Callable[[Attribute], Adapter | None],
    context: Context,
) -> Sequence[Any]:
    """Return the values of one attribute as the driver takes them.

    Raises
    ------
    InvalidValueError, MissingAttributeError
        As for `encoded`.
    """
    try:
        if batch.from_text and (attribute.is_json or attribute.is_codec):
            values = _read(attribute, values)
        if attribute.is_codec:
            canonical: list[Any] = _through_codec(attribute, values, batch, structure, context)
        elif batch.size == 1 and not batch.from_text:
            canonical = [coerce_value(attribute, values[0])]
        else:
            canonical = coerce_column(attribute, values, empty_is_null=batch.from_text)
    except InvalidValueError as error:
        raise InvalidValueError(
            f"{place(structure, batch, error.row or 0)}: {error}"
        ) from error.__cause__
    if not attribute.nullable and None in canonical and not attribute.autoincrement:
        _refuse_null(attribute, canonical, batch, structure)
    adapt = adapter(attribute)
    if adapt is None:
        return canonical
    adapted: list[Any] = []
    try:
        adapted += (
            map(adapt, canonical)
            if None not in canonical
            else (None if value is None else adapt(value) for value in canonical)
        )
    except InvalidValueError as error:
        # What was added before the error tells in which row it was.
        where = place(structure, batch, len(adapted))
        raise InvalidValueError(
            f"{where}: attribute `{attribute.name}` : {attribute.type_text}: {error}"
        ) from None
    return adapted


def place(structure: TableStructure, batch: Batch, offset: int = 0) -> str:
    """Return where a row is, for messages: the table, and the position among several rows."""
    name = structure.name.class_name
    is_only = batch.size == 1 and batch.first == 0
    return name if is_only else f"{name}, row {batch.first + offset}"


def is_required(attribute: Attribute) -> bool:
    """Whether a row must give an attribute."""
    return not (attribute.nullable or attribute.default or attribute.autoincrement)


def _refuse_null(
    attribute: Attribute, values: Sequence[Any], batch: Batch, structure: TableStructure
) -> None:
    row = next((row for row, value in enumerate(values) if value is None), None)
    if row is not None:
        advice = (
            "Leave the attribute out to get its default."
            if attribute.default
            else "Give a value, or declare it with `= null`."
        )
        raise MissingAttributeError(
            f"{place(structure, batch, row)}: attribute `{attribute.name}` must not be NULL. {advice}"
        )


def _read(attribute: Attribute, values: Sequence[Any]) -> list[Any]:
    """Return what the text of a CSV file stands for: JSON documents are written as such."""
    result: list[Any] = []
    for row, text in enumerate(values):
        try:
            empty = not text.strip()
            result.append(None if empty else json.loads(text) if attribute.is_json else text)
        except ValueError as problem:
            error = InvalidValueError(
                f"Attribute `{attribute.name}` : json cannot hold {text[:80]!r}. "
                f"Expected a JSON document; {problem}."
            )
            error.row = row
            raise error from problem
    return result


def _through_codec(
    attribute: Attribute,
    values: Sequence[Any],
    batch: Batch,
    structure: TableStructure,
    context: Context,
) -> list[Any]:
    assert attribute.type is not None, "a codec attribute has a type"
    chain = chain_of(attribute.type)
    column = replace(attribute, type=chain.column)
    name = structure.name
    place = {"schema": name.schema, "table": name.table, "field": attribute.name}
    here: Context = {**context, **place}  # type: ignore[typeddict-item]
    if chain.store is not None and "staging" not in context:
        return [
            None if value is None else _checked(attribute, chain, value, row)
            for row, value in enumerate(values)
        ]
    result: list[Any] = []
    with closing(packed_ahead(chain, values, context["config"]["objects.workers"])) as ahead:
        for row, (value, given, ready) in enumerate(
            zip(values, _keys(batch, structure), ahead, strict=True)
        ):
            if value is None:
                result.append(None)
                continue
            key = {**given, "_schema": name.schema, "_table": name.table}
            key |= {"_field": attribute.name, "_config": context["config"]}
            try:
                known = value if ready is None else ready.result()
                result.append(coerce_value(column, _encode(chain, known, key, here)))
            except (DataJointError, TypeError, ValueError, OSError) as problem:
                raise _unfit(attribute, value, row, problem) from problem
    return result


def _encode(chain: Chain, value: Any, key: dict[str, Any], context: Context) -> Any:
    if type(value) is not Stored:
        return chain.encode(value, key, context)
    return (
        chain.last(value.rest).encode(value.content, key, context) if value.rest else value.content
    )


def _checked(attribute: Attribute, chain: Chain, value: object, row: int) -> str:
    """Return something in place of an object that is not written."""
    try:
        chain.codecs[0].validate(value)
    except (DataJointError, TypeError, ValueError, OSError) as problem:
        raise _unfit(attribute, value, row, problem) from problem
    return ""


def _keys(batch: Batch, structure: TableStructure) -> Iterator[dict[str, Any]]:
    """Yield the key of each row, as far as it is given."""
    by_name = dict(zip(batch.names, batch.columns, strict=True))
    names = [name for name in structure.heading.primary_key if name in by_name]
    for row in range(batch.size):
        yield {name: by_name[name][row] for name in names}


def _unfit(attribute: Attribute, value: object, row: int, problem: Exception) -> Exception:
    if isinstance(problem, DataJointError) and type(problem) not in (
        DataJointError,
        InvalidValueError,
    ):
        return problem.suggest(f"(for the attribute `{attribute.name}` : {attribute.type_text})")
    error = InvalidValueError(
        f"Attribute `{attribute.name}` : {attribute.type_text} cannot hold "
        f"this {type(value).__name__}. {problem}"
    )
    error.row = row
    return error
