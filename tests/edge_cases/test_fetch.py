"""Statements 138 to 144: what the fetch methods return."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import djupyter as dj
from djupyter.errors import UnknownAttributeError


@pytest.mark.statement(138)
def test_fetch1_wants_exactly_one_row(t: SimpleNamespace) -> None:
    for query in (t.A & "a = 9", t.A & "a < 3"):
        with pytest.raises(dj.DataJointError, match="exactly one"):
            query.fetch1()
        with pytest.raises(dj.DataJointError, match="tuples found"):
            query.fetch1("x")
    one = t.A & "a = 1"
    assert one.fetch1() == {"a": 1, "x": 10, "name": "one"}
    assert one.fetch1("KEY") == {"a": 1}
    assert one.fetch1("x", "KEY", "name") == (10, {"a": 1}, "one")
    with pytest.raises(UnknownAttributeError, match="nope"):
        one.fetch1("nope")


@pytest.mark.statement(139)
def test_fetch_works_as_it_did_and_warns(t: SimpleNamespace) -> None:
    with pytest.warns(DeprecationWarning, match="fetch"):
        assert t.A.fetch("KEY", order_by="a") == [{"a": 1}, {"a": 2}, {"a": 3}]
    with pytest.warns(DeprecationWarning, match="fetch"):
        x, name = t.A.fetch("x", "name", order_by="a")
    assert (x.tolist(), name.tolist()) == ([10, None, 30], ["one", "two", "o'ne%"])
    with pytest.warns(DeprecationWarning, match="fetch"):
        assert t.A.fetch(as_dict=True, order_by="a", limit=1) == [{"a": 1, "x": 10, "name": "one"}]
    with pytest.warns(DeprecationWarning, match="fetch"):
        frame = t.A.fetch(format="frame", order_by="a")
    assert isinstance(frame, pd.DataFrame)
    assert frame.index.names == ["a"]


@pytest.fixture
def Data(schema: dj.Schema) -> Any:
    @schema
    class Data(dj.Manual):
        definition = "id : int32\n---\nsignal = null : <blob>\nraw = null : bytes"

    return Data


@pytest.mark.statement(140)
def test_arrays_of_one_shape_are_stacked(Data: Any) -> None:
    Data.insert([{"id": 1, "signal": np.arange(3.0)}, {"id": 2, "signal": np.ones(3)}])
    stacked = Data.to_arrays("signal", order_by="id")
    assert (stacked.shape, stacked.dtype) == ((2, 3), np.float64)
    assert Data.to_arrays().dtype["signal"].kind == "O"
    Data.insert1({"id": 3, "signal": np.ones(2)})
    assert Data.to_arrays("signal").dtype == object


@pytest.mark.statement(141)
def test_keys_come_first_when_included(t: SimpleNamespace) -> None:
    keys, x = t.A.to_arrays("x", include_key=True, order_by="a")
    assert keys == [{"a": 1}, {"a": 2}, {"a": 3}]
    assert x.tolist() == [10, None, 30]


@pytest.mark.statement(142)
def test_iteration_gives_the_rows_of_its_start(fresh: SimpleNamespace) -> None:
    fresh.N.insert((n, n) for n in range(10, 3000))
    rows = iter(fresh.N & dj.Top(None))
    first = next(rows)["n"]
    fresh.N.insert1((9999, 1))
    (fresh.N & "n = 2500").delete_quick()
    seen = [first, *(row["n"] for row in rows)]
    assert (len(seen), 2500 in seen, 9999 in seen) == (2993, True, False)


@pytest.mark.statement(143)
def test_in_asks_for_any_row(t: SimpleNamespace) -> None:
    """On the class as on an instance, where it used to compare with whole rows."""
    for table in (t.A, t.A()):
        assert {"a": 1} in table
        assert "a = 1" in table
        assert {"a": 9} not in table


@pytest.mark.statement(144)
def test_previews_show_what_is_there_and_how_much_more(Data: Any) -> None:
    """NULL is NULL, not `None` or `nan`; bytes and what a codec reads are summarised alike on every backend."""
    Data.insert([{"id": n, "raw": b"\0\1"} for n in range(20)])
    (Data & "id = 3").delete_quick()
    Data.insert1({"id": 3, "signal": np.arange(3.0), "raw": b"\0\1"})
    shown = repr(Data())
    assert "float64 (3,)" in next(line for line in shown.splitlines() if line.split()[:1] == ["3"])
    assert "NULL" in shown
    assert "None" not in shown
    assert "..." in shown
    assert "memoryview" not in shown
    assert "20" in shown.splitlines()[-1]
    with Data.connection.settings.override(display__show_tuple_count=False):
        assert "20" not in repr(Data()).splitlines()[-1]
