"""What makes a value fit a type: a `Rule`, made by the `*_rules` modules for each kind of type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def _always(values: Sequence[Any]) -> bool:
    return True


def _never(array: Array) -> list[Any] | None:
    return None


@dataclass(frozen=True, slots=True)
class Rule:
    """How values become canonical for one type.

    Parameters
    ----------
    expected
        What fits, for the message: `a whole number from 0 to 255`.
    convert
        Returns the canonical value, or raises a ValueError, TypeError, KeyError or ArithmeticError;
        a `RefusedError` says more than `expected` does.
    exact
        The Python type whose values are canonical already, if `all_fit` says so;
        None where there is none.
    all_fit
        Whether many values of the exact type are canonical.
    from_array
        Returns the canonical values of a one-dimensional array, None when they need
        `convert` one by one.
    empty_is_value
        Whether the empty text is a value of the type.
    """

    expected: str
    convert: Callable[[Any], object]
    exact: type | None = None
    all_fit: Callable[[Sequence[Any]], bool] = _always
    from_array: Callable[[Array], list[Any] | None] = _never
    empty_is_value: bool = False


class RefusedError(ValueError):
    """A value does not fit; the text says what to do, as a sentence."""
