"""The loop over keys: each stands alone, in a transaction of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict

from djupyter.errors import DataJointError, DuplicateError
from djupyter.populate.keys import missing_keys
from djupyter.populate.make import Key, check_makes, make_one
from djupyter.populate.progress import Bar, Listener, Progress

if TYPE_CHECKING:
    from djupyter.populate.tiers import AutoPopulate


class Summary(TypedDict):
    """What a populate did."""

    success_count: int
    error_list: list[tuple[Key, Any]]


def populate(
    table: AutoPopulate,
    restrictions: Sequence[object],
    *,
    suppress_errors: bool = False,
    return_exception_objects: bool = False,
    max_calls: int | None = None,
    display_progress: bool = False,
    make_kwargs: Mapping[str, Any] | None = None,
    listener: Listener | None = None,
) -> Summary:
    """Compute the missing keys of a table; see `AutoPopulate.populate`."""
    __tracebackhide__ = True  # IPython then shows the user's frames only
    _check(table)
    check_makes(table)
    if max_calls is not None and max_calls < 0:
        raise DataJointError(f"max_calls must not be negative, but is {max_calls}.")
    keys = missing_keys(table, restrictions).keys(order_by="KEY", limit=max_calls)
    name = table.name.class_name
    bar = Bar(name, len(keys)) if display_progress else None
    listeners = [each for each in (bar, listener) if each is not None]
    errors: list[tuple[Key, Any]] = []
    done = 0
    try:
        for key in keys:
            try:
                done += _one(table, key, make_kwargs or {})
            except Exception as error:
                error.add_note(f"While computing {name} for the key {key}.")
                if not suppress_errors:
                    raise
                told = error if return_exception_objects else f"{type(error).__name__}: {error}"
                errors.append((key, told))
            for listen in listeners:
                listen(Progress(name, done, len(errors), len(keys)))
    finally:
        if bar is not None:
            bar.close()
    return {"success_count": done, "error_list": errors}


def _one(table: AutoPopulate, key: Key, options: Mapping[str, Any]) -> int:
    """Make one key; return 0 when another worker was faster."""
    __tracebackhide__ = True  # IPython then shows the user's frames only
    if key in table:
        return 0
    working = type(table)()
    working._allow_insert = True
    try:
        make_one(working, key, options)
    except DuplicateError:
        if key in table:  # another worker has made it meanwhile
            return 0
        raise
    return 1


def _check(table: AutoPopulate) -> None:
    if table.is_restricted:
        raise DataJointError(
            "Cannot call populate on a restricted table. Pass the restriction as an argument: "
            f"{type(table).__name__}.populate(restriction)."
        )
    if table.connection.in_transaction:
        raise DataJointError(
            "Populate cannot be called during a transaction: every key has its own."
        )
