from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import djupyter as dj
from djupyter.errors import QuerySyntaxError, UnknownAttributeError


@pytest.fixture
def T(schema: dj.Schema) -> Any:
    @schema
    class T(dj.Manual):
        definition = "id : int32\n---\nv = null : int32\nw : int32"

    T.insert([(1, 50, 0), (2, 40, 1), (3, None, 0), (4, 20, 1), (5, 10, 0)])
    return T


def ids(query: Any) -> list[int]:
    return query.to_arrays("id").tolist()


@pytest.mark.parametrize(
    ("top", "expected"),
    [
        (dj.Top(), [1]),
        (dj.Top(3), [1, 2, 3]),
        (dj.Top(np.int64(2)), [1, 2]),
        (dj.Top(2, "v desc"), [1, 2]),
        (dj.Top(2, "v"), [3, 5]),
        (dj.Top(2, offset=1), [2, 3]),
        (dj.Top(limit=None), [1, 2, 3, 4, 5]),
        (dj.Top(None, offset=3), [4, 5]),
        (dj.Top(0), []),
        (dj.Top(10, ["w desc", "KEY desc"]), [4, 2, 5, 3, 1]),
        (dj.Top(10, "w, id desc"), [5, 3, 1, 4, 2]),
        (dj.Top(3, offset=9), []),
    ],
)
def test_the_first_rows_in_an_order(T: Any, top: dj.Top, expected: list[int]) -> None:
    query = T & top
    assert ids(query) == expected
    assert [row["id"] for row in query] == expected
    assert len(query) == len(expected)
    assert bool(query) == bool(expected)


@pytest.mark.parametrize("limit", [None, 0, 1, 4, 9])
@pytest.mark.parametrize("offset", [0, 1, 5, 7])
def test_len_bool_and_rows_agree(T: Any, limit: int | None, offset: int) -> None:
    query = T & dj.Top(limit, offset=offset)
    rows = query.to_dicts()
    assert len(query) == len(rows) == len(T.to_dicts(limit=limit, offset=offset))
    assert bool(query) == bool(rows)


def test_a_condition_after_a_top_chooses_among_its_rows(T: Any) -> None:
    assert ids((T & dj.Top(3)) & "w = 0") == [1, 3]
    assert ids((T & "w = 0") & dj.Top(2)) == [1, 3]
    assert ids(((T & dj.Top(4)) & "w = 1") & dj.Top(1, "id desc")) == [4]


def test_tops_of_one_order_are_merged(T: Any) -> None:
    assert ids(T & dj.Top(4) & dj.Top(2, offset=1)) == [2, 3]
    assert ids(T & dj.Top(2) & dj.Top(4)) == [1, 2]
    assert ids(T & dj.Top(2) & dj.Top(4, offset=3)) == []
    assert ids(T & dj.Top(3, "id desc") & dj.Top(2)) == [3, 4]
    assert ids(T & dj.Top(3, "id desc") & dj.Top(2, None)) == [5, 4]


def test_order_by_none_keeps_the_order(T: Any) -> None:
    query = T & dj.Top(4, "id desc")
    assert ids(query & dj.Top(2, order_by=None)) == [5, 4]
    assert ids(query.proj() & dj.Top(2, order_by=None)) == [5, 4]
    assert ids(query.proj(q="v") & dj.Top(2, order_by=None)) == [5, 4]
    assert [row["id"] for row in query.proj().to_dicts(limit=2)] == [5, 4]
    assert [row["id"] for row in query.keys(offset=1, limit=2)] == [4, 3]


def test_a_top_is_no_condition_of_a_list(T: Any) -> None:
    for wrong in ([dj.Top()], dj.AndList([dj.Top()]), dj.Not(dj.Top())):
        with pytest.raises(dj.DataJointError, match="Invalid restriction type Top"):
            T & wrong
    with pytest.raises(dj.DataJointError, match="Invalid restriction type Top"):
        T - dj.Top()


@pytest.mark.parametrize(
    "arguments",
    [{"limit": wrong} for wrong in (1.5, "a", True)]
    + [{"order_by": wrong} for wrong in (5, [5])]
    + [{"offset": wrong} for wrong in (1.5, "a", None)],
)
def test_arguments_of_other_types_are_refused(arguments: Any) -> None:
    with pytest.raises(TypeError):
        dj.Top(**arguments)


@pytest.mark.parametrize("arguments", [{"limit": -1}, {"offset": -1}])
def test_negative_limits_are_refused(T: Any, arguments: Any) -> None:
    with pytest.raises(ValueError, match="negative"):
        dj.Top(**arguments)
    with pytest.raises(ValueError, match="negative"):
        T.to_dicts(**arguments)


def test_unknown_orders_are_reported(T: Any) -> None:
    with pytest.raises(UnknownAttributeError, match="`vv`"):
        T & dj.Top(1, "vv desc")
    with pytest.raises(UnknownAttributeError):
        T.to_dicts(order_by="nope")
    with pytest.raises(QuerySyntaxError, match=r"with \.proj\(\)"):
        T.to_dicts(order_by="abs(v - 5)")
    with pytest.raises(TypeError):
        T.to_dicts(order_by=5)


def test_orders_are_by_names_key_and_nothing(T: Any) -> None:
    assert ids(T & dj.Top(2, ())) != []
    assert len(T.to_dicts(order_by=())) == 5
    assert [row["id"] for row in T.to_dicts(order_by="KEY desc", limit=2)] == [5, 4]
    assert [row["id"] for row in T.to_dicts(order_by=["w", "`id` desc"], limit=2)] == [5, 3]
    assert T.to_dicts(limit=0) == []
    assert len(T.to_dicts(offset=2)) == 3


def test_null_comes_before_everything(T: Any) -> None:
    assert ids(T & dj.Top(None, "v"))[0] == 3
    assert ids(T & dj.Top(None, "v desc"))[-1] == 3


def test_operands_with_a_top_are_cut_first(T: Any, t: SimpleNamespace) -> None:
    assert len((t.A & dj.Top(2)) * t.B) == 3
    assert len((t.A & dj.Top(1, "a desc")) * t.B) == 0
    assert len(t.A & (t.B & dj.Top(1, "y desc"))) == 1
    assert len(t.A - (t.B & dj.Top(1, "y desc"))) == 2
    assert len((T & dj.Top(2)).proj() + (T & dj.Top(1, "id desc")).proj()) == 3


def test_a_top_is_inserted_and_deleted_as_it_is(T: Any, schema: dj.Schema) -> None:
    @schema
    class Copy(dj.Manual):
        definition = "id : int32"

    Copy.insert(T.proj() & dj.Top(2, "id desc"))
    assert sorted(ids(Copy())) == [4, 5]
    (T & dj.Top(2, "id desc")).delete_quick()
    assert ids(T()) == [1, 2, 3]
    (T & dj.Top(1)).delete()
    assert ids(T()) == [2, 3]


def test_an_order_by_a_constant_says_nothing(T: Any) -> None:
    query = T.proj(five="5", nothing="NULL", word="'x'")
    assert ids(query & dj.Top(2, ["five", "nothing desc", "word", "id desc"])) == [5, 4]
    assert len(query.to_dicts(order_by="five", limit=3)) == 3


def test_texts_of_an_enum_are_ordered_as_texts(schema: dj.Schema) -> None:
    @schema
    class Grade(dj.Manual):
        definition = "id : int32\n---\ne = null : enum('low', 'High', 'LOW', 'mid')"

    Grade.insert([(1, "LOW"), (2, "low"), (3, None), (4, "High"), (5, "mid")])
    assert (Grade & dj.Top(None, "e")).to_arrays("id").tolist() == [3, 4, 1, 2, 5]
    assert (Grade & dj.Top(2, "e desc")).to_arrays("id").tolist() == [5, 2]
    assert (Grade & "e > 'LOW'").to_arrays("id").tolist() == [2, 5]
    assert dj.U().aggr(Grade, low="min(e)", high="max(e)").fetch1("low", "high") == ("High", "mid")


def test_groups_are_ordered_by_how_many_rows_they_have(t: SimpleNamespace) -> None:
    counted = t.A.aggr(t.B, n="count(*)", m="count(b)", five="5")
    numbers = counted.to_arrays("m")
    for order in ("n desc", "five, n desc", "m desc"):
        first = (counted & dj.Top(1, [order, "KEY"])).fetch1()
        assert first["m"] == max(numbers)
    totals = dj.U("a").aggr(t.B, n="count(*)")
    assert (totals & dj.Top(1, "n desc")).fetch1("n") == max(numbers)
    assert (totals & dj.Top(1, "n")).fetch1("n") == min(n for n in numbers if n)
