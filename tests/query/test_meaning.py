"""What an expression means depends on the types of its attributes, and on nothing that a database adds to it."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

import djupyter as dj
from djupyter.errors import InvalidValueError, QuerySyntaxError
from tests.conftest import Database, Servers
from tests.servers import KINDS

FIRST, LAST = uuid.UUID(int=7), uuid.UUID(int=2**127)


@pytest.fixture(scope="module", params=["sqlite", *KINDS])
def rows(
    request: pytest.FixtureRequest, servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """Three rows on each database in turn: of values, of other values, and of nothing."""
    folder = tmp_path_factory.mktemp("meaning")
    is_file = request.param == "sqlite"
    url = f"sqlite:///{folder / 'test.db'}" if is_file else servers.url(request.param)
    db = Database(request.param, url)
    schema = dj.Schema(db.schema_name("meaning"), connection=db.connection)

    @schema
    class T(dj.Manual):
        definition = """
        id : int32
        ---
        i = null : int32
        f = null : float64
        f32 = null : float32
        v = '' : varchar(20)
        m = null : decimal(6,2)
        s = null : varchar(20)
        c = null : char(5)
        e = null : enum('low', 'High')
        b = null : bool
        d = null : date
        t = null : datetime
        t6 = null : datetime(6)
        u = null : uuid
        j = null : json
        raw = null : bytes
        """

    T.insert(
        [
            {
                "id": 1, "i": 5, "f": 0.5, "f32": 0.1, "m": "2.50", "s": "12abc", "c": "ab", "v": "ab ",
                "e": "low", "b": True,
                "d": "2024-01-31", "t": "2024-01-31 12:30:15", "t6": "2024-01-31 12:30:15.250000",
                "u": FIRST, "raw": b"\0a",
                "j": {"n": 5, "day": "2024-01-31", "u": str(FIRST), "b": True, "l": [1, {"k": "x"}]},
            },
            {
                "id": 2, "i": -5, "f": -2.5, "f32": 1 / 3, "m": "-0.05", "s": "abc", "c": "AB", "v": "AB",
                "e": "High", "b": False,
                "d": "2024-02-29", "t": "2024-02-29", "t6": "2024-02-29 23:59:59.999999",
                "u": LAST, "raw": b"", "j": [1, 2],
            },
            {"id": 3, "f": None, "c": "x"},
        ]
    )  # fmt: skip
    yield T
    db.close()


@pytest.mark.parametrize(
    ("condition", "ids"),
    [
        ("d = t", [2]),
        ("d < t", [1]),
        ("t in (d)", [2]),
        ("t between d and d + interval 1 day", [1, 2]),
        ("d + interval 0 hour = d", [1, 2]),
        ("t - interval 0 second = '2024-02-29'", [2]),
        ("t - interval 0 second = '2024-01-31T12:30:15'", [1]),
        ("coalesce(d, t) = d", [1, 2]),
        ("greatest(d, t) = t", [1, 2]),
        ("c = 'ab   '", [1]),
        ("c in ('ab ', 'y')", [1]),
        ("v = c", [2]),
        ("c in (v, 'y')", [2]),
        ("v > c", [1]),
        ("nullif(v, c) is null", [2]),
        ("nullif(i, '5') is null", [1, 3]),
        ("i + 1 = '6'", [1]),
        ("'a' = 'a' and i > 0", [1]),
        ("if(b, u, u) <= '00000000-0000-0000-0000-000000000007'", [1]),
        ("coalesce(u, u) in ('80000000-0000-0000-0000-000000000000')", [2]),
        ("if(b, c, c) = 'ab '", [1]),
        ("m * 2 = '5.0'", [1]),
        ("date(t) = '2024-01-31 00:00:00'", [1]),
        ("j.n = i", [1]),
        ("i in (j.n, 7)", [1]),
        ("j.n + 1 > i", [1]),
        ("j.day = d", [1]),
        ("j.u = u", [1]),
        ("j.b = b", [1]),
        ("u like '0000%'", [1]),
        ("concat(u, '') = '00000000-0000-0000-0000-000000000007'", [1]),
        ("left(u, 4) = '8000'", [2]),
        ('j.l = \'[1, {"k": "x"}]\'', [1]),
        ("cast(s as signed) = 12", [1]),
        ("cast(s as decimal(6,2)) = 0", [2]),
        ("second(t6) = 59 and hour(t6) = 23", [2]),
    ],
)
def test_a_condition_selects_the_same_everywhere(rows: Any, condition: str, ids: list[int]) -> None:
    assert (rows & condition).to_arrays("id", order_by="id").tolist() == ids


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("i | 8", [13, -5, None]),
        ("i & -2", [4, -6, None]),
        ("i << 2", [20, -20, None]),
        ("i >> 1", [2, -3, None]),
        ("pi()", [3.141592653589793] * 3),
        ("if(b, i, f)", [5.0, -2.5, None]),
        ("greatest(i, f)", [5.0, -2.5, None]),
        ("j.n + 1", [6.0, None, None]),
        ("abs(j.n)", [5.0, None, None]),
        ("concat(m, '')", ["2.50", "-0.05", None]),
        ("cast(m * 2 as char)", ["5.00", "-0.10", None]),
        ("concat(b, '-', i)", ["1-5", "0--5", None]),
        ("concat(t, '')", ["2024-01-31 12:30:15", "2024-02-29 00:00:00", None]),
        (
            "cast(t6 as char)",
            ["2024-01-31 12:30:15.250000", "2024-02-29 23:59:59.999999", None],
        ),
        ("concat(t6 - interval 250000 microsecond)", ["2024-01-31 12:30:15", "2024-02-29 23:59:59.749999", None]),
        ("concat(d + interval 1 day, '')", ["2024-02-01", "2024-03-01", None]),
        ("concat(d)", ["2024-01-31", "2024-02-29", None]),
        ("concat(f32, '')", ["0.10000000149011612", "0.3333333432674408", None]),
        ("nullif(v, c)", ["ab ", None, ""]),
        ("round(f * 1e300, 1)", [5e299, -2.5e300, None]),
        ("truncate(f * 1e300, 0)", [5e299, -2.5e300, None]),
        ("cast(u as char)", [str(FIRST), str(LAST), None]),
        ("length(u)", [36, 36, None]),
        ("length(raw)", [2, 0, None]),
        ("greatest(d, '2024-02-01')", [datetime.date(2024, 2, 1), datetime.date(2024, 2, 29), None]),
        (
            "cast(t6 as datetime)",
            [datetime.datetime(2024, 1, 31, 12, 30, 15), datetime.datetime(2024, 2, 29, 23, 59, 59), None],
        ),
        ("cast(t6 as time)", ["12:30:15", "23:59:59", None]),
        ("time(t6)", ["12:30:15.25", "23:59:59.999999", None]),
        ("time(t)", ["12:30:15", "00:00:00", None]),
        ("time(d)", ["00:00:00", "00:00:00", None]),
        ("unix_timestamp(t6) - unix_timestamp(d)", [45015, 86399, None]),
        ("d + interval 1.5 day", [datetime.date(2024, 2, 2), datetime.date(2024, 3, 2), None]),
        (
            "t + interval 1.5 second",
            [datetime.datetime(2024, 1, 31, 12, 30, 16, 500000), datetime.datetime(2024, 2, 29, 0, 0, 1, 500000), None],
        ),
        ("j.l", ['[1, {"k": "x"}]', None, None]),
    ],
)  # fmt: skip
def test_an_expression_is_the_same_everywhere(
    rows: Any, expression: str, values: list[Any]
) -> None:
    """In its type, too."""
    found = [row["x"] for row in rows.proj(x=expression).to_dicts(order_by="id")]
    assert found == values
    assert list(map(type, found)) == list(map(type, values))


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("std(i)", 5.0),
        ("stddev_samp(f)", pytest.approx(2.1213203435596424, rel=1e-12)),
        ("variance(m)", pytest.approx(1.625625, rel=1e-12)),
        ("std(i + id)", 4.5),
        ("var_samp(id)", 1.0),
        ("stddev_pop(id)", pytest.approx(0.816496580927726, rel=1e-12)),
        ("any_value(5)", 5),
        ("any_value(i) in (5, -5)", True),
        ("sum(j.n)", 5.0),
        ("group_concat(m order by id)", "2.50,-0.05"),
        ("group_concat(u order by id)", f"{FIRST},{LAST}"),
        ("group_concat(b order by id)", "1,0"),
        ("group_concat(e order by e)", "High,low"),
        ("group_concat(e order by e desc)", "low,High"),
        ("group_concat(t order by id)", "2024-01-31 12:30:15,2024-02-29 00:00:00"),
        ("max(m)", Decimal("2.50")),
        ("group_concat(f32 order by id)", "0.10000000149011612,0.3333333432674408"),
    ],
)
def test_an_aggregate_is_the_same_everywhere(rows: Any, expression: str, value: Any) -> None:
    assert dj.U().aggr(rows, x=expression).fetch1("x") == value


@pytest.mark.parametrize(
    "expression",
    [
        "s + 1",
        "s * 2 > 1",
        "-e",
        "abs(s)",
        "d + 1",
        "t - t6",
        "u + 1",
        "j + 1",
        "round(d)",
        "cast(d as signed)",
        "i = s + 1",
        "if(b, i, s)",
        "case when b then i else 'x' end",
        "coalesce(s, i)",
        "coalesce(i, s)",
        "coalesce(u, s)",
        "coalesce(d, 'none')",
        "i + 1 = 'x'",
        "if(b, u, u) = 'none'",
        "date(t) = 'none'",
        "ifnull(d, i)",
        "greatest(i, d)",
        "nullif(i, s)",
        "i = s",
        "i = d",
        "d in (i)",
        "s < d",
        "u = s",
        "u > i",
        "j = 5",
        "j = 'text'",
        "j < 1",
        "j like '%x%'",
        "concat(j, 'x')",
        "upper(raw)",
        "concat(raw, 'x')",
        "year(i)",
        "hour(u)",
        "i + interval 1 day",
        "if(s, 1, 0)",
        "not s",
        "s and b",
        "d or b",
        "u xor b",
    ],
)
def test_what_databases_disagree_about_is_refused_before_it_reaches_one(
    rows: Any, expression: str
) -> None:
    with pytest.raises((QuerySyntaxError, InvalidValueError), match="`"):
        rows.proj(x=expression)


@pytest.mark.parametrize("condition", ["s", "'a'", "d", "u", "not 'a'", "raw", "j"])
def test_what_is_neither_true_nor_false_is_no_condition(rows: Any, condition: str) -> None:
    with pytest.raises(QuerySyntaxError, match="neither true nor false"):
        rows & condition


@pytest.mark.parametrize(
    "aggregate", ["sum(s)", "avg(d)", "max(j)", "min(u)", "max(raw)", "std(e)"]
)
def test_what_has_no_sum_and_no_order_is_not_aggregated(rows: Any, aggregate: str) -> None:
    with pytest.raises(QuerySyntaxError, match=r"in no order|no number"):
        dj.U().aggr(rows, x=aggregate)


def test_literals_keep_their_places_whatever_was_asked_before(rows: Any) -> None:
    """Functions that are the same but for the order of their arguments share no statement."""
    one = rows & "id = 1"
    for expression, value in (
        ("instr('abc', 'c')", 3),
        ("locate('c', 'abc')", 3),
        ("cast(date('2024-01-01' + interval 1 day) as char)", "2024-01-02"),
        ("cast(date(timestampadd(day, 1, '2024-01-01')) as char)", "2024-01-02"),
    ):
        assert one.proj(x=expression).fetch1("x") == value
