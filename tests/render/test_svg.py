"""Pictures of diagrams: what they show, whatever tables are called."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from djupyter.render.diagram import diagram_html
from djupyter.render.dot import dot
from djupyter.render.drawing import Box, Drawing, Line
from djupyter.render.elements import MOST, elements
from djupyter.render.png import png
from djupyter.render.svg import path, svg

SVG = "{http://www.w3.org/2000/svg}"
SUBJECT = Box("lab", "Subject", "Manual", note="# a mouse\nsubject : int32")
SCAN = Box("imaging", "Scan", "Imported")
FRAME = Box("imaging", "Scan.Frame", "Part")
DRAWING = Drawing(
    (SUBJECT, SCAN, FRAME),
    (
        Line(SUBJECT, SCAN, whole_key=True),
        Line(SCAN, FRAME, in_key=False, renames=(("first", "scan"),)),
    ),
)


def classes(root: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [each for each in root.iter() if name in each.get("class", "").split()]


def test_a_picture_shows_tables_schemas_and_kinds_of_lines() -> None:
    root = ElementTree.fromstring(svg(DRAWING))
    assert [each.get("data-table") for each in classes(root, "box") if each.get("data-table")] == [
        "lab.Subject", "imaging.Scan", "imaging.Scan.Frame",
    ]  # fmt: skip
    assert [each.findtext(f"{SVG}text") for each in classes(root, "group")] == ["lab", "imaging"]
    lines = [each.get("class") for each in classes(root, "line") if each.get("d", "")[-3:] != "h26"]
    assert lines == ["line thick", "line dashed renamed"]
    assert {each.get("rx") for each in classes(root, "imported")[0].iter(f"{SVG}rect")} == {"13"}
    assert root.get("aria-label") == "Diagram of 3 tables in lab, imaging"


def test_the_definition_and_the_words_of_a_line_are_told_where_the_mouse_is() -> None:
    titles = [each.text for each in ElementTree.fromstring(svg(DRAWING)).iter(f"{SVG}title")]
    assert "lab.Subject : Manual\n# a mouse\nsubject : int32" in titles
    assert "Scan → Scan.Frame: secondary, first = scan" in titles


def test_the_legend_names_what_occurs() -> None:
    (legend,) = classes(ElementTree.fromstring(svg(DRAWING)), "legend")
    words = [each.text for each in legend.iter(f"{SVG}text")]
    assert words == ["Manual", "Imported", "Part", "secondary", "one-to-one", "renamed"]


def test_a_schema_that_is_collapsed_is_one_box_without_a_frame() -> None:
    root = ElementTree.fromstring(svg(Drawing((Box("lab", "", tables=3),), ())))
    assert not classes(root, "group")
    assert classes(root, "collapsed")[0].findtext(f"{SVG}text") == "lab: 3 tables"


def test_badges_are_written_on_their_boxes() -> None:
    root = ElementTree.fromstring(svg(DRAWING, badges={SCAN: "3 / 8"}))
    assert [each.text for each in classes(root, "badge")] == ["3 / 8"]


@pytest.mark.parametrize(
    ("shades", "has_light", "has_dark", "asks_system"),
    [
        ("auto", True, True, True),
        ("light", True, False, False),
        ("dark", False, True, False),
    ],
)
def test_colours_are_those_of_the_reader_or_the_theme(
    shades: str, has_light: bool, has_dark: bool, asks_system: bool
) -> None:
    text = svg(DRAWING, shades)
    assert ("#e6f2e9" in text, "#1d3426" in text) == (has_light, has_dark)
    assert ("prefers-color-scheme" in text) == asks_system
    # Programs that convert SVG know no variables.
    assert "var(" not in text


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "a\u202eb\n&amp;",
    "]]>",
    "-->",
    "\ud800",
]


@given(
    st.lists(st.sampled_from(HOSTILE) | st.text(min_size=1), min_size=1, max_size=4, unique=True)
)
def test_names_are_text_wherever_they_stand(names: list[str]) -> None:
    boxes = tuple(Box(name, name, "Manual", note=f"# {name}\n{name}") for name in names)
    lines = tuple(Line(boxes[0], box, renames=((box.name, box.name),)) for box in boxes[1:])
    drawing = Drawing(boxes, lines)
    root = ElementTree.fromstring(svg(drawing).encode())
    allowed = {"svg", "style", "g", "rect", "text", "title", "path"}
    assert {each.tag.removeprefix(SVG) for each in root.iter()} <= allowed
    assert not [name for each in root.iter() for name in each.keys() if name.startswith("on")]  # noqa: SIM118
    html = diagram_html(drawing)
    assert "<script" not in html
    assert html.count("<img") == 2
    html.encode()


def test_text_for_graphviz_quotes_names_and_tells_kinds() -> None:
    text = dot(DRAWING)
    assert "n0 -> n1 [penwidth=2.5];" in text
    assert 'n1 -> n2 [style=dashed, color="#c2610c"' in text
    nasty = Box('s"', 'a"; evil [label="', "Manual")
    (line,) = [line for line in dot(Drawing((nasty,), ())).splitlines() if "n0" in line]
    assert 'label="a\\"; evil [label=\\""' in line
    assert 'bgcolor="#111315"' in dot(DRAWING, "dark")


def test_a_png_is_painted_without_any_program() -> None:
    pytest.importorskip("matplotlib", reason="paints the PNG; comes with the extra lab")
    picture = png(DRAWING)
    assert picture.startswith(b"\x89PNG")
    wide = Drawing(tuple(Box("lab", f"$T_{n}$", "Lookup") for n in range(3)), (), "TB")
    assert png(wide, "dark").startswith(b"\x89PNG")


def test_paths_go_straight_within_and_curve_between_layers() -> None:
    assert path([(0, 0), (0, 10), (8, 30)], "TB") == "M0 0V10C0 20 8 20 8 30"
    assert path([], "LR") == ""


def test_what_the_browser_gets_is_plain_and_bounded() -> None:
    found = elements(DRAWING, {FRAME})
    assert [table["folded"] for table in found["tables"]] == [False, False, True]
    assert not found["closed"]
    many = Drawing(tuple(Box("lab", f"T{n}") for n in range(MOST + 1)), ())
    assert elements(many)["closed"]
    long = elements(Drawing((Box("lab", "x" * 5000, note="y" * 50_000),), ()))["tables"][0]
    assert len(long["note"]) <= 2000
    assert len(long["label"]) <= 40


def test_an_empty_diagram_says_so() -> None:
    assert "no tables" in diagram_html(Drawing((), ()))
    assert re.search(r'aria-label="Diagram of no tables"', svg(Drawing((), ())))
