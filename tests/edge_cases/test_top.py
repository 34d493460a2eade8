"""Statements 79 to 93: the first rows in an order."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

import djupyter as dj
from djupyter.errors import QuerySyntaxError, UnknownAttributeError


@pytest.fixture
def T(schema: dj.Schema) -> Any:
    @schema
    class T(dj.Manual):
        definition = "n : int32\n---\nv = null : int32\nw : int32"

    T.insert([(1, 50, 0), (2, 40, 1), (3, None, 0), (4, 20, 1), (5, 10, 0)])
    return T


def ns(query: Any) -> list[int]:
    return query.to_arrays("n").tolist()


@pytest.mark.statement(79, 80)
@pytest.mark.parametrize(
    ("top", "rows"),
    [
        (dj.Top(), [1]),
        (dj.Top(3), [1, 2, 3]),
        (dj.Top(3, "v desc"), [1, 2, 4]),
        (dj.Top(3, "v"), [3, 5, 4]),
        (dj.Top(2, offset=1), [2, 3]),
        (dj.Top(limit=None), [1, 2, 3, 4, 5]),
        (dj.Top(None, offset=3), [4, 5]),
        (dj.Top(None, offset=10), []),
        (dj.Top(0), []),
    ],
    ids=repr,
)
def test_the_first_rows_are_the_same_however_they_are_asked_for(
    T: Any, top: dj.Top, rows: list[int]
) -> None:
    """NULL comes first on every backend; `len` and `bool` agree with the rows."""
    query = T & top
    assert ns(query) == [row["n"] for row in query] == rows
    assert (len(query), bool(query)) == (len(rows), bool(rows))


@pytest.mark.statement(81)
def test_a_condition_after_a_top_chooses_among_its_rows(T: Any) -> None:
    assert ns((T & dj.Top(3)) & "w = 0") == [1, 3]
    assert ns((T & "w = 0") & dj.Top(2)) == [1, 3]
    assert ns((T & "w = 1") & dj.Top(3)) == [2, 4]


@pytest.mark.statement(82)
def test_tops_of_one_order_merge_and_others_nest(T: Any) -> None:
    assert ns(T & dj.Top(4, offset=1) & dj.Top(2, offset=1)) == [3, 4]
    assert ns(T & dj.Top(2) & dj.Top(4)) == [1, 2]
    assert ns(T & dj.Top(3) & dj.Top(2, "n desc")) == [3, 2]


@pytest.mark.statement(83)
def test_order_by_none_keeps_the_order(T: Any) -> None:
    assert ns(T & dj.Top(4, "n desc") & dj.Top(2, order_by=None)) == [5, 4]


@pytest.mark.statement(84)
def test_a_top_is_no_condition_of_a_list(T: Any) -> None:
    for wrong in ([dj.Top()], dj.AndList([dj.Top()]), dj.Not(dj.Top())):
        with pytest.raises(dj.DataJointError, match="Invalid restriction type Top"):
            T & wrong


@pytest.mark.statement(85)
def test_arguments_of_other_types_are_refused() -> None:
    for limit in (1.5, "a"):
        with pytest.raises(TypeError, match="limit must be an integer"):
            dj.Top(limit=limit)  # type: ignore[arg-type]
    for wrong in ({"order_by": 5}, {"offset": "a"}):
        with pytest.raises(TypeError):
            dj.Top(**wrong)  # type: ignore[arg-type]


@pytest.mark.statement(86)
def test_operands_are_cut_before_they_are_combined(t: SimpleNamespace) -> None:
    """Instead of losing the Top; `bool` of no rows is False."""
    first, last = t.A & dj.Top(1), t.A & dj.Top(1, "a desc")
    assert (len(first * t.B), len(last * t.B)) == (2, 0)
    assert [row["n"] for row in first.aggr(t.B, n="count(b)").to_dicts()] == [2]
    # The rows of A stay, for a limit is no condition.
    counts = t.A.aggr(t.B & dj.Top(1), n="count(b)").to_dicts(order_by="a")
    assert [row["n"] for row in counts] == [1, 0, 0]
    assert dj.U().aggr(t.B & dj.Top(2), n="count(*)").fetch1("n") == 2
    assert len(dj.U("a") & (t.B & dj.Top(2))) == 1
    assert not t.A & dj.Top(0)


@pytest.mark.statement(87, 89)
def test_a_top_is_inserted_iterated_and_deleted_as_it_is(T: Any, schema: dj.Schema) -> None:
    @schema
    class Copy(dj.Manual):
        definition = "n : int32"

    Copy.insert(T.proj() & dj.Top(2, "n desc"))
    assert sorted(ns(Copy())) == [4, 5]
    assert [row["n"] for row in T & dj.Top(3, "v desc")] == [1, 2, 4]
    (T & dj.Top(2, "n desc")).delete_quick()
    assert ns(T & dj.Top(None)) == [1, 2, 3]
    assert (T & dj.Top(1)).delete(prompt=False) == 1
    assert ns(T & dj.Top(None)) == [2, 3]


@pytest.mark.statement(88)
def test_a_limited_relation_restricts(t: SimpleNamespace) -> None:
    """On MariaDB and MySQL too."""
    assert (t.A & (t.B & dj.Top(2))).to_arrays("a").tolist() == [1]
    assert sorted((t.A - (t.B & dj.Top(2))).to_arrays("a")) == [2, 3]


@pytest.mark.statement(90, 91)
def test_an_order_is_a_list_of_names(T: Any) -> None:
    def order(by: Any) -> list[int]:
        return [row["n"] for row in T.to_dicts(order_by=by)]

    assert order("KEY") == [1, 2, 3, 4, 5]
    assert order("KEY desc") == [5, 4, 3, 2, 1]
    assert order("w, n desc") == order(["w", "n desc"]) == [5, 3, 1, 4, 2]
    with pytest.raises(TypeError):
        order(5)
    with pytest.raises(UnknownAttributeError):
        order("nope")


@pytest.mark.statement(90, 91)
@pytest.mark.parametrize("expression", ["abs(v - 5)", "car.length"])
def test_to_order_by_an_expression_compute_it_first(T: Any, expression: str) -> None:
    """The error says so instead of quoting the expression as a name."""
    with pytest.raises(QuerySyntaxError, match=r"\.proj\(\)"):
        T.to_dicts(order_by=expression)
    rows = T.proj(distance="abs(v - 15)").to_dicts(order_by=["distance", "n"])
    assert [row["n"] for row in rows] == [3, 4, 5, 2, 1]


@pytest.mark.statement(92)
def test_limits_of_a_fetch(T: Any) -> None:
    """A negative limit is refused before the server sees it."""
    assert T.to_dicts(limit=0) == []
    assert len(T.to_dicts(offset=2)) == 3
    for wrong in ({"limit": -1}, {"offset": -1}):
        with pytest.raises(ValueError, match="negative"):
            T.to_dicts(**wrong)


@pytest.mark.statement(93)
def test_no_order_head_and_tail(T: Any) -> None:
    assert len(T.to_dicts(order_by=())) == 5
    assert [row["n"] for row in T.head(2)] == [1, 2]
    assert [row["n"] for row in T.tail(2)] == [4, 5]
