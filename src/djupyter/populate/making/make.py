"""One key: `make` in one transaction, or in three parts of which only the last holds one.

| written as                               | runs                                                                  |
|------------------------------------------|-----------------------------------------------------------------------|
| `make(key)`                              | whole in one transaction                                              |
| `make_fetch`, `make_compute`, `make_insert` | fetch and compute outside, then fetch again, compare, insert inside |
| `make(key)` as a generator               | the same three parts, separated by `yield`                            |
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from djupyter.errors import DataJointError, LostConnectionError
from djupyter.populate.outcome import Key

if TYPE_CHECKING:
    from djupyter.populate.tiers import AutoPopulate

T = TypeVar("T")
_PARTS = ("make_fetch", "make_compute", "make_insert")
# Attempts to insert the result of a key while connections are lost, and seconds before each further one.
_PAUSES = (0.0, 0.5, 2.0, 5.0, 10.0)


@dataclass(slots=True)
class Making:
    """A `make` that is running.

    Parameters
    ----------
    cls
        The class of the table.
    key
        What is made.
    inserted
        How many rows of the table itself it has inserted.
    fetched
        What a make in three parts has fetched.
    """

    cls: type[AutoPopulate]
    key: Key
    inserted: int = 0
    fetched: Any = None


_running: ContextVar[Making | None] = ContextVar("making", default=None)


def making(cls: type[AutoPopulate]) -> Making | None:
    """Return the `make` of a class that the calling code runs in; None outside one."""
    running = _running.get()
    return running if running is not None and running.cls is cls else None


@contextmanager
def _in_make_of(cls: type[AutoPopulate], key: Key) -> Iterator[Making]:
    state = Making(cls, dict(key))
    token = _running.set(state)
    try:
        yield state
    finally:
        _running.reset(token)


def make_one(
    table: AutoPopulate,
    key: Key,
    options: Mapping[str, Any],
    closing: Callable[[], None] | None = None,
) -> Making:
    """Compute and insert the rows of one key; everything it inserts stands or falls together.

    When the connection is lost meanwhile, what was lost is done again: the whole of a make in one part, the insertion
    of one in three.

    Parameters
    ----------
    table
        An instance that may insert into itself.
    key
        Primary-key values.
    options
        Further arguments of `make`, or of `make_fetch`.
    closing
        What else belongs to the transaction, done at its end.

    Raises
    ------
    NotImplementedError
        The class says neither how to make a row nor its three parts.
    DataJointError
        What `make_fetch` gave has changed while computing, or nothing was inserted.
    """
    __tracebackhide__ = True  # IPython then shows the user's frames only
    check_makes(table)
    make, connection = _make_of(table), table.connection
    with _in_make_of(type(table), key) as state:
        if make is None:
            insert = _again_when_lost(lambda _: _in_three_parts(table, key, options, state))
        elif _is_generator(getattr(make, "__func__", make)):
            insert = _again_when_lost(lambda _: _by_generator(table, make, key, options, state))
        else:

            def insert() -> None:
                __tracebackhide__ = True
                make(dict(key), **options)

            # It computes too, and locks nobody out before it writes.
            _carried_through(table, state, insert, closing, lambda: connection.late_transaction)
            return state
        _carried_through(table, state, insert, closing, lambda: connection.transaction)
    return state


@lru_cache(maxsize=64)  # asked for each key, and not cheap
def _is_generator(function: Any) -> bool:
    return inspect.isgeneratorfunction(function)


def _again_when_lost(work: Callable[[int], T]) -> T:
    """Do something again while connections are lost; `work` is told how often it was tried before."""
    __tracebackhide__ = True
    for number, pause in enumerate(_PAUSES):
        if pause:
            time.sleep(pause)
        try:
            return work(number)
        except LostConnectionError:
            if number == len(_PAUSES) - 1:
                raise
    raise AssertionError("there is at least one attempt")


def _carried_through(
    table: AutoPopulate,
    state: Making,
    insert: Callable[[], None],
    closing: Callable[[], None] | None,
    transaction: Callable[[], AbstractContextManager[object]],
) -> None:
    """Insert in a transaction, again where a lost connection has undone it."""
    __tracebackhide__ = True

    def work(number: int) -> None:
        __tracebackhide__ = True
        # The connection may have been lost after the commit.
        if number and state.key in table:
            return
        state.inserted = 0
        with transaction():
            insert()
            if not state.inserted and state.key not in table:
                raise _nothing(table, state.key)
            if closing is not None:
                closing()

    _again_when_lost(work)


def _nothing(table: AutoPopulate, key: Key) -> DataJointError:
    return DataJointError(
        f"The make of {type(table).__name__} ended without inserting a row for {key}, so that the key would be made "
        "again each time. Insert one, `self.insert1(dict(key, ...))`; if there is nothing to compute for such keys, "
        "leave them out of the key source."
    )


def check_makes(table: AutoPopulate) -> None:
    """Refuse a table that does not say how its rows are made.

    Raises
    ------
    NotImplementedError
        It has neither `make` nor its three parts.
    """
    if not says_how(table):
        raise NotImplementedError(
            f"{type(table).__name__} does not say how to compute a row. Define make(self, key), or "
            "make_fetch, make_compute and make_insert."
        )


def says_how(table: AutoPopulate) -> bool:
    """Return whether a table says how its rows are made: by `make`, or by its three parts."""
    return _make_of(table) is not None or all(hasattr(table, part) for part in _PARTS)


def _make_of(table: AutoPopulate) -> Any:
    # `_make_tuples` is what pipelines of datajoint's early days call it.
    return getattr(table, "make", None) or getattr(table, "_make_tuples", None)


def _in_three_parts(
    table: Any, key: Key, options: Mapping[str, Any], state: Making
) -> Callable[[], None]:
    """Fetch and compute; return what inserts."""
    __tracebackhide__ = True
    fetched = _several(table, "make_fetch", table.make_fetch(dict(key), **options))
    computed = _several(table, "make_compute", table.make_compute(dict(key), *fetched))
    state.fetched = fetched

    def insert() -> None:
        __tracebackhide__ = True
        _check_unchanged(table, key, fetched, table.make_fetch(dict(key), **options))
        table.make_insert(dict(key), *computed)

    return insert


def _several(table: Any, part: str, result: Any) -> Sequence[Any]:
    if isinstance(result, tuple | list):
        return result
    raise DataJointError(
        f"{type(table).__name__}.{part} must return a tuple, whose members the next part gets as arguments, "
        f"not {type(result).__name__}. Write `return value,` for a single one."
    )


def _by_generator(
    table: AutoPopulate, make: Any, key: Key, options: Mapping[str, Any], state: Making
) -> Callable[[], None]:
    """Run a generator to where it has computed; return what runs it again to insert."""
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
    state.fetched = fetched

    def insert() -> None:
        __tracebackhide__ = True
        second: Generator[Any, Any, None] = make(dict(key), **options)
        try:
            _check_unchanged(table, key, fetched, next(second))
            second.send(computed)
        except StopIteration:
            pass
        finally:
            second.close()

    return insert


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
