"""What the condition language means: the same on every database that is to be had.

`language_tables` has the rows; what is expected follows the rules of MySQL.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.schema import CreateSchema, DropSchema

from djupyter.sql.fragment import (
    json_element,
    parse_aggregate,
    parse_condition,
    parse_expression,
    parse_json_path,
)
from tests.conftest import Servers
from tests.servers import KINDS
from tests.sql.language_tables import Rows, fill, sqlite_engine

CONDITIONS = [
    ("x > 3", {1, 3}),
    ("x between -7 and 10", {1, 4}),
    ("x not between -7 and 10", {3}),
    ("x in (10, 30.0, 99)", {1, 3}),
    ("x not in (10)", {3, 4}),
    ("x in ()", set()),
    ("(x, name) in ((10, 'one'), (30, 'x'))", {1}),
    ("x is null", {2}),
    ("x is not null and not x = 10", {3, 4}),
    ("x <=> null", {2}),
    ("x", {1, 3, 4}),
    ("x is true", {1, 3, 4}),
    ("x is not true", {2}),
    ("ok", {1, 4}),
    ("not ok", {2}),
    ("ok = 1", {1, 4}),
    ("ok = true", {1, 4}),
    ("ok != (x > 5)", {4}),
    ("ok is false", {2}),
    ("x > 5 xor ok", {4}),
    ("!(x > 5)", {4}),
    ("x > 5 && ok", {1}),
    ("TRUE", {1, 2, 3, 4}),
    ("false or null", set()),
    ("1", {1, 2, 3, 4}),
    ("y / 2 = 0.75", {1}),
    ("x / 0 is null", {1, 2, 3, 4}),
    ("1 / 2 = 0.5", {1, 2, 3, 4}),
    ("x mod 4 = -3", {4}),
    ("mod(y, 2) = 0.5", {4}),
    ("x % 0 is null", {1, 2, 3, 4}),
    ("x div 4 = -1", {4}),
    ("x & 2", {1, 3}),
    ("x << 1 = 20", {1}),
    ("x = -7 or x = +10", {1, 4}),
    ("x + ok = 11", {1}),
    ('name = "one"', {1}),
    ("name = 'ONE'", set()),
    ("name collate nocase = 'ONE'", {1}),
    ("name collate utf8mb4_general_ci in ('ONE', 'two')", {1, 2}),
    ("binary name = 'TWO'", {2}),
    ('name = "o\'ne%"', {3}),
    ("name = 'o''ne%'", {3}),
    (r"name = 'o\'ne%'", {3}),
    (r'name = "a\\b_c"', {4}),
    ('name like "o%"', {1, 3}),
    ('name like "O%"', set()),
    ('name collate nocase like "O%"', {1, 3}),
    ('name not like "o%"', {2, 4}),
    (r'name like "%\%"', {3}),
    (r'name like "%\_c"', {4}),
    (r'name like "a\\\\b%"', {4}),
    ('name like "%!%" escape "!"', {3}),
    ('name like "___"', {1, 2}),
    ("x like '3%'", {3}),
    ("name regexp '^[a-z]+$'", {1}),
    ("name not rlike '^o'", {2, 4}),
    ("d = '2024-02-29'", {2}),
    ("d between '2024-01-01' and '2024-02-01'", {1}),
    ("d < date '2024-01-01'", {4}),
    ("d + interval 1 day = '2024-02-01'", {1}),
    ("d - interval 1 month = '2024-01-29'", {2}),
    ("date_add(d, interval x day) = '2024-02-10'", {1}),
    ("ts >= '2024-01-31 13:05:06'", {1, 2}),
    ("date(ts) = '2024-01-31'", {1}),
    ("d < now() and ts < current_timestamp and d <= curdate() and d <= current_date", {1, 2, 4}),
    ("if(x > 5, 'big', 'small') = 'small'", {2, 4}),
    ("case when x > 5 then 1 when x < 0 then 2 else 3 end = 3", {2}),
    ("case name when 'one' then 1 end", {1}),
    ("car.length > 20", {1}),
    ("car.length = 20.5", {1}),
    ("car.ok", {1}),
    ("car.ok = true", {1}),
    ("not car.ok", {2}),
    ("car.make = 'Rev'", {1}),
    ("car.make like 'a%'", {2}),
    ("car.l[0].s = 1", {1}),
    ("car.nope is null", {1, 2, 3, 4}),
    ("car.length is null", {3, 4}),
    ("`select` = 1 or x = 10", {1}),
]

EXPRESSIONS = [
    ("x * 2", [20, None, 60, -14]),
    ("x / 4", [2.5, None, 7.5, -1.75]),
    ("x > 5", [True, None, True, False]),
    ("upper(name)", ["ONE", "TWO", "O'NE%", "A\\B_C"]),
    ("lower(name)", ["one", "two", "o'ne%", "a\\b_c"]),
    ("concat(name, '-', x)", ["one-10", None, "o'ne%-30", "a\\b_c--7"]),
    ("concat_ws('-', x, 'a', null)", ["10-a", "a", "30-a", "-7-a"]),
    ("substring(name, 2)", ["ne", "WO", "'ne%", "\\b_c"]),
    ("substring(name, 2, 2)", ["ne", "WO", "'n", "\\b"]),
    ("substr(name, -2, 1)", ["n", "W", "e", "_"]),
    ("substring(name from 0 for 2)", ["", "", "", ""]),
    ("mid(name, -9, 2)", ["", "", "", ""]),
    ("substring(name, x)", ["", None, "", ""]),
    ("left(name, 2)", ["on", "TW", "o'", "a\\"]),
    ("right(name, 2)", ["ne", "WO", "e%", "_c"]),
    ("left(name, -1)", ["", "", "", ""]),
    ("trim('  a ')", ["a"] * 4),
    ("trim(leading from ' a ')", ["a "] * 4),
    ("replace(name, 'ne', 'x')", ["ox", "TWO", "o'x%", "a\\b_c"]),
    ("reverse(name)", ["eno", "OWT", "%en'o", "c_b\\a"]),
    ("repeat(name, 2)", ["oneone", "TWOTWO", "o'ne%o'ne%", "a\\b_ca\\b_c"]),
    ("lpad(name, 5, '*')", ["**one", "**TWO", "o'ne%", "a\\b_c"]),
    ("rpad(name, 4, 'xy')", ["onex", "TWOx", "o'ne", "a\\b_"]),
    ("length('ä')", [2] * 4),
    ("char_length('ä')", [1] * 4),
    ("instr(name, 'n')", [2, 0, 3, 0]),
    ("locate('N', name)", [0] * 4),
    ("position('n' in name)", [2, 0, 3, 0]),
    ("coalesce(x, 0)", [10, 0, 30, -7]),
    ("ifnull(x, y)", [10, -2.5, 30, -7]),
    ("nullif(x, 10)", [None, None, 30, -7]),
    ("greatest(x, 0, 20)", [20, None, 30, 20]),
    ("least(x, y)", [1.5, None, 0, -7]),
    ("isnull(x)", [False, True, False, False]),
    ("abs(x)", [10, None, 30, 7]),
    ("sign(y)", [1, -1, 0, 1]),
    ("round(y / 4, 1)", [0.4, -0.6, 0, 0.6]),
    ("round(x / 4)", [3, None, 8, -2]),
    ("round(x, -1)", [10, None, 30, -10]),
    ("truncate(y, 0)", [1, -2, 0, 2]),
    ("floor(y)", [1, -3, 0, 2]),
    ("ceil(y)", [2, -2, 0, 3]),
    ("sqrt(x + 6)", [4, None, 6, None]),
    ("power(x, 2)", [100, None, 900, 49]),
    ("ln(exp(1)) + log(1) + log(2, 8) + log10(100) + log2(4)", [8] * 4),
    ("ln(y)", [pytest.approx(0.405465), None, None, pytest.approx(0.916291)]),
    ("cos(0) + sin(0) + tan(0) + atan(0) + atan2(0, 1) + degrees(radians(180))", [181] * 4),
    ("round(pi(), 2)", [3.14] * 4),
    ("mod(x, 4)", [2, None, 2, -3]),
    ("-x", [-10, None, -30, 7]),
    ("year(d)", [2024, 2024, None, 2023]),
    ("month(d) + day(d) * 100", [3101, 2902, None, 3112]),
    ("hour(ts) * 10000 + minute(ts) * 100 + second(ts)", [130506, 0, None, 235959]),
    ("microsecond(ts)", [250000, 0, None, 0]),
    ("extract(quarter from d)", [1, 1, None, 4]),
    ("dayofweek(d)", [4, 5, None, 1]),
    ("weekday(d)", [2, 3, None, 6]),
    ("dayofyear(d)", [31, 60, None, 365]),
    (
        "date_format(ts, '%Y-%m-%d %H:%i')",
        ["2024-01-31 13:05", "2024-02-29 00:00", None, "2023-12-31 23:59"],
    ),
    (
        "date_format(d, '%e %M %y, %W')",
        ["31 January 24, Wednesday", "29 February 24, Thursday", None, "31 December 23, Sunday"],
    ),
    (
        "date_format(ts, '%h:%i %p 100%%')",
        ["01:05 PM 100%", "12:00 AM 100%", None, "11:59 PM 100%"],
    ),
    ("datediff(ts, '2024-01-01')", [30, 59, None, -1]),
    ("timestampdiff(hour, ts, '2024-03-01 12:00:00')", [718, 36, None, 1452]),
    ("timestampdiff(month, d, '2024-03-30')", [1, 1, None, 2]),
    ("timestampdiff(day, '2024-03-01', d)", [-30, -1, None, -61]),
    ("cast(d + interval 1 month as date) = '2024-02-29'", [True, False, None, False]),
    ("cast(last_day(d) as char)", ["2024-01-31", "2024-02-29", None, "2023-12-31"]),
    ("cast(x as char)", ["10", None, "30", "-7"]),
    ("cast(y as signed)", [2, -3, 0, 3]),
    ("cast(y as decimal(6, 1))", [1.5, -2.5, 0, 2.5]),
    ("cast(name as char(2))", ["on", "TW", "o'", "a\\"]),
    ("unix_timestamp() > 1700000000", [True] * 4),
    ("car.make", ["Rev", "abc", None, None]),
    ("car.length:float", [20.5, None, None, None]),
    ("car.length:decimal(4,0)", [21, None, None, None]),
    ("car.length:int", [20, None, None, None]),
    ("car.ok:bool", [True, False, None, None]),
    ("car.l[0].s:unsigned", [1, None, None, None]),
    ("'s'", ["s"] * 4),
    ("null", [None] * 4),
    ("12345678901234567.89 > 1", [True] * 4),
]

AGGREGATES = [
    ("count(*)", 4),
    ("count(x)", 3),
    ("count(distinct ok)", 2),
    ("count(distinct x, ok)", 2),
    ("sum(x)", 33),
    ("sum(y > 1)", 2),
    ("sum(distinct sign(y))", 0),
    ("avg(x)", 11),
    ("avg(distinct sign(x))", 0),
    ("max(y) - min(y)", 5),
    ("max(y > 1)", 1),
    ("min(name)", "TWO"),
    ("any_value(1)", 1),
    ("std(y)", pytest.approx(1.8833148966649205)),
    ("stddev_samp(y)", pytest.approx(2.174664725116648)),
    ("variance(y)", pytest.approx(3.546875)),
    ("var_samp(y)", pytest.approx(4.729166666666667)),
    ("group_concat(x order by x)", "-7,10,30"),
    ("group_concat(distinct ok order by ok desc separator '; ')", "1; 0"),
    ("group_concat(name order by ok desc, a desc separator '')", "a\\b_coneTWOo'ne%"),
    ("count(*) / 8 + 1", 1.5),
    ("sum(car.length)", 20.5),
]


@pytest.fixture(scope="module", params=["sqlite", *KINDS])
def rows(request: pytest.FixtureRequest, servers: Servers) -> Iterator[Rows]:
    """The rows on each database in turn."""
    if request.param == "sqlite":
        yield fill(sqlite_engine("sqlite://"), "sqlite")
        return
    engine = sa.create_engine(servers.url(request.param))
    schema = f"language_{uuid4().hex[:8]}"
    with engine.begin() as connection:
        connection.execute(CreateSchema(schema))
    is_mariadb = getattr(engine.dialect, "is_mariadb", False)
    yield fill(engine, "mariadb" if is_mariadb else request.param, schema)
    with engine.begin() as connection:
        connection.execute(DropSchema(schema, cascade=request.param == "postgresql"))
    engine.dispose()


@pytest.mark.parametrize(("text", "expected"), CONDITIONS)
def test_a_condition_selects_the_same_rows_on_every_database(
    rows: Rows, text: str, expected: set[int]
) -> None:
    assert rows.selected(parse_condition(text)) == expected


@pytest.mark.parametrize(("text", "expected"), EXPRESSIONS)
def test_an_expression_computes_the_same_on_every_database(
    rows: Rows, text: str, expected: list[object]
) -> None:
    computed = rows.computed(parse_expression(text))
    assert [
        pytest.approx(value) if isinstance(value, float) else value for value in computed
    ] == expected


@pytest.mark.parametrize(("text", "expected"), AGGREGATES)
def test_an_aggregate_is_the_same_on_every_database(
    rows: Rows, text: str, expected: object
) -> None:
    assert rows.aggregated(parse_aggregate(text)) == expected


@pytest.mark.parametrize("text", ["max(x)", "std(y)", "group_concat(name)", "sum(y > 2)"])
def test_aggregates_of_nothing_are_null(rows: Rows, text: str) -> None:
    assert rows.aggregated(parse_aggregate(text), where=sa.false()) is None


@pytest.mark.parametrize(
    ("value", "path", "found"),
    [(20.5, "car.length:float", {1}), ("Rev", "car.make", {1}), (1, "car.l[0].s:unsigned", {1})],
)
def test_a_json_path_is_compared_with_a_value(
    rows: Rows, value: object, path: str, found: set[int]
) -> None:
    place = parse_json_path(path)
    assert place is not None
    assert (
        rows.where(json_element(place, rows.table.c.car, rows.dialect) == sa.literal(value))
        == found
    )
