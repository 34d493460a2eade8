"""Fetched values are compared deeply: what is equal is not taken for a change, nor the reverse."""

from __future__ import annotations

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest

from djupyter.populate.make import same

EQUAL = [
    1,
    None,
    "text",
    float("nan"),
    Decimal("1.5"),
    datetime.date(2024, 1, 1),
    np.array([1.0, np.nan]),
    np.array([b"x", None], dtype=object),
    np.array([(1, np.nan)], dtype=[("a", int), ("b", float)]),
    [{"a": np.zeros(2), "b": [None, (1, 2)]}],
    pd.DataFrame({"a": [1.0, np.nan]}),
    pl.DataFrame({"a": [1.0, None]}),
    {"nested": {"deep": [np.nan]}},
]


@pytest.mark.parametrize("value", EQUAL, ids=lambda value: type(value).__name__)
def test_a_value_is_the_same_as_its_copy(value: object) -> None:
    copy = value.copy() if hasattr(value, "copy") else value  # type: ignore[union-attr]
    assert same(value, copy)
    assert same((value, 1), (copy, 1))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (np.zeros(2), np.zeros(3)),
        (np.zeros(2), np.zeros(2, dtype=int)),
        (np.zeros(2), np.array([0, 1e-9])),
        ([1, 2], [1]),
        ([1], {"a": 1}),
        ({"a": 1}, {"b": 1}),
        ("a", ["a"]),
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [2]})),
        (pd.DataFrame({"a": [1]}), [1]),
        (None, np.nan),
    ],
)
def test_different_values_are_not_the_same(left: object, right: object) -> None:
    assert not same(left, right)
