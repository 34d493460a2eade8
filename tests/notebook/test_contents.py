"""The rows of a Lookup are read by rules, not by guesses."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from djupyter.errors import DefinitionError
from djupyter.notebook.contents import parse_contents

NAMES = ["kind", "speed", "notes"]


def failure(text: str, names=(), line=1) -> str:
    with pytest.raises(DefinitionError) as caught:
        parse_contents(text, names, line)
    return str(caught.value)


def test_a_header_gives_the_order_and_may_leave_attributes_out():
    assert parse_contents("speed,kind\n1.5,slow\n", NAMES) == [{"speed": "1.5", "kind": "slow"}]


def test_without_a_header_values_are_in_the_order_of_the_attributes():
    assert parse_contents("slow,1.5,x", NAMES) == [{"kind": "slow", "speed": "1.5", "notes": "x"}]


def test_without_names_rows_are_tuples():
    assert parse_contents("slow,1.5\n\nfast,\n") == [("slow", "1.5"), ("fast", None)]


def test_an_empty_value_says_nothing_and_null_says_null():
    assert parse_contents('a,,""\nb,NULL,"NULL"', NAMES) == [
        {"kind": "a", "notes": ""},
        {"kind": "b", "speed": None, "notes": "NULL"},
    ]


def test_a_tab_in_the_first_line_makes_it_tsv():
    assert parse_contents("a, b\t1\nc\t2") == [("a, b", "1"), ("c", "2")]


def test_quoted_values_hold_separators_quotes_line_ends_and_blanks():
    assert parse_contents('"a,""b""", " x\ny " ,z') == [('a,"b"', " x\ny ", "z")]


def test_a_quote_inside_a_bare_value_is_an_ordinary_character():
    assert parse_contents('5" pipe, 2') == [('5" pipe', "2")]


def test_a_row_of_another_length_is_pointed_at():
    assert failure("kind,speed\nslow,1,5\n", NAMES, line=5).startswith(
        "3 values for 2 attributes (line 6, column 1)\n    6 | slow,1,5"
    )


def test_a_quote_that_does_not_end_is_pointed_at():
    assert failure('a,1\nb, "open\n', line=10).startswith(
        "a quoted value does not end where it should (line 11, column 4)\n"
        '   11 | b, "open\n'
        "      |    ^\n"
    )


@pytest.mark.parametrize("text", ["", "\n\n", "[]", "()"])
def test_no_rows_are_an_empty_list(text):
    assert parse_contents(text, NAMES) == []


def test_a_python_list_holds_dicts_sequences_and_single_values():
    text = "\n[\n  {'kind': 'a', 'speed': 1.5},\n  ['b', None],\n  'c',\n]\n"
    assert parse_contents(text) == [{"kind": "a", "speed": 1.5}, ("b", None), ("c",)]


def test_one_dict_is_one_row():
    assert parse_contents("{'kind': 'a'}") == [{"kind": "a"}]


@pytest.mark.parametrize("row", ["open('x')", "{1, 2}", "{1: 2}", "a"])
def test_a_row_that_is_no_plain_value_is_pointed_at(row):
    message = failure(f"[\n  ('a', 1),\n  {row},\n]", line=4)
    assert message.startswith("a row is not made of plain values (line 6, column 3)\n    6 | ")


def test_wrong_python_is_pointed_at():
    assert "(line 8, column " in failure("[('a', 1),\n ('b' 2)]", line=7)


@given(
    st.lists(
        st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r")), min_size=2),
        min_size=1,
    )
)
def test_what_the_csv_module_quotes_is_read_back(rows):
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    text = buffer.getvalue()
    if "\t" not in text:
        assert parse_contents(text) == [tuple(row) for row in rows]
