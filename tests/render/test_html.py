"""HTML holds only escaped data, is bounded, and is the same twice."""

import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import pytest

from djupyter.errors import DefinitionError
from djupyter.render.card import card_html, card_text
from djupyter.render.difference import difference_html, difference_text
from djupyter.render.html import preview_html
from djupyter.render.job_card import AttemptCard, JobCard, job_html
from djupyter.render.listing import TableRow, progress_html, tables_html
from djupyter.render.markup import Html, tag
from djupyter.render.neighbourhood import neighbourhood, neighbourhood_svg
from djupyter.render.palette import PALETTES
from djupyter.render.preview import (
    Card,
    CardAttribute,
    CardLink,
    Change,
    Difference,
    Preview,
    PreviewColumn,
    Summary,
)
from djupyter.render.source import COPY_SCRIPT, definition_html, error_html

EVIL = "<script>alert(\"1\")</script><img src=x onerror='x'>&amp;\u202e\x00</style>`"
HUGE = EVIL + "x" * 10**6


def all_outputs(text: str) -> dict[str, str]:
    """Make every output with one text in every place that takes one."""
    change = Change("changed", text, text, text)
    link = CardLink(text, text, True, ((text, text),), True, True)
    attribute = CardAttribute(text, text, True, True, text, text, text)
    columns = (PreviewColumn(text, text, True, text), PreviewColumn("b", text))
    attempt = AttemptCard(text, text, 1.0, text, 1, text, text, ((text, text),), text[:2000], text)
    row = TableRow(text, text, 5, True, 1, text, 1, 2, 1)
    return {
        "preview": preview_html(
            Preview(text, text, text, columns, ((text, Summary(text)), (b"", [text])), True, 5)
        ),
        "card": card_html(
            Card(text, text, text, text, (attribute,), (link,), (link,) * 9, (text,), 5, True, text)
        ),
        "difference": difference_html(Difference(text, text, text, (change,), (text,))),
        "job": job_html(JobCard(text, text, ((text, text),), text, (attempt,) * 3, 5)),
        "error": error_html(text[:2000], text[:2000]),
        "definition": definition_html(text[:2000], text),
        "tables": tables_html([row], text),
        "progress": progress_html([row]),
    }


class Elements(HTMLParser):
    """Collects what a browser would find."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.names.append(name)
        self.open.append(name)
        self.attributes += attributes

    def handle_endtag(self, name: str) -> None:
        assert self.open.pop() == name

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.text += data

    def values(self, attribute: str) -> list[str]:
        return [value or "" for name, value in self.attributes if name == attribute]


KINDS = list(all_outputs("a"))


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_text_stays_text(kind):
    elements = Elements(all_outputs(EVIL)[kind])
    assert elements.open == []
    assert "script" not in elements.names
    assert all(source.startswith("data:image/svg+xml,") for source in elements.values("src"))
    assert elements.names.count("style") == 1
    scripts = {value for name, value in elements.attributes if name.startswith("on")}
    assert scripts <= {COPY_SCRIPT}
    assert "<script>" in elements.text
    assert not {"\u202e", "\x00"} & set(all_outputs(EVIL)[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_size_is_bounded_whatever_comes_in(kind):
    assert len(all_outputs(HUGE)[kind]) < 100_000


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_data_gives_the_same_bytes(kind):
    assert all_outputs(EVIL)[kind] == all_outputs(EVIL)[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_every_class_is_ours(kind):
    page = all_outputs("Session")[kind]
    names = " ".join(Elements(page).values("class")).split()
    assert all(name.startswith("dj-") for name in names)
    style = re.search("<style>(.*?)</style>", page)[1]
    selectors = re.findall(r"([^{}]+)\{", style)
    assert all(".dj-out" in part for line in selectors for part in line.split(","))


@pytest.mark.parametrize("kind", KINDS)
def test_every_class_that_is_used_is_styled(kind):
    page = all_outputs("Session")[kind]
    style = re.search("<style>(.*?)</style>", page)[1]
    used = set(" ".join(Elements(page).values("class")).split())
    assert {name for name in used if f".{name}" not in style} == set()


def test_markup_made_of_text_is_escaped_also_in_attributes():
    assert tag("i", "<b>", Html("<u></u>"), title=Html('"')) == (
        '<i title="&quot;">&lt;b&gt;<u></u></i>'
    )


COLUMNS = (
    PreviewColumn("mouse", "int32", True, "ear tag"),
    PreviewColumn("weight", "float32"),
    PreviewColumn("notes", "varchar(2000)"),
)


def page_of(*rows: tuple[object, ...], **more: object) -> str:
    return preview_html(Preview("Mouse", "Manual", "All mice", COLUMNS, rows, **more))


def test_the_caption_has_the_colour_of_the_tier():
    page = page_of()
    assert 'class="dj-caption dj-tier-manual"' in page
    assert ">Mouse<" in page
    assert ">All mice<" in page


def test_key_attributes_head_their_rows_and_tell_type_and_comment():
    page = page_of((1, 20.5, "x"))
    assert '<th title="int32 · primary key · ear tag" scope="col"' in re.sub(
        r' class="[^"]*"', "", page
    )
    assert re.search(r'<th class="[^"]*" scope="row">1</th>', page)


def test_null_looks_different_from_the_empty_text():
    page = page_of((1, None, ""), (2, None, None))
    assert '<td class="dj-null">NULL</td>' in page
    assert "<td>&#x27;&#x27;</td>" in page


def test_numbers_are_right_aligned_and_exact_on_hover():
    assert '<td class="dj-number" title="0.6666666666666666">0.666667</td>' in page_of(
        (1, 2 / 3, "")
    )


def test_long_text_is_cut_and_told_on_hover():
    page = page_of((1, 1.0, "y" * 5000))
    assert f'title="{"y" * 999}…">{"y" * 59}…</td>' in page


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, "1 row"),
        ({"total": 1}, "1 row"),
        ({"more": True}, "the first 1 row, there are more"),
        ({"more": True, "total": 1204}, "the first 1 of 1,204 rows"),
        ({"more": True, "total": 10000, "bounded": True}, "the first 1 of more than 10,000 rows"),
    ],
)
def test_the_total_is_told(more, told):
    assert f">{told}</div>" in page_of((1, 1.0, ""), **more)


def test_an_empty_query_says_so():
    assert ">no rows</td>" in page_of(total=0)


SESSION = Card(
    "lab",
    "Session",
    "Manual",
    "A day's work",
    (
        CardAttribute("mouse", "int32", True, comment="ear tag", parent="Mouse"),
        CardAttribute("session", "int16", True),
        CardAttribute("notes", "varchar(99)", False, default="''"),
        CardAttribute("rig_id", "int32", False, nullable=True, parent="ref.Rig"),
    ),
    (
        CardLink("Mouse", "Manual", True),
        CardLink("ref.Rig", "Lookup", False, (("rig_id", "id"),), nullable=True),
    ),
    (CardLink("Session.Trial", "Part", True),),
    ("unique index (notes)",),
    12,
    note="Declared in `lab`.",
)


def test_a_card_as_text():
    assert card_text(SESSION).splitlines() == [
        "lab.Session : Manual, 12 rows",
        "# A day's work",
        "* mouse    int32             -> Mouse    # ear tag",
        "* session  int16",
        "  notes    varchar(99) = ''",
        "  rig_id   int32 = null      -> ref.Rig",
        "-> Mouse (in the key)",
        "-> ref.Rig (secondary, nullable, rig_id = id)",
        "<- Session.Trial (in the key)",
        "unique index (notes)",
        "Declared in `lab`.",
    ]


def test_a_card_links_to_the_cards_of_its_parents():
    elements = Elements(card_html(SESSION))
    assert elements.values("id") == ["dj-table-lab.Session"]
    assert set(elements.values("href")) == {"#dj-table-lab.Mouse", "#dj-table-ref.Rig"}
    for word in ("mouse", "int16", "ear tag", "12 rows", "rig_id = id", "unique index (notes)"):
        assert word in elements.text


def test_the_key_ends_with_a_line():
    rows = re.findall(r"<tr>.*?</tr>", card_html(SESSION))
    assert ["dj-last" in row for row in rows] == [False, False, True, False, False]


def test_the_neighbourhood_is_well_formed_and_tells_lines_apart():
    svg = neighbourhood_svg(SESSION, PALETTES["light"])
    ElementTree.fromstring(svg)
    assert svg.count("<rect") == 4
    assert f'stroke="{PALETTES["light"].renamed}" stroke-width="1.2" stroke-dasharray="4 3"' in svg


def test_the_neighbourhood_is_an_image_in_two_shades():
    html = neighbourhood(SESSION)
    assert html.count('alt="Session; parents: Mouse, ref.Rig; children: Session.Trial"') == 2
    assert html.count("data:image/svg+xml,") == 2
    assert html.count(" hidden=") == 1


def test_many_neighbours_are_counted():
    links = tuple(CardLink(f"Child{place}", "Computed", True) for place in range(9))
    svg = neighbourhood_svg(Card("lab", "Mouse", "Manual", "", (), (), links), PALETTES["dark"])
    assert ">+3 more</text>" in svg
    assert ">Child5</text>" in svg
    assert ">Child6</text>" not in svg


DIFFERENCE = Difference(
    "lab",
    "Scan",
    "Imported",
    (
        Change("same", "mouse", "int32", "int32"),
        Change("changed", "depth", "int16", "float32"),
        Change("added", "notes", "", "varchar(80)"),
        Change("removed", "rig", "char(3)", ""),
    ),
    ("`--alter` keeps the rows.",),
)


def test_a_difference_as_text():
    assert difference_text(DIFFERENCE).splitlines() == [
        "lab.Scan : Imported differs from the database",
        "  attribute  database  cell",
        "  mouse      int32     int32",
        "~ depth      int16     float32",
        "+ notes                varchar(80)",
        "- rig        char(3)",
        "`--alter` keeps the rows.",
    ]


def test_a_difference_has_signs_beside_its_colours():
    page = difference_html(DIFFERENCE)
    assert re.findall(r'<tr class="dj-(\w+)"><td class="dj-sign" title="\w+">(.)<', page) == [
        ("same", " "),
        ("changed", "~"),
        ("added", "+"),
        ("removed", "-"),
    ]
    assert "<del>char(3)</del>" in page
    assert "<code>--alter</code> keeps the rows." in page


@pytest.mark.parametrize(
    ("line", "piece"),
    [
        ("mouse : int32  # ear tag", '<span class="dj-remark"># ear tag</span>'),
        ("kind = 'a#b:c' : char(5)", '<span class="dj-text">= &#x27;a#b:c&#x27; </span>'),
        ("-> [nullable] lab.Mouse", '<span class="dj-ref">lab.Mouse</span>'),
        ("-> Mouse.proj(m='mouse')", '<span class="dj-ref">Mouse</span>'),
        ("unique index (a, b)", '<span class="dj-word">unique index</span>'),
        ("-----", '<span class="dj-sep">-----</span>'),
        ("trace : <blob@raw>", '<span class="dj-type"> &lt;blob@raw&gt;</span>'),
    ],
)
def test_a_definition_is_coloured_and_keeps_its_text(line, piece):
    page = definition_html(line)
    assert piece in page
    assert Elements(page).text == f"copy{line}"


@pytest.mark.parametrize(
    "line", ["a = " + "''" * 5000, "'" * 10000, '"' * 9999 + "#", "->[" * 3000]
)
def test_colouring_takes_no_time_on_any_text(line):
    assert Elements(definition_html(line)).text == f"copy{line}"


def test_an_error_keeps_its_caret_under_the_token_and_its_advice_below():
    error = DefinitionError("unknown type 'x'", 5, 5, "a : x\t# b", 1, "Did you mean `int8`?")
    page = error_html("DefinitionError", str(error))
    assert '<pre class="dj-code">    5 | a : x\t# b\n      |     <span class="dj-error">^' in page
    assert "<div>Did you mean <code>int8</code>?</div>" in page


def test_bars_tell_their_numbers_without_colours():
    elements = Elements(progress_html([TableRow("Scan", "Imported", done=3, total=4, errors=1)]))
    assert "Scan" in elements.text
    assert "3 of 4, 1 error" in elements.text
    assert elements.values("aria-valuenow") == ["3"]
    assert elements.values("style") == ["width:75%", "width:25%"]


def test_a_schema_without_automatic_tables_has_no_progress_bars():
    assert "progress" not in Elements(tables_html([TableRow("Mouse", "Manual", 1)])).text
