"""Statements 35 to 49: which rows meet in a join, and what key and order the result has."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import djupyter as dj


def shape(query: dj.Table) -> tuple[list[str], list[str]]:
    return query.primary_key, query.heading.names


@pytest.mark.statement(35)
def test_the_operand_that_determines_the_other_comes_first(t: SimpleNamespace) -> None:
    assert shape(t.A * t.B) == shape(t.B * t.A) == (["a", "b"], ["a", "b", "y", "x", "name"])
    assert len(t.A * t.B) == 3


@pytest.mark.statement(36)
def test_rows_without_a_reference_vanish(t: SimpleNamespace) -> None:
    for query in (t.A * t.C, t.C * t.A):
        assert shape(query) == (["c"], ["c", "a", "x", "name"])
        assert query.to_arrays("c", order_by="c").tolist() == [1, 3]


@pytest.mark.statement(37)
def test_nothing_in_common_gives_all_pairs(t: SimpleNamespace) -> None:
    assert shape(t.C * t.E) == (["c", "e"], ["c", "e", "a", "x"])
    assert len(t.C * t.E) == 6


@pytest.mark.statement(38)
def test_a_table_joins_itself_by_its_key_only(t: SimpleNamespace) -> None:
    with pytest.raises(dj.DataJointError, match="lineage missing"):
        t.A * t.A
    assert len(t.A.proj() * t.A) == 3
    pairs = t.A * t.A.proj(a2="a")
    assert (pairs.primary_key, len(pairs)) == (["a", "a2"], 9)


@pytest.mark.statement(39)
def test_namesakes_of_other_origin_join_only_without_the_check(t: SimpleNamespace) -> None:
    with pytest.raises(dj.DataJointError, match="different lineages"):
        t.A * t.D
    for query in (
        t.A.join(t.D, semantic_check=False),
        t.A().join(t.D(), semantic_check=False),
    ):
        assert query.to_arrays("z", order_by="a").tolist() == [100, 200]


@pytest.mark.statement(40)
def test_a_left_join_keeps_rows_without_a_match(t: SimpleNamespace) -> None:
    for query in (t.C.join(t.A, left=True), t.C.extend(t.A)):
        assert query.primary_key == ["c"]
        assert (query & "c = 2").fetch1() == {"c": 2, "a": None, "x": None, "name": None}
        assert len(query) == 3
    with pytest.raises(dj.DataJointError, match="to determine the right operand"):
        t.A.join(t.C, left=True)


@pytest.mark.statement(41)
def test_a_condition_on_the_right_operand_holds_for_the_result(t: SimpleNamespace) -> None:
    assert (t.B.extend(t.A & "x = 10")).to_arrays("b", order_by="KEY").tolist() == [1, 2]


@pytest.mark.statement(42)
def test_a_computed_name_does_not_join(t: SimpleNamespace) -> None:
    with pytest.raises(dj.DataJointError, match="lineage missing"):
        t.A.proj(b="a + 1") * t.B


@pytest.mark.statement(43)
def test_a_graph_is_walked_by_renaming(t: SimpleNamespace) -> None:
    weighted = t.Ed * t.N.proj(src="n", sw="w")
    assert weighted.to_arrays("sw", order_by="KEY").tolist() == [5, 6]
    hops = t.Ed.proj("cost") * t.Ed.proj(c2="cost", dst2="dst", dst="src")
    assert hops.fetch1("src", "dst", "dst2", "cost", "c2") == (1, 2, 3, 50, 60)


@pytest.mark.statement(44)
def test_tables_without_a_common_name_restrict_by_having_rows(t: SimpleNamespace) -> None:
    assert len(t.N & t.Ed) == 3
    assert (t.N & t.Ed.proj(n="src")).to_arrays("n", order_by="n").tolist() == [1, 2]


@pytest.mark.statement(45)
def test_hidden_attributes_never_take_part(schema: dj.Schema) -> None:
    @schema
    class One(dj.Manual):
        definition = "---\none : int32"

    @schema
    class Two(dj.Manual):
        definition = "---\ntwo : int32"

    One.insert1({"one": 1})
    Two.insert1({"two": 2})
    assert shape(One * Two) == ([], ["one", "two"])
    assert (One * Two).fetch1() == {"one": 1, "two": 2}


@pytest.mark.statement(46)
def test_what_is_no_join_says_what_to_write(t: SimpleNamespace) -> None:
    wrong = [
        (lambda: t.A @ t.B, r"\.join\(other, semantic_check=False\)"),
        (lambda: t.A ^ t.B, r"\.restrict\(other, semantic_check=False\)"),
        (lambda: t.A * dj.U("a"), r"dj\.U\(\.\.\.\) & query"),
        (lambda: dj.U("a") * t.A, r"dj\.U\(\.\.\.\) & query"),
        (lambda: dj.U("a") - t.A, r"dj\.U\(\.\.\.\) & \(A - B\)"),
    ]
    for write, instead in wrong:
        with pytest.raises(dj.DataJointError, match=instead):
            write()


@pytest.mark.statement(47)
def test_operands_of_other_connections_are_refused(t: SimpleNamespace) -> None:
    far = dj.Schema("far", connection=dj.Connection("sqlite://"))

    @far
    class Far(dj.Manual):
        definition = "a : int32"

    for combine in (lambda: t.A * Far, lambda: t.A & Far, lambda: t.A.proj() + Far):
        with pytest.raises(dj.DataJointError, match="different connections"):
            combine()


@pytest.mark.statement(48)
def test_a_singleton_adds_no_key(t: SimpleNamespace) -> None:
    assert shape(t.N * t.S) == shape(t.S * t.N) == (["n"], ["n", "w", "s"])
    assert (t.N * t.S & "n = 2").fetch1() == {"n": 2, "w": 6, "s": 7}


@pytest.mark.statement(49)
def test_a_secondary_attribute_that_is_the_others_key_determines_it(schema: dj.Schema) -> None:
    @schema
    class P(dj.Manual):
        definition = "p : int32\nq : int32\n---\nv : int32"

    @schema
    class Whole(dj.Manual):
        definition = "w : int32\n---\n-> P"

    @schema
    class Half(dj.Manual):
        definition = "h : int32\n---\n-> P.proj(p_away='p')"

    P.insert([(1, 1, 5), (2, 1, 6)])
    Whole.insert1((1, 1, 1))
    Half.insert1((1, 1, 1))
    assert (P * Whole).primary_key == ["w"]
    assert (P * Half).primary_key == ["p", "q", "h"]
    assert len(P * Half) == 2
