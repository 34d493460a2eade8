from types import SimpleNamespace
from typing import Any

import pytest

import djupyter as dj


def rows(query: Any, *names: str) -> list[tuple[Any, ...]]:
    names = names or tuple(query.heading.names)
    found = [tuple(row[name] for name in names) for row in query.to_dicts()]
    return sorted(found, key=lambda row: [(value is not None, value) for value in row])


# Keys and order


def test_the_operand_that_determines_the_other_gives_key_and_order(t: SimpleNamespace) -> None:
    for query in (t.A * t.B, t.B * t.A):
        assert query.primary_key == ["a", "b"]
        assert query.heading.names == ["a", "b", "y", "x", "name"]
        assert rows(query, "a", "b", "name") == [(1, 1, "one"), (1, 2, "one"), (2, 1, "two")]


def test_a_reference_outside_the_key_determines_too(t: SimpleNamespace) -> None:
    for query in (t.A * t.C, t.C * t.A):
        assert query.primary_key == ["c"]
        assert query.heading.names == ["c", "a", "x", "name"]
        assert rows(query, "c", "a") == [(1, 1), (3, 3)]


def test_unrelated_tables_give_all_pairs(t: SimpleNamespace) -> None:
    query = t.C * t.E
    assert query.primary_key == ["c", "e"]
    assert query.heading.names == ["c", "e", "a", "x"]
    assert len(query) == 6


def test_a_singleton_adds_no_key(t: SimpleNamespace) -> None:
    query = t.N * t.S
    assert query.primary_key == ["n"]
    assert rows(query, "n", "s") == [(1, 7), (2, 7), (3, 7)]
    assert len(t.S * t.N) == 3


def test_keys_of_several_attributes_are_determined_only_as_a_whole(schema: dj.Schema) -> None:
    @schema
    class P(dj.Manual):
        definition = "p : int32\nq : int32"

    @schema
    class Half(dj.Manual):
        definition = "h : int32\n---\n-> P.proj(p2='q')"

    P.insert([(1, 1), (1, 2)])
    Half.insert([(1, 1, 2)])
    assert (P * Half).primary_key == ["p", "q", "h"]
    assert len(P * Half) == 2
    assert (P.proj(p2="q") * Half).primary_key == ["h"]


# Lineage


def test_attributes_of_other_origin_do_not_meet(t: SimpleNamespace) -> None:
    with pytest.raises(dj.DataJointError, match="lineage missing on both sides"):
        t.A * t.A
    with pytest.raises(dj.DataJointError, match="different lineages"):
        t.A * t.D
    with pytest.raises(dj.DataJointError, match="lineage missing"):
        t.A.proj(b="a + 1") * t.B
    assert rows(t.A.join(t.D, semantic_check=False), "a", "z") == [(1, 100), (2, 200)]
    assert len(t.A * t.D.proj(da="a")) == 6


def test_a_table_meets_itself_under_another_name(t: SimpleNamespace) -> None:
    assert len(t.A.proj() * t.A) == 3
    pairs = t.A.proj() * t.A.proj(a2="a")
    assert pairs.primary_key == ["a", "a2"]
    assert len(pairs) == 9


def test_paths_through_a_graph(t: SimpleNamespace) -> None:
    weighted = t.Ed * t.N.proj(src="n", sw="w")
    assert rows(weighted, "src", "dst", "sw") == [(1, 2, 5), (2, 3, 6)]
    hops = t.Ed.proj("cost") * t.Ed.proj(cost2="cost", dst2="dst", dst="src")
    assert rows(hops, "src", "dst", "dst2") == [(1, 2, 3)]


def test_hidden_attributes_never_take_part(schema: dj.Schema) -> None:
    @schema
    class One(dj.Manual):
        definition = "---\nfirst : int32"

    @schema
    class Two(dj.Manual):
        definition = "---\nsecond : int32"

    One.insert1({"first": 1})
    Two.insert1({"second": 2})
    assert (One * Two).to_dicts() == [{"first": 1, "second": 2}]
    assert len(One & Two) == 1
    assert len(One - Two) == 0


# Left joins


def test_a_left_join_keeps_rows_without_a_match(t: SimpleNamespace) -> None:
    for query in (t.C().join(t.A, left=True), t.C.join(t.A, left=True), t.C.extend(t.A)):
        assert query.primary_key == ["c"]
        assert rows(query, "c", "name") == [(1, "one"), (2, None), (3, "o'ne%")]


def test_a_left_join_needs_the_left_operand_to_determine_the_right(t: SimpleNamespace) -> None:
    with pytest.raises(dj.DataJointError, match=r"determine the right operand \(A → B\).*\['c'\]"):
        t.A.join(t.C, left=True)
    query = t.A.join(t.C, left=True, allow_nullable_pk=True)
    assert query.primary_key == ["c"]
    assert rows(query, "a", "c") == [(1, 1), (2, None), (3, 3)]


def test_a_restricted_right_operand_leaves_out_rows_without_a_match(t: SimpleNamespace) -> None:
    assert rows(t.B.extend(t.A & "x = 10"), "a", "b") == [(1, 1), (1, 2)]
    assert rows(t.C.extend(t.A & "x is null"), "c") == []
    assert rows(t.C.extend((t.A & "x = 10").proj(d="x + 1")), "c", "d") == [(1, 11)]
    assert len(t.C.extend(t.A & {})) == 3
    assert len(t.C.extend(t.A & dj.AndList())) == 3


def test_a_limited_right_operand_keeps_them(t: SimpleNamespace) -> None:
    assert rows(t.C.extend(t.A & dj.Top(1)), "c", "name") == [(1, "one"), (2, None), (3, None)]


def test_what_a_right_operand_computes_is_null_without_a_match(t: SimpleNamespace) -> None:
    query = t.C.extend(t.A.proj(k="'yes'", d="ifnull(x, 0)"))
    assert rows(query, "c", "k", "d") == [(1, "yes", 10), (2, None, None), (3, "yes", 30)]
    assert rows(query & "k is null", "c") == [(2,)]


# Chains


def test_joins_nest_what_cannot_be_merged(t: SimpleNamespace) -> None:
    assert rows((t.A & dj.Top(1)) * t.B, "a", "b") == [(1, 1), (1, 2)]
    assert rows(t.B * (t.A & dj.Top(1, "a desc")), "a") == []
    assert rows(t.A.aggr(t.B, n="count(b)") * t.B, "a", "b", "n") == [
        (1, 1, 2),
        (1, 2, 2),
        (2, 1, 1),
    ]
    assert rows((dj.U("a") & t.B) * t.A, "a") == [(1,), (2,)]
    assert rows((t.A.proj() + t.A.proj()) * t.A, "a", "x") == [(1, 10), (2, None), (3, 30)]
    assert rows((t.B & "y > 1.5") * (t.A & "x is null"), "a", "b") == [(2, 1)]


@pytest.mark.parametrize(
    "combine",
    [
        lambda t: t.A @ t.B,
        lambda t: t.A() @ t.B,
        lambda t: t.A ^ t.B,
        lambda t: t.A * dj.U("a"),
        lambda t: dj.U("a") * t.A,
        lambda t: dj.U("a") - t.A,
        lambda t: dj.U("a").join(t.A),
        lambda t: t.A + dj.U("a"),
        lambda t: t.A.aggr(dj.U("a"), n="count(*)"),
        lambda t: t.A * 5,
        lambda t: t.A.join("a"),
        lambda t: t.A + {"a": 1},
    ],
)
def test_what_is_no_join_says_what_to_write_instead(t: SimpleNamespace, combine: Any) -> None:
    with pytest.raises(dj.DataJointError):
        combine(t)


@pytest.mark.parametrize("query", [lambda t: t.A * t.B, lambda t: t.B * t.A])
def test_the_first_rows_of_a_join_are_read_from_the_table_that_holds_the_key(
    t: SimpleNamespace, db: Any, query: Any
) -> None:
    join = query(t)
    first = join & dj.Top(2, "KEY")
    assert first.keys() == [{"a": 1, "b": 1}, {"a": 1, "b": 2}]
    assert [row["name"] for row in first.to_dicts()] == ["one", "one"]
    sql = first.make_sql()
    if db.backend == "mysql":
        assert sql.startswith("SELECT STRAIGHT_JOIN ")
        # What restricts the other table is better looked up first; all rows need no order.
        assert "STRAIGHT_JOIN" not in (join & "name = 'one'" & dj.Top(2, "KEY")).make_sql()
        assert "STRAIGHT_JOIN" not in join.make_sql()
