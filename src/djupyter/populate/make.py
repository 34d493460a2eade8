"""One key: `make` in one transaction, or in three parts of which only the last holds one.

| written as                               | runs                                                                  |
|------------------------------------------|-----------------------------------------------------------------------|
| `make(key)`                              | whole in one transaction                                              |
| `make_fetch`, `make_compute`, `make_insert` | fetch and compute outside, then fetch again, compare, insert inside |
| `make(key)` as a generator               | the same three parts, separated by `yield`                            |
"""

from __future__ import annotations

import inspect
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import numpy as np

from djupyter.errors import DataJointError

if TYPE_CHECKING:
    from djupyter.populate.tiers import AutoPopulate

Key = dict[str, Any]
_in_make: ContextVar[tuple[type[AutoPopulate], Key] | None] = ContextVar("in_make", default=None)
_PARTS = ("make_fetch", "make_compute", "make_insert")


def is_in_make_of(cls: type[AutoPopulate]) -> bool:
    """Whether the calling code runs in the `make` of a class, which may then insert into its table."""
    return key_in_make_of(cls) is not None


def key_in_make_of(cls: type[AutoPopulate]) -> Key | None:
    """Return the key that the `make` of a class is at; None outside it."""
    running = _in_make.get()
    return running[1] if running is not None and running[0] is cls else None


@contextmanager
def _in_make_of(cls: type[AutoPopulate], key: Key) -> Iterator[None]:
    token = _in_make.set((cls, dict(key)))
    try:
        yield
    finally:
        _in_make.reset(token)


def make_one(table: AutoPopulate, key: Key, options: Mapping[str, Any]) -> None:
    """Compute and insert the rows of one key; everything it inserts stands or falls together.

    Parameters
    ----------
    table
        An instance that may insert into itself.
    key
        Primary-key values.
    options
        Further arguments of `make`, or of `make_fetch`.

    Raises
    ------
    NotImplementedError
        The class says neither how to make a row nor its three parts.
    DataJointError
        What `make_fetch` gave has changed while computing.
    """
    __tracebackhide__ = True  # IPython then shows the user's frames only
    check_makes(table)
    make = _make_of(table)
    with _in_make_of(type(table), key):
        if make is None:
            _in_three_parts(table, key, options)
        elif inspect.isgeneratorfunction(make):
            _by_generator(table, make, key, options)
        else:
            with table.connection.late_transaction:
                make(dict(key), **options)


def check_makes(table: AutoPopulate) -> None:
    """Refuse a table that does not say how its rows are made.

    Raises
    ------
    NotImplementedError
        It has neither `make` nor its three parts.
    """
    if _make_of(table) is None and not all(hasattr(table, part) for part in _PARTS):
        raise NotImplementedError(
            f"{type(table).__name__} does not say how to compute a row. Define make(self, key), or "
            "make_fetch, make_compute and make_insert."
        )


def _make_of(table: AutoPopulate) -> Any:
    # `_make_tuples` is what pipelines of datajoint's early days call it.
    return getattr(table, "make", None) or getattr(table, "_make_tuples", None)


def _in_three_parts(table: Any, key: Key, options: Mapping[str, Any]) -> None:
    __tracebackhide__ = True
    fetched = _several(table, "make_fetch", table.make_fetch(dict(key), **options))
    computed = _several(table, "make_compute", table.make_compute(dict(key), *fetched))
    with table.connection.transaction:
        _check_unchanged(table, key, fetched, table.make_fetch(dict(key), **options))
        table.make_insert(dict(key), *computed)


def _several(table: Any, part: str, result: Any) -> Sequence[Any]:
    if isinstance(result, tuple | list):
        return result
    raise DataJointError(
        f"{type(table).__name__}.{part} must return a tuple, whose members the next part gets as arguments, "
        f"not {type(result).__name__}. Write `return value,` for a single one."
    )


def _by_generator(table: AutoPopulate, make: Any, key: Key, options: Mapping[str, Any]) -> None:
    __tracebackhide__ = True
    first: Generator[Any, Any, None] = make(dict(key), **options)
    try:
        fetched = next(first)
        computed = next(first)
    except StopIteration:
        raise DataJointError(
            f"The generator make of {type(table).__name__} must yield what it fetched, then what it computed: "
            "`computed = yield fetched`, `if computed is None: computed = ...; yield computed`, insert, `yield`."
        ) from None
    finally:
        first.close()
    with table.connection.transaction:
        second: Generator[Any, Any, None] = make(dict(key), **options)
        try:
            _check_unchanged(table, key, fetched, next(second))
            second.send(computed)
        except StopIteration:
            pass
        finally:
            second.close()


def _check_unchanged(table: AutoPopulate, key: Key, before: Any, now: Any) -> None:
    if not same(before, now):
        raise DataJointError(
            "Referential integrity failed! The `make_fetch` data has changed while "
            f"{type(table).__name__} was computing {key}. Nothing was inserted; populate again."
        )


def same(left: Any, right: Any) -> bool:
    """Whether two fetched values are equal, arrays and frames within them included, NaN equal to itself.

    Examples
    --------
    >>> same(({"a": np.array([1.0, np.nan])},), ({"a": np.array([1.0, np.nan])},))
    True
    >>> same([1], [1.0])
    True
    """
    if isinstance(left, np.ndarray) or isinstance(right, np.ndarray):
        return _same_arrays(np.asarray(left), np.asarray(right))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(same(left[k], right[k]) for k in left)
    if _is_sequence(left) and _is_sequence(right):
        return len(left) == len(right) and all(map(same, left, right))
    if hasattr(left, "equals"):  # frames, series and tables, whose `==` goes element by element
        return type(left) is type(right) and bool(left.equals(right))
    return bool(left == right) or bool(left != left and right != right)


def _same_arrays(left: Any, right: Any) -> bool:
    if left.shape != right.shape or left.dtype != right.dtype:
        return False
    if left.dtype == object:
        return all(map(same, left.ravel().tolist(), right.ravel().tolist()))
    if left.dtype.names:
        return all(_same_arrays(left[name], right[name]) for name in left.dtype.names)
    return bool(np.array_equal(left, right, equal_nan=left.dtype.kind in "fcmM"))


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)
