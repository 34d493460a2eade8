"""What is declared is what is read back: altering a table to what it is already finds nothing to do."""

from __future__ import annotations

from typing import Any

import pytest

import djupyter as dj
from tests.conftest import Database

EVERY_TYPE = """
# A table with all: 100 % "of it"; it's
a : int32  # number
b : varchar(20)
c = CURRENT_TIMESTAMP : datetime
---
i8 = -5 : int8
i16 = null : int16
i64 = 9007199254740993 : int64  # big
f32 = 1.5 : float32
f64 = 1e3 : float64
whole = 2 : float64
price = 1.5 : decimal(6,2)  # in EUR
flag = true : bool
off = 0 : bool
letter = "x" : char(3)
empty = "" : varchar(40)
quoted = "it's \\\\ 100 %" : varchar(40)
sex = 'U' : enum('M', 'F', 'U')
day = "2024-02-29" : date
moment = "2024-02-29 12:30:00" : datetime
precise = CURRENT_TIMESTAMP(3) : datetime(3)
stamp = null : datetime(6)
who = "00000000-0000-4000-8000-000000000000" : uuid
whoever = null : uuid
doc = null : json
raw = null : bytes
value = null : <blob>  # any value: {braces}
index (i16)
unique index (b, i8)
"""
CHILD = """
-> Everything
n : int16
---
-> [nullable] Everything.proj(a2='a', b2='b', c2='c')
-> [nullable, unique] Owner
note = "" : varchar(10)
index (note, n)
"""


def test_every_type_default_and_index_is_read_back_as_declared(
    schema: dj.Schema, capsys: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    @schema
    class Owner(dj.Lookup):
        definition = "owner : uuid  # who\n---\nrank = 'low' : enum('low', 'high')"

    @schema
    class Everything(dj.Manual):
        definition = EVERY_TYPE

        class Row(dj.Part):
            definition = "-> master\nrow : int8"

    @schema
    class Child(dj.Manual):
        definition = CHILD

    tables: list[Any] = [Owner, Everything, Everything.Row, Child]
    for table in tables:
        table().connection.catalog.forget()
        table.alter(prompt=False)
        table.alter(prompt=False, dry_run=True)
    assert capsys.readouterr().out.split() == ["unchanged"] * 8
    for table in (Owner, Everything, Child):
        schema(table, context={"Everything": Everything, "Owner": Owner})
    assert [str(w.message) for w in recwarn if "definition" in str(w.message)] == []


def test_a_table_without_attributes_is_unchanged(
    schema: dj.Schema, capsys: pytest.CaptureFixture[str]
) -> None:
    @schema
    class Setting(dj.Lookup):
        definition = "---\nlevel = 3 : int8"

    Setting.insert1({})
    Setting.alter(prompt=False)
    assert capsys.readouterr().out.strip() == "unchanged"
    Setting.definition = "---\nlevel = 3 : int16\nname = '' : varchar(5)"
    Setting.alter(prompt=False)
    assert Setting.to_dicts() == [{"level": 3, "name": ""}]
    Setting.definition = "name : varchar(5)\n---\nlevel = 3 : int16"
    Setting.alter(prompt=False)
    assert Setting.primary_key == ["name"]
    assert len(Setting()) == 1


@pytest.mark.filterwarnings("ignore::djupyter.definition.types.NativeTypeWarning")
@pytest.mark.parametrize(
    "type",
    [
        *("tinyint", "smallint", "int", "integer", "bigint", "double", "float", "real"),
        *("numeric(6,2)", "decimal(8)", "timestamp", "time", "text", "boolean", "int unsigned"),
        *("tinytext", "longtext", "varbinary(9)", "longblob", "year", "double precision"),
    ],
)
def test_native_types_are_read_back_as_declared(
    schema: dj.Schema, db: Database, capsys: pytest.CaptureFixture[str], type: str
) -> None:
    @schema
    class Native(dj.Manual):
        definition = f"a : int32\n---\nx = null : {type}"

    db.connection.catalog.forget()
    Native.alter(prompt=False)
    assert capsys.readouterr().out.strip() == "unchanged"
