"""Laws of the layout: nothing overlaps, every line leads on, whatever finds the layers."""

from __future__ import annotations

import sys
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from djupyter.render.blocks import Place
from djupyter.render.drawing import Box, Drawing, Line
from djupyter.render.layering import forward, layers
from djupyter.render.layout import Layout, layout

ENGINES = ["fast-sugiyama", "plain"]
TIERS = ["Manual", "Lookup", "Imported", "Computed", "Part", None]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    if request.param == "fast-sugiyama":
        pytest.importorskip("fast_sugiyama", reason="the plain engine serves where it has no wheel")
    return request.param


@st.composite
def drawings(draw: st.DrawFn) -> Drawing:
    """Tables in schemas, some collapsed; parents come before children, in schemas that depend on each other one way."""
    schemas = sorted(draw(st.lists(st.integers(0, 3), max_size=14)))
    boxes = [
        Box(
            f"schema{schema}",
            f"T{'x' * draw(st.integers(0, 12))}{place}",
            draw(st.sampled_from(TIERS)),
        )
        for place, schema in enumerate(schemas)
    ]
    if boxes and draw(st.booleans()):
        boxes.append(Box("schema4", "", tables=3))
    pairs = list(combinations(range(len(boxes)), 2))
    chosen = draw(st.lists(st.sampled_from(pairs), max_size=24)) if pairs else []
    lines = [
        Line(boxes[u], boxes[v], draw(st.booleans()), renames=(("a", str(n)),))
        for n, (u, v) in enumerate(chosen)
    ]
    return Drawing(tuple(boxes), tuple(lines), draw(st.sampled_from(["LR", "TB"])))


def overlap(one: Place, other: Place) -> bool:
    return (
        one.x < other.x + other.width - 0.01
        and other.x < one.x + one.width - 0.01
        and one.y < other.y + other.height - 0.01
        and other.y < one.y + one.height - 0.01
    )


def lies_in(inner: Place, outer: Place) -> bool:
    return (
        outer.x <= inner.x + 0.01
        and outer.y <= inner.y + 0.01
        and inner.x + inner.width <= outer.x + outer.width + 0.01
        and inner.y + inner.height <= outer.y + outer.height + 0.01
    )


def along(place: Place, found: Layout) -> tuple[float, float]:
    """Where a box begins and ends in the direction of the lines."""
    if found.direction == "LR":
        return place.x, place.x + place.width
    return place.y, place.y + place.height


@given(drawing=drawings())
@settings(max_examples=60)
@pytest.mark.parametrize("name", ENGINES)
def test_boxes_do_not_overlap_and_lie_in_their_schemas(drawing: Drawing, name: str) -> None:
    found = layout(drawing, name)
    assert set(found.boxes) == set(drawing.boxes)
    whole = Place(0, 0, *found.size)
    for one, other in combinations(found.boxes.values(), 2):
        assert not overlap(one, other)
    for one, other in combinations(found.groups.values(), 2):
        assert not overlap(one, other)
    for box, place in found.boxes.items():
        assert lies_in(place, whole)
        for schema, group in found.groups.items():
            assert lies_in(place, group) if schema == box.schema else not overlap(place, group)


@given(drawing=drawings())
@settings(max_examples=60)
@pytest.mark.parametrize("name", ENGINES)
def test_lines_lead_from_parent_to_child_in_the_direction(drawing: Drawing, name: str) -> None:
    found = layout(drawing, name)
    assert [line for line, _ in found.lines] == list(drawing.lines)
    place = 0 if found.direction == "LR" else 1
    for line, points in found.lines:
        parent, child = (along(found.boxes[box], found) for box in (line.parent, line.child))
        assert parent[1] < child[0]
        assert points[0][place] == pytest.approx(parent[1])
        assert points[-1][place] == pytest.approx(child[0])
        assert all(a[place] <= b[place] + 0.01 for a, b in pairwise(points))


@given(drawing=drawings())
@settings(max_examples=40)
@pytest.mark.parametrize("name", ENGINES)
def test_lines_pass_no_box_of_others_within_a_layer(drawing: Drawing, name: str) -> None:
    found = layout(drawing, name)
    across = 1 if found.direction == "LR" else 0
    for line, points in found.lines:
        for a, b in pairwise(points):
            if a[across] != b[across]:
                continue  # a curve between two layers
            x, y = min(a[0], b[0]), min(a[1], b[1])
            stretch = Place(x, y, abs(a[0] - b[0]), abs(a[1] - b[1]))
            for box, other in found.boxes.items():
                if box not in (line.parent, line.child):
                    assert not overlap(stretch, other) or _beside(found, line)


def _beside(found: Layout, line: Line) -> bool:
    """Whether a line has parallel ones, which are drawn beside each other."""
    pairs = [frozenset((each.parent, each.child)) for each, _ in found.lines]
    return pairs.count(frozenset((line.parent, line.child))) > 1


@given(drawing=drawings())
@settings(max_examples=20)
def test_the_same_drawing_has_the_same_layout(drawing: Drawing) -> None:
    assert layout(drawing) == layout(drawing)


def test_cycles_of_other_tools_are_drawn_too(engine: str) -> None:
    a, b, c = Box("one", "A"), Box("two", "B"), Box("one", "C")
    lines = (Line(a, b), Line(b, c), Line(c, a), Line(a, a))
    found = layout(Drawing((a, b, c), lines), engine)
    assert all(points for line, points in found.lines if line.parent != line.child)
    assert len(set(found.boxes.values())) == 3


def test_edges_are_turned_round_only_within_a_cycle() -> None:
    assert forward(3, [(2, 0), (0, 1), (1, 0), (2, 0)]) == ([(2, 0), (0, 1)], {(1, 0)})


def test_layers_are_shared_by_what_has_no_edges(engine: str) -> None:
    found = layers(4, [(0, 1)], engine)
    assert sorted(node for rank in found.ranks for node in rank) == [0, 1, 2, 3]
    assert layers(2, [], engine).ranks == [[0, 1]]


def test_crossings_that_need_not_be_are_not(engine: str) -> None:
    # Two chains that begin in the wrong order.
    found = layers(4, [(0, 3), (1, 2)], engine)
    above, below = found.ranks
    assert [3 if node == 0 else 2 for node in above] == below


def test_isolated_tables_stand_in_rows(engine: str) -> None:
    boxes = tuple(Box("lab", f"Table{n}", "Lookup") for n in range(100))
    width, height = layout(Drawing(boxes, ()), engine).size
    assert 0.4 < width / height < 4


def test_without_fast_sugiyama_the_plain_engine_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    edges = [(0, 1), (0, 2), (1, 3), (2, 3), (0, 3)]
    monkeypatch.setitem(sys.modules, "fast_sugiyama", None)
    assert layers(4, edges) == layers(4, edges, "plain")
