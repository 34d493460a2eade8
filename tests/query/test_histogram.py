"""Histograms count every row once, and what a bar types above its column finds just its rows."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

import djupyter as dj
from djupyter.query.filters import restriction
from djupyter.query.histogram import Histogram, histogram, of_sample
from djupyter.query.pages import Pages
from djupyter.query.paging import total_order
from djupyter.query.seeking import Seeker, sample

DAY = datetime.date(2024, 1, 1)


@pytest.fixture
def filled(typed: Any) -> Any:
    typed.insert(
        {
            "id": n,
            "i": n % 7 - 3,
            "f": n / 7,
            "g": n / 3 if n % 5 else None,
            "m": f"{n % 9}.25",
            "flag": n % 3 == 0,
            "d": DAY + datetime.timedelta(days=n * 3),
            "t": datetime.datetime(2024, 1, 1) + datetime.timedelta(hours=n),
            "e": "low" if n % 4 else None,
            "v": f"it's {n % 20}%",
        }
        for n in range(100)
    )
    return typed


def checked(query: Any, found: Histogram, *, exactly: bool) -> None:
    assert sum(bar.count for bar in found.bars) + found.nulls == len(query)
    attribute = query.heading[found.attribute]
    for bar in found.bars:
        count = len(query & restriction(attribute, bar.typed))
        # Both ends of a range of fractions belong to two of them.
        assert (bar.count == count) if exactly else (bar.count <= count)


@pytest.mark.parametrize("name", ["id", "i", "d", "flag", "e"])
def test_bars_count_the_rows_that_they_type(filled: Any, name: str) -> None:
    checked(filled(), histogram(filled(), name), exactly=True)


@pytest.mark.parametrize("name", ["f", "g", "m", "t"])
def test_ranges_count_every_row_once(filled: Any, name: str) -> None:
    found = histogram(filled(), name)
    assert found.is_ranges
    assert 1 < len(found.bars) <= 24
    assert sum(bar.count for bar in found.bars) + found.nulls == 100


def test_the_most_frequent_texts_are_counted(filled: Any) -> None:
    found = histogram(filled & "id < 60", "v")
    assert len(found.bars) == 12
    assert {bar.count for bar in found.bars} == {3}
    for bar in found.bars:
        assert len((filled & "id < 60") & restriction(filled.heading["v"], bar.typed)) == 3


def test_what_a_bar_types_finds_its_text_whatever_it_is(typed: Any) -> None:
    texts = ["", " a ", '"quoted"', "=a", "null", "!null", "it's", "50%", "\\", "a", "!=a"]
    typed.insert({"id": n, "v": text} for n, text in enumerate(texts))
    for bar in histogram(typed(), "v").bars:
        assert len(typed & restriction(typed.heading["v"], bar.typed)) == bar.count == 1


def test_one_value_nothing_and_no_row_have_a_histogram(filled: Any) -> None:
    assert [bar.count for bar in histogram(filled & "id = 3", "g").bars] == [1]
    assert histogram(filled & "id = 0", "g") == Histogram("g", (), 1, True)
    assert histogram(filled & "id > 900", "g") == Histogram("g", (), 0, True)
    assert histogram(filled & "id > 900", "v") == Histogram("v", (), 0, False)


def test_what_is_not_compared_has_none(filled: Any) -> None:
    for name in ("j", "blob", "raw"):
        with pytest.raises(dj.DataJointError, match="not compared"):
            histogram(filled(), name)


@pytest.mark.parametrize("name", ["i", "g", "m", "d", "t", "e", "v", "flag"])
def test_a_sample_of_all_rows_is_as_good_as_all(filled: Any, name: str) -> None:
    pages = Pages(filled.connection, filled().node, total_order(filled.heading))
    values = sample(pages, Seeker(pages), name, 10, 10)
    found, exact = of_sample(filled.heading[name], values), histogram(filled(), name)
    assert found.sampled == 100
    assert found.nulls == exact.nulls
    assert sum(b.count for b in found.bars) == sum(b.count for b in exact.bars)
    if found.is_ranges:
        assert [bar.label for bar in found.bars] == [bar.label for bar in exact.bars]
