import datetime
import gc
import tracemalloc
import uuid
import warnings
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import djupyter as dj
from djupyter.errors import MissingTableError, UnknownAttributeError

FULL = {
    "id": 1,
    "i": 5,
    "f": 0.5,
    "g": 0.1,
    "m": Decimal("2.50"),
    "flag": True,
    "d": datetime.date(2024, 1, 31),
    "t": datetime.datetime(2024, 1, 31, 12, 30, 0, 250000),
    "u": uuid.UUID(int=7),
    "j": {"a": [1, None]},
    "e": "low",
    "v": "é🐭",
    "raw": b"\x00\xff",
    "blob": {"k": [1, 2]},
}
EMPTY = {**dict.fromkeys(FULL), "id": 2}


@pytest.fixture
def filled(typed: Any) -> Any:
    typed.insert([FULL, {"id": 2}])
    return typed


# Dicts


def test_values_come_back_as_they_went_in(filled: Any) -> None:
    rows = filled.to_dicts(order_by="id")
    assert rows == [FULL, EMPTY]
    assert [type(value) for value in rows[0].values()] == [type(value) for value in FULL.values()]
    assert list(filled) == rows
    assert filled.keys(order_by="KEY") == [{"id": 1}, {"id": 2}]


def test_order_limit_and_offset(t: SimpleNamespace) -> None:
    assert [r["a"] for r in t.A.to_dicts(order_by="KEY desc")] == [3, 2, 1]
    assert [r["a"] for r in t.A.to_dicts(order_by="a", limit=1, offset=1)] == [2]
    assert t.B.keys(order_by=["a desc", "b"]) == [
        {"a": 2, "b": 1},
        {"a": 1, "b": 1},
        {"a": 1, "b": 2},
    ]
    assert [r["a"] for r in t.A.head(2)] == [1, 2]
    assert [r["a"] for r in t.A.tail(2)] == [2, 3]
    assert [r["a"] for r in t.A.tail()] == [1, 2, 3]


def test_one_row(t: SimpleNamespace) -> None:
    one = t.A & "a = 1"
    assert one.fetch1() == {"a": 1, "x": 10, "name": "one"}
    assert one.fetch1("x") == 10
    assert one.fetch1("x", "KEY", "name") == (10, {"a": 1}, "one")
    assert one.fetch1("KEY") == {"a": 1}
    with pytest.raises(dj.DataJointError, match=r"exactly one tuple.*no tuples found"):
        (t.A & "a = 9").fetch1()
    with pytest.raises(dj.DataJointError, match=r"3 tuples found.*to_arrays\('x'\)"):
        t.A.fetch1("x")
    with pytest.raises(UnknownAttributeError):
        one.fetch1("nope")


def test_only_what_is_asked_for_travels(filled: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    connection = filled.connection
    fetch = connection.fetch
    monkeypatch.setattr(
        connection, "fetch", lambda sql, *rest: (seen.append(sql), fetch(sql, *rest))[1]
    )
    (filled & {"id": 1}).fetch1("i")
    filled.to_arrays("i")
    filled.keys()
    assert len(seen) == 3
    assert not any("blob" in sql for sql in seen)


def test_rows_are_found_with_in(t: SimpleNamespace) -> None:
    assert {"a": 1} in t.A()
    assert {"a": 9} not in t.A()
    assert "x > 20" in t.A()
    assert t.B & "y > 3" in t.A()


def test_singletons_are_fetched_counted_and_restricted(t: SimpleNamespace) -> None:
    assert t.S.primary_key == []
    assert (len(t.S), bool(t.S())) == (1, True)
    assert t.S.to_dicts() == list(t.S) == [{"s": 7}]
    assert t.S.fetch1() == {"s": 7}
    assert t.S.fetch1("KEY") == {}
    assert t.S.keys() == [{}]
    assert t.S.proj().to_dicts() == [{}]
    assert len(t.S.proj().to_pandas()) == 1
    assert t.S.to_arrays("s").tolist() == [7]
    assert t.S.to_pandas().to_dict("records") == [{"s": 7}]
    assert (len(t.S & "s = 7"), len(t.S - "s = 7"), len(t.S & {"s": 8})) == (1, 0, 0)
    assert (len(t.A & t.S), len(t.A - t.S), len(t.A & (t.S & "s = 8"))) == (3, 0, 0)
    assert (len(t.S & t.A), len(t.S & (t.A & "a > 9")), len(t.S & dj.Top())) == (1, 0, 1)
    assert "7" in repr(t.S())


def test_hidden_attributes_never_appear(t: SimpleNamespace) -> None:
    assert t.S.heading.names == ["s"]
    with pytest.raises(UnknownAttributeError):
        t.S & "_singleton = 1"
    with pytest.raises(UnknownAttributeError):
        t.S.proj("_singleton")
    assert "_singleton" not in repr(t.S()) + t.S()._repr_html_()


# Arrays


def test_arrays_have_the_dtypes_of_the_heading(filled: Any) -> None:
    full = filled & {"id": 1}
    for name, dtype in {
        "id": "int64",
        "i": "int64",
        "f": "float64",
        "flag": "bool",
        "v": "object",
    }.items():
        assert full.to_arrays(name).dtype == dtype
    assert filled.to_arrays("i").dtype == object
    assert np.isnan(filled.to_arrays("g", order_by="id")[1])
    ids, texts = filled.to_arrays("id", "v", order_by="id")
    assert (ids.tolist(), texts.tolist()) == ([1, 2], ["é🐭", None])


def test_records_have_a_field_for_each_attribute(filled: Any) -> None:
    records = filled.to_arrays(order_by="id")
    assert records.dtype.names == tuple(FULL)
    assert records["id"].dtype == np.int64
    assert records["flag"].tolist() == [True, None]
    assert records["blob"].tolist() == [{"k": [1, 2]}, None]
    assert np.isnan(records["f"][1])


def test_keys_come_first_when_included(t: SimpleNamespace) -> None:
    keys, y = t.B.to_arrays("y", include_key=True, order_by="KEY")
    assert keys == [{"a": 1, "b": 1}, {"a": 1, "b": 2}, {"a": 2, "b": 1}]
    assert y.tolist() == [1.5, 2.5, 3.5]
    keys, records = t.B.to_arrays(include_key=True, order_by="KEY")
    assert keys[0] == {"a": 1, "b": 1}
    assert records["y"].tolist() == [1.5, 2.5, 3.5]
    with pytest.raises(UnknownAttributeError):
        t.B.to_arrays("nope")


@pytest.mark.parametrize(
    ("values", "shape", "dtype"),
    [
        ([np.arange(3), np.arange(3)], (2, 3), np.arange(3).dtype),
        ([np.arange(3), np.arange(4)], (2,), object),
        ([np.arange(3), np.arange(3.0)], (2,), object),
        ([[1, 2], [3, 4]], (2,), object),
        ([np.arange(3), None], (2,), object),
    ],
)
def test_equal_arrays_are_stacked(typed: Any, values: Any, shape: Any, dtype: Any) -> None:
    typed.insert([{"id": i, "blob": value} for i, value in enumerate(values)])
    found = typed.to_arrays("blob", order_by="id")
    assert (found.shape, found.dtype) == (shape, dtype)
    assert typed.to_arrays()["blob"].dtype == object


def test_axes_of_length_one_are_squeezed(typed: Any) -> None:
    typed.insert1({"id": 1, "blob": np.ones((1, 3, 1))})
    assert typed.fetch1("blob").shape == (1, 3, 1)
    assert typed.fetch1("blob", squeeze=True).shape == (3,)
    assert typed.to_arrays("blob", squeeze=True).shape == (1, 3)
    assert typed.to_dicts(squeeze=True)[0]["blob"].shape == (3,)


# Frames


def test_pandas_is_indexed_by_the_key(filled: Any, t: SimpleNamespace) -> None:
    frame = filled.to_pandas(order_by="id")
    assert frame.index.name == "id"
    assert frame.index.dtype == "int64"
    assert str(frame.dtypes["i"]) == "Int64"
    assert str(frame.dtypes["flag"]) == "boolean"
    assert str(frame.dtypes["g"]) == "float64"
    assert str(frame.dtypes["t"]) == "datetime64[us]"
    assert frame.loc[1, "blob"] == {"k": [1, 2]}
    assert t.B.to_pandas().index.names == ["a", "b"]
    assert t.A.proj(d="x * 2").to_pandas(order_by="a")["d"].tolist() == [20, pd.NA, 60]


def test_arrow_and_polars(filled: Any) -> None:
    table = filled.to_arrow(order_by="id")
    assert table.schema.field("m").type == pa.decimal128(6, 2)
    assert table.schema.field("t").type == pa.timestamp("us")
    assert table.column("u").to_pylist() == [str(FULL["u"]), None]
    assert table.column("raw").to_pylist() == [b"\x00\xff", None]
    frame = filled.proj(..., "-blob").to_polars(order_by="id")
    assert isinstance(frame, pl.DataFrame)
    assert frame["d"].to_list() == [FULL["d"], None]


def test_values_without_a_common_arrow_type_are_named(typed: Any) -> None:
    typed.insert([{"id": 1, "blob": 5}, {"id": 2, "blob": "text"}])
    with pytest.raises(dj.DataJointError, match=r"`blob` \(<blob>\) have no common Arrow type"):
        typed.to_arrow()


def test_an_empty_result_keeps_names_and_types(typed: Any) -> None:
    assert typed.to_dicts() == list(typed) == typed.keys() == []
    assert typed.to_arrays().dtype.names == tuple(FULL)
    assert typed.to_arrays("i").dtype == np.int64
    assert typed.to_arrays("g").dtype == np.float64
    assert [column.shape for column in typed.to_arrays("i", "v")] == [(0,), (0,)]
    keys, values = typed.to_arrays("v", include_key=True)
    assert (keys, values.dtype) == ([], object)
    frame = typed.to_pandas()
    assert frame.index.name == "id"
    assert list(frame.columns) == list(FULL)[1:]
    assert {name: str(frame.dtypes[name]) for name in ("i", "g", "flag", "t")} == {
        "i": "int64",
        "g": "float64",
        "flag": "bool",
        "t": "datetime64[us]",
    }
    assert typed.to_arrow().column_names == list(FULL)
    assert typed.to_arrow().schema.field("m").type == pa.decimal128(6, 2)
    assert typed.to_polars().columns == list(FULL)
    counted = dj.U("e").aggr(typed, n="count(*)", last="max(d)")
    assert str(counted.to_pandas().dtypes["n"]) == "int64"
    assert counted.to_arrow().schema.field("last").type == pa.date32()


# Streaming


def test_iteration_holds_few_rows_in_memory(schema: dj.Schema) -> None:
    @schema
    class Many(dj.Manual):
        definition = "id : int32\n---\nv : float64\nname : varchar(20)"

    Many.insert((i, i / 2, f"row {i}") for i in range(300_000))
    gc.collect()
    tracemalloc.start()
    count = sum(1 for _ in Many())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 300_000
    assert peak < 16_000_000


def test_iteration_gives_the_rows_of_its_start(t: SimpleNamespace) -> None:
    found = iter(t.N())
    first = next(found)
    t.N.insert([(n, 0) for n in range(10, 20)])
    assert 1 + len(list(found)) == 3
    assert first["n"] in (1, 2, 3)


def test_iteration_may_stop_early(t: SimpleNamespace) -> None:
    for _ in t.N():
        break
    t.N.insert1((4, 0))
    assert len(t.N) == 4


# As before datajoint 2


def test_fetch_works_as_it_did_and_warns(t: SimpleNamespace) -> None:
    def old(query: Any, *names: str, **options: Any) -> Any:
        with pytest.warns(DeprecationWarning, match="to_dicts") as caught:
            found = query.fetch(*names, **options)
        assert caught[0].filename == __file__
        return found

    b = t.B()
    assert old(b, order_by="KEY")["y"].tolist() == [1.5, 2.5, 3.5]
    assert old(b, "KEY", order_by="KEY", limit=1) == [{"a": 1, "b": 1}]
    y, keys, a = old(b, "y", "KEY", "a", order_by="KEY desc", offset=1)
    assert (y.tolist(), keys[0], a.tolist()) == ([2.5, 1.5], {"a": 1, "b": 2}, [1, 1])
    assert old(b, "y", order_by="y").tolist() == [1.5, 2.5, 3.5]
    assert old(b, as_dict=True, limit=1, order_by="KEY") == [{"a": 1, "b": 1, "y": 1.5}]
    assert old(b, "y", "KEY", as_dict=True, order_by="y")[0] == {"y": 1.5, "a": 1, "b": 1}
    assert old(b, format="frame").index.names == ["a", "b"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(dj.DataJointError, match="all attributes"):
            b.fetch("y", format="frame")
        with pytest.raises(dj.DataJointError, match="formats"):
            b.fetch(format="csv")
        with pytest.raises(UnknownAttributeError):
            b.fetch("nope")


# What is not there


def test_a_query_on_a_table_that_was_dropped_says_so(t: SimpleNamespace) -> None:
    query = t.E & "e = 1"
    t.E.drop()
    for use in (
        query.to_dicts,
        query.fetch1,
        lambda: len(query),
        lambda: bool(query),
        lambda: list(query),
    ):
        with pytest.raises(MissingTableError):
            use()
    with pytest.raises(MissingTableError):
        t.E.to_dicts()
