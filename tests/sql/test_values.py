"""The database itself refuses values that do not fit, and gives back those that do."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from djupyter.definition.types import parse_type
from djupyter.errors import InvalidValueError, MissingAttributeError
from tests.conftest import Database
from tests.sql.conftest import LAB, place, put


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """SQLite alone: its checks stand in for the column types by which servers refuse or convert values."""
    database = Database("sqlite", f"sqlite:///{tmp_path / 'test.db'}")
    yield database
    database.close()


FITTING = [
    ("int8", [-128, 127, 0]),
    ("int64", [-(2**63), 2**63 - 1]),
    ("float32", [0.5, 1, float("inf"), -3.4e38]),
    ("float64", [1e300, 2, float("-inf")]),
    ("bool", [0, 1]),
    ("decimal(5,2)", [0, 999.99, -999.99, 1.1, 0.07, 12]),
    ("char(3)", ["", "abc", "äöü"]),
    ("varchar(3)", ["", "abc", "a b"]),
    ("enum('a','b')", ["a", "b"]),
    ("date", ["2024-02-29", "0001-01-01", "9999-12-31"]),
    ("datetime", ["2024-02-29 23:59:59"]),
    ("datetime(3)", ["2024-02-29 23:59:59", "2024-02-29 23:59:59.123000"]),
    ("datetime(6)", ["2024-02-29 23:59:59.999999", "0001-01-01 00:00:00.000001"]),
    ("time", ["23:59:59", "-120:00:00.5"]),
    ("uuid", ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]),
    ("json", ["{}", "null", '"a"', "[1, 2.5]"]),
    ("bytes", [b"", b"\0x"]),
    ("<blob>", [b"dj0\0"]),
    ("<blob@raw>", ['{"a": 1}']),
    ("tinyint unsigned", [0, 255]),
    ("bigint unsigned", [0, 2**63 - 1]),
    ("tinyblob", [b"a" * 255]),
    ("year", [1901, 2155]),
    ("numeric(4,1)", [999.9]),
]
UNFITTING = [
    ("int8", [-129, 128, 1.5, "x", b"1"]),
    ("int64", [1e300, "x"]),
    ("float32", [3.5e38, "x", b"x"]),
    ("float64", ["x", b"x"]),
    ("bool", [2, -1, "x", 0.5]),
    ("decimal(5,2)", [1000, -999.995, 1.001, "x"]),
    ("char(3)", ["abcd", b"abc"]),
    ("varchar(3)", ["abcd", b"abc"]),
    ("enum('a','b')", ["c", "A", "", 1]),
    ("date", ["2023-02-29", "2024-13-01", "0000-01-01", "now", "2024-1-1", "2024-01-01 00:00:00"]),
    ("datetime", ["2024-01-01", "2024-01-01T00:00:00", "2024-01-01 24:00:00", "now"]),
    (
        "datetime",
        ["2024-01-01 00:00:00.000001", "2024-01-01 00:00:00.000000", "2023-02-29 00:00:00"],
    ),
    ("datetime(3)", ["2024-01-01 00:00:00.1", "2024-01-01 00:00:00.123456"]),
    ("datetime(6)", ["2024-01-01 00:00:60.000001", "2024-01-01 00:00:00.000000"]),
    ("datetime(6)", ["2024-01-01 00:00:00+00:00"]),
    ("time", ["12:00", "12:61:00", "noon"]),
    ("uuid", ["A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "a0eebc99", 5]),
    ("json", ["{", "", b"{}"]),
    ("bytes", ["text", 5]),
    ("<blob>", ["text"]),
    ("<blob@raw>", ["no json", b"{}"]),
    ("tinyint unsigned", [-1, 256]),
    ("tinyblob", [b"a" * 256]),
    ("year", [1900]),
]


@pytest.fixture
def value_table(connection, declare):
    def made(type: str, default: str = "") -> None:
        declare("Thing", f"id : int32\n---\nvalue{default} : {type}")

    return made


@pytest.mark.parametrize(("type", "values"), FITTING)
def test_values_that_fit_are_kept(connection, value_table, type, values):
    value_table(type)
    for i, value in enumerate(values):
        put(connection, "thing", id=i, value=value)
    assert [
        v
        for (v,) in connection.fetch(f"SELECT value FROM {place(connection, 'thing')} ORDER BY id")
    ] == values


@pytest.mark.parametrize(("type", "values"), UNFITTING)
@pytest.mark.parametrize("default", ["", "=null"])
def test_values_that_do_not_fit_are_refused(connection, value_table, type, values, default):
    value_table(type, default)
    for value in values:
        with pytest.raises(InvalidValueError, match=r"`value`. It is declared as"):
            put(connection, "thing", id=1, value=value)
    if default:
        put(connection, "thing", id=1, value=None)
    else:
        with pytest.raises(MissingAttributeError, match=rf"`{LAB}`.`thing`: the attribute `value`"):
            put(connection, "thing", id=1, value=None)


CANONICAL = [
    ("bool", [True, False]),
    ("int32", [5]),
    ("float64", [2.5]),
    ("decimal(6,2)", [Decimal("2.50"), Decimal("-1.00"), Decimal("0.07")]),
    ("decimal(15,0)", [Decimal("999999999999999")]),
    ("date", [datetime.date(2024, 2, 29)]),
    ("datetime", [datetime.datetime(2024, 2, 29, 1, 2, 3)]),
    ("datetime(6)", [datetime.datetime(2024, 2, 29, 1, 2, 3, 4)]),
    ("uuid", [uuid.uuid4()]),
    ("varchar(9)", ["text"]),
    ("json", ['{"a": [1]}']),
    ("bytes", [b"\0\1"]),
]


@pytest.mark.parametrize(("type", "values"), CANONICAL)
def test_python_values_come_back_as_they_went_in(connection, value_table, type, values):
    value_table(type)
    backend, spec = connection.backend, parse_type(type)
    adapt = backend.adapter(spec) or (lambda value: value)
    decode = backend.decoder(spec) or (lambda value: value)
    for i, value in enumerate(values):
        assert adapt(value) == backend.adapt(value)
        put(connection, "thing", id=i, value=value)
    read = [
        decode(v)
        for (v,) in connection.fetch(f"SELECT value FROM {place(connection, 'thing')} ORDER BY id")
    ]
    assert read == values
    assert [type_of(v) for v in read] == [type_of(v) for v in values]


def type_of(value: object) -> tuple[type, str]:
    return type(value), str(value)
