"""Reading conditions: what is taken out, what is refused, what is written."""

from __future__ import annotations

import logging
import re
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.dialects.postgresql import psycopg

from djupyter.errors import QuerySyntaxError
from djupyter.sql.fragment import (
    JsonPath,
    element,
    parse_aggregate,
    parse_condition,
    parse_expression,
    parse_json_path,
    parse_ordering,
)
from djupyter.sql.language.function_forms import FORMS, FUNCTION_NAMES
from djupyter.sql.language.tree import Call, Node
from tests.sql.language_tables import in_memory, make_table


def test_literals_are_taken_out_and_known_by_what_they_are_compared_with() -> None:
    fragment = parse_condition('d > "2024" and x in (1, 2.5) and name like "a%" and y + 1 = 2e0')
    assert fragment.names == ("d", "x", "name", "y")
    assert fragment.values == ("2024", 1, 2.5, "a%", 1, 2.0)
    assert fragment.compared == ("d", "x", "x", None, None, None)


def test_numbers_keep_their_digits() -> None:
    values = parse_condition(
        "x in (0.1, 9223372036854775807, 9223372036854775808, 1.2345678901234567891)"
    ).values
    assert values == (0.1, 2**63 - 1, Decimal(2**63), Decimal("1.2345678901234567891"))


def test_the_shape_depends_on_the_kinds_of_literals_only() -> None:
    texts = ["x = 1 and n = 'a'", """x=2 AND (n = "b'")""", "x = '1' and n = 'a'"]
    first, second, third = (parse_condition(text).shape for text in texts)
    assert first == second != third


def test_a_computed_attribute_is_a_condition_of_its_own_shape() -> None:
    assert parse_condition("x").shape != parse_expression("x").shape


def test_names_are_attributes_and_the_words_of_sql_are_not() -> None:
    text = "true and not false and a mod 2 = 1 and b collate utf8mb4_bin = 'x' and c <= current_date and d is null"
    assert parse_condition(text).names == ("a", "b", "c", "d")
    assert parse_condition("`order` = 1 and date = 2 and car.length[0].a > 3").names == (
        "order",
        "date",
        "car",
    )


def test_an_attribute_that_is_computed_is_put_in_parentheses() -> None:
    column = sa.column("a") + sa.column("b")
    built = element(
        parse_expression("x * 2"), lambda _: column, lambda _: sa.bindparam("v"), "sqlite"
    )
    assert str(built) == "((a + b) * :v)"


def test_the_tables_of_the_attributes_are_found_in_the_from_clause() -> None:
    table = sa.table("t", sa.column("x"))
    built = element(
        parse_condition("x > 1"), lambda name: table.c[name], lambda _: sa.bindparam("v"), "sqlite"
    )
    assert "FROM t" in str(sa.select(built))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", (("a", False),)),
        ("a, b desc", (("a", False), ("b", True))),
        (" a ASC ,`b c` DESC", (("a", False), ("b c", True))),
        ("KEY", (("KEY", False),)),
        ("KEY desc", (("KEY", True),)),
    ],
)
def test_an_order_is_a_list_of_names(text: str, expected: object) -> None:
    assert parse_ordering(text) == expected


@pytest.mark.parametrize(
    "text", ["", "a,", "abs(a)", "a b", "a; drop", "1", "a desc desc", "car.x"]
)
def test_an_order_by_anything_else_is_refused(text: str) -> None:
    with pytest.raises(QuerySyntaxError, match=r"not a list of attributes(?s:.)*\.proj\(\)"):
        parse_ordering(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("x >", "operand is missing"),
        ("x > 1 foo", "`foo`"),
        ("select 1", "`select`"),
        ("x in (select y from t)", "subquery"),
        ("exists(select 1)", "subquery"),
        ("x = any(select 1)", "not in the condition language"),
        ("x = 1; drop table t", "single expression"),
        ("a || b", "write OR, or concat"),
        ("name = 'a", "never closed"),
        ("load_extension('x')", "`load_extension` is not in the condition language.*Available"),
        ("uper(name)", "Did you mean `upper`"),
        ("list(a, b)", "`list`"),
        ("condition(a)", "`condition`"),
        ("x between symmetric 1 and 2", "not in the condition language"),
        ("now(x) > d", "takes no arguments"),
        ("1e400 > x", "too large"),
        ("x = " + "9" * 10_000, "too large"),
        (f"j[{'9' * 10_000}] = 1", "no place"),
        ("+".join("x" * 2000), "nested too deeply"),
        ("not " * 5000 + "x", "nested too deeply"),
        ("round()", "takes 1 or 2 arguments, not 0"),
        ("greatest(a)", "two or more"),
        ("count(*) > 1", "aggr"),
        ("row_number() over () > 1", "window function"),
        ("@a", "variable"),
        ("a = ?", "variable"),
        ("a := 1", "`:=`"),
        ("exists", "backticks"),
        ("d + interval 1 days_", "unit of time"),
        ("x is 3", "IS takes"),
        ("a | b & c", "parentheses"),
        ("(a, b) = (1, 2, 3)", "same length"),
        ("a like 'x' escape 'ab'", "one character"),
        ("a collate latin1_swedish", "Collation"),
        ("cast(a as blob)", "Cannot cast"),
        ("date_format(d, '%Q') = 1", "%Q"),
        ("date_format(d, name) = 1", "format in quotes"),
        ("a.`b'c` = 1", "JSON key"),
        ("a[b] = 1", "no attribute"),
        ("x = 0x1F", "not in the condition language"),
        ("if(a, b)", "three arguments"),
        ("(" * 2000, "nested too deeply"),
        ("a = 'x\0'", "NUL"),
    ],
)
def test_what_is_not_a_condition_is_refused_with_a_reason(text: str, message: str) -> None:
    with pytest.raises(QuerySyntaxError, match=re.compile(message, re.DOTALL)):
        parse_condition(text)


def test_a_syntax_error_points_at_its_place() -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        parse_condition("x > 1\n\tand y garbage")
    assert str(caught.value).endswith("\n    \tand y garbage\n    \t      ^^^^^^^")


@pytest.mark.parametrize(
    "text",
    ["sum(max(x))", "group_concat(distinct a order by b)", "group_concat(a order by 1)", "count()"],
)
def test_an_aggregate_without_meaning_is_refused(text: str) -> None:
    with pytest.raises(QuerySyntaxError):
        parse_aggregate(text)


def test_a_sum_of_a_hundred_terms_is_written_for_every_backend() -> None:
    fragment = parse_expression(" + ".join("x" * 100))
    for dialect in DIALECTS:
        assert element(fragment, sa.column, sa.bindparam, dialect) is not None


def test_a_chain_of_a_thousand_conditions_is_read() -> None:
    fragment = parse_condition(" or ".join(f"x = {i}" for i in range(1000)))
    assert len(fragment.values) == 1000


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("car.length", JsonPath("car", ("length",))),
        ("car.l[0].s:unsigned", JsonPath("car", ("l", 0, "s"), "int")),
        ("car[2]", JsonPath("car", (2,))),
        ("car.a b-c", None),
        ("car.x : decimal(4, 1)", None),
        ("car.x:decimal(4, 1)", JsonPath("car", ("x",), "decimal(4,1)")),
        ("car", None),
        ("car:int", None),
        ("car.'x", None),
        ("car..x", None),
    ],
)
def test_a_json_path_is_read(text: str, path: JsonPath | None) -> None:
    assert parse_json_path(text) == path


def test_an_unknown_type_of_a_json_path_is_refused() -> None:
    with pytest.raises(QuerySyntaxError, match="not a type of a JSON value"):
        parse_json_path("car.x:blob")


def quoted(text: str, quote: str) -> str:
    escaped = text.replace("\\", "\\\\").replace(quote, quote * 2)
    return f"{quote}{escaped}{quote}"


characters = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"])
    | st.sampled_from("'\"\\%_`;?:")
)


@given(characters, st.sampled_from("'\""))
def test_a_quoted_text_finds_exactly_the_row_that_holds_it(text: str, quote: str) -> None:
    rows = in_memory(["x" + text, text, text + "x", text.upper() + "y", "\\" + text])
    assert rows.selected(parse_condition(f"name = {quoted(text, quote)}")) == {1}


@given(characters)
def test_an_escaped_pattern_finds_exactly_the_row_that_holds_it(text: str) -> None:
    pattern = re.sub(r"([\\%_])", r"\\\1", text)
    rows = in_memory(["x" + text, text, text + "x", text.upper() + "y", "\\" + text])
    assert rows.selected(parse_condition(f"name like {quoted(pattern, chr(34))}")) == {1}


WORDS = """
select from drop union into a b x.y `c` 1 2.5 'x' "y" ( ) , . ; = < > + - * / % and or not in is null like
between case when then else end interval day exists count( sum( load_extension( pragma attach sleep( list(
/* */ -- # @ @@ : ? || && := [ ] { } distinct over cast( as char collate binary current_date
""".split()  # noqa: SIM905 - as a list these are forty lines
words = st.sampled_from(WORDS)


@given(st.text() | st.lists(words).map(" ".join))
def test_any_text_is_read_or_refused_and_only_listed_operations_get_through(text: str) -> None:
    try:
        fragment = parse_aggregate(text)
    except QuerySyntaxError:
        return
    listed = {name for name, _ in FORMS} | {"any case"}
    assert operations(fragment.tree.root) <= listed
    for dialect in ("sqlite", "mysql", "mariadb", "postgresql"):
        element(fragment, sa.column, lambda i: sa.bindparam(f"v{i}"), dialect)


def operations(node: Node) -> set[str]:
    """Return the operations of a tree."""
    if not isinstance(node, Call):
        return set()
    return {node.operation}.union(*map(operations, node.arguments))


def test_no_text_of_the_user_is_written_into_the_sql() -> None:
    fragment = parse_aggregate("group_concat(b separator 'x; --')")
    built = element(fragment, sa.column, lambda i: sa.bindparam(f"v{i}"), "mysql")
    assert str(built) == "GROUP_CONCAT(b SEPARATOR :v0)"


def test_reading_a_strange_text_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(QuerySyntaxError):
        parse_condition("[1]")
    assert not caplog.records


@pytest.mark.parametrize("name", FUNCTION_NAMES)
def test_every_function_that_is_offered_exists(name: str) -> None:
    problem = ""
    try:
        parse_aggregate(f"{name}(a)")
    except QuerySyntaxError as error:
        problem = str(error)
    assert "is not in the condition language" not in problem


DIALECTS = {"sqlite": sqlite.dialect(), "mysql": mysql.dialect(), "postgresql": psycopg.dialect()}
SNAPSHOTS = Path(__file__).parent / "snapshots" / "conditions.txt"


def written(text: str) -> str:
    """Return a condition and its SQL on each backend, as the snapshots have it."""
    table = make_table(None)
    fragment = parse_condition(text)
    lines = [f"# {text}"]
    for name, dialect in DIALECTS.items():
        built = element(
            fragment,
            lambda name: table.c[name],
            lambda i: sa.bindparam(f"v{i}", type_=sa.types.NullType()),
            name,
        )
        lines.append(f"{name:11}{built.compile(dialect=dialect)}")
    return "\n".join(lines) + "\n"


def test_conditions_are_written_as_reviewed() -> None:
    """To review anew: write `written(text)` of each text, and read the difference."""
    reviewed = SNAPSHOTS.read_text(encoding="utf-8")
    texts = re.findall(r"^# (.*)$", reviewed, re.MULTILINE)
    assert len(texts) >= 25
    assert "\n".join(map(written, texts)) == reviewed
