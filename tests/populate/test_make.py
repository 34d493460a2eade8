"""Fetched values are compared deeply: what is equal is not taken for a change, nor the reverse."""

from __future__ import annotations

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest

import djupyter as dj
from djupyter.populate.making.make import same

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


def test_make_sees_what_its_row_depends_on(schema: dj.Schema) -> None:
    @schema
    class Subject(dj.Manual):
        definition = "subject : int8\n---\nname : varchar(8)"

    @schema
    class Session(dj.Manual):
        definition = "session : int8\n---\n-> Subject"

    @schema
    class Result(dj.Computed):
        definition = "-> Session\n---\nname : varchar(8)"

        def make(self, key: dict[str, object]) -> None:
            assert self.upstream[Session].fetch1("session") == key["session"]
            self.insert1({**key, "name": self.upstream[Subject].fetch1("name")})

    Subject.insert([(1, "Ada"), (2, "Bo")])
    Session.insert([(10, 1), (20, 2), (30, 1)])
    Result.populate()
    assert Result.to_arrays("name", order_by="KEY").tolist() == ["Ada", "Bo", "Ada"]
    with pytest.raises(dj.DataJointError, match="only while its make runs"):
        _ = Result().upstream
