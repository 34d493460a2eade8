"""Statements 50 to 56: the universal relation `U`."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import djupyter as dj
from djupyter.errors import UnknownAttributeError


@pytest.mark.statement(50)
def test_distinct_values_are_counted_as_they_are_listed(t: SimpleNamespace) -> None:
    """NULL is one of them; `len` does not pass over it."""
    values = dj.U("x") & t.A
    assert values.to_dicts(order_by="x") == [{"x": None}, {"x": 10}, {"x": 30}]
    assert len(values) == 3
    assert len(dj.U("x") & (t.A & "a = 2")) == 1
    assert bool(dj.U("x") & (t.A & "a = 2"))


@pytest.mark.statement(51)
def test_what_the_universal_relation_cannot_do_is_said_before_any_statement(
    t: SimpleNamespace,
) -> None:
    """dj.U() & A is refused, not sent to the server; an unknown name is still a KeyError."""
    with pytest.raises(dj.DataJointError, match="no attributes"):
        dj.U() & t.A
    with pytest.raises(KeyError, match="nope"):
        dj.U("nope") & t.A
    with pytest.raises(dj.DataJointError):
        dj.U("x") & {"x": 1}


@pytest.mark.statement(52)
def test_groups_by_any_attribute_and_null_is_a_group(t: SimpleNamespace) -> None:
    counts = dj.U("b").aggr(t.B, n="count(*)")
    assert counts.to_dicts(order_by="b") == [{"b": 1, "n": 2}, {"b": 2, "n": 1}]
    assert (counts & "n > 1").fetch1("b") == 1
    assert dj.U("a").aggr(t.C, n="count(*)").to_dicts(order_by="a") == [
        {"a": None, "n": 1},
        {"a": 1, "n": 1},
        {"a": 3, "n": 1},
    ]


@pytest.mark.statement(53)
def test_the_total_of_nothing_is_one_row(t: SimpleNamespace) -> None:
    total = dj.U().aggr(t.B & "a = 99", n="count(*)", s="sum(y)")
    assert total.fetch1() == {"n": 0, "s": None}
    assert len(total) == 1
    assert total.fetch1("n") == 0


@pytest.mark.statement(54)
def test_wrong_groups_are_refused(t: SimpleNamespace) -> None:
    with pytest.raises(UnknownAttributeError, match="nope"):
        dj.U("nope").aggr(t.B, n="count(*)")
    with pytest.raises(dj.DataJointError, match="exclude_nonmatching"):
        dj.U("b").aggr(t.B, n="count(*)", exclude_nonmatching=False)
    with pytest.raises(dj.DataJointError):
        dj.U("b").aggr("b = 1", n="count(*)")


@pytest.mark.statement(55)
def test_aggregates_of_aggregates(t: SimpleNamespace) -> None:
    """Over one with a key too, which used to be an error of the server."""
    counts = t.A.aggr(t.B, n="count(b)")
    assert sorted((dj.U("n") & counts).to_arrays("n")) == [0, 1, 2]
    nested = dj.U().aggr(dj.U().aggr(t.N, n="avg(w)"), m="max(n)")
    assert nested.fetch1("m") == 6
    assert dj.U().aggr(counts, total="sum(n)", most="max(n)").fetch1() == {"total": 3, "most": 2}
    assert dj.U("n").aggr(counts, tables="count(*)").to_dicts(order_by="n")[0] == {
        "n": 0,
        "tables": 1,
    }


@pytest.mark.statement(56)
def test_the_distinct_values_of_the_first_rows(t: SimpleNamespace) -> None:
    """On every backend, also when the order is by another attribute."""
    first = t.A & dj.Top(2, "x desc")
    assert sorted((dj.U("a") & first).to_arrays("a")) == [1, 3]
