"""The functions that SQLite is taught."""

from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from djupyter.sql.functions import SQLITE_FUNCTIONS, register_sqlite
from djupyter.sql.language.aggregates import SQLITE_AGGREGATES
from djupyter.sql.language.dates import date_add, timestampdiff
from djupyter.sql.language.function_forms import FORMS
from djupyter.sql.language.scalars import like, lpad, repeat, replace, round_half_up, substring


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(":memory:")
    register_sqlite(opened)
    yield opened
    opened.close()


def value(connection: sqlite3.Connection, sql: str, *values: object) -> object:
    return connection.execute(f"SELECT {sql}", values).fetchone()[0]


def test_every_function_that_the_forms_use_is_registered() -> None:
    used = {name for form in FORMS.values() for name in re.findall(r"DJ_(\w+)", form.sqlite)}
    assert used <= {name for name, *_ in (*SQLITE_FUNCTIONS, *SQLITE_AGGREGATES)}


@pytest.mark.parametrize(
    ("name", "count"),
    [
        (name, max(count, 2))
        for name, count, _ in SQLITE_FUNCTIONS
        if name not in ("PI", "CONCAT_WS")
    ],
)
def test_null_in_gives_null_out(connection: sqlite3.Connection, name: str, count: int) -> None:
    registered = {known: arity for known, arity, _ in SQLITE_FUNCTIONS}[name]
    arguments = ", ".join(
        ["NULL"] * (count if registered < 0 or name == "SUBSTRING" else registered)
    )
    assert value(connection, f"DJ_{name}({arguments})") is None


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("DJ_CONCAT_WS(NULL, 'a')", None),
        ("DJ_CONCAT_WS(',', NULL, 'a', 1.0)", "a,1"),
        ("DJ_SQRT(-1)", None),
        ("DJ_LN(0)", None),
        ("DJ_POWER(10, 400)", None),
        ("DJ_POWER(0, -1)", None),
        ("DJ_MOD(5, 0)", None),
        ("DJ_MOD(-5, 3)", -2),
        ("DJ_MOD(9007199254740993, 2)", 1),
        ("DJ_MOD('7x', 4)", 3),
        ("DJ_ROUND('1.25', 1)", 1.3),
        ("DJ_ROUND('x', 1)", 0),
        ("DJ_SIGNED(2.5)", 3),
        ("DJ_SIGNED('-12abc')", -12),
        ("DJ_TEXT(1.0)", "1"),
        ("DJ_TEXT(1.5)", "1.5"),
        ("DJ_TEXT(x'6162')", "ab"),
        ("DJ_LPAD('a', 3, '')", None),
        ("DJ_RPAD('a', -1, 'x')", None),
        ("DJ_RIGHT('abc', 9)", "abc"),
        ("DJ_RIGHT('abc', 0)", ""),
        ("DJ_REPLACE('abc', '', 'x')", "abc"),
        ("DJ_REPEAT('ab', -1)", ""),
        ("DJ_LIKE('a\nb', 'a%', '\\')", 1),
        ("DJ_LIKE('a\\', 'a\\', '\\')", 1),
        ("DJ_REGEXP('Abc', '^a')", 0),
        ("DJ_DATE_ADD('no date', 1, 'DAY')", None),
        ("DJ_DATE_ADD('9999-12-31', 1, 'DAY')", None),
        ("DJ_DATE_ADD('2024-03-31', -1, 'MONTH')", "2024-02-29"),
        ("DJ_DATE_ADD('2024-02-29', 1, 'YEAR')", "2025-02-28"),
        ("DJ_DATE_ADD('2024-01-01 10:00:00', 1.5, 'HOUR')", "2024-01-01 11:30:00"),
        ("DJ_DATE_ADD('2024-01-01', 1, 'MICROSECOND')", "2024-01-01 00:00:00.000001"),
        ("DJ_TIMESTAMPDIFF('SECOND', '2024-01-01', '2023-12-31 23:59:58.5')", -1),
        ("DJ_TIMESTAMPDIFF('QUARTER', '2024-01-01', '2024-12-31')", 3),
        ("DJ_TIMESTAMPDIFF('MONTH', '2024-02-29', '2024-01-31')", 0),
        ("DJ_MICROSECOND('2024-01-01 00:00:00.5')", 500000),
    ],
)
def test_functions_follow_mysql(connection: sqlite3.Connection, sql: str, expected: object) -> None:
    assert value(connection, sql) == expected


def test_a_function_can_be_part_of_an_index(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE t (name)")
    connection.execute("CREATE INDEX i ON t (DJ_LOWER(name))")


def test_the_like_of_sqlite_is_left_as_it_is(connection: sqlite3.Connection) -> None:
    assert value(connection, "'A' LIKE 'a'") == 1


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20))
def test_spread_agrees_with_its_definition(numbers: list[float]) -> None:
    connection = sqlite3.connect(":memory:")
    register_sqlite(connection)
    connection.execute("CREATE TABLE t (x REAL)")
    connection.executemany("INSERT INTO t VALUES (?)", [(number,) for number in [*numbers, None]])
    mean = sum(numbers) / len(numbers)
    squares = sum((number - mean) ** 2 for number in numbers)
    names = "DJ_VAR_POP(x), DJ_VAR_SAMP(x), DJ_STDDEV_POP(x), DJ_STDDEV_SAMP(x) FROM t"
    found = connection.execute(f"SELECT {names}").fetchone()
    connection.close()
    variances = [squares / len(numbers), squares / (len(numbers) - 1)]
    assert found == pytest.approx([*variances, *map(math.sqrt, variances)], rel=1e-6, abs=1e-3)


def test_a_sample_of_one_has_no_spread(connection: sqlite3.Connection) -> None:
    assert value(connection, "DJ_STDDEV_SAMP(1)") is None
    assert value(connection, "DJ_STDDEV_POP(1)") == 0


@given(
    st.lists(
        st.none()
        | st.integers().filter(lambda n: abs(n) < 2**60)
        | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
    )
)
def test_group_concat_orders_as_sqlite_does(items: list[object]) -> None:
    connection = sqlite3.connect(":memory:")
    register_sqlite(connection)
    connection.execute("CREATE TABLE t (x)")
    connection.executemany("INSERT INTO t VALUES (?)", [(item,) for item in items])
    ordered = connection.execute("SELECT x FROM t WHERE x IS NOT NULL ORDER BY x DESC").fetchall()
    found = connection.execute("SELECT DJ_GROUP_CONCAT('', '|', x, 'desc', x) FROM t").fetchone()[0]
    connection.close()
    assert found == ("|".join(str(row[0]) for row in ordered) if ordered else None)


@given(st.text(alphabet="ab%_\\", max_size=6), st.text(alphabet="ab%_\\", max_size=6))
def test_like_agrees_with_the_like_of_sqlite(text: str, pattern: str) -> None:
    # SQLite never matches a pattern that ends within an escape; MySQL takes the backslash as it is.
    if len(pattern) - len(pattern.rstrip("\\")) & 1:
        return
    connection = sqlite3.connect(":memory:")
    expected = connection.execute("SELECT ? LIKE ? ESCAPE '\\'", (text, pattern)).fetchone()[0]
    connection.close()
    assert like(text, pattern, "\\") == expected


def test_a_pattern_of_many_wildcards_is_searched_in_linear_time() -> None:
    # With steps back for each `%`, the universe would end before this test.
    assert like("a" * 5000, "%a" * 30 + "%b", "\\") == 0
    assert like("a" * 5000 + "b", "%_a" * 30 + "%b", "\\") == 1


def test_texts_that_would_fill_the_memory_are_null() -> None:
    assert repeat("ab", 10**12) is None
    assert lpad("ab", 10**12, "x") is None
    assert replace("a" * 10**5, "a", "b" * 10**5) is None


@given(st.text(), st.integers(1, 9), st.integers(-2, 9))
def test_a_substring_from_the_end_is_one_from_the_start(text: str, start: int, length: int) -> None:
    from_start = substring(text, start, length)
    assert from_start == text[start - 1 :][: max(length, 0)]
    if start <= len(text):
        assert substring(text, start - len(text) - 1, length) == from_start


@given(st.decimals(-(10**6), 10**6, places=4), st.integers(-3, 3))
def test_rounding_is_at_most_half_a_unit_away(number: object, digits: int) -> None:
    exact = float(str(number))
    assert abs(round_half_up(exact, digits) - exact) <= 0.5 * 10.0**-digits + 1e-9


@given(st.dates().filter(lambda d: 1000 < d.year < 9000), st.integers(-10000, 10000))
def test_days_added_are_days_between(day: object, count: int) -> None:
    moved = date_add(str(day), count, "DAY")
    assert timestampdiff("DAY", str(day), moved) == count
