"""Plain data as aligned text."""

import datetime
import decimal
import uuid

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from djupyter.render.characters import LIMIT, cut, pad, text_width, visible
from djupyter.render.listing import TableRow, progress_text, tables_text
from djupyter.render.preview import Preview, PreviewColumn, Summary
from djupyter.render.source import error_text
from djupyter.render.text import preview_text
from djupyter.render.values import shown

MOUSE = PreviewColumn("mouse", "int32", in_key=True)
NAME = PreviewColumn("name", "varchar(20)")


def preview(*rows: tuple[object, ...], **more: object) -> Preview:
    return Preview("Mouse", "Manual", "", (MOUSE, NAME), rows, **more)


def test_a_preview_stars_the_key_and_tells_null_from_text():
    rows = [(1, "Ada"), (20, ""), (3, None), (4, "NULL"), (5, "None"), (6, " x")]
    assert preview_text(preview(*rows, more=True, total=1204)).splitlines() == [
        "*mouse   name",
        "+------+ +------+",
        "       1 Ada",
        "      20 ''",
        "       3 NULL",
        "       4 'NULL'",
        "       5 'None'",
        "       6 ' x'",
        "   ...",
        " (Total: 1204)",
    ]


def test_a_bounded_total_says_so():
    assert preview_text(preview((1, "a"), total=100, bounded=True)).endswith(
        "\n (Total: more than 100)"
    )


def test_an_empty_preview_keeps_its_head():
    assert preview_text(preview(total=0)) == "*mouse   name\n+------+ +----+\n (Total: 0)"


def test_wide_characters_keep_the_columns_aligned():
    lines = preview_text(preview((1, "日本"), (2, "e\u0301tude"))).splitlines()
    assert lines[2:] == ["       1 日本", "       2 e\u0301tude"]
    two = Preview("", None, "", (NAME, MOUSE), (("日本", 1), ("ab", 2)))
    assert [text_width(line) for line in preview_text(two).splitlines()[2:]] == [15, 15]


def test_values_are_cut_to_the_width_and_names_are_not():
    long = PreviewColumn("a_rather_long_name", "varchar(100)")
    text = preview_text(Preview("", None, "", (long,), (("x" * 50,),)), width=6)
    assert text.splitlines() == ["a_rather_long_name", "+------------------+", "xxxxx…"]


def test_control_and_bidirectional_characters_show_as_escapes():
    assert shown("a\nb\tc\x1b[31m\u202egnp\u2066\ufeff").text == (
        "a\\nb\\tc\\x1b[31m\\u202egnp\\u2066\\ufeff"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "True"),
        (np.True_, "True"),
        (np.int8(-3), "-3"),
        (2**63, "9223372036854775808"),
        (1 << 5000, "int 5001 bits"),
        (0.1 + 0.2, "0.3"),
        (1234567.0, "1234567.0"),
        (12345678.912, "1.23457e+07"),
        (100000.0, "100000.0"),
        (-0.0, "-0.0"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (np.float32(0.1), "0.1"),
        (np.longdouble(2), "2.0"),
        (decimal.Decimal("1.50"), "1.50"),
        (datetime.date(2024, 5, 1), "2024-05-01"),
        (datetime.datetime(2024, 5, 1, 9, 30), "2024-05-01 09:30:00"),
        (pd.Timestamp("2024-05-01 09:30"), "2024-05-01 09:30:00"),
        (pd.NaT, "NaT"),
        (np.datetime64("2024-05-01T09:30"), "2024-05-01T09:30"),
        (datetime.timedelta(hours=1), "1:00:00"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (b"abc", "3 bytes"),
        (b"a", "1 byte"),
        (Summary("float64 (1000, 3)"), "float64 (1000, 3)"),
        ({"a": [1, None]}, "{'a': [1, None]}"),
    ],
)
def test_each_kind_of_value_reads_well(value, text):
    assert shown(value).text == text


def test_a_value_whose_repr_fails_is_shown_all_the_same():
    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError

    assert "Broken" in shown(Broken()).text


@given(st.text())
def test_shown_text_is_one_line_that_can_be_written(text):
    result = visible(text)
    assert len(result.splitlines()) <= 1
    assert len(result) <= LIMIT
    result.encode()


@given(st.text(), st.integers(1, 30))
def test_cut_text_fits_and_padded_text_fills(text, places):
    short = cut(visible(text), places)
    assert text_width(short) <= places
    assert text_width(pad(short, places)) == places


def test_text_of_any_size_takes_bounded_room():
    assert len(preview_text(preview((1, "x" * 10**6), (2, "\u0301" * 10**6)))) < 500


def test_tables_are_listed_with_their_progress():
    rows = [
        TableRow("Mouse", "Manual", 12, columns=3, comment="Mice"),
        TableRow("Scan", "Imported", 10000, True, 9, "", 5, 10, 2),
    ]
    assert tables_text(rows).splitlines() == [
        "table  tier         rows  attributes  progress                      comment",
        "Mouse  Manual         12           3                                Mice",
        "Scan   Imported  >10,000           9  █████▒▒░░░ 5 of 10, 2 errors",
    ]


@pytest.mark.parametrize(
    ("numbers", "bar"),
    [
        ((0, 0, 0), "░░░░ 0 of 0"),
        ((999, 1, 1000), "███░ 999 of 1,000, 1 error"),
        ((4, 0, 4), "████ 4 of 4"),
    ],
)
def test_a_bar_is_full_only_when_all_is_done(numbers, bar):
    assert progress_text(*numbers, places=4) == bar


def test_an_error_keeps_its_lines_and_shows_every_character():
    assert error_text("bad\n\t^\x1b", "E") == "E: bad\n\t^\\x1b"
