"""What differs between a definition and the database, line by line."""

from __future__ import annotations

from djupyter.definition.model import ForeignKeySpec
from djupyter.definition.names import TableName
from djupyter.definition.parser import parse
from djupyter.heading.differences import changed, differences
from djupyter.heading.structure import TableStructure, resolve

OTHER = resolve(
    parse("p : int32\nq : int8"), TableName("up", "parent"), lambda spec: NotImplemented
)
NEAR = resolve(parse("r : int32"), TableName("lab", "near"), lambda spec: NotImplemented)


def structure(text: str) -> TableStructure:
    def parent(spec: ForeignKeySpec) -> TableStructure:
        return OTHER if spec.parent == "up.Parent" else NEAR

    return resolve(parse(text), TableName("lab", "mouse"), parent)


def told(cell: str, database: str) -> list[tuple[str, str, str, str]]:
    found = changed(structure(cell), structure(database))
    return [(c.kind, c.name, c.database, c.cell) for c in found]


def test_equal_definitions_give_every_line_as_the_same() -> None:
    text = "# mice\n-> Near\na : int8 # x\n---\nb : int8\nindex (b)"
    found = differences(structure(text), structure(text))
    assert [(c.kind, c.name) for c in found] == [
        ("same", name) for name in ("table comment", "foreign key", "a", "b", "index")
    ]
    assert changed(structure(text), structure(text)) == ()


def test_attributes_are_added_removed_and_changed() -> None:
    assert told(
        "a : int8\n---\nb = 1 : int8\nc : int8", "a : int8\n---\nb : int8 # x\nd : int8"
    ) == [
        ("changed", "b", "b : int8  # x", "b = 1 : int8"),
        ("added", "c", "", "c : int8"),
        ("removed", "d", "d : int8", ""),
    ]


def test_moving_into_the_key_is_a_change() -> None:
    ((kind, name, database, cell),) = told("a : int8\nb : int8", "a : int8\n---\nb : int8")
    assert (kind, name) == ("changed", "b")
    assert database.endswith("(not in the key)")
    assert cell.endswith("(in the primary key)")


def test_foreign_keys_are_known_by_parent_and_names() -> None:
    assert told("a : int8\n---\n-> [nullable] up.Parent", "a : int8\n---\n-> up.Parent") == [
        ("changed", "foreign key", "-> up.Parent", "-> [nullable] up.Parent")
    ]
    assert [change[:2] for change in told("-> Near.proj(x='r')", "-> Near")] == [
        ("added", "foreign key"),
        ("removed", "foreign key"),
    ]


def test_indexes_and_comments_are_compared() -> None:
    assert told("# new\na : int8\nunique index (a)", "a : int8\nindex (a)") == [
        ("changed", "table comment", "", "new"),
        ("changed", "index", "INDEX (a)", "UNIQUE INDEX (a)"),
    ]


def test_another_order_is_one_change_of_its_own() -> None:
    assert told(
        "a : int8\n---\nc : int8\nb : int8\nd : int8", "a : int8\n---\nb : int8\nc : int8"
    ) == [
        ("added", "d", "", "d : int8"),
        ("changed", "order", "a, b, c", "a, c, b"),
    ]
