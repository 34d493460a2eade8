"""Values too large to be copied into a statement: MySQL's go over the wire piece by piece."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pytest

import djupyter as dj
from djupyter.errors import DataJointError, LostConnectionError
from djupyter.sql.backends import mysql_long
from djupyter.sql.connection import Connection
from tests.conftest import Database

FULL = 2**24 - 1  # bytes of MySQL's largest packet
LARGE = np.random.default_rng(0).bytes(1_500_000) + bytes(range(256)) * 100
TEXT = 'it\'s \\ "one" % %s ? \u00e9'


@pytest.fixture
def table(db: Database) -> Any:
    """A table whose rows have bytes and a text."""
    schema = dj.Schema(db.schema_name("lab"), connection=db.connection)

    @schema
    class T(dj.Manual):
        definition = "k : int32\n---\nx = null : bytes\nnote : varchar(40)\ny = null : bytes"

    return T()


def rows_of(table: Any) -> list[tuple[Any, ...]]:
    """Return all rows, in the order of the key."""
    return [tuple(row.values()) for row in table.fetch(order_by="k", as_dict=True)]


@pytest.mark.parametrize("around", [-1, 0, 1, 2])
def test_packets_end_where_the_protocol_wants_them(db: Database, around: int) -> None:
    if db.backend != "mysql":
        pytest.skip("the others have no packets")
    select = "SELECT SHA2(%s, 256), LENGTH(%s)"
    size = 8_000_000
    fixed = len(select) - 4 + len("X''") + 2 * size + len("''")
    text = "x" * (FULL - 1 + around - fixed)
    ((limit,),) = db.connection.fetch("SELECT @@max_allowed_packet")
    if FULL + around >= int(limit):
        pytest.skip("more than this server takes")
    data = (LARGE * 6)[:size]
    ((digest, length),) = db.connection.fetch(select, (data, text))
    assert (digest, length) == (hashlib.sha256(data).hexdigest(), len(text))
    assert db.connection.fetch("SELECT 1") == [(1,)]


@pytest.mark.parametrize("mode", ["", "NO_BACKSLASH_ESCAPES"])
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_large_bytes_stand_beside_any_text(
    table: Any, db: Database, mode: str, kind: Callable[[bytes], Any]
) -> None:
    with db.connection.transaction:  # all on one connection
        if db.backend == "mysql":
            db.connection.query("SET sql_mode = CONCAT(@@sql_mode, ',', %s)", (mode,))
        table.insert1((1, kind(LARGE), TEXT, b"\0'\\\n"))
        table.insert1((2, b"", TEXT, kind(LARGE)))
        table.update1({"k": 2, "x": kind(LARGE[::-1]), "note": TEXT})
    assert rows_of(table) == [
        (1, LARGE, TEXT, b"\0'\\\n"),
        (2, LARGE[::-1], TEXT, LARGE),
    ]


@pytest.mark.parametrize("conflict", [{}, {"skip_duplicates": True}, {"replace": True}])
def test_large_and_small_rows_go_together(table: Any, conflict: dict[str, bool]) -> None:
    if conflict:
        table.insert1((3, b"old", "old", b"old"))
    values = [b"", LARGE, None, b"a" * 3, LARGE[1:], LARGE[2:], b"z"]
    rows = [(k, x, TEXT, b"y") for k, x in enumerate(values)]
    table.insert(iter(rows), **conflict)
    if "skip_duplicates" in conflict:
        rows[3] = (3, b"old", "old", b"old")
    assert rows_of(table) == rows


def test_a_refused_row_undoes_the_large_ones_before_it(table: Any) -> None:
    table.insert1((3, None, "", None))
    with pytest.raises(DataJointError):
        table.insert([(k, LARGE, TEXT, None) for k in range(5)])
    assert rows_of(table) == [(3, None, "", None)]


def in_the_middle(monkeypatch: pytest.MonkeyPatch, work: Callable[[], None]) -> None:
    """Let something happen when a third of a large value has been sent."""
    hexlify, calls = mysql_long.hexlify, []

    def interrupted(data: Any) -> bytes:
        calls.append(len(data))
        if len(calls) == 2:
            work()
        return hexlify(data)

    monkeypatch.setattr(mysql_long, "hexlify", interrupted)


@pytest.mark.parametrize("reason", [KeyboardInterrupt, MemoryError])
def test_an_interrupt_in_the_middle_of_a_value_leaves_no_half_statement(
    table: Any, db: Database, monkeypatch: pytest.MonkeyPatch, reason: type[BaseException]
) -> None:
    if db.backend != "mysql":
        pytest.skip("the others have their values sent by a library")

    def interrupt() -> None:
        raise reason

    in_the_middle(monkeypatch, interrupt)
    with pytest.raises(reason):
        table.insert1((1, LARGE, "", None))
    table.insert1((2, LARGE, "", None))
    assert rows_of(table) == [(2, LARGE, "", None)]


def test_a_connection_lost_in_the_middle_of_a_value_is_reported_as_such(
    table: Any, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    if db.backend != "mysql":
        pytest.skip("the others have their values sent by a library")

    def kill() -> None:
        with Connection(db.url) as admin:
            admin.query(f"KILL {db.connection.connection_id}")

    in_the_middle(monkeypatch, kill)
    with pytest.raises(LostConnectionError), db.connection.transaction:
        table.insert1((1, LARGE * 4, "", None))
    table.insert1((2, LARGE, "", None))
    assert rows_of(table) == [(2, LARGE, "", None)]


SAMPLES = {
    "bool": True,
    "int8": -3,
    "int64": 2**63 - 1,
    "float32": 0.1,
    "float64": 0.1 + 0.2,
    "decimal(9,3)": Decimal("-12.500"),
    "char(9)": "padded",
    "varchar(40)": TEXT,
    "date": date(1, 2, 3),
    "datetime(6)": datetime(9999, 12, 31, 23, 59, 59, 999999),
    "uuid": UUID(int=7),
    "json": {"a": [1, None, TEXT]},
    "<blob>": [1, {"a": TEXT}],
    "time": timedelta(hours=3, microseconds=5),
    "enum('a','b')": "b",
}


@pytest.mark.parametrize("kinds", [list(SAMPLES)[:-2], list(SAMPLES)[-1:], list(SAMPLES)])
def test_bytes_do_not_change_what_stands_beside_them(db: Database, kinds: list[str]) -> None:
    names = [f"a{i}" for i in range(len(kinds))]
    lines = [f"{name} = null : {kind}" for name, kind in zip(names, kinds, strict=True)]
    schema = dj.Schema(db.schema_name("lab"), connection=db.connection)
    definition = "\n".join(["k : int32\n---", *lines, "x = null : bytes"])
    T = schema(type("T", (dj.Manual,), {"definition": definition}))()
    T.insert([(1, *(SAMPLES[kind] for kind in kinds), b"\0\xff"), {"k": 2}])
    for _ in range(2):  # how a statement is read may be learned the first time
        together = T.fetch(order_by="k", as_dict=True)
        assert [row.pop("x") for row in together] == [b"\0\xff", None]
        for name in names:
            alone = [row[name] for row in T.proj(name).fetch(order_by="k", as_dict=True)]
            assert [row[name] for row in together] == alone
            assert [type(row[name]) for row in together] == list(map(type, alone))
        assert [row["a0"] for row in T.proj(*names).fetch(order_by="k", as_dict=True)] == [
            row["a0"] for row in together
        ]
