"""The Python text of a query makes the same query."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

import djupyter as dj
from djupyter.query.spelling import restricted, spelled


@pytest.mark.parametrize(
    "query",
    [
        lambda t: t.A(),
        lambda t: t.A & "x > 10" & {"a": 3},
        lambda t: t.A - "x > 10" & "a < 9",
        lambda t: (t.A & "a > 1") - {"a": 3},
        lambda t: t.A & [{"a": 1}, "name = 'two'"],
        lambda t: t.A & dj.AndList(["a > 1", dj.Not("a = 3")]),
        lambda t: t.A & (t.B & "y > 2"),
        lambda t: t.A - t.B,
        lambda t: t.A & t.B.proj() & True,
        lambda t: t.A & False,
        lambda t: t.A * t.B & "b = 1",
        lambda t: (t.A * t.B) - "b = 1",
        lambda t: t.A * (t.B & "b = 1"),
        lambda t: t.A.proj("x", n="name", copy="(x)", twice="a * 2"),
        lambda t: (t.A & "a > 1").proj(..., "-x", key="a"),
        lambda t: t.A.proj(),
        lambda t: t.C.extend(t.A),
        lambda t: t.A.aggr(t.B, "name", n="count(b)"),
        lambda t: t.A.aggr(t.B, n="count(b)", exclude_nonmatching=True) & "n > 1",
        lambda t: t.A.aggr(t.B & "y > 2", n="count(b)"),
        lambda t: dj.U("a").aggr(t.B, n="count(*)"),
        lambda t: dj.U().aggr(t.B, n="count(*)"),
        lambda t: dj.U("x") & t.A & "x is not null",
        lambda t: t.A & dj.Top(2, "name desc", 1),
        lambda t: t.A & {"a": 1, "x": None},
        lambda t: t.B & {"y": Decimal("2.5")},
    ],
)
def test_the_text_makes_the_same_query(t: SimpleNamespace, query: Callable[[Any], Any]) -> None:
    found = query(t)
    text = spelled(found.node)
    assert text is not None
    again = eval(text, {"dj": dj, **vars(t)})
    again = again() if isinstance(again, type) else again
    assert again.heading == found.heading
    assert again.to_dicts() == found.to_dicts()


def test_a_restriction_by_a_date_is_spelled_without_imports(typed: Any) -> None:
    query = typed & {"d": datetime.date(2024, 1, 31)}
    assert spelled(query.node) == "Typed & {'d': '2024-01-31'}"


def test_what_has_no_text_has_none(t: SimpleNamespace) -> None:
    assert spelled((t.A.proj() + t.D.proj()).node) is None
    assert spelled((t.A & iter([{"a": 1}])).node) is not None
    assert spelled((t.A & t.A.to_pandas()).node) is None


def test_filters_and_an_order_are_added(t: SimpleNamespace) -> None:
    text = restricted("A * B", ["y > 2", {"b": 1}], (("name", True), ("a", False)))
    rows = eval(text, {"dj": dj, **vars(t)}).to_dicts()
    assert [row["name"] for row in rows] == ["two"]
