"""What a query says of itself, and the rows as the database has them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import djupyter as dj


def test_a_query_keeps_its_conditions_as_they_were_written(t: SimpleNamespace) -> None:

    query = t.A & "a < 3" & {"x": 10} & True & ({"a": i} for i in (1, 2))
    assert query.restriction == dj.AndList(["a < 3", {"x": 10}, [{"a": 1}, {"a": 2}]])
    assert (t.A() & query.restriction).keys() == query.keys() == [{"a": 1}]
    assert t.A().restriction == dj.AndList()
    assert len(t.A() & t.A().restriction) == 3


def test_a_query_is_restricted_in_place(t: SimpleNamespace) -> None:
    table = t.A()
    assert table.restrict_in_place("a = 1") is table
    assert table.restrict_in_place({"x": 10}).keys() == [{"a": 1}]
    assert len(t.A) == 3
    query = t.A.proj("x")
    query.restrict_in_place("x = 30")
    assert query.to_dicts() == [{"a": 3, "x": 30}]
    with pytest.raises(dj.errors.UnknownAttributeError):
        query.restrict_in_place("nope = 1")
    assert len(query) == 1


def test_a_query_names_the_tables_it_reads(t: SimpleNamespace) -> None:
    a, b, c = (each.full_table_name for each in (t.A, t.B, t.C))
    assert t.A().support == [a]
    assert (t.A * t.B.proj(..., z="y + 1") & t.C).support == [a, b, c]


def test_a_query_knows_what_it_was_before_a_projection(t: SimpleNamespace) -> None:
    query = t.A.proj(y="x", z="a + 1") & "y = 10"
    assert query.heading.names == ["a", "y", "z"]
    assert query.original_heading == t.A.heading


def test_a_subquery_has_the_same_rows_and_is_no_table(t: SimpleNamespace) -> None:
    query = (t.A & "a < 3").make_subquery()
    assert query.to_dicts() == (t.A & "a < 3").to_dicts()
    assert not isinstance(query, dj.Table)


def test_a_cursor_gives_rows_undecoded(t: SimpleNamespace) -> None:
    query = t.A & "a = 2"
    assert query.cursor().fetchall() == [(2, None, "two")]
    assert query.cursor(as_dict=True).fetchone() == {"a": 2, "x": None, "name": "two"}
    assert (t.A & False).cursor().fetchone() is None


def test_a_projection_selects_only_what_is_asked_for(t: SimpleNamespace) -> None:
    text = t.A().make_sql(fields=["name"])
    assert "name" in text
    assert ".x" not in text.replace('"', "").replace("`", "")
    with pytest.raises(dj.errors.UnknownAttributeError):
        t.A().make_sql(fields=["nope"])
