import datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

import djupyter as dj
from djupyter.errors import QuerySyntaxError, UnknownAttributeError


def by_a(query: Any, *names: str) -> dict[int, Any]:
    return {row["a"]: tuple(row[name] for name in names) for row in query.to_dicts()}


def test_rows_without_a_match_count_nothing(t: SimpleNamespace) -> None:
    query = t.A.aggr(t.B, n="count(b)", rows="count(*)", m="max(y)")
    assert by_a(query, "n", "rows", "m") == {1: (2, 2, 2.5), 2: (1, 1, 3.5), 3: (0, 1, None)}
    assert query.primary_key == ["a"]
    assert query.heading.names == ["a", "n", "rows", "m"]
    assert query.heading["n"].lineage is None
    assert len(query) == 3


def test_rows_without_a_match_may_be_left_out(t: SimpleNamespace) -> None:
    assert by_a(t.A.aggr(t.B, exclude_nonmatching=True, n="count(b)"), "n") == {1: (2,), 2: (1,)}
    assert by_a(t.A.aggr(t.B & "y > 2", n="count(b)"), "n") == {1: (1,), 2: (1,)}
    assert not t.A.aggr(t.B & False, exclude_nonmatching=True, n="count(b)")


def test_the_group_may_hold_the_key_outside_its_own(t: SimpleNamespace) -> None:
    assert by_a(t.A.aggr(t.C, n="count(c)"), "n") == {1: (1,), 2: (0,), 3: (1,)}
    with pytest.raises(dj.DataJointError, match="primary key attributes: b not found"):
        t.B.aggr(t.A, n="count(*)")
    with pytest.raises(dj.DataJointError, match="different lineages"):
        t.A.aggr(t.D, n="count(z)")
    assert len(t.A.aggr(t.D, n="count(z)", semantic_check=False)) == 3


def test_own_attributes_are_kept_renamed_and_copied(t: SimpleNamespace) -> None:
    assert by_a(t.A.aggr(t.B, "name", n="count(b)"), "name", "n")[1] == ("one", 2)
    assert t.A.aggr(t.B, ..., n="count(b)").heading.names == ["a", "x", "name", "n"]
    assert t.A.aggr(t.B, ..., "-x", n="count(b)").heading.names == ["a", "name", "n"]
    query = t.A.aggr(t.B, key="a", label="name", copy="(x)", n="count(b)")
    assert query.heading.names == ["key", "label", "copy", "n"]
    assert (query & {"key": 1}).fetch1() == {"key": 1, "label": "one", "copy": 10, "n": 2}


def test_results_are_restricted_counted_and_joined(t: SimpleNamespace) -> None:
    query = t.A.aggr(t.B, n="count(b)")
    assert by_a(query & "n > 0", "n") == {1: (2,), 2: (1,)}
    assert by_a(query & {"n": 2}, "n") == {1: (2,)}
    assert by_a(query & "a = 1", "n") == {1: (2,)}
    assert len(query & "n > 0") == 2
    assert not (query & "n > 5")
    assert by_a(query * t.A, "n", "name")[3] == (0, "o'ne%")
    assert by_a(t.A & (query & "n = 2"), "name") == {1: ("one",)}


def test_aggregates_of_aggregates(t: SimpleNamespace) -> None:
    total = dj.U().aggr(t.A.aggr(t.B, n="count(b)"), most="max(n)", all="sum(n)")
    assert total.fetch1() == {"most": 2, "all": 3}
    again = dj.U().aggr(dj.U().aggr(t.B, m="avg(y)"), top="max(m)")
    assert again.fetch1("top") == 2.5


def test_expressions_may_use_both_operands(t: SimpleNamespace) -> None:
    query = t.A.aggr(t.B, q="sum(y) + x", r="max(x * y)", s="ifnull(x, 0)")
    assert by_a(query, "q", "r", "s") == {
        1: (14.0, 25.0, 10),
        2: (None, None, 0),
        3: (None, None, 30),
    }


def test_group_concat_joins_texts(t: SimpleNamespace) -> None:
    assert by_a(t.A.aggr(t.B, s="group_concat(b order by b)"), "s") == {
        1: ("1,2",),
        2: ("1",),
        3: (None,),
    }


def test_a_value_that_differs_within_a_group_must_be_aggregated(t: SimpleNamespace) -> None:
    with pytest.raises(dj.DataJointError, match=r"needs one value of `y`.*max\(y\)"):
        t.A.aggr(t.B, q="y * 2")
    with pytest.raises(dj.DataJointError, match="needs one value of `y`"):
        t.A.aggr(t.B, q="y")
    with pytest.raises(dj.DataJointError, match="needs one value of `y`"):
        dj.U("a").aggr(t.B, q="max(b) + y")


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("n", "count(nope)", UnknownAttributeError),
        ("n", "nope", UnknownAttributeError),
        ("n", "count(", QuerySyntaxError),
        ("n", "max(count(b))", QuerySyntaxError),
        ("n", 5, dj.DataJointError),
        ("a", "count(b)", dj.DataJointError),
        ("N", "count(b)", dj.DataJointError),
    ],
)
def test_impossible_aggregations_are_refused(
    t: SimpleNamespace, name: str, text: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        t.A.aggr(t.B, **{name: text})


def test_limits_of_both_operands_are_honoured(t: SimpleNamespace) -> None:
    assert by_a((t.A & dj.Top(1)).aggr(t.B, n="count(b)"), "n") == {1: (2,)}
    assert by_a(t.A.aggr(t.B & dj.Top(1), n="count(b)"), "n") == {1: (1,), 2: (0,), 3: (0,)}
    assert dj.U().aggr(t.B & dj.Top(2), n="count(*)").fetch1("n") == 2


def test_computed_attributes_of_operands_can_be_grouped_and_summed(t: SimpleNamespace) -> None:
    own = t.A.proj(d="x * 2 + 1")
    assert by_a(own.aggr(t.B, "d", n="count(b)"), "d", "n")[1] == (21, 2)
    assert by_a(t.A.aggr(t.B.proj(z="y * 2"), s="sum(z)"), "s")[1] == (8.0,)
    assert dj.U("d").aggr(t.A.proj(d="x > 20"), n="count(*)").to_arrays("n").sum() == 3


def test_an_empty_singleton_has_no_totals(t: SimpleNamespace) -> None:
    assert t.S.aggr(t.B, n="count(*)").to_dicts() == [{"n": 3}]
    assert (t.S & False).aggr(t.B, n="count(*)").to_dicts() == []
    assert t.S.aggr(t.B, "s", n="count(*)").fetch1() == {"s": 7, "n": 3}


def test_results_have_the_types_of_what_was_summed_up(schema: dj.Schema) -> None:
    @schema
    class Mouse(dj.Manual):
        definition = "mouse : int32"

    @schema
    class Weighing(dj.Manual):
        definition = """
        -> Mouse
        day : date
        ---
        grams : decimal(5,2)
        at : datetime
        ok : bool
        sex : enum('F', 'M')
        """

    Mouse.insert([(1,), (2,)])
    Weighing.insert(
        [
            (1, "2024-01-01", "0.10", "2024-01-01 08:00:00", True, "F"),
            (1, "2024-01-02", "0.20", "2024-01-02 09:00:00", False, "F"),
        ]
    )
    query = Mouse.aggr(
        Weighing,
        last="max(day)",
        at="min(at)",
        grams="sum(grams)",
        mean="avg(grams)",
        n="count(*)",
        ok="sum(ok)",
        sex="any_value(sex)",
        spread="datediff(max(day), min(day))",
    )
    first, second = query.to_dicts(order_by="mouse")
    assert first == {
        "mouse": 1,
        "last": datetime.date(2024, 1, 2),
        "at": datetime.datetime(2024, 1, 1, 8),
        "grams": Decimal("0.30"),
        "mean": pytest.approx(0.15),
        "n": 2,
        "ok": 1,
        "sex": "F",
        "spread": 1,
    }
    assert type(first["grams"]) is Decimal
    assert second["last"] is None
    assert (query & {"last": "2024-01-02"}).fetch1("mouse") == 1
    assert (query & "last = '2024-01-02'").fetch1("mouse") == 1
    assert query.to_pandas()["n"].dtype == "int64"


def test_a_restricted_aggregation_has_every_group_it_selects(schema: dj.Schema) -> None:
    @schema
    class Visit(dj.Manual):
        definition = "day : date\n---\nweight : float64\nnote : int32"

    days = ["1999-12-31", "2024-01-31", "2024-02-29", "2024-03-01"]
    Visit.insert(list(zip(days, [1024.0, 5, 3, -1.5], [2, 100, -1, 0], strict=True)))
    counted = Visit.aggr(Visit.proj(), "note", exclude_nonmatching=True, n="count(distinct day)")
    keys = [
        {"day": day, "note": note} for day, note in [(days[3], 100), (days[3], 0), (days[0], 2)]
    ]
    assert sorted((counted & (counted & keys).proj()).to_arrays("note").tolist()) == [0, 2]
