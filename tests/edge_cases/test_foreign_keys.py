"""Statements 145 to 153: what a reference may be, and what becomes of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

import djupyter as dj
from djupyter.errors import DefinitionError, DuplicateError, IntegrityError


@pytest.fixture
def P(schema: dj.Schema) -> Any:
    @schema
    class P(dj.Manual):
        definition = "a : int32\nq : int32"

    P.insert([(1, 1), (1, 2), (2, 1)])
    return P


@pytest.mark.statement(145)
def test_references_are_resolved_where_the_class_is_written(schema: dj.Schema, P: Any) -> None:
    class Base(dj.Manual):
        definition = "-> self.source"
        source: Any = None

        class Item(dj.Part):
            definition = "-> master\n-> self.source.proj(other_a='a', other_q='q')"
            source: Any = None

    @schema
    class Child(Base):
        source = P

        class Item(Base.Item):
            source = P

        class Next(dj.Part):
            definition = "-> master\n-> master.Item\nn : int32"

    assert Child.parents() == [P.full_table_name]
    assert Child.Item.primary_key == ["a", "q", "other_a", "other_q"]
    assert Child.Next.primary_key == [*Child.Item.primary_key, "n"]


@pytest.mark.statement(146)
def test_a_table_cannot_refer_to_itself(schema: dj.Schema) -> None:
    """The error says to use a table with two renamed references."""
    with pytest.raises(DefinitionError, match="itself"):

        @schema
        class Own(dj.Manual):
            definition = "o : int32\n---\n-> [nullable] Own"

    assert schema.list_tables() == []


@pytest.mark.statement(147)
def test_references_may_be_nullable_below_the_divider_and_unique(schema: dj.Schema, P: Any) -> None:
    @schema
    class Child(dj.Manual):
        definition = """
        c : int32
        ---
        -> [nullable] P
        -> [nullable, unique] P.proj(ua='a', uq='q')
        """

    Child.insert([{"c": 1}, {"c": 2}, {"c": 3, "a": 1, "q": 1, "ua": 1, "uq": 1}])
    assert (Child & "c = 1").fetch1("a", "ua") == (None, None)
    with pytest.raises(DuplicateError):
        Child.insert1({"c": 4, "ua": 1, "uq": 1})
    with pytest.raises(dj.DataJointError, match="nullable"):

        @schema
        class Wrong(dj.Manual):
            definition = "-> [nullable] P"


@pytest.mark.statement(148)
def test_a_projection_renames_and_nothing_else_is_a_reference(schema: dj.Schema, P: Any) -> None:
    @schema
    class Child(dj.Manual):
        definition = "-> P\n---\n-> P.proj(other='a', oq='q')"

    Child.insert1((1, 1, 2, 1))
    assert Child.parents(foreign_key_info=True)[1][1]["attr_map"] == {"other": "a", "oq": "q"}
    for wrong in ("P & 'a = 1'", "P * P", "P.proj(extra='a + 1')"):
        with pytest.raises(dj.DataJointError):
            schema(type("Wrong", (dj.Manual,), {"definition": f"-> {wrong}"}), context={"P": P})


@pytest.mark.statement(149)
def test_two_ways_to_one_ancestor_share_its_attributes(schema: dj.Schema, P: Any) -> None:
    @schema
    class Left(dj.Manual):
        definition = "-> P\nl : int32"

    @schema
    class Right(dj.Manual):
        definition = "-> P\nr : int32"

    @schema
    class Both(dj.Manual):
        definition = "-> Left\n-> Right"

    assert Both.primary_key == ["a", "q", "l", "r"]
    Left.insert1((1, 1, 1))
    Right.insert1((1, 2, 1))
    with pytest.raises(IntegrityError):
        Both.insert1((1, 1, 1, 1))


@pytest.mark.statement(150)
def test_a_nullable_reference_is_nullable_in_all_its_attributes(schema: dj.Schema, P: Any) -> None:
    @schema
    class Child(dj.Manual):
        definition = "c : int32\n---\n-> [nullable] P"

    assert [Child.heading[name].nullable for name in ("a", "q")] == [True, True]
    Child.insert([{"c": 1, "a": None, "q": None}, {"c": 2, "a": 1, "q": 2}])
    assert len(Child & P) == 1
    assert len(Child - P) == 1


@pytest.mark.statement(151, 152)
def test_two_references_to_one_parent_are_both_described_and_listed(t: SimpleNamespace) -> None:
    name = t.N.full_table_name
    for context, parent in (({"N": t.N}, "N"), ({}, name)):
        described = t.Ed.describe(context=context)
        assert f"-> {parent}.proj(src=" in described
        assert f"-> {parent}.proj(dst=" in described
    assert t.Ed.parents() == [name, name]
    assert t.N.children() == [t.Ed.full_table_name] * 2
    assert [info for _, info in t.Ed.parents(foreign_key_info=True)] == [
        {"primary": True, "attr_map": {"src": "n"}, "aliased": True, "multi": True},
        {"primary": True, "attr_map": {"dst": "n"}, "aliased": True, "multi": True},
    ]


@pytest.mark.statement(153)
def test_a_row_needs_its_parent(fresh: SimpleNamespace) -> None:
    with pytest.raises(IntegrityError, match="a=9"):
        fresh.B.insert([(1, 9, 0.0), (9, 1, 0.0)])
    with pytest.raises(IntegrityError):
        fresh.C.update1({"c": 1, "a": 9})
    assert len(fresh.B) == 3
