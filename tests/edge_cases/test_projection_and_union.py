"""Statements 67 to 78: projection and union."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import djupyter as dj
from djupyter.errors import UnknownAttributeError


@pytest.mark.statement(67)
def test_attributes_are_kept_and_left_out(t: SimpleNamespace) -> None:
    assert t.A.proj().heading.names == ["a"]
    assert t.A.proj(..., "-name").heading.names == ["a", "x"]
    assert t.A.proj(..., "- name").heading.names == ["a", "x"]
    assert t.A.proj("- name", ...).heading.names == ["a", "x"]
    for wrong in (("-a",), (..., "-a")):
        with pytest.raises(dj.DataJointError, match="`a`"):
            t.A.proj(*wrong)


@pytest.mark.statement(68)
def test_names_are_changed_doubled_and_swapped(t: SimpleNamespace) -> None:
    assert t.A.proj(aa="a").primary_key == ["aa"]
    assert (t.A.proj(a2="(a)") & "a = 2").fetch1() == {"a": 2, "a2": 2}
    assert (t.A.proj(x="name", name="x") & "a = 1").fetch1() == {"a": 1, "x": "one", "name": 10}


@pytest.mark.statement(69)
def test_a_name_that_is_none_is_refused(t: SimpleNamespace) -> None:
    """In a rename too, where it used to be passed over in silence."""
    for project in (lambda: t.A.proj("nope"), lambda: t.A.proj(q="nope"), lambda: t.A.proj("-nope")):  # fmt: skip
        with pytest.raises(UnknownAttributeError, match="nope"):
            project()


@pytest.mark.statement(70)
def test_a_name_does_not_appear_twice(t: SimpleNamespace) -> None:
    for project in (lambda: t.A.proj("name", name="x"), lambda: t.A.proj(a="x*2")):
        with pytest.raises(dj.DataJointError, match=r"`(name|a)`"):
            project()
    with pytest.raises(dj.DataJointError):
        t.A.proj(5)


@pytest.mark.statement(71)
def test_constants_null_and_the_clock_are_expressions(t: SimpleNamespace) -> None:
    row = (t.A.proj(k="'s'", n="NULL", m="5", now="CURRENT_TIMESTAMP") & "a = 1").fetch1()
    assert (row["k"], row["n"], row["m"]) == ("s", None, 5)
    assert row["now"] is not None


@pytest.mark.statement(72)
def test_computed_attributes_are_restricted(t: SimpleNamespace) -> None:
    query = t.A.proj(d="x * 2")
    assert (query & "d > 20").fetch1("a") == 3
    assert (query & {"d": 20}).fetch1("a") == 1
    assert (query & {"d": None}).fetch1("a") == 2


@pytest.mark.statement(73)
def test_a_rename_of_a_rename(t: SimpleNamespace) -> None:
    """On PostgreSQL too; also of a union."""
    twice = t.A.proj(q="x").proj(r="q")
    assert (twice & "a = 1").fetch1() == {"a": 1, "r": 10}
    united = t.A.proj("x") + t.D.proj("z")
    assert sorted(united.proj(q="x").proj(r="q").to_arrays("a")) == [1, 2, 3]


@pytest.mark.statement(74)
def test_a_rename_keeps_the_origin_and_a_computation_has_none(t: SimpleNamespace) -> None:
    assert t.A.proj(aa="a").heading["aa"].lineage == t.A.heading["a"].lineage
    assert t.A.proj(d="a*2").heading["d"].lineage is None
    with pytest.raises(dj.DataJointError, match="lineage missing"):
        t.A.proj(b="a+1") * t.B


@pytest.mark.statement(75)
def test_a_union_fills_what_is_missing_with_null(t: SimpleNamespace) -> None:
    united = t.A.proj("x") + t.D
    assert united.to_dicts(order_by="a") == [
        {"a": 1, "x": 10, "z": 100},
        {"a": 2, "x": None, "z": 200},
        {"a": 3, "x": 30, "z": None},
    ]
    assert len(t.A.proj() + t.A.proj()) == 3
    for other in (t.N, t.B):
        with pytest.raises(dj.DataJointError):
            t.A.proj() + other
    with pytest.raises(dj.DataJointError):
        t.A + t.A


@pytest.mark.statement(76)
def test_unions_chain_and_are_restricted_joined_and_counted(t: SimpleNamespace) -> None:
    low, high = (t.A & "a = 1").proj(), (t.A & "a = 3").proj()
    both = low + high
    assert len(both + (t.A & "a = 2").proj()) == 3
    assert (both & "a > 1").fetch1("a") == 3
    assert sorted((both * t.A).to_arrays("x")) == [10, 30]
    assert (len(both), bool(both), bool(both & "a = 2")) == (2, True, False)


@pytest.mark.statement(77)
def test_unions_are_ordered_and_limited(t: SimpleNamespace) -> None:
    """Instead of broken SQL."""
    united = t.A.proj("x") + t.D
    assert [row["a"] for row in united.to_dicts(order_by="a desc")] == [3, 2, 1]
    assert [row["a"] for row in united.to_dicts(order_by="x desc", limit=2)] == [3, 1]
    assert (united & dj.Top(1, "a desc")).fetch1("a") == 3
    firsts = (t.A.proj() & dj.Top(1)) + (t.D.proj() & dj.Top(1, "a desc"))
    assert sorted(firsts.to_arrays("a")) == [1, 2]


@pytest.mark.statement(78)
def test_projection_keeps_the_rows_of_a_difference(t: SimpleNamespace) -> None:
    rest = t.A - t.B
    assert len(rest.proj(id2="3")) == len(rest) == 1
