from types import SimpleNamespace
from typing import Any

import pytest

import djupyter as dj
from djupyter.errors import UnknownAttributeError


def values(query: Any, name: str) -> list[Any]:
    return sorted(query.to_arrays(name).tolist(), key=lambda v: (v is not None, v))


def test_the_values_of_an_attribute_are_listed_once_null_included(t: SimpleNamespace) -> None:
    t.A.insert([(4, 10, "four"), (5, None, "five")])
    query = dj.U("x") & t.A
    assert values(query, "x") == [None, 10, 30]
    assert len(query) == 3
    assert query.primary_key == ["x"]
    assert values(query & "x > 10", "x") == [30]
    assert len(query & {"x": None}) == 1


def test_several_attributes_in_the_order_asked_for(t: SimpleNamespace) -> None:
    query = dj.U("name", "a") & t.A
    assert query.heading.names == ["name", "a"]
    assert query.primary_key == ["name", "a"]
    assert len(query) == 3


def test_values_are_ordered_and_limited(t: SimpleNamespace) -> None:
    query = dj.U("a") & t.B
    assert query.to_dicts(order_by="a desc") == [{"a": 2}, {"a": 1}]
    assert (query & dj.Top(1, "a desc")).fetch1("a") == 2
    assert values(dj.U("a") & (t.B & dj.Top(2, "y desc")), "a") == [1, 2]
    assert query.keys(limit=1, order_by="KEY") == [{"a": 1}]


def test_null_in_the_key_of_a_loose_join_is_listed_once(t: SimpleNamespace) -> None:
    t.A.insert1((4, None, "four"))
    query = t.A.join(t.C, left=True, allow_nullable_pk=True)
    assert values(query, "c") == [None, None, 1, 3]
    assert values(dj.U("c") & query, "c") == [None, 1, 3]


def test_lineage_survives(t: SimpleNamespace) -> None:
    query = dj.U("a") & t.B
    assert len(t.A & query) == 2
    assert len(query * t.A) == 2
    assert values(query.aggr(t.B, n="count(*)"), "n") == [1, 2]
    assert len(dj.U("a", "b").aggr(t.B, n="count(*)") * t.B) == 3


def test_groups_by_any_attribute(t: SimpleNamespace) -> None:
    query = dj.U("b").aggr(t.B, n="count(*)", s="sum(y)")
    assert query.to_dicts(order_by="b") == [
        {"b": 1, "n": 2, "s": 5.0},
        {"b": 2, "n": 1, "s": 2.5},
    ]
    assert (query & "n > 1").fetch1("b") == 1
    assert values(dj.U("x").aggr(t.A, n="count(*)"), "n") == [1, 1, 1]


def test_totals_are_one_row_even_of_nothing(t: SimpleNamespace) -> None:
    query = dj.U().aggr(t.B & "a = 99", n="count(*)", s="sum(y)")
    assert query.to_dicts() == [{"n": 0, "s": None}]
    assert len(query) == 1
    assert bool(query)
    assert query.fetch1("n") == 0
    assert not (query & "n > 0")
    assert query.keys() == [{}]
    assert query.proj().to_dicts() == [{}]
    assert query.proj(k="1").to_dicts() == [{"k": 1}]


@pytest.mark.parametrize(
    "combine",
    [
        lambda t: dj.U("nope") & t.A,
        lambda t: dj.U("nope").aggr(t.A, n="count(*)"),
        lambda t: dj.U("a").aggr(t.A, n="count(nope)"),
    ],
)
def test_unknown_attributes_are_reported(t: SimpleNamespace, combine: Any) -> None:
    with pytest.raises(UnknownAttributeError, match="nope"):
        combine(t)


@pytest.mark.parametrize(
    "combine",
    [
        lambda t: dj.U() & t.A,
        lambda t: dj.U("x") & {"x": 1},
        lambda t: dj.U("x").aggr({"x": 1}, n="count(*)"),
        lambda t: dj.U("x").aggr(t.A, exclude_nonmatching=False, n="count(*)"),
        lambda t: dj.U("x").aggr(t.A, n=5),
        lambda t: dj.U("x").aggr(t.A, N="count(*)"),
    ],
)
def test_what_makes_no_sense_is_refused(t: SimpleNamespace, combine: Any) -> None:
    with pytest.raises(dj.DataJointError):
        combine(t)


def test_it_shows_how_it_was_made() -> None:
    assert repr(dj.U("x", "y")) == "U('x', 'y')"
