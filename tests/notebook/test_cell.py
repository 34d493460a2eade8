"""A `%%dj_table` cell is taken apart without a database."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from djupyter.errors import DefinitionError
from djupyter.notebook.cell import Block, parse_cell


def failure(header: str, body: str = "a : int32") -> str:
    with pytest.raises(DefinitionError) as caught:
        parse_cell(header, body)
    return str(caught.value)


@pytest.mark.parametrize(
    ("header", "schema", "name", "part", "tier"),
    [
        ("Session : Manual", None, "Session", None, "Manual"),
        ("Session:manual", None, "Session", None, "Manual"),
        ("  lab.Session :COMPUTED", "lab", "Session", None, "Computed"),
        ("Session.Trial", None, "Session", "Trial", "Part"),
        ("Session.Trial : part", None, "Session", "Trial", "Part"),
        ("lab.Session.Trial", "lab", "Session", "Trial", "Part"),
    ],
)
def test_the_header_names_schema_table_part_and_tier(header, schema, name, part, tier):
    parsed = parse_cell(header, "a : int32").header
    assert (parsed.schema, parsed.name, parsed.part, parsed.tier) == (schema, name, part, tier)


def test_a_part_has_its_own_name_and_the_one_of_its_master():
    header = parse_cell("Session.Trial", "trial : int16").header
    assert (header.class_name, header.full_name) == ("Trial", "Session.Trial")


def test_options_may_stand_anywhere_after_the_name():
    header = parse_cell("Session --alter : Manual --replace", "a : int32").header
    assert (header.alter, header.replace) == (True, True)
    assert not parse_cell("Session : Manual", "a : int32").header.alter


def test_an_unknown_tier_is_pointed_at_with_the_nearest_one():
    assert failure("Session : Manuel") == (
        "unknown tier 'Manuel' (line 1, column 22)\n"
        "    1 | %%dj_table Session : Manuel\n"
        "      |                      ^^^^^^\n"
        "    Did you mean `Manual`? "
        "Write `Name : Tier` with one of Manual, Lookup, Imported, Computed."
    )


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("", "a name is missing"),
        (": Manual", "a name is missing"),
        ("Session", "For example `Session : Manual`."),
        ("Session :", "a tier is missing after ':'"),
        ("my_session : Manual", "Write `MySession`."),
        ("lab.session : Manual", "Write `Session`."),
        ("2Photon : Manual", "'2Photon' cannot name a table"),
        ("la-b.Session : Manual", "'la-b' cannot name a schema"),
        ("A.B.C", "has too many names"),
        ("Session.Trial : Manual", "a part has no tier 'Manual'"),
        ("Trial : Part", "a part needs its master"),
        ("Session : Manual # note", "unexpected text after the tier"),
        ("Session : Manual --altar", "Did you mean `--alter`?"),
    ],
)
def test_a_wrong_header_is_explained(header, told):
    message = failure(header)
    assert told in message
    assert "(line 1, column " in message


def test_definition_contents_and_body_know_their_lines():
    cell = parse_cell(
        "Kind : Lookup",
        "# Kinds\nkind : char(4)\n===\nslow\nfast\n\ndef f(self):\n    return 1\n",
    )
    assert cell.definition == Block("# Kinds\nkind : char(4)", 2)
    assert cell.contents == Block("slow\nfast\n", 5)
    assert cell.body == Block("def f(self):\n    return 1\n", 8)


def test_a_cell_of_a_definition_only_has_neither_contents_nor_body():
    cell = parse_cell("Mouse : Manual", "mouse : int32\n")
    assert not cell.contents
    assert not cell.body


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_all_line_ends_count_the_same(ends):
    cell = parse_cell("A : Imported", ends.join(["a : int32", "---", "def make(self, key):", " 1"]))
    assert (cell.definition.text, cell.body.line) == ("a : int32\n---", 4)


@pytest.mark.parametrize(
    "line",
    [
        "def make(self, key):",
        "async def make(self, key):",
        "class Trial(dj.Part):",
        "@property",
        "import numpy as np",
        "from scipy import stats",
        "from . import x",
    ],
)
def test_the_first_line_of_python_begins_the_class_body(line):
    assert parse_cell("A : Computed", f"a : int32\n{line}\n").body.line == 3


@pytest.mark.parametrize("name", ["class", "def", "import", "from", "async", "classes"])
def test_an_attribute_may_be_named_like_a_word_of_python(name):
    cell = parse_cell("A : Manual", f"a : int32\n{name} : int32\n{name}= null : int32")
    assert not cell.body


@pytest.mark.parametrize("row", ["import tax, 5", "from A to B, 3", "class I, 2", "@home, 2"])
def test_a_row_of_contents_may_begin_like_python(row):
    cell = parse_cell("A : Lookup", f"a : char(9)\n---\nb : int32\n===\n{row}\nimport numpy\n")
    assert cell.contents.text == row
    assert cell.body.text.startswith("import numpy")


def test_a_line_of_equal_signs_inside_a_method_is_python():
    body = "a : int32\ndef f(self):\n    return '''\n===\n'''"
    assert parse_cell("A : Computed", body).body.line == 3


def test_only_a_lookup_has_contents():
    message = failure("Mouse : Manual", "mouse : int32\n===\n1\n")
    assert message.startswith("a Manual table has no contents (line 3, column 1)")
    assert "Mouse : Lookup" in message


@pytest.mark.parametrize(
    "reference",
    [
        "-> master",
        "  -> Session",
        "-> [unique] Session  # why",
        "-> lab.Session",
        "-> Session.proj()",
    ],
)
def test_a_part_that_refers_to_its_master_stays_as_it_is(reference):
    text = f"# Trials\n{reference}\ntrial : int16"
    assert parse_cell("Session.Trial", text).definition.text == text


@pytest.mark.parametrize("other", ["-> Sessions", "-> Session.Block", "# -> master", "a : int32"])
def test_a_part_that_does_not_refer_to_its_master_gets_the_reference(other):
    text = parse_cell("Session.Trial", f"\n# Trials\n{other}").definition.text
    assert text == f"\n# Trials\n-> master\n{other}"


def test_errors_are_placed_in_the_cell_also_behind_an_added_reference():
    cell = parse_cell("Session.Trial", "# Trials\ntrial : int61\n")
    error = DefinitionError("unknown type", 3, 9, "trial : int61", 5)
    assert str(cell.place(error)).splitlines()[:2] == [
        "unknown type (line 3, column 9)",
        "    3 | trial : int61",
    ]


def test_an_error_of_the_added_reference_points_at_the_name_of_the_part():
    cell = parse_cell("lab.Session.Trial", "trial : int16\n")
    placed = cell.place(DefinitionError("the master is not declared", 1, 4, "-> master", 6))
    assert (placed.line, placed.column, placed.width) == (1, 16, len("Session.Trial"))


def test_an_error_without_a_place_stays_without():
    error = DefinitionError("nothing to declare")
    assert parse_cell("A : Manual", "").place(error) is error


@given(st.text(max_size=40), st.text(max_size=200))
def test_any_cell_is_read_or_explained(header, body):
    with suppress(DefinitionError):
        assert parse_cell(header, body).header.name
