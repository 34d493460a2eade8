from types import SimpleNamespace
from typing import Any

import pytest

import djupyter as dj


def rows(query: Any) -> list[tuple[Any, ...]]:
    return sorted((tuple(row.values()) for row in query.to_dicts()), key=repr)


def test_a_key_in_both_operands_comes_once(t: SimpleNamespace) -> None:
    query = (t.A & "a < 3").proj() + (t.A & "a > 1").proj()
    assert rows(query) == [(1,), (2,), (3,)]
    assert len(query) == 3
    assert bool(query)
    assert not bool(query & "a > 5")


def test_secondary_attributes_of_both_are_combined(t: SimpleNamespace) -> None:
    query = (t.A & "a < 3").proj("x") + (t.A & "a > 1").proj("name")
    assert query.heading.names == ["a", "x", "name"]
    assert rows(query) == [(1, 10, None), (2, None, "two"), (3, None, "o'ne%")]


@pytest.mark.parametrize(
    ("left", "right", "message"),
    [
        (lambda t: t.A.proj(), lambda t: t.C.proj(), "same primary key"),
        (lambda t: t.A(), lambda t: t.A(), "secondary attributes x, name"),
    ],
)
def test_operands_must_fit(t: SimpleNamespace, left: Any, right: Any, message: str) -> None:
    with pytest.raises(dj.DataJointError, match=message):
        left(t) + right(t)


def test_keys_of_different_origin_are_united_but_mean_nothing_common(t: SimpleNamespace) -> None:
    query = t.A.proj() + t.D.proj()
    assert rows(query) == [(1,), (2,), (3,)]
    assert query.heading["a"].lineage is None


def test_null_is_a_key_like_any_other(t: SimpleNamespace) -> None:
    names, counts = dj.U("x").aggr(t.A, first="min(name)"), dj.U("x").aggr(t.A, n="count(*)")
    assert rows(names + counts) == [(10, "one", 1), (30, "o'ne%", 1), (None, "two", 1)]
    assert len(names + counts) == 3


def test_unions_chain_join_and_restrict(t: SimpleNamespace) -> None:
    query = (t.A & "a=1").proj() + (t.A & "a=2").proj() + (t.A & "a=3").proj()
    assert len(query) == 3
    assert len(query * t.A) == 3
    assert len(t.A & (query & "a > 1")) == 2
    assert len(query - (t.A & "a=1")) == 2
    assert (query & "a > 1").to_dicts(order_by="a desc") == [{"a": 3}, {"a": 2}]
    assert query.aggr(t.B, n="count(b)").to_arrays("n").sum() == 3


def test_unions_are_projected_ordered_and_limited(t: SimpleNamespace) -> None:
    query = t.A.proj("x") + t.A.proj("name")
    assert (query.proj(q="x") & {"q": 10}).fetch1("a") == 1
    assert (query & dj.Top(2, "a desc")).to_dicts() == query.to_dicts(order_by="a desc", limit=2)
    assert query.to_arrays("a", order_by="KEY", limit=1, offset=1).tolist() == [2]


def test_limits_of_operands_are_honoured(t: SimpleNamespace) -> None:
    query = (t.A & dj.Top(1)).proj() + (t.A & dj.Top(1, "a desc")).proj()
    assert rows(query) == [(1,), (3,)]


def test_blobs_and_documents_survive_a_union(typed: Any) -> None:
    typed.insert1({"id": 1, "j": {"a": 1}, "blob": [1, 2]})
    typed.insert1({"id": 2, "v": "two"})
    query = typed.proj("j", "blob") + typed.proj("v")
    assert query.to_dicts(order_by="id") == [
        {"id": 1, "j": {"a": 1}, "blob": [1, 2], "v": None},
        {"id": 2, "j": None, "blob": None, "v": "two"},
    ]
