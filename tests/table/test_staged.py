"""Rows whose objects are written straight to their stores: all of it appears, or nothing."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

import djupyter as dj
from djupyter.errors import (
    DataJointError,
    DuplicateError,
    IntegrityError,
    MissingAttributeError,
    MissingExternalFile,
    UnknownAttributeError,
)
from tests.object_stores import Lab

DEFINITION = """
n : int32
---
ob = null : <object@raw>
ob2 = null : <object@>
arr = null : <npy@raw>
b = null : <blob@raw>
note = "" : varchar(20)
"""


class Stop(Exception):
    """What a user's code may raise."""


def scan(lab: Lab) -> Any:
    return lab.table(DEFINITION, "ScanOf")


def fill(table: Any, n: int = 1, error: type[BaseException] | None = None) -> None:
    """Insert a row with an object of each kind, or fail at the end of the block."""
    with table.staged_insert1 as staged:
        staged.rec["n"] = n
        with staged.open("ob", ".bin") as file:
            file.write(b"abc")
            file.write(b"def")
        mapping = staged.store("ob2", ".zarr")
        mapping["x/0"] = b"12345"
        mapping[".zattrs"] = b"{}"
        with staged.open("arr") as file:
            np.save(file, np.arange(6.0).reshape(2, 3))
        staged.rec["b"] = {"any": 1}
        staged.rec["note"] = "done"
        if error is not None:
            raise error


def test_files_folders_and_arrays_are_written_in_place(lab: Lab) -> None:
    T = scan(lab)
    fill(T)
    row = T.fetch1()
    file, folder, array = row["ob"], row["ob2"], row["arr"]
    assert (file.read(), file.size, file.ext, file.is_dir) == (b"abcdef", 6, ".bin", False)
    assert (folder.size, folder.item_count, folder.ext, folder.is_dir) == (7, 2, ".zarr", True)
    assert folder.open("x/0").read() == b"12345"
    assert folder.verify()
    assert (array.shape, array.dtype, array[1, 2]) == ((2, 3), np.dtype("float64"), 5.0)
    assert (row["b"], row["note"]) == ({"any": 1}, "done")
    # By the name of the table in the database, as every other insert.
    assert file.path.startswith(f"_schema/{lab.schema.database}/scan_of/n=1/ob_")
    assert file.path.endswith(".bin")
    assert len(lab.objects()) == 5
    (document,) = lab.raw(T, "ob")
    expected = {"path", "store", "size", "ext", "is_dir", "item_count", "timestamp"}
    assert (set(document), document["store"]) == (expected, "raw")
    assert set(lab.raw(T, "arr")[0]) == {"path", "store", "dtype", "shape"}


@pytest.mark.parametrize("error", [Stop, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_any_error_leaves_neither_row_nor_object(lab: Lab, error: type[BaseException]) -> None:
    T = scan(lab)
    with pytest.raises(error):
        fill(T, error=error)
    assert not T()
    assert lab.objects() == []


def test_ctrl_c_while_it_is_inserted_leaves_nothing(
    small_lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    T = scan(small_lab)
    insert1 = dj.Table.insert1

    def interrupted(self: Any, row: Any, **options: Any) -> None:
        insert1(self, row, **options)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(dj.Table, "insert1", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fill(T)
    monkeypatch.undo()
    assert not T()
    assert [path for path in small_lab.objects() if not path.startswith("_hash")] == []
    fill(T)


def test_a_row_that_is_refused_leaves_no_object(small_lab: Lab) -> None:
    T = scan(small_lab)
    fill(T)
    before = small_lab.objects()
    with pytest.raises(DuplicateError):
        fill(T)
    assert small_lab.objects() == before
    assert T.fetch1("ob").read() == b"abcdef"


def test_a_row_without_a_parent_or_a_value_leaves_no_object(small_lab: Lab) -> None:
    Source = small_lab.table("n : int32\n---\n", "Source")
    T = small_lab.table("-> Source\n---\nob : <object@raw>\nx : int32", "T")
    assert not Source()

    def insert(**given: Any) -> None:
        with T.staged_insert1 as staged:
            staged.rec.update(given)
            staged.store("ob")["x"] = b"1"

    with pytest.raises(IntegrityError):
        insert(n=1, x=1)
    with pytest.raises(MissingAttributeError, match="`x`"):
        insert(n=1)
    assert small_lab.objects() == []


def test_a_file_left_open_by_an_error_never_appears(lab: Lab) -> None:
    T = scan(lab)
    files: list[Any] = []

    def insert() -> None:
        with T.staged_insert1 as staged:
            staged.rec["n"] = 1
            files.append(staged.open("ob"))
            files[0].write(b"half")
            raise Stop

    with pytest.raises(Stop):
        insert()
    files[0].close()
    assert lab.objects() == []


def test_a_file_that_was_not_closed_is_refused(small_lab: Lab) -> None:
    T = scan(small_lab)

    def insert() -> None:
        with T.staged_insert1 as staged:
            staged.rec["n"] = 1
            staged.open("ob").write(b"half")

    with pytest.raises(DataJointError, match="still open"):
        insert()
    assert small_lab.objects() == []
    assert not T()


@pytest.mark.parametrize("ask", ["open", "store"])
def test_the_key_must_be_known_before_an_object_is_written(small_lab: Lab, ask: str) -> None:
    T = small_lab.table("a : int32\nb : varchar(8)\n---\nob : <object@raw>")

    def insert() -> None:
        with T.staged_insert1 as staged:
            staged.rec["a"] = 1
            getattr(staged, ask)("ob")

    with pytest.raises(DataJointError, match=r"Primary key values must be set .* Missing: b"):
        insert()


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("b", DataJointError, r"Attribute `b` is not an <object> type"),
        ("note", DataJointError, r"Attribute `note` is not an <object> type"),
        ("obb", UnknownAttributeError, r"Attribute `obb` is not found .* `ob`"),
    ],
)
def test_other_attributes_cannot_be_written(
    small_lab: Lab, name: str, error: type[Exception], message: str
) -> None:
    T = scan(small_lab)

    def insert() -> None:
        with T.staged_insert1 as staged:
            staged.rec["n"] = 1
            staged.open(name)

    with pytest.raises(error, match=message):
        insert()


def test_an_attribute_is_one_file_or_one_folder(small_lab: Lab) -> None:
    T = scan(small_lab)

    def both() -> None:
        with T.staged_insert1 as staged:
            staged.rec["n"] = 1
            staged.store("ob")["x"] = b"1"
            staged.open("ob")

    def folder_for_array() -> None:
        with T.staged_insert1 as staged:
            staged.rec["n"] = 1
            staged.store("arr")

    def no_array() -> None:
        with T.staged_insert1 as staged:
            staged.rec["n"] = 1
            with staged.open("arr") as file:
                file.write(b"no array")

    def nothing() -> None:
        with T.staged_insert1 as staged:
            staged.rec["n"] = 1
            staged.store("ob")

    for work, message in [
        (both, "either as one file"),
        (folder_for_array, "<npy> is one file"),
        (no_array, "is no .npy file"),
        (nothing, "Nothing was written"),
    ]:
        with pytest.raises(DataJointError, match=message):
            work()
    assert small_lab.objects() == []
    assert not T()


@pytest.mark.parametrize("version", [2, 3])
def test_zarr_arrays_are_written_chunk_by_chunk(lab: Lab, version: Any) -> None:
    T = lab.table("x : <zarr@raw>\ny = null : <zarr@>")
    with T.staged_insert1 as staged:
        staged.rec["k"] = 1
        array = zarr.create_array(
            staged.store("x"), shape=(20, 10), chunks=(5, 10), dtype="int16", zarr_format=version
        )
        for start in (0, 5, 15):  # one chunk has nothing but zeros, and is left out
            array[start : start + 5] = start + 1
        group = zarr.group(staged.store("y"), zarr_format=version)
        group.create_array("inner", shape=(3,), dtype="float64")[:] = 1.5
    row = T.fetch1()
    assert (row["x"].shape, row["x"].dtype) == ((20, 10), np.dtype("int16"))
    assert row["x"][:, 0].tolist() == [1] * 5 + [6] * 5 + [0] * 5 + [16] * 5
    assert row["y"]["inner"][:].tolist() == [1.5] * 3
    (document,) = lab.raw(T, "x")
    prefix = document["path"] + "/"
    assert document["path"].endswith(".zarr")
    assert document["item_count"] == sum(path.startswith(prefix) for path in lab.objects())
    assert "zarr int16 (20, 10)" in repr(T())


@pytest.mark.parametrize("version", [2, 3])
def test_a_chunk_that_is_missing_from_a_staged_array_is_found(small_lab: Lab, version: Any) -> None:
    T = small_lab.table("x : <zarr@raw>")
    filled: list[list[int]] = [[0, 5, 10, 15], [0, 5, 15]]
    for k, starts in enumerate(filled):
        with T.staged_insert1 as staged:
            staged.rec["k"] = k
            group = zarr.group(staged.store("x"), zarr_format=version)
            options = {"dtype": "int16", "chunks": (5, 10)}
            array = group.create_array("deep/5", shape=(20, 10), **options)
            for start in starts:
                array[start : start + 5] = start + 1
            group.create_array("one", shape=(), dtype="bool")[...] = True
            group.create_array("none", shape=(0, 3), **options)
            if version == 3:
                sharded = group.create_array(
                    "s", shape=(9, 12), shards=(5, 10), chunks=(5, 5), dtype="u1"
                )
                sharded[...] = 7
    # All that was written is there, whether or not a chunk was left out.
    assert small_lab.schema.verify()
    complete, sparse = small_lab.raw(T, "x")
    assert ("sparse" in complete, sparse.get("sparse")) == (False, True)
    for document in (complete, sparse):
        store, prefix = small_lab.store, f"{document['path']}/deep/5/"
        first = next(
            each.path for each in store.entries(prefix) if each.path.endswith(("0/0", "0.0"))
        )
        store.remove(first)
    missing = small_lab.schema.verify()
    assert [(each.kind, each.attribute) for each in missing.findings] == [("changed", "x")] * 2
    whole, with_gaps = (group["deep/5"] for group in T.to_arrays("x", order_by="KEY"))
    with pytest.raises(MissingExternalFile, match="chunk"):
        whole[...]
    assert with_gaps[0, 0] == 0  # Zarr cannot know


def test_a_staged_zarr_folder_must_be_one(lab: Lab) -> None:
    T = lab.table("x : <zarr@raw>")

    def no_array() -> None:
        with T.staged_insert1 as staged:
            staged.rec["k"] = 2
            staged.store("x")["zarr.json"] = b"{"

    def nothing() -> None:
        with T.staged_insert1 as staged:
            staged.rec["k"] = 2
            staged.store("x")

    def file() -> None:
        with T.staged_insert1 as staged:
            staged.rec["k"] = 2
            staged.open("x")

    for work, message in [
        (no_array, "is damaged"),
        (nothing, "Nothing was written"),
        (file, "<zarr> is a folder"),
    ]:
        with pytest.raises(DataJointError, match=message):
            work()
    assert lab.objects() == []
    assert not T()


def test_the_place_stays_the_same_and_text_may_be_written(small_lab: Lab) -> None:
    T = scan(small_lab)
    with T().staged_insert1 as staged:
        staged.rec["n"] = 1
        with staged.open("ob", "txt", "w") as file:
            file.write("µ\n")
        with staged.open("ob", ".other", "rb") as file:
            assert file.read() == "µ\n".encode()
        staged.store("ob2")["a"] = b"1"
        staged.store("ob2", ".zarr")["b"] = b"2"
    row = T.fetch1()
    assert (row["ob"].ext, Path(row["ob"].path).suffix) == ("txt", ".txt")
    assert row["ob2"].listdir() == ["a", "b"]


def test_the_store_is_that_of_the_attribute(small_lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "cold").mkdir()
    stores = small_lab.connection.settings["stores"]
    stores["cold"] = {"protocol": "file", "location": str(tmp_path / "cold")}
    T = small_lab.table("x : <object@cold>")
    with T.staged_insert1 as staged:
        staged.rec["k"] = 1
        assert staged.fs is small_lab.connection.stores.get("cold").fs
        with staged.open("x") as file:
            file.write(b"1")
    assert T.fetch1("x").store == "cold"
    assert (small_lab.objects(), len(small_lab.objects("cold"))) == ([], 1)


def test_a_rollback_around_it_takes_the_objects_too(small_lab: Lab) -> None:
    T = scan(small_lab)

    def work() -> None:
        with small_lab.connection.transaction:
            fill(T)
            assert T.fetch1("ob").read() == b"abcdef"
            raise Stop

    with pytest.raises(Stop):
        work()
    assert [path for path in small_lab.objects() if not path.startswith("_hash")] == []
    with small_lab.connection.transaction:
        fill(T, 1)
        with pytest.raises(Stop):
            fill(T, 2, Stop)
        fill(T, 3)
    assert [ref.read() for ref in T.to_arrays("ob")] == [b"abcdef"] * 2
    assert len([path for path in small_lab.objects() if not path.startswith("_hash")]) == 8


def test_make_may_stage(small_lab: Lab) -> None:
    Source = small_lab.table("n : int32\n---\n", "Source")
    Source.insert([(n,) for n in range(3)])

    def make(self: Any, key: dict[str, Any]) -> None:
        with self.staged_insert1 as staged:
            staged.rec.update(key)
            with staged.open("x", ".bin") as file:
                file.write(bytes([key["n"]]))
        if key["n"] == 1:
            raise Stop

    Made = small_lab.table("-> Source\n---\nx : <object@raw>", "Made", dj.Computed, make=make)
    result = Made.populate(suppress_errors=True)
    assert (result["success_count"], len(result["error_list"])) == (2, 1)
    assert [ref.read() for ref in Made.to_arrays("x", order_by="KEY")] == [b"\0", b"\2"]
    assert len(small_lab.objects()) == 2
    with pytest.raises(DataJointError, match="inside its make"):
        Made.staged_insert1  # noqa: B018


def test_no_transaction_is_open_while_objects_are_written(small_lab: Lab) -> None:
    T = scan(small_lab)
    with T.staged_insert1 as staged:
        staged.rec["n"] = 1
        assert not small_lab.connection.in_transaction


@pytest.mark.filterwarnings("ignore::djupyter.definition.types.NativeTypeWarning")
def test_numbers_that_the_database_gives_are_left_out_of_the_path(small_lab: Lab) -> None:
    number = "serial" if small_lab.connection.backend.name == "postgresql" else "int auto_increment"
    T = small_lab.table(f"k : {number}\n---\nx : <object@raw>")
    with T.staged_insert1 as staged, staged.open("x") as file:
        file.write(b"1")
    assert T.fetch1("x").path.startswith(f"_schema/{small_lab.schema.database}/t/x_")
