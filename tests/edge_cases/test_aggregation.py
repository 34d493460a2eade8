"""Statements 57 to 66: aggregation keeps the rows and the key of its left operand."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import djupyter as dj


def counts(query: dj.Table) -> dict[int, int]:
    return {row["a"]: row["n"] for row in query.to_dicts()}


@pytest.mark.statement(57)
def test_rows_without_a_match_count_nothing(t: SimpleNamespace) -> None:
    rows = t.A.aggr(t.B, n="count(b)", m="max(y)").to_dicts(order_by="a")
    assert rows == [{"a": 1, "n": 2, "m": 2.5}, {"a": 2, "n": 1, "m": 3.5}, {"a": 3, "n": 0, "m": None}]  # fmt: skip
    assert counts(t.A.aggr(t.B, n="count(*)")) == {1: 2, 2: 1, 3: 1}


@pytest.mark.statement(57)
def test_an_attribute_of_both_operands_counts_one_like_the_row(t: SimpleNamespace) -> None:
    """`count(a)` is about the row that is kept, whose `a` is not NULL; count an attribute of the group for 0."""
    assert counts(t.A.aggr(t.B, n="count(a)")) == {1: 2, 2: 1, 3: 1}
    assert counts(t.A.aggr(t.C, n="count(a)")) == {1: 1, 2: 1, 3: 1}


@pytest.mark.statement(58)
def test_rows_without_a_match_may_be_left_out(t: SimpleNamespace) -> None:
    found = t.A.aggr(t.B, n="count(b)", exclude_nonmatching=True)
    assert counts(found) == {1: 2, 2: 1}


@pytest.mark.statement(59)
def test_the_group_needs_the_key_among_its_attributes(t: SimpleNamespace) -> None:
    assert counts(t.A.aggr(t.C, n="count(c)")) == {1: 1, 2: 0, 3: 1}
    with pytest.raises(dj.DataJointError, match=r"b\b.*not found"):
        t.B.aggr(t.A, n="count(x)")


@pytest.mark.statement(60)
def test_a_condition_on_the_group_leaves_out_rows_without_a_match(t: SimpleNamespace) -> None:
    assert counts(t.A.aggr(t.B & "y > 2", n="count(b)")) == {1: 1, 2: 1}


@pytest.mark.statement(61, 62)
def test_totals_are_restricted_counted_joined_and_restrict(t: SimpleNamespace) -> None:
    query = t.A.aggr(t.B, n="count(b)")
    assert counts(query & "n > 0") == {1: 2, 2: 1}
    assert counts(query & "a = 1") == {1: 2}
    assert counts(query & {"n": 2}) == {1: 2}
    assert counts(query & "n + a = 3") == {1: 2, 2: 1, 3: 0}
    assert (len(query), len(query & "n = 2"), bool(query), bool(query & "n > 9")) == (3, 1, True, False)  # fmt: skip
    assert (query * t.A & "n = 2").fetch1("name") == "one"
    assert (t.A & (query & "n = 2")).fetch1("a") == 1
    assert sorted((t.A - (query & "n = 2")).to_arrays("a")) == [2, 3]


@pytest.mark.statement(63)
def test_own_attributes_are_kept(t: SimpleNamespace) -> None:
    """On MariaDB too."""
    assert (t.A.aggr(t.B, "name", n="count(b)") & "a = 3").fetch1() == {"a": 3, "name": "o'ne%", "n": 0}  # fmt: skip
    assert (t.A.aggr(t.B, ..., n="count(b)") & "a = 1").fetch1() == {
        "a": 1,
        "x": 10,
        "name": "one",
        "n": 2,
    }


@pytest.mark.statement(64)
def test_aggregates_have_no_lineage_and_need_it_of_their_group(t: SimpleNamespace) -> None:
    with pytest.raises(dj.DataJointError, match="different lineages"):
        t.A.aggr(t.D, n="count(*)")
    query = t.A.aggr(t.B, n="count(b)")
    assert query.heading["n"].lineage is None
    assert query.heading["a"].lineage == t.A.heading["a"].lineage


@pytest.mark.statement(65)
def test_group_concat_joins_texts(t: SimpleNamespace) -> None:
    texts = t.A.aggr(t.B, bs="group_concat(b)").to_dicts(order_by="a")
    assert ["".join(sorted(row["bs"] or "")) for row in texts] == [",12", "1", ""]
    assert [row["bs"] for row in texts][1:] == ["1", None]
    assert (t.A.aggr(t.B, bs="group_concat(b order by b desc)") & "a = 1").fetch1("bs") == "2,1"


@pytest.mark.statement(66)
def test_an_empty_aggregation_is_false(t: SimpleNamespace) -> None:
    assert not t.A.aggr(t.B & False, n="count(b)", exclude_nonmatching=True)
    assert not t.A.aggr(t.B & "y > 99", n="count(b)")
    assert (t.A & False).aggr(t.B, n="count(b)").to_dicts() == []
