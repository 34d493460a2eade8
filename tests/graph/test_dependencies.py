"""The graph of tables: order, reach, and cycles refused with the way round."""

from __future__ import annotations

import pytest

from djupyter.definition.names import TableName
from djupyter.graph.dependencies import Dependencies, DependencyCycle, pipeline
from djupyter.heading.structure import ForeignKey, TableStructure


def name(text: str) -> TableName:
    schema, _, table = text.rpartition(".")
    return TableName(schema or "lab", table)


def table(text: str, *parents: str) -> TableStructure:
    keys = tuple(ForeignKey(name(parent), (("x", "x"),)) for parent in parents)
    return TableStructure(name(text), "", (), keys)


def graph(*tables: TableStructure) -> Dependencies:
    return Dependencies({each.name: each for each in tables})


DIAMOND = graph(
    table("a"), table("b", "a"), table("c", "a"), table("d", "b", "c"), table("a__part", "a")
)


def names(found: list[TableName]) -> list[str]:
    return [each.table for each in found]


def test_parents_come_before_children_and_equals_by_name() -> None:
    assert names(DIAMOND.in_order()) == ["a", "a__part", "b", "c", "d"]


def test_descendants_and_ancestors_begin_with_the_table_itself() -> None:
    assert names(DIAMOND.descendants(name("b"))) == ["b", "d"]
    assert names(DIAMOND.ancestors(name("d"))) == ["d", "c", "b", "a"]


def test_each_reference_is_a_child_of_its_own() -> None:
    twice = graph(table("a"), table("b", "a", "a"))
    assert [child.table for child, _ in twice.children(name("a"))] == ["b", "b"]


def test_system_tables_are_no_part_of_the_pipeline() -> None:
    system = TableStructure(TableName("lab", "~jobs"), "", ())
    assert names(pipeline({"lab": {"~jobs": system, "a": table("a")}}).in_order()) == ["a"]


def test_a_table_cannot_depend_on_itself() -> None:
    with pytest.raises(DependencyCycle, match="A → A"):
        DIAMOND.check_tables(table("a", "a"))


def test_a_table_cannot_depend_on_its_descendant() -> None:
    with pytest.raises(DependencyCycle, match=r"A cannot refer to D.*A → . → D → A") as caught:
        DIAMOND.check_tables(table("a", "d"))
    assert caught.value.path[0] == caught.value.path[-1] == "A"


def test_schemas_cannot_depend_on_each_other_through_others() -> None:
    schemas = graph(table("one.a"), table("two.b", "one.a"), table("three.c", "two.b"))
    with pytest.raises(DependencyCycle, match="one → two → three → one"):
        schemas.check_schemas(table("one.d", "three.c"))
    schemas.check_schemas(table("three.d", "one.a", "two.b"))
