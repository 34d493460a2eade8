import datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

import djupyter as dj
from djupyter.errors import QuerySyntaxError, UnknownAttributeError


@pytest.mark.parametrize(
    ("names", "assignments", "attributes"),
    [
        ((), {}, ["a"]),
        (("name",), {}, ["a", "name"]),
        (("name", "x"), {}, ["a", "x", "name"]),
        (("a",), {}, ["a"]),
        ((...,), {}, ["a", "x", "name"]),
        ((..., "-name"), {}, ["a", "x"]),
        (("- name", ...), {}, ["a", "x"]),
        ((), {"aa": "a"}, ["aa"]),
        ((), {"a2": "(a)"}, ["a", "a2"]),
        ((...,), {"q": "x"}, ["a", "q", "name"]),
        ((...,), {"q": "(x)"}, ["a", "x", "name", "q"]),
        ((), {"x": "name", "name": "x"}, ["a", "name", "x"]),
        ((), {"q": "`x`"}, ["a", "q"]),
        ((), {"k": "'s'", "n": "NULL", "now": "CURRENT_TIMESTAMP"}, ["a", "k", "n", "now"]),
    ],
)
def test_projection_chooses_attributes(
    t: SimpleNamespace, names: Any, assignments: Any, attributes: list[str]
) -> None:
    query = t.A.proj(*names, **assignments)
    assert query.heading.names == attributes
    assert len(query) == 3
    assert list(query.to_dicts()[0]) == attributes


def test_names_are_swapped(t: SimpleNamespace) -> None:
    query = t.A.proj(x="name", name="x") & "a = 1"
    assert query.fetch1() == {"a": 1, "x": "one", "name": 10}


def test_a_renamed_key_stays_the_key(t: SimpleNamespace) -> None:
    assert t.A.proj(aa="a").primary_key == ["aa"]
    assert t.A.proj(a2="(a)").primary_key == ["a"]


@pytest.mark.parametrize(
    ("names", "assignments"),
    [(("nope",), {}), (("-nope",), {}), ((), {"q": "nope"}), ((), {"q": "nope + 1"})],
)
def test_unknown_names_are_reported(t: SimpleNamespace, names: Any, assignments: Any) -> None:
    with pytest.raises(UnknownAttributeError, match="`nope` is not found"):
        t.A.proj(*names, **assignments)


@pytest.mark.parametrize(
    ("names", "assignments", "message"),
    [
        (("-a",), {}, "part of the primary key"),
        (("name",), {"name": "x"}, "`name` already exists"),
        ((), {"a": "x * 2"}, "`a` already exists"),
        (("x",), {"q": "x"}, "both kept and renamed"),
        ((), {"q": "x", "r": "x"}, r'renamed twice.*r="\(x\)"'),
        ((5,), {}, "names of attributes as text"),
        ((), {"q": 5}, "must be given as text"),
        ((), {"Q": "x"}, "cannot name an attribute"),
        ((), {"_q": "x"}, "cannot name an attribute"),
    ],
)
def test_impossible_projections_are_refused(
    t: SimpleNamespace, names: Any, assignments: Any, message: str
) -> None:
    with pytest.raises(dj.DataJointError, match=message):
        t.A.proj(*names, **assignments)


def test_an_aggregate_is_no_projection(t: SimpleNamespace) -> None:
    with pytest.raises(QuerySyntaxError, match="aggr"):
        t.A.proj(n="count(*)")


def test_computed_attributes_can_be_restricted_and_computed_with(t: SimpleNamespace) -> None:
    assert (t.A.proj(d="x * 2") & "d > 20").fetch1() == {"a": 3, "d": 60}
    assert (t.A.proj(d="x * 2").proj(q="d + 1") & {"q": 21}).fetch1("a") == 1
    assert (t.A.proj(q="x").proj(r="q") & "r = 10").fetch1() == {"a": 1, "r": 10}


def test_a_rename_keeps_the_lineage_and_a_computation_has_none(t: SimpleNamespace) -> None:
    lineage = t.A.heading["a"].lineage
    assert t.A.proj(aa="a").heading["aa"].lineage == lineage
    assert t.A.proj(aa="(a)").heading["aa"].lineage == lineage
    assert t.A.proj(aa="a * 2").heading["aa"].lineage is None


def test_projection_keeps_the_rows_of_a_difference(t: SimpleNamespace) -> None:
    rest = t.A - t.B
    assert len(rest.proj(id2="3")) == len(rest) == 1


def test_projection_keeps_rows_that_look_alike(t: SimpleNamespace) -> None:
    assert len((dj.U("x", "name") & t.A).proj(k="1")) == 3
    assert (t.A & dj.Top(2, "a desc")).proj().to_dicts() == [{"a": 3}, {"a": 2}]
    assert t.A.aggr(t.B, n="count(b)").proj(m="n * 10").to_arrays("m").sum() == 30


# Types of computed attributes

EXPRESSIONS = [
    ("x", "x + 1", "int64"),
    ("x", "-x", "int64"),
    ("x", "x * 1.5", "float64"),
    ("x", "x / 2", "float64"),
    ("x", "x div 2", "int64"),
    ("x", "round(x / 3, 2)", "float64"),
    ("m", "m + 1", "decimal(38,2)"),
    ("m", "m * m", "decimal(38,4)"),
    ("m", "-m", "decimal(38,2)"),
    ("m", "ifnull(m, 0)", "decimal(38,2)"),
    ("m", "m / 2", "float64"),
    ("m", "cast(m as decimal(8,1))", "decimal(8,1)"),
    ("d", "coalesce(d, null)", "date"),
    ("d", "if(x > 1, d, null)", "date"),
    ("d", "d + interval 1 month", "date"),
    ("d", "d + interval 1 hour", "datetime(6)"),
    ("d", "last_day(d)", "date"),
    ("d", "year(d)", "int64"),
    ("d", "ifnull(cast(d as char), 'never')", None),
    ("d", "concat(d, '!')", None),
    ("t", "date(t)", "date"),
    ("t", "t - interval 90 second", "datetime(6)"),
    ("t", "greatest(t, d)", "datetime(6)"),
    ("t", "now()", "datetime(6)"),
    ("flag", "not flag", "bool"),
    ("flag", "x > 3", "bool"),
    ("flag", "if(flag, 1, 0)", "int64"),
    ("flag", "coalesce(flag, false)", "bool"),
    ("v", "coalesce(v, 'none')", None),
    ("j", "j.car.length:float", "float64"),
    ("j", "j.car.length:decimal(4,1)", "decimal(4,1)"),
    ("j", "j.car.n", None),
]


@pytest.fixture
def kinds(schema: dj.Schema) -> Any:
    @schema
    class Kinds(dj.Manual):
        definition = """
        id : int32
        ---
        x : int32
        m : decimal(6,2)
        d : date
        t : datetime(6)
        flag : bool
        v = null : varchar(9)
        j : json
        """

    row = (
        5,
        "0.10",
        "2024-01-31",
        "2024-03-01 12:00:00.5",
        True,
        None,
        {"car": {"length": 20.5, "n": "Rev"}},
    )
    Kinds.insert1((1, *row))
    return Kinds


def test_the_type_of_an_expression_is_told_where_it_is_known(kinds: Any) -> None:
    for _, expression, expected in EXPRESSIONS:
        found = kinds.proj(q=expression).heading["q"].type
        assert (found and found.text) == expected, expression


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("m + 0.1 * 0", 0.1),
        ("m + m + m", Decimal("0.30")),
        ("m * m", Decimal("0.0100")),
        ("ifnull(m, 0)", Decimal("0.10")),
        ("d + interval 1 month", datetime.date(2024, 2, 29)),
        ("d + interval 1 hour", datetime.datetime(2024, 1, 31, 1)),
        ("if(x > 1, d, null)", datetime.date(2024, 1, 31)),
        ("if(x > 9, d, null)", None),
        ("date(t)", datetime.date(2024, 3, 1)),
        ("greatest(t, d)", datetime.datetime(2024, 3, 1, 12, 0, 0, 500000)),
        ("not flag", False),
        ("x > 3", True),
        ("if(flag, 1, 0)", 1),
        ("j.car.length:decimal(4,1)", Decimal("20.5")),
        ("j.car.n", "Rev"),
        ("ifnull(v, 'none')", "none"),
        ("floor(x / 2)", 2),
    ],
)
def test_computed_values_have_the_type_of_their_expression(
    kinds: Any, expression: str, value: object
) -> None:
    found = kinds.proj(q=expression).fetch1("q")
    assert found == value
    assert type(found) is type(value)


def test_a_computed_date_is_compared_as_a_date(kinds: Any) -> None:
    query = kinds.proj(q="d + interval 1 day")
    assert len(query & {"q": datetime.date(2024, 2, 1)}) == 1
    assert len(query & {"q": "2024-02-01"}) == 1
    assert len(query & "q > '2024-02-01'") == 0


def test_a_computation_repeated_in_others_is_written_once(t: SimpleNamespace) -> None:
    query, total = t.A.proj("x"), t.A.aggr(t.B, x="count(b)")
    sizes = []
    for _ in range(8):
        query, total = query.proj(x="x + x"), total.proj(x="x + x")
        sizes.append(len(query.make_sql()))
    assert sizes[7] < 3 * sizes[3]
    assert query.to_arrays("x", order_by="a").tolist() == [10 * 2**8, None, 30 * 2**8]
    assert total.to_arrays("x", order_by="a").tolist() == [2**9, 2**8, 0]
