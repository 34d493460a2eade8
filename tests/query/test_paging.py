"""Pages by keyset are slices of the sorted rows: in any order, from any row, wherever NULL is, on every database."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import djupyter as dj
from djupyter.query.pages import Page, Pages
from djupyter.query.paging import legs, reversed_order, total_order
from djupyter.query.seeking import Posts, Seeker, walk
from djupyter.query.top import Order

# Texts that databases like to order in ways of their own.
TEXTS = [
    "",
    "a",
    "A",
    "B",
    "b",
    "ä",
    "z",
    "Z",
    "é",
    "~",
    "_",
    "aa",
    "a b",
    "o'x",
    "50%",
    "日本",
    "🐭",
]
VALUES: dict[str, Any] = {
    "k": st.sampled_from(["A", "a", "b", "ä", "🐭"]),
    "i": st.integers(-3, 3),
    "f": st.sampled_from([0.1, -0.1, 1 / 3, 2.5, 1e30]).map(lambda x: float(np.float32(x))),
    "g": st.sampled_from([0.1, 1 / 3, -2.5, 1e300]),
    "m": st.decimals(-9, 9, places=2),
    "flag": st.booleans(),
    "d": st.dates(datetime.date(2024, 1, 1), datetime.date(2024, 1, 4)),
    "t": st.datetimes(datetime.datetime(2024, 1, 1), datetime.datetime(2024, 1, 2)),
    "u": st.integers(0, 3).map(lambda n: uuid.UUID(int=n << 100)),
    "e": st.sampled_from(["low", "high", "Middle"]),
    "v": st.sampled_from(TEXTS),
}
NULLABLE = sorted(set(VALUES) - {"k"})
ROWS = st.lists(
    st.fixed_dictionaries({n: VALUES[n] if n == "k" else st.none() | VALUES[n] for n in VALUES}),
    max_size=12,
)
ORDERS = st.lists(st.tuples(st.sampled_from(sorted(VALUES)), st.booleans()), max_size=3)


def sorted_rows(rows: list[dict[str, Any]], order: Order) -> list[dict[str, Any]]:
    """Sort as it is said that rows are: texts by their characters, NULL first, or last in descending orders."""
    for name, descending in reversed(order):
        rows = sorted(rows, key=lambda row: _rank(row[name]), reverse=descending)
    return rows


def _rank(value: Any) -> tuple[Any, ...]:
    if isinstance(value, str):
        return (1, value.encode())
    return (0,) if value is None else (1, value)


@pytest.fixture
def mixed(schema: dj.Schema) -> Any:
    @schema
    class Mixed(dj.Manual):
        definition = """
        k : varchar(4)
        n : int32
        ---
        i = null : int16
        f = null : float32
        g = null : float64
        m = null : decimal(6,2)
        flag = null : bool
        d = null : date
        t = null : datetime(6)
        u = null : uuid
        e = null : enum('low', 'high', 'Middle')
        v = null : varchar(10)
        index (v)
        """

    return Mixed


def checked_pages(
    query: Any, expected: list[dict[str, Any]], order: Order, size: int, *, at_once: bool = False
) -> None:
    """Compare all pages of a query with slices of its sorted rows."""
    pages = Pages(query.connection, query.node, order)
    pages.is_indexed = not at_once
    names = query.heading.names

    def check(page: Page, rows: list[dict[str, Any]], more: bool) -> None:
        assert [row[names.index("n")] for row in page.rows] == [row["n"] for row in rows]
        assert page.more == more

    count = len(expected)
    check(pages.first(size), expected[:size], count > size)
    check(pages.last(size), expected[-size:], count > size)
    anchors = pages.first(count + 1).anchors
    for place, anchor in enumerate(anchors):
        check(pages.after(anchor, size), expected[place + 1 :][:size], count > place + 1 + size)
        rest = expected[place:]
        check(pages.after(anchor, size, inclusive=True), rest[:size], len(rest) > size)
        check(pages.before(anchor, size), expected[:place][-size:], place > size)
        assert pages.at(anchor) == anchor
        ahead = count - place - 1
        found = anchors[place + size] if ahead >= size else None
        assert pages.skip(anchor, size) == (found, min(size, ahead))
    assert pages.edge() == (anchors[0] if anchors else None)
    assert pages.edge(last=True) == (anchors[-1] if anchors else None)


@settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=ROWS, order=ORDERS, size=st.integers(1, 4), at_once=st.booleans())
def test_pages_are_slices_of_the_sorted_rows(
    mixed: Any, rows: list[dict[str, Any]], order: Order, size: int, at_once: bool
) -> None:
    rows = [{**row, "n": n} for n, row in enumerate(rows)]
    mixed.delete_quick()
    mixed.insert(rows)
    wanted = total_order(mixed.heading, order)
    checked_pages(mixed(), sorted_rows(rows, wanted), wanted, size, at_once=at_once)


def test_every_kind_of_value_is_an_anchor_in_both_directions(mixed: Any) -> None:
    rows = [
        {"k": "a", "n": n, **{name: None if n % 3 == 0 else values[n % 2] for name, values in _TWO}}
        for n in range(9)
    ]
    mixed.insert(rows)
    for name in NULLABLE:
        for descending in (False, True):
            order = total_order(mixed.heading, [(name, descending)])
            checked_pages(mixed(), sorted_rows(rows, order), order, 2)


_TWO: list[tuple[str, list[Any]]] = [
    ("i", [1, -1]),
    ("f", [0.1, float(np.float32(1 / 3))]),
    ("g", [0.1, 1 / 3]),
    ("m", [Decimal("1.10"), Decimal("-0.01")]),
    ("flag", [True, False]),
    ("d", [datetime.date(2024, 1, 31), datetime.date(2023, 12, 1)]),
    ("t", [datetime.datetime(2024, 1, 31, 1, 2, 3, 40), datetime.datetime(2024, 1, 31)]),
    ("u", [uuid.UUID(int=1), uuid.UUID(int=2**127)]),
    ("e", ["low", "high"]),
    ("v", ["a", "B"]),
]


@pytest.mark.parametrize(
    "query",
    [
        lambda t: t.A * t.B,
        lambda t: t.B * t.A & "y > 2",
        lambda t: t.A.aggr(t.B, n="count(b)"),
        lambda t: t.C.extend(t.A),
        lambda t: t.A.proj(w="a * 2"),
        lambda t: t.A & dj.Top(2, "name"),
        lambda t: (t.A & dj.Top(2, "x desc")).proj("x"),
        lambda t: t.A.proj() + t.D.proj(),
        lambda t: dj.U("x") & t.A,
        lambda t: dj.U("x").aggr(t.A, n="count(*)"),
        lambda t: t.A & (t.B & "b = 1"),
        lambda t: t.S(),
        lambda t: t.A & "a > 9",
    ],
)
def test_every_kind_of_query_has_pages(t: Any, query: Callable[[Any], Any]) -> None:
    found = query(t)
    names = found.heading.names
    for name in [None, *names]:
        for descending in (False, True):
            order = total_order(found.heading, [(name, descending)] if name else [])
            pages = Pages(found.connection, found.node, order)
            rows = [dict(zip(names, row, strict=True)) for row in pages.first(100).rows]
            assert rows == sorted_rows(rows, order)
            assert len(rows) == len(found)
            page = pages.first(1)
            one_by_one = list(page.rows)
            while page.more:
                page = pages.after(page.anchors[-1], 1)
                one_by_one += page.rows
            assert [dict(zip(names, row, strict=True)) for row in one_by_one] == rows


def test_what_has_no_order_is_refused(typed: Any) -> None:
    for name in ("j", "raw", "blob"):
        with pytest.raises(dj.DataJointError, match="cannot be ordered"):
            total_order(typed.heading, [(name, False)])
    with pytest.raises(dj.DataJointError, match="cannot be ordered"):
        total_order((dj.U("blob") & typed).heading)


def test_an_order_is_reversed_and_an_end_has_no_legs(typed: Any) -> None:
    order = total_order(typed.heading, [("i", True)])
    assert reversed_order(order) == (("i", False), ("id", True))
    # After the last row of a descending order, NULL, there are only those with another key.
    assert len(legs(typed.heading, order, (None, 1))) == 1
    assert legs(typed.heading, order, (None,)) == []


# Any place


@pytest.fixture
def crowd(schema: dj.Schema) -> Any:
    @schema
    class Crowd(dj.Manual):
        definition = """
        a : int32
        b : int32
        ---
        w = null : float64
        """

    Crowd.insert([(a, b, a + b / 10 if b % 3 else None) for a in range(20) for b in range(10)])
    return Crowd


@pytest.mark.parametrize("order", [[], [("a", True)], [("w", False)], [("w", True)]])
def test_the_walk_finds_every_row_and_the_total(crowd: Any, order: list[tuple[str, bool]]) -> None:
    pages = Pages(crowd.connection, crowd().node, total_order(crowd.heading, order))
    anchors = pages.first(300).anchors
    seeker = Seeker(pages)
    seeker.measure(pages)
    for seeker.posts in walk(pages, 7):
        total, exact = seeker.total()
        assert (total, exact) == (200, True) or not exact
    assert seeker.total() == (200, True)
    for row in (0, 1, 6, 7, 8, 13, 14, 100, 199):
        place = seeker.seek(pages, row / 200)
        assert (place.row, place.exact) == (row, True)
        page = (
            pages.first(1) if place.anchor is None else pages.after(place.anchor, 1, inclusive=True)
        )
        assert page.anchors[0] == anchors[row]


def test_without_posts_places_are_guessed_along_all_attributes_of_the_key(crowd: Any) -> None:
    pages = Pages(crowd.connection, crowd().node, total_order(crowd.heading))
    places = [Seeker(pages).seek(pages, (row + 0.5) / 200) for row in range(1, 200)]
    assert [place.anchor for place in places] == [divmod(row, 10) for row in range(1, 200)]
    assert not any(place.exact for place in places)


def test_posts_are_thinned_out() -> None:
    posts = Posts(1)
    while posts.walked < 5000:
        posts = posts.with_next((posts.walked + posts.step,))
    assert posts.step == 8
    assert posts.anchors == tuple((row,) for row in range(8, 5001, 8))
    assert posts.ended(7).total == posts.walked + 7
