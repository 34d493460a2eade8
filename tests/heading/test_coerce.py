"""What users give, and the canonical value each attribute makes of it."""

import contextlib
import datetime
import enum
import json
import math
import re
import subprocess
import sys
import uuid
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from djupyter.definition.model import TypeSpec
from djupyter.definition.types import parse_type
from djupyter.errors import InvalidValueError
from djupyter.heading.attribute import Attribute
from djupyter.heading.coerce import coerce_column, coercer

UID = uuid.UUID("12345678-1234-5678-1234-567812345678")
DAY = datetime.date(2024, 2, 29)
NOON = datetime.datetime(2024, 2, 29, 12, 0, 0)
EXACT = datetime.datetime(2024, 2, 29, 13, 5, 9, 123456)
PLUS_TWO = datetime.timezone(datetime.timedelta(hours=2))


class Side(str, enum.Enum):  # noqa: UP042 - StrEnum would not show the trap
    LEFT = "left"


class Level(enum.IntEnum):
    HIGH = 3


def attribute(text, nullable=False):
    return Attribute("it", parse_type(text), nullable=nullable)


def coerce(text, value, nullable=False, **options):
    return coercer(attribute(text, nullable), **options)(value)


ACCEPTED = [
    ("int8", 7, 7),
    ("int8", True, 1),
    ("int8", np.bool_(True), 1),
    ("int8", np.int64(-128), -128),
    ("int8", Level.HIGH, 3),
    ("int8", 7.0, 7),
    ("int8", np.float32(7), 7),
    ("int8", Decimal("7.00"), 7),
    ("int8", " 7 ", 7),
    ("int8", "+7.0", 7),
    ("int8", np.array(7), 7),
    ("int64", 2**63 - 1, 2**63 - 1),
    ("int64", "-9223372036854775808", -(2**63)),
    ("float64", 1, 1.0),
    ("float64", "1.5e3", 1500.0),
    ("float64", np.float32(0.5), 0.5),
    ("float64", Decimal("0.1"), 0.1),
    ("float64", math.inf, math.inf),
    ("float64", "-inf", -math.inf),
    ("float32", 0.1, float(np.float32(0.1))),
    ("float32", math.inf, math.inf),
    ("decimal(6,2)", "2.345", Decimal("2.35")),
    ("decimal(6,2)", 2.345, Decimal("2.35")),
    ("decimal(6,2)", np.float32(2.345), Decimal("2.35")),
    ("decimal(6,2)", -2.345, Decimal("-2.35")),
    ("decimal(6,2)", 9999, Decimal("9999.00")),
    ("decimal(6,2)", True, Decimal("1.00")),
    ("decimal(6,2)", "-0.001", Decimal("0.00")),
    (
        "decimal(30,10)",
        Decimal("12345678901234567890.5"),
        Decimal("12345678901234567890.5000000000"),
    ),
    ("bool", True, True),
    ("bool", 0, False),
    ("bool", np.True_, True),
    ("bool", np.int8(1), True),
    ("bool", "true", True),
    ("bool", "False", False),
    ("bool", "0", False),
    ("varchar(10)", "text", "text"),
    ("varchar(10)", np.str_("text"), "text"),
    ("varchar(10)", "  é😀 ", "  é😀 "),
    ("varchar(10)", 5, "5"),
    ("varchar(10)", Level.HIGH, "3"),
    ("varchar(10)", Side.LEFT, "left"),
    ("varchar(10)", np.float64(1.5), "1.5"),
    ("varchar(10)", Decimal("1.50"), "1.50"),
    ("varchar(10)", DAY, "2024-02-29"),
    ("varchar(36)", UID, str(UID)),
    ("varchar(1)", "", ""),
    ("char(3)", "ab   ", "ab"),
    ("char(3)", " ab", " ab"),
    ("enum('left','right')", "left", "left"),
    ("enum('left','right')", Side.LEFT, "left"),
    ("enum('left','right')", np.str_("right"), "right"),
    ("date", DAY, DAY),
    ("date", datetime.datetime(2024, 2, 29), DAY),
    ("date", pd.Timestamp("2024-02-29"), DAY),
    ("date", np.datetime64("2024-02-29"), DAY),
    ("date", np.datetime64("2024-02-29", "ns"), DAY),
    ("date", "2024-02-29", DAY),
    ("date", "2024-02-29 00:00:00", DAY),
    ("datetime", EXACT, EXACT.replace(microsecond=0)),
    ("datetime(3)", EXACT, EXACT.replace(microsecond=123000)),
    ("datetime(6)", EXACT, EXACT),
    ("datetime", DAY, datetime.datetime(2024, 2, 29)),
    ("datetime(6)", pd.Timestamp(EXACT), EXACT),
    ("datetime(6)", np.datetime64(EXACT, "ns"), EXACT),
    ("datetime", "2024-02-29T12:00:00", NOON),
    ("datetime", "2024-02-29 12:00", NOON),
    ("datetime", "2024-02-29T14:00:00+02:00", NOON),
    ("datetime", "2024-02-29T12:00:00Z", NOON),
    ("datetime", NOON.replace(hour=14, tzinfo=PLUS_TWO), NOON),
    ("datetime", pd.Timestamp(NOON, tz="UTC"), NOON),
    ("uuid", UID, UID),
    ("uuid", str(UID), UID),
    ("uuid", UID.hex, UID),
    ("uuid", UID.bytes, UID),
    ("json", {"é": [1, None, True]}, '{"é": [1, null, true]}'),
    ("json", "text", '"text"'),
    ("json", {"b": 1, "a": 2}, '{"b": 1, "a": 2}'),
    (
        "json",
        {"n": np.int64(1), "f": np.float32(0.5), "b": np.True_},
        '{"n": 1, "f": 0.5, "b": true}',
    ),
    ("json", np.arange(4).reshape(2, 2), "[[0, 1], [2, 3]]"),
    ("bytes", b"\0\xff", b"\0\xff"),
    ("bytes", bytearray(b"ab"), b"ab"),
    ("bytes", memoryview(b"ab"), b"ab"),
    ("tinyint unsigned", 255, 255),
    ("mediumint", 8388607, 8388607),
    ("int auto_increment", 5, 5),
    ("serial", 5, 5),
    ("year", "2024", 2024),
    ("float", 0.1, 0.1),
    ("double precision", "0.1", 0.1),
    ("numeric(6,2)", 1, Decimal("1.00")),
    ("numeric(6)", 1.5, Decimal("2")),
    ("numeric", "1.2345", Decimal("1.2345")),
    ("boolean", 1, True),
    ("longtext", "x" * 100_000, "x" * 100_000),
    ("character(3)", "ab ", "ab"),
    ("character varying(3)", "ab ", "ab "),
    ("longblob", b"ab", b"ab"),
    ("varbinary(2)", b"ab", b"ab"),
    ("timestamp(3)", EXACT, EXACT.replace(microsecond=123000)),
    ("timestamp with time zone", NOON, NOON),
    ("time", datetime.time(1, 2, 3), "01:02:03"),
    ("time", datetime.time(1, 2, 3, 500000), "01:02:03.5"),
    ("time(1)", datetime.time(1, 2, 3, 123456), "01:02:03.1"),
    ("time", datetime.timedelta(hours=30), "30:00:00"),
    ("time", -datetime.timedelta(minutes=90), "-01:30:00"),
    ("time", np.timedelta64(90, "s"), "00:01:30"),
    ("time", "7:05", "07:05:00"),
    ("time", "-01:02:03.250", "-01:02:03.25"),
]

REFUSED = [
    ("int8", 128, "from -128 to 127"),
    ("int8", 1.5, "nothing is rounded"),
    ("int8", "1.5", "a whole number"),
    ("int8", "", "a whole number"),
    ("int8", "one", "a whole number"),
    ("int8", "9" * 5000, "a whole number"),
    ("int8", math.inf, "a whole number"),
    ("int8", Decimal("1E+999999"), "a whole number"),
    ("int8", 1j, "a whole number"),
    ("int8", [1], "a whole number"),
    ("int8", DAY, "a whole number"),
    ("int8", np.array([1, 2]), "a whole number"),
    ("float64", "abc", "a number"),
    ("float64", "1_0", "a number"),
    ("float64", 10**400, "a number"),
    ("float64", [1.0], "a number"),
    ("float32", 1e39, "use float64"),
    ("decimal(6,2)", 10000, "at most 4 digits before the point and 2 after"),
    ("decimal(6,2)", "9999.995", "at most 4 digits before"),
    ("decimal(6,2)", "abc", "a decimal number"),
    ("decimal(6,2)", "1_0", "a decimal number"),
    ("decimal(6,2)", math.inf, "a decimal number"),
    ("decimal(6,2)", [1], "a decimal number"),
    ("decimal(6,2)", Decimal("sNaN"), "a decimal number|nullable"),
    ("bool", 2, "True or False"),
    ("bool", "yes", "True or False"),
    ("bool", [], "True or False"),
    ("varchar(3)", "four", "at most 3 characters. It has 4 characters"),
    ("varchar(3)", b"ab", "text of at most 3"),
    ("varchar(3)", ["a"], "text of at most 3"),
    ("varchar(3)", True, "text of at most 3"),
    ("varchar(3)", "\ud800", "surrogate"),
    ("char(3)", "four", "It has 4 characters"),
    ("enum('left','right')", "Left", "Did you mean `left`"),
    ("enum('left','right')", "", "one of 'left', 'right'"),
    ("enum('left','right')", 1, "one of 'left', 'right'"),
    ("date", NOON, "It has a time of day"),
    ("date", "2024-02-30", "a date such as"),
    ("date", "0000-00-00", "a date such as"),
    ("date", 20240229, "a date such as"),
    ("date", np.datetime64("20000-01-01"), "a date such as"),
    ("datetime", "yesterday", "a date and time such as"),
    ("datetime", 1.7e9, "a date and time such as"),
    ("datetime", datetime.datetime.min.replace(tzinfo=PLUS_TWO), "a date and time"),
    ("uuid", "1234", "badly formed UUID value"),
    ("uuid", b"1234", "badly formed UUID value"),
    ("uuid", 5, "badly formed UUID value"),
    ("json", {1, 2}, "set has no form in JSON"),
    ("json", [math.nan], "cannot be written as JSON"),
    ("json", {"t": EXACT}, "datetime has no form in JSON"),
    ("json", np.array(["2024-01-01"], dtype="M8[ns]"), "ndarray has no form in JSON"),
    ("json", {(1, 2): 3}, "cannot be written as JSON"),
    ("json", "\ud800", "surrogate"),
    ("bytes", "text", "<blob>"),
    ("bytes", np.zeros(2), "<blob>"),
    ("binary(2)", b"abc", "It has 3 bytes"),
    ("tinyint unsigned", -1, "from 0 to 255"),
    ("double unsigned", -1, "negative"),
    ("decimal unsigned", "abc", "a decimal number"),
    ("numeric", "inf", "not finite"),
    ("dec(4,1) unsigned", -1, "negative"),
    ("year", 1900, "from 1901 to 2155"),
    ("time", "25", "a time such as"),
    ("time", "839:00:00", "out of range"),
    ("time", datetime.time(1, tzinfo=PLUS_TWO), "time zone"),
    ("time", 3600, "a time such as"),
]

EVERY_TYPE = [
    *("int32", "float64", "float32", "decimal(6,2)", "bool", "varchar(5)", "char(5)", "date"),
    *("datetime", "uuid", "json", "bytes", "enum('a')", "time", "int unsigned"),
]
GAPS = [math.nan, np.float32("nan"), Decimal("nan"), pd.NaT, np.datetime64("NaT"), np.array(np.nan)]


@pytest.mark.parametrize(("text", "value", "expected"), ACCEPTED)
def test_a_value_that_fits_becomes_canonical(text, value, expected):
    result = coerce(text, value)
    assert result == expected
    assert type(result) is type(expected)
    if isinstance(expected, Decimal):
        assert str(result) == str(expected)


@pytest.mark.parametrize(("text", "value", "problem"), REFUSED)
def test_a_value_that_does_not_fit_is_explained(text, value, problem):
    with pytest.raises(InvalidValueError, match=problem) as caught:
        coerce(text, value)
    assert str(caught.value).startswith(f"Attribute `it` : {parse_type(text).text} cannot hold ")


def test_the_message_shows_at_most_80_characters_of_the_value():
    with pytest.raises(InvalidValueError) as caught:
        coerce("int8", "x" * 10_000)
    assert len(str(caught.value)) < 250
    assert "xxx..." in str(caught.value)


def test_a_value_whose_repr_fails_is_still_refused_clearly():
    class Broken:
        def __repr__(self):
            raise RuntimeError

    with pytest.raises(InvalidValueError, match="cannot hold <Broken instance"):
        coerce("int8", Broken())


@pytest.mark.parametrize("text", EVERY_TYPE)
@pytest.mark.parametrize("nullable", [True, False])
def test_none_and_pandas_na_are_null_for_every_type(text, nullable):
    assert coerce(text, None, nullable) is None
    assert coerce(text, pd.NA, nullable) is None


@pytest.mark.parametrize("text", EVERY_TYPE)
@pytest.mark.parametrize("gap", GAPS, ids=repr)
def test_a_gap_is_null_where_allowed_and_refused_elsewhere(text, gap):
    assert coerce(text, gap, nullable=True) is None
    with pytest.raises(InvalidValueError, match="declared `= null`"):
        coerce(text, gap)


@pytest.mark.parametrize("text", ["float64", "float32", "decimal(6,2)"])
def test_the_text_nan_is_a_gap_too(text):
    assert coerce(text, "nan", nullable=True) is None
    with pytest.raises(InvalidValueError, match="declared `= null`"):
        coerce(text, "nan")


@pytest.mark.parametrize("text", [t for t in EVERY_TYPE if "char" not in t and t != "json"])
def test_empty_text_is_null_only_when_asked_for_and_allowed(text):
    assert coerce(text, "", nullable=True, empty_is_null=True) is None
    with pytest.raises(InvalidValueError, match="declared `= null`"):
        coerce(text, "", empty_is_null=True)
    with pytest.raises(InvalidValueError):
        coerce(text, "", nullable=True)


@pytest.mark.parametrize("text", ["varchar(5)", "char(5)", "enum('','a')"])
def test_empty_text_stays_a_value_of_types_that_have_it(text):
    assert coerce(text, "", nullable=True, empty_is_null=True) == ""


def test_values_of_codecs_pass_untouched():
    value = np.float64("nan")
    assert coerce("<blob>", value) is value


@pytest.mark.parametrize("unknown", [None, TypeSpec("interval", "native", "interval")])
def test_types_unknown_here_get_python_values(unknown):
    convert = coercer(Attribute("it", unknown, nullable=True))
    assert type(convert(np.int64(3))) is int
    assert convert(np.datetime64("2024-02-29", "ns")) == datetime.datetime(2024, 2, 29)
    assert convert("as it is") == "as it is"
    assert convert(pd.NA) is None


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_int64_is_itself_in_all_its_forms(number):
    for form in (number, str(number), np.int64(number), Decimal(number)):
        assert coerce("int64", form) == number


@given(st.floats(allow_nan=False))
def test_every_float_is_itself_in_all_its_forms(number):
    for form in (number, str(number), np.float64(number)):
        assert coerce("float64", form) == number


@given(st.datetimes())
def test_every_datetime_is_itself_in_all_its_forms(moment):
    for form in (moment, moment.isoformat(), str(moment), np.datetime64(moment, "us")):
        assert coerce("datetime(6)", form) == moment


@pytest.mark.parametrize(("text", "value", "expected"), ACCEPTED)
def test_canonical_values_are_their_own_canonical_value(text, value, expected):
    if text != "json":
        assert coerce(text, coerce(text, value)) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda below: st.lists(below) | st.dictionaries(st.text("abé"), below),
    max_leaves=8,
)


@given(JSON.filter(lambda document: document is not None))
def test_json_documents_come_back(document):
    assert json.loads(coerce("json", document)) == document


ANYTHING = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.decimals()
    | st.dates()
    | st.times()
    | st.datetimes(timezones=st.none() | st.timezones())
    | st.timedeltas()
    | st.uuids()
    | st.lists(st.integers(), max_size=2)
    | st.complex_numbers()
)


@pytest.mark.parametrize("text", EVERY_TYPE)
@given(value=ANYTHING)
def test_any_value_is_accepted_or_refused_by_our_own_error(text, value):
    # Any other exception would fail the test.
    with contextlib.suppress(InvalidValueError):
        coerce(text, value)


# Many values at once


def column(text, values, nullable=False, **options):
    return coerce_column(attribute(text, nullable), values, **options)


COLUMNS = [
    ("int8", [1, 2, 3], [1, 2, 3]),
    ("int8", [1, None, 3], [1, None, 3]),
    ("int8", [None, None], [None, None]),
    ("int8", [], []),
    ("int8", np.array([], dtype=float), []),
    ("int8", np.array([1, 2], dtype="uint64"), [1, 2]),
    ("int8", np.array([1.0, 2.0]), [1, 2]),
    ("int8", np.array([True, False]), [1, 0]),
    ("int8", pd.Series([1, None], dtype="Int64"), [1, None]),
    ("int8", (1, "2", 3.0), [1, 2, 3]),
    ("float64", np.array([1, 2]), [1.0, 2.0]),
    ("float64", np.array([0.5, np.inf], dtype="float32"), [0.5, math.inf]),
    ("float64", [0.5, math.inf], [0.5, math.inf]),
    ("float64", [1, 2], [1.0, 2.0]),
    ("float32", np.array([0.1]), [float(np.float32(0.1))]),
    ("float32", [math.inf, 0.5], [math.inf, 0.5]),
    ("float32", np.array([math.inf, 0.5]), [math.inf, 0.5]),
    ("bool", np.array([True, False]), [True, False]),
    ("bool", [True, 0], [True, False]),
    ("varchar(3)", ["abc", "é", ""], ["abc", "é", ""]),
    ("varchar(3)", np.array(["abc", "d"]), ["abc", "d"]),
    ("char(3)", ["abc", "d   "], ["abc", "d"]),
    ("char(3)", np.array(["abc", "d   "]), ["abc", "d"]),
    ("enum('a','b')", ["a", "b", "a"], ["a", "b", "a"]),
    ("enum('a','b')", np.array(["a", "b"]), ["a", "b"]),
    ("date", np.array(["2024-02-29"], dtype="M8[D]"), [DAY]),
    ("date", [DAY, NOON.replace(hour=0)], [DAY, DAY]),
    ("datetime", pd.Series([pd.Timestamp(NOON)]), [NOON]),
    ("datetime", pd.Series([NOON]).to_numpy(), [NOON]),
    ("bytes", [b"ab", bytearray(b"c")], [b"ab", b"c"]),
    ("binary(2)", [b"ab"], [b"ab"]),
    ("uuid", [UID, str(UID)], [UID, UID]),
    ("json", [{"a": 1}, [1]], ['{"a": 1}', "[1]"]),
    ("<blob>", [1, pd.NA, "x"], [1, None, "x"]),
]


@pytest.mark.parametrize(("text", "values", "expected"), COLUMNS)
def test_a_whole_column_becomes_canonical(text, values, expected):
    result = column(text, values)
    assert result == expected
    assert [type(value) for value in result] == [type(value) for value in expected]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("float64", [0.5, math.nan]),
        ("float64", np.array([0.5, np.nan])),
        ("float32", np.array([0.5, np.nan])),
        ("int8", np.array([1.0, np.nan])),
        ("int8", pd.Series([1.0, None])),
        ("datetime", pd.Series([pd.Timestamp(NOON), pd.NaT])),
        ("datetime", np.array(["2024-02-29", "NaT"], dtype="M8[ns]")),
    ],
)
def test_gaps_of_a_column_are_null(text, values):
    assert column(text, values, nullable=True)[1] is None
    with pytest.raises(InvalidValueError) as caught:
        column(text, values)
    assert caught.value.row == 1


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("int8", [1, 2, 300]),
        ("int8", np.array([1, 2, 300])),
        ("int8", np.array([1, 2, 2**64 - 1], dtype="uint64")),
        ("float32", np.array([1, 2, 1e39])),
        ("double unsigned", [1.0, 2.0, -1.0]),
        ("double unsigned", np.array([1.0, 2.0, -1.0])),
        ("varchar(3)", ["a", "b", "long"]),
        ("varchar(3)", ["a", "b", "\ud800"]),
        ("enum('a','b')", ["a", "b", "c"]),
        ("binary(2)", [b"a", b"b", b"long"]),
    ],
)
def test_the_error_tells_the_row(text, values):
    with pytest.raises(InvalidValueError) as caught:
        column(text, values)
    assert caught.value.row == 2


def test_a_column_of_csv_texts_may_have_empty_cells():
    assert column("int8", ["1", ""], nullable=True, empty_is_null=True) == [1, None]


def test_the_given_list_is_not_changed():
    values = ["1", "2"]
    assert column("int8", values) == [1, 2]
    assert values == ["1", "2"]


@given(st.lists(ANYTHING, max_size=5), st.sampled_from(EVERY_TYPE))
def test_a_column_gives_what_its_values_give_one_by_one(values, text):
    one = coercer(attribute(text, nullable=True))
    try:
        expected = [one(value) for value in values]
    except InvalidValueError as error:
        with pytest.raises(InvalidValueError, match=f"^{re.escape(str(error))}$"):
            column(text, values, nullable=True)
    else:
        result = column(text, values, nullable=True)
        assert result == expected
        assert list(map(type, result)) == list(map(type, expected))


def test_pandas_is_not_imported():
    code = "import sys; from djupyter.heading import coerce; print('pandas' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
