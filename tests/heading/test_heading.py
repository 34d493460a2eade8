import pytest

from djupyter.definition.types import parse_type
from djupyter.errors import DataJointError, UnknownAttributeError
from djupyter.heading.attribute import Attribute
from djupyter.heading.heading import Heading
from djupyter.heading.matching import matched_names

INT = parse_type("int32")


def heading(text: str, **lineages: str | None) -> Heading:
    """Return a heading from names; a star marks the key, a question mark NULL."""
    return Heading(
        Attribute(
            name.strip("*?"),
            INT,
            in_key="*" in name,
            nullable="?" in name,
            lineage=lineages.get(
                name.strip("*?"), f"s.t.{name.strip('*?')}" if "*" in name else None
            ),
        )
        for name in text.split()
    )


A, B, C = heading("a* x? name"), heading("a* b* y"), heading("c* a?", a="s.t.a")


def test_names_are_told_by_their_role() -> None:
    assert A.names == list(A) == ["a", "x", "name"]
    assert A.primary_key == ["a"]
    assert A.secondary_attributes == ["x", "name"]
    assert "x" in A
    assert "q" not in A
    assert A.attributes["a"] is A["a"]


def test_equal_headings_are_one_key() -> None:
    assert heading("a* x? name") == A
    assert hash(heading("a* x? name")) == hash(A)
    assert heading("a* name x?") != A
    assert len({A, heading("a* x? name"), B}) == 2


def test_a_missing_name_is_reported_with_the_nearest() -> None:
    with pytest.raises(UnknownAttributeError, match=r"`nam` is not found in scan.*`name`"):
        A.need("nam", "scan")


def test_it_shows_names_types_defaults_and_comments() -> None:
    shown = repr(Heading([Attribute("a", INT, True, comment="number"), Attribute("t", None)]))
    assert shown.splitlines()[0].split() == ["a", ":", "int32", "#", "number"]
    assert shown.splitlines()[1] == "---"
    assert "computed" in shown


@pytest.mark.parametrize(
    ("kept", "renamed", "computed", "copied", "names", "key"),
    [
        ([], {}, {}, {}, ["a"], ["a"]),
        (["name"], {}, {}, {}, ["a", "name"], ["a"]),
        ([], {"q": "a"}, {}, {}, ["q"], ["q"]),
        ([], {}, {}, {"q": "a"}, ["a", "q"], ["a"]),
        ([], {"x": "name", "name": "x"}, {}, {}, ["a", "name", "x"], ["a"]),
        (["x"], {}, {"n": None}, {"m": "x"}, ["a", "x", "m", "n"], ["a"]),
    ],
)
def test_projection(kept, renamed, computed, copied, names, key) -> None:  # type: ignore[no-untyped-def]
    found = A.project(kept, renamed, computed, copied)
    assert found.names == names
    assert found.primary_key == key


def test_projection_keeps_lineage_except_of_what_is_computed() -> None:
    found = A.project([], {"q": "a"}, {"n": INT}, {"m": "a"})
    assert [found[name].lineage for name in ("q", "m", "n")] == ["s.t.a", "s.t.a", None]
    assert found["n"].nullable


@pytest.mark.parametrize(
    ("kept", "renamed", "computed"),
    [
        (["x"], {"q": "x"}, {}),
        (["name"], {"name": "x"}, {}),
        ([], {}, {"a": None}),
        (["q"], {}, {}),
    ],
)
def test_impossible_projections_are_refused(kept, renamed, computed) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(DataJointError):
        A.project(kept, renamed, computed)


@pytest.mark.parametrize(
    ("left", "right", "names", "key"),
    [
        (A, B, ["a", "b", "y", "x", "name"], ["a", "b"]),
        (B, A, ["a", "b", "y", "x", "name"], ["a", "b"]),
        (A, C, ["c", "a", "x", "name"], ["c"]),
        (C, A, ["c", "a", "x", "name"], ["c"]),
        (A, A, ["a", "x", "name"], ["a"]),
        (heading("p* q"), heading("r* s"), ["p", "r", "q", "s"], ["p", "r"]),
        (heading("p*"), heading("s"), ["p", "s"], ["p"]),
    ],
)
def test_joins_have_the_key_of_the_operand_that_determines_the_other(
    left: Heading, right: Heading, names: list[str], key: list[str]
) -> None:
    assert left.join(right).names == names
    assert left.join(right).primary_key == key


def test_a_left_join_makes_the_right_attributes_nullable() -> None:
    found = C.join(A, left=True)
    assert [found[name].nullable for name in found] == [False, True, True, True]
    assert not C.join(heading("a* z"))["z"].nullable
    # Allowed on demand: the key then holds NULL where the left operand has no match.
    assert A.join(C, left=True)["c"].nullable


def test_a_union_has_one_key_and_the_other_attributes_of_both() -> None:
    found = A.union(heading("a* z"))
    assert found.names == ["a", "x", "name", "z"]
    assert [found[name].nullable for name in found] == [False, True, True, True]
    assert found["a"].lineage == "s.t.a"
    assert A.union(heading("a*", a="s.other.a"))["a"].lineage is None


@pytest.mark.parametrize("other", [heading("b*"), heading("a* name")])
def test_impossible_unions_are_refused(other: Heading) -> None:
    with pytest.raises(DataJointError, match="union"):
        A.union(other)


def test_attributes_are_selected_in_a_given_order() -> None:
    assert A.select(["name", "a"], key=["name"]).primary_key == ["name"]
    assert A.select(["name", "a"]).names == ["name", "a"]
    with pytest.raises(UnknownAttributeError):
        A.select(["q"])


@pytest.mark.parametrize(
    ("right", "message"),
    [
        (heading("c* a", a="s.other.a"), "different lineages"),
        (heading("c* a", a=None), "lineage missing"),
        (heading("c* x", x="s.t.x"), "lineage missing"),
    ],
)
def test_namesakes_meet_only_with_equal_lineage(right: Heading, message: str) -> None:
    with pytest.raises(DataJointError, match=message):
        matched_names(A, right)
    assert matched_names(A, right, check=False) == [right.names[1]]
    assert matched_names(A, C) == ["a"]
