"""Statements 94 to 104: NULL, NaN and numbers, in and out."""

from __future__ import annotations

import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import djupyter as dj
from djupyter.errors import InvalidValueError, MissingAttributeError


@pytest.fixture
def T(schema: dj.Schema) -> Any:
    @schema
    class T(dj.Manual):
        definition = """
        id : int32
        ---
        i8 = null : int8
        i64 = null : int64
        f32 = null : float32
        f64 = null : float64
        m = null : decimal(6,2)
        """

    return T


@pytest.mark.statement(94)
def test_none_is_null_or_refused_but_never_the_default(schema: dj.Schema) -> None:
    """Instead of becoming the default in silence; leaving the attribute out gives the default."""

    @schema
    class D(dj.Manual):
        definition = "id : int32\n---\nn = 5 : int32\nmust : int32"

    D.insert1({"id": 1, "must": 1})
    assert D.fetch1("n") == 5
    for row in ({"id": 2, "n": None, "must": 1}, {"id": 2, "must": None}, {"id": 2}):
        with pytest.raises(MissingAttributeError):
            D.insert1(row)
    assert len(D) == 1


@pytest.mark.statement(95)
@pytest.mark.parametrize("name", ["i8", "i64", "f32", "f64", "m"])
@pytest.mark.parametrize("nan", [float("nan"), np.nan, np.float32("nan"), pd.NA], ids=repr)
def test_nan_becomes_null(T: Any, name: str, nan: object) -> None:
    """On every backend and for every numeric type."""
    T.insert1({"id": 1, name: nan})
    assert T.fetch1(name) is None
    assert len(T & {name: None}) == len(T & f"{name} is null") == 1


@pytest.mark.statement(96)
def test_infinity_is_stored_where_it_can_be_and_refused_elsewhere(T: Any) -> None:
    """PostgreSQL and SQLite keep it in a float; MySQL cannot and says so before anything is sent."""
    for name in ("i64", "m"):
        with pytest.raises(InvalidValueError, match=f"`{name}`"):
            T.insert1({"id": 1, name: math.inf})
    if T.connection.backend.name == "mysql":
        with pytest.raises(InvalidValueError, match="`f64`"):
            T.insert1({"id": 1, "f64": math.inf})
    else:
        T.insert1({"id": 1, "f64": math.inf})
        assert T.fetch1("f64") == math.inf


@pytest.mark.statement(97)
def test_gaps_in_files_and_frames_are_null(T: Any, tmp_path: Path) -> None:
    """On every backend. Elsewhere an empty text is no number and refused, not NULL in silence."""
    path = tmp_path / "rows.csv"
    path.write_text("id,i8,f32,f64,m\n1,,,,\n2,1,0.5,,2.5\n")
    T.insert(path)
    T.insert(pd.DataFrame({"id": [3, 4], "f64": [np.nan, 1.5], "m": [None, "1"]}))
    assert [row["f64"] for row in T.to_dicts(order_by="id")] == [None, None, None, 1.5]
    assert [row["m"] for row in T.to_dicts(order_by="id")] == [
        None,
        Decimal("2.50"),
        None,
        Decimal("1.00"),
    ]
    for name in ("i8", "f64", "m"):
        with pytest.raises(InvalidValueError, match=f"`{name}`"):
            T.insert1({"id": 5, name: ""})


@pytest.mark.statement(98)
def test_whole_numbers_are_whole_and_in_range(T: Any) -> None:
    """Fractions are refused on every backend, and -128 to 127 is what int8 means on every backend."""
    T.insert([{"id": 1, "i8": True}, {"id": 2, "i8": False}, {"id": 3, "i8": 2.0}])
    assert T.to_arrays("i8", order_by="id").tolist() == [1, 0, 2]
    for wrong in (1.7, 128, -129, "x"):
        with pytest.raises(InvalidValueError, match="`i8`"):
            T.insert1({"id": 4, "i8": wrong})


@pytest.mark.statement(99)
def test_decimals_come_back_with_the_scale_of_their_attribute(T: Any) -> None:
    """Rounded half up everywhere; more digits before the point than there is room for are refused."""
    for place, value in enumerate(("2.345", 2.5, Decimal("-0.005"), 7)):
        T.insert1({"id": place, "m": value})
    found = T.to_arrays("m", order_by="id").tolist()
    assert list(map(str, found)) == ["2.35", "2.50", "-0.01", "7.00"]
    with pytest.raises(InvalidValueError, match="`m`"):
        T.insert1({"id": 9, "m": 10_000})


@pytest.mark.statement(100)
def test_a_float32_comes_back_as_the_float32_it_is(T: Any) -> None:
    """With all its digits, not with the six that MySQL writes."""
    T.insert1({"id": 1, "f32": 1 / 3})
    value = T.fetch1("f32")
    assert np.float32(value) == np.float32(1 / 3)
    assert len(T & {"f32": value}) == len(T & {"f32": 1 / 3}) == 1


@pytest.mark.statement(101, 102)
def test_null_in_arrays(T: Any) -> None:
    T.insert([{"id": 1, "i64": 5, "f64": 0.5}, {"id": 2}])
    records = T.to_arrays(order_by="id")
    assert math.isnan(records["f64"][1])
    assert records["i64"].tolist() == [5, None]
    assert (T & "id = 2").fetch1("f64") is None
    assert T.to_arrays("i64", order_by="id").dtype == object
    assert (T & "id = 1").to_arrays("i64").dtype == np.int64
    assert records.dtype["id"] == np.int64


@pytest.mark.statement(103)
def test_an_empty_result_keeps_names_and_types(T: Any) -> None:
    """In every form."""
    empty = T & "id > 99"
    assert empty.to_arrays().dtype == T.to_arrays().dtype
    assert empty.to_arrays("id").dtype == np.int64
    frame = empty.to_pandas()
    assert list(frame.columns) == T.heading.secondary_attributes
    assert frame.index.names == ["id"]
    assert empty.to_arrow().column_names == T.heading.names
    assert empty.to_polars().columns == T.heading.names


@pytest.mark.statement(104)
def test_the_key_is_the_index_of_a_frame(T: Any) -> None:
    T.insert([{"id": 1, "f64": 0.5}, {"id": 2}])
    frame = T.to_pandas(order_by="id")
    assert frame.index.names == ["id"]
    T.delete_quick()
    T.insert_dataframe(frame)
    T.insert_dataframe(pd.DataFrame({"id": [3], "i8": [1]}))
    T.insert_dataframe(pd.DataFrame({"i8": [1]}, index=[4]), index_as_pk=True)
    assert T.to_arrays("id", order_by="id").tolist() == [1, 2, 3, 4]
