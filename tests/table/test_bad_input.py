# ruff: noqa: PT012 - what fails here may be a block, the transaction
"""What cannot be: each gives one clear error, loses nothing, and leaves the connection usable."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import djupyter as dj
from djupyter.errors import (
    AccessError,
    DataJointError,
    DuplicateError,
    IntegrityError,
    InvalidValueError,
    MissingAttributeError,
    QueryError,
    TooLargeError,
    UnknownAttributeError,
)
from djupyter.settings import Settings
from djupyter.sql.connection import Connection
from tests.conftest import Database


@pytest.fixture
def lab(schema: dj.Schema) -> SimpleNamespace:
    """A table of mice with two rows, and one of scans with one."""

    @schema
    class Mouse(dj.Manual):
        definition = """
        mouse_id : int16
        ---
        name = 'none' : varchar(8)
        weight = null : decimal(4,2)
        sex = 'U' : enum('M','F','U')
        born = null : date
        seen = null : datetime
        tag = null : uuid
        notes = null : json
        speed = null : float32
        count = null : int8
        is_alive = null : bool
        trace = null : <blob>
        """

    @schema
    class Scan(dj.Manual):
        definition = """
        -> Mouse
        scan : int8
        ---
        name : varchar(8)
        """

    Mouse.insert([{"mouse_id": 1}, {"mouse_id": 2, "weight": 1.5}])
    Scan.insert1((1, 1, "first"))
    return SimpleNamespace(Mouse=Mouse, Scan=Scan)


@pytest.fixture(autouse=True)
def _nothing_is_lost(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each test the rows are those there were, and the connection works."""
    if "lab" not in request.fixturenames:
        yield
        return
    lab = request.getfixturevalue("lab")
    before = lab.Mouse.to_dicts(order_by="KEY"), lab.Scan.to_dicts(order_by="KEY")
    yield
    assert not lab.Mouse.connection.in_transaction
    assert (lab.Mouse.to_dicts(order_by="KEY"), lab.Scan.to_dicts(order_by="KEY")) == before
    lab.Mouse.insert([{"mouse_id": 100}, {"mouse_id": 101}])
    assert len(lab.Mouse) == len(before[0]) + 2


UNKNOWN: dict[str, Callable[[Any, Any], object]] = {
    "in an insert": lambda mouse, scan: mouse.insert(
        [{"mouse_id": 10}, {"mouse_id": 11, "nmae": 1}]
    ),
    "in an update": lambda mouse, scan: mouse.update1({"mouse_id": 1, "nmae": "x"}),
    "in a condition": lambda mouse, scan: (mouse & "nmae = 'x'").to_dicts(),
    "in a projection": lambda mouse, scan: mouse.proj("nmae").to_dicts(),
    "in a computation": lambda mouse, scan: mouse.proj(x="concat(nmae, 'x')").to_dicts(),
    "in an aggregation": lambda mouse, scan: mouse.aggr(scan, n="max(nmae)").to_dicts(),
    "in a fetch": lambda mouse, scan: mouse.to_arrays("nmae"),
    "in an order": lambda mouse, scan: mouse.to_dicts(order_by="nmae"),
}


@pytest.mark.parametrize("where", UNKNOWN)
def test_an_unknown_attribute_is_named_with_the_nearest_one(
    lab: SimpleNamespace, where: str
) -> None:
    with pytest.raises(UnknownAttributeError, match=r"`nmae`.*Did you mean `name`\?"):
        UNKNOWN[where](lab.Mouse, lab.Scan)


@pytest.mark.parametrize(
    "combine",
    [
        lambda mouse, scan: mouse * scan,
        lambda mouse, scan: mouse.aggr(scan, n="count(*)"),
        lambda mouse, scan: mouse & scan,
        lambda mouse, scan: mouse - scan,
    ],
)
def test_a_name_that_means_two_things_is_refused_with_the_way_round(
    lab: SimpleNamespace, combine: Any
) -> None:
    with pytest.raises(DataJointError, match=r"`name`.*[Rr]ename.*\.proj\("):
        combine(lab.Mouse, lab.Scan).to_dicts()


@pytest.mark.parametrize(
    ("attribute", "value", "expected"),
    [
        ("mouse_id", 40_000, "-32768 to 32767"),
        ("mouse_id", "12a", "whole number"),
        ("name", "x" * 9, "8"),
        ("name", "\ud800", "name"),
        ("weight", 1000, r"decimal\(4,2\)"),
        ("weight", "heavy", r"decimal\(4,2\)"),
        ("sex", "male", "one of 'M', 'F', 'U'"),
        ("born", "2024-13-01", "2024-12-31"),
        ("born", "0000-00-00", "2024-12-31"),
        ("seen", "yesterday", "datetime"),
        ("tag", "xyz", "UUID"),
        ("notes", object(), "json"),
        ("speed", "fast", "float32"),
        ("speed", 1e300, "float32"),
        ("count", 200, "-128 to 127"),
        ("count", 1.5, "whole number"),
        ("is_alive", 7, "bool"),
        ("trace", object(), "<blob>"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_its_row_and_what_would(
    lab: SimpleNamespace, attribute: str, value: object, expected: str
) -> None:
    rows = [{"mouse_id": 10}, {"mouse_id": 11, attribute: value}, {"mouse_id": 12}]
    with pytest.raises(InvalidValueError, match=rf"(?s)Mouse, row 1: .*`{attribute}`") as caught:
        lab.Mouse.insert(rows)
    assert expected.replace("\\", "") in str(caught.value)


def test_a_character_that_a_database_does_not_take_is_named_with_its_row(
    lab: SimpleNamespace, db: Database
) -> None:
    rows = [{"mouse_id": 10}, {"mouse_id": 11, "name": "a\0b"}]
    if db.backend == "postgresql":
        with pytest.raises(InvalidValueError, match=r"Mouse, row 1: attribute `name`.*NUL"):
            lab.Mouse.insert(rows)
    else:
        lab.Mouse.insert(rows)
        assert (lab.Mouse & "mouse_id = 11").fetch1("name") == "a\0b"
        (lab.Mouse & "mouse_id > 9").delete()


def test_a_comparison_with_what_no_attribute_holds_finds_nothing(lab: SimpleNamespace) -> None:
    for huge in (2**63, 2**80, 10**300):
        assert len(lab.Mouse & f"mouse_id < {huge}") == 2
        assert len(lab.Mouse & f"mouse_id = {huge}") == 0
        assert len(lab.Mouse & f"mouse_id > -{huge}") == 2


def test_a_missing_value_is_named_with_all_that_are_required(lab: SimpleNamespace) -> None:
    with pytest.raises(
        MissingAttributeError, match=r"Scan.*`name`.*Required: mouse_id, scan, name"
    ):
        lab.Scan.insert([{"mouse_id": 1, "scan": 5}])
    with pytest.raises(MissingAttributeError, match=r"Scan, row 1.*`name` must not be NULL"):
        lab.Scan.insert([(1, 5, "x"), (1, 6, None)])


def test_a_duplicate_is_named_with_its_row_and_the_ways_on(lab: SimpleNamespace) -> None:
    with pytest.raises(DuplicateError, match=r"Mouse, row 1: .*mouse_id=2.*skip_duplicates=True"):
        lab.Mouse.insert([{"mouse_id": 10}, {"mouse_id": 2}])


@pytest.fixture
def chips(schema: dj.Schema, lab: SimpleNamespace) -> Any:
    """A table with a unique index and a unique reference, and one row."""

    class Chip(dj.Manual):
        definition = """
        chip : int16
        ---
        -> [unique, nullable] Mouse
        maker : varchar(8)
        number = null : int16
        unique index (maker, number)
        """

    table = schema(Chip, context={"Mouse": lab.Mouse})
    table.insert([(1, 1, "acme", 7), (2, None, "acme", None)])
    return table


def test_a_duplicate_in_a_unique_index_is_named_with_its_row(chips: Any) -> None:
    told = r"Chip, row 2: there is a row with maker='acme', number=7 already.*unique index"
    with pytest.raises(DuplicateError, match=told) as caught:
        chips.insert([(3, None, "acme", None), (4, None, "acme", 8), (5, None, "acme", 7)])
    assert "Nothing was inserted" in str(caught.value)
    assert "skip_duplicates" not in str(caught.value)
    with pytest.raises(DuplicateError, match=r"Chip, row 1: .*maker='new', number=1 already"):
        chips.insert([(3, None, "new", 1), (4, None, "new", 1)])
    with pytest.raises(DuplicateError, match=r"Chip: there is a row with mouse_id=1 already"):
        chips.insert1((3, 1, "new", 1))
    assert len(chips) == 2


def test_a_missing_parent_is_named_with_the_row(lab: SimpleNamespace) -> None:
    with pytest.raises(IntegrityError, match=r"Scan, row 1: mouse_id=9 .*Mouse.*parent first"):
        lab.Scan.insert([(1, 2, "x"), (9, 1, "x")])


def test_what_fails_in_a_transaction_undoes_itself_only(lab: SimpleNamespace) -> None:
    with lab.Mouse.connection.transaction:
        lab.Mouse.insert1({"mouse_id": 50})
        for bad in (
            lambda: lab.Mouse.insert([{"mouse_id": 51}, {"mouse_id": 50}]),
            lambda: lab.Mouse.insert([{"mouse_id": 51}, {"mouse_id": 52, "count": 200}]),
            lambda: lab.Scan.insert([(1, 2, "x"), (9, 1, "x")]),
            lambda: (lab.Mouse & "nmae = 1").to_dicts(),
        ):
            with pytest.raises(QueryError):
                bad()
    assert len(lab.Mouse & "mouse_id > 50") == 0
    assert (lab.Mouse & "mouse_id = 50").delete() == 1


# Too large


def refused(schema: dj.Schema, definition: str) -> str:
    """Return what is said of a table that is too large to be declared, of which nothing is left."""
    before = schema.list_tables()
    with pytest.raises(TooLargeError) as caught:
        schema(type("Wide", (dj.Manual,), {"definition": definition}))
    assert schema.list_tables() == before
    assert re_declared(schema)
    return str(caught.value)


def re_declared(schema: dj.Schema) -> bool:
    """Whether the same class can be declared with less in it."""
    table = schema(type("Wide", (dj.Manual,), {"definition": "w : int8"}))
    table.insert1((1,))
    return len(table()) == 1


def test_a_table_with_too_many_attributes_is_refused_with_their_number(schema: dj.Schema) -> None:
    many = "\n".join(f"v{n} = null : int8" for n in range(2100))
    text = refused(schema, f"w : int8\n---\n{many}")
    assert "`wide` cannot be declared" in text
    assert "2,101" in text
    assert "divide them among several tables" in text


def test_rows_that_are_too_wide_are_refused_with_the_longest_attributes(
    schema: dj.Schema, db: Database
) -> None:
    wide = "\n".join(f"v{n} : varchar({1000 + n})" for n in range(20))
    definition = f"w : int8\n---\n{wide}"
    if db.backend == "mysql":  # 65,535 bytes for all but blobs
        text = refused(schema, definition)
        assert "`wide` cannot be declared" in text
        assert "The longest: `v19` : varchar(1019), `v18` : varchar(1018)" in text
        assert "divide them among several tables" in text
    else:
        table = schema(type("Wide", (dj.Manual,), {"definition": definition}))
        table.insert([[n, *["€" * 1000] * 20] for n in range(2)])
        assert len(table()) == 2


def test_a_key_that_is_too_long_is_refused_with_what_is_too_long(
    schema: dj.Schema, db: Database
) -> None:
    definition = "w : varchar(4000)\n---\nq : int8"
    if db.backend == "mysql":  # 3,072 bytes, whatever the rows are
        text = refused(schema, definition)
        assert "`w` : varchar(4000)" in text
        assert "`q`" not in text
        assert "Shorten the attributes of the key" in text
        return
    table = schema(type("Wide", (dj.Manual,), {"definition": definition}))
    letters = np.random.default_rng(0).integers(0x4E00, 0x9000, 4000)
    rows = [("a", 1), ("".join(map(chr, letters)), 2)]
    if db.backend == "postgresql":  # a third of a page, compressed
        with pytest.raises(TooLargeError, match=r"Wide, row 1: .*`w`, 12,000 bytes.*Shorten"):
            table.insert(rows)
        assert len(table()) == 0
        table.insert1(rows[0])
    else:
        table.insert(rows)
        assert len(table()) == 2


def test_a_row_of_too_many_wide_numbers_is_refused(schema: dj.Schema, db: Database) -> None:
    numbers = "\n".join(f"v{n} : float64" for n in range(1100))
    definition = f"w : int8\n---\n{numbers}"
    if db.backend == "mysql":
        assert "1,101" in refused(schema, definition)
        return
    table = schema(type("Wide", (dj.Manual,), {"definition": definition}))
    rows = [[n, *np.arange(1100.0)] for n in range(2)]
    if db.backend == "postgresql":  # a page of 8 KB holds a row but for what can be kept elsewhere
        with pytest.raises(TooLargeError, match=r"wide.*no room.*divide them among several tables"):
            table.insert(rows)
        assert len(table()) == 0
    else:
        table.insert(rows)
        assert len(table()) == 2


def test_a_value_that_is_too_large_is_named_with_its_row_and_what_to_set(
    lab: SimpleNamespace, db: Database
) -> None:
    if db.backend == "postgresql":
        pytest.skip("a value may have a gigabyte, more than a test should send")
    connection = lab.Mouse.connection
    trace = np.random.default_rng(0).integers(0, 255, 2_000_000).astype(np.uint8)
    rows = [{"mouse_id": 10, "trace": 1}, {"mouse_id": 11, "trace": trace}, {"mouse_id": 12}]
    session = connection._sessions.current().raw
    if db.backend == "sqlite":
        session.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 1_000_000)
        told = "too big"
    else:
        # What the server allows is read when it first matters; a session may not change it.
        session._largest = 3_000_000
        told = r"3,000,000 \(max_allowed_packet"
    with connection.transaction:
        lab.Mouse.insert1({"mouse_id": 20})
        for bad in (rows, rows[1:2]):
            with pytest.raises(TooLargeError, match=rf"Mouse.*{told}.*`trace`.*2,000,0\d\d bytes"):
                lab.Mouse.insert(bad)
        with pytest.raises(TooLargeError, match="Mouse, row 1: "):
            lab.Mouse.insert(rows)
        with pytest.raises(TooLargeError, match=f"{told}.*Nothing was changed"):
            lab.Mouse.update1(rows[1] | {"mouse_id": 1})
    assert (lab.Mouse & "mouse_id > 2").delete() == 1


def test_the_server_is_asked_what_it_takes(lab: SimpleNamespace, db: Database) -> None:
    if db.backend != "mysql":
        pytest.skip("the others have no limit of their own")
    connection = lab.Mouse.connection
    ((limit,),) = connection.fetch("SELECT @@max_allowed_packet")
    lab.Mouse.insert1({"mouse_id": 20, "trace": np.zeros(2_000_000, np.uint8)})
    number = connection.connection_id
    with pytest.raises(TooLargeError, match=f"less than {int(limit):,}"):
        connection.query("SELECT %s", ("x" * int(limit),))
    assert connection.connection_id == number
    assert (lab.Mouse & "mouse_id = 20").delete() == 1


# Files


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database with a table of one row, closed."""
    path = tmp_path / "lab.db"
    with Connection(f"sqlite:///{path}") as connection:
        numbers(connection).insert1((1, b"one"))
    return path


def numbers(connection: Connection) -> Any:
    schema = dj.Schema("lab", connection=connection)
    return schema(type("Number", (dj.Manual,), {"definition": "n : int32\n---\nx : bytes"}))()


def opened(path: Path, *, timeout: float = 30.0) -> Connection:
    return Connection(f"sqlite:///{path}", settings=Settings(safemode=False), timeout=timeout)


def test_a_read_only_file_is_read_and_not_written(file: Path) -> None:
    with Connection(f"sqlite:///{file}?mode=ro", settings=Settings(safemode=False)) as connection:
        table = numbers(connection)
        for write in (
            lambda: table.insert([(2, b""), (3, b"")]),
            lambda: table.update1({"n": 1, "x": b"changed"}),
            table.delete,
            table.drop,
            lambda: dj.Schema("other", connection=connection),
        ):
            with pytest.raises(AccessError, match=r"readonly.*right to write, or work on a copy"):
                write()
        assert table.to_arrays("n").tolist() == [1]
        assert not connection.in_transaction


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all files"
)
def test_a_file_without_the_right_to_write_is_read(file: Path) -> None:
    file.chmod(0o444)
    with opened(file) as connection:
        table = numbers(connection)
        assert table.to_arrays("n").tolist() == [1]
        with pytest.raises(AccessError, match="right to write"):
            table.insert1((2, b""))


def test_a_locked_file_is_read_and_written_once_the_lock_is_gone(file: Path) -> None:
    other = sqlite3.connect(file, isolation_level=None)
    with opened(file, timeout=0.3) as connection:
        table = numbers(connection)
        other.execute("BEGIN IMMEDIATE")
        for write in (lambda: table.insert([(2, b""), (3, b"")]), table.delete, table.drop):
            with pytest.raises(QueryError, match=r"locked by another.*try again; nothing was"):
                write()
        assert table.to_arrays("n").tolist() == [1]
        other.execute("COMMIT")
        table.insert([(2, b""), (3, b"")])
        assert len(table) == 3
    other.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of half a megabyte."""
    mount = shutil.which("mount")
    if mount is None or not hasattr(os, "geteuid") or os.geteuid():
        pytest.skip("only root can mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run([mount, "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)])
    if made.returncode:
        pytest.skip("this machine does not let root mount a disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_loses_nothing_and_is_written_again_when_there_is_room(
    small_disk: Path,
) -> None:
    filler = small_disk / "filler"
    with opened(small_disk / "lab.db") as connection:
        table = numbers(connection)
        table.insert1((1, b"one"))
        filler.write_bytes(b"x" * 200_000)
        block = os.urandom(5_000)
        with pytest.raises(QueryError, match=r"No space is left.*Free some.*nothing was changed"):
            table.insert((n, block) for n in range(10, 200))
        assert not connection.in_transaction
        assert table.to_arrays("n").tolist() == [1]
        with pytest.raises(QueryError, match="No space is left"), connection.transaction:
            table.insert1((2, b"two"))
            table.insert1((3, os.urandom(400_000)))
        with pytest.raises(QueryError, match="No space is left"):
            table.update1({"n": 1, "x": os.urandom(400_000)})
        assert table.fetch1("x") == b"one"
        filler.unlink()
        table.insert((n, block) for n in range(10, 20))
        assert len(table) == 11
    with opened(small_disk / "lab.db") as connection:
        assert connection.fetch("PRAGMA integrity_check") == [("ok",)]
        assert len(numbers(connection)) == 11


def test_a_database_that_a_full_disk_has_no_room_for_says_so(small_disk: Path) -> None:
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="No space"):
        filler.write_bytes(b"x" * 2_000_000)
    with (
        opened(small_disk / "lab.db") as connection,
        pytest.raises(DataJointError, match=r"No space is left for the database.*Free some"),
    ):
        connection.connect()
    filler.unlink()
    with opened(small_disk / "lab.db") as connection:
        assert connection.fetch("SELECT 1") == [(1,)]
