"""Objects are on the disk before the row that refers to them is committed: a loss of power takes neither alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import djupyter as dj
from djupyter.errors import DataJointError
from djupyter.settings import Settings
from tests.object_stores import Lab

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/fd").is_dir(), reason="only Linux tells which file a descriptor is of"
)
DEFINITION = "b = null : <blob@>\na = null : <npy@>\no = null : <object@>\nz = null : <zarr@>"


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The paths of all that was brought to the disk."""
    found: set[str] = set()
    fsync = os.fsync

    def noted(file: Any) -> None:
        fsync(file)
        found.add(os.readlink(f"/proc/self/fd/{file}"))

    monkeypatch.setattr(os, "fsync", noted)
    return found


@pytest.fixture
def lab(db: Any, tmp_path: Path) -> Lab:
    (tmp_path / "store").mkdir()
    return Lab(db, {"protocol": "file", "location": str(tmp_path / "store")}, tmp_path / "here")


def unsynced(lab: Lab, synced: set[str]) -> list[str]:
    """Return what lies in the store, files and folders, and is not on the disk yet."""
    root = Path(lab.connection.settings["stores"]["raw"]["location"])
    return [str(path) for path in (root, *root.rglob("*")) if str(path) not in synced]


def many(table: Any) -> None:
    table.insert(
        {"k": n, "b": "same" if n % 2 else n, "a": np.arange(n), "o": b"x" * n} for n in range(20)
    )


def one(table: Any) -> None:
    table.insert1({"k": 1, "z": np.arange(10), "o": ("bin", b"x")})


def staged(table: Any) -> None:
    with table.staged_insert1 as row:
        row.rec["k"] = 1
        row.store("o")["deep/x"] = b"1"
        with row.open("a") as file:
            np.save(file, np.arange(3))


def changed(table: Any) -> None:
    table.insert1({"k": 1})
    table.update1({"k": 1, "b": "new"})


def folder(table: Any) -> None:
    source = table.connection.settings["download_path"]
    Path(source, "deep").mkdir(parents=True)
    Path(source, "deep", "x").write_bytes(b"x")
    table.insert1({"k": 1, "o": source})


@pytest.mark.parametrize("work", [many, one, staged, changed, folder])
def test_objects_are_on_the_disk_before_their_rows(
    lab: Lab, synced: set[str], work: Callable[[Any], None]
) -> None:
    T = lab.table(DEFINITION)
    with lab.connection.transaction:
        work(T)
        assert unsynced(lab, synced) == []
    assert lab.objects()
    assert lab.schema.verify()


def test_content_that_another_insert_has_just_written_is_brought_to_the_disk_too(
    lab: Lab, synced: set[str]
) -> None:
    T = lab.table(DEFINITION)
    lab.connection.settings["objects.durable"] = False
    T.insert1({"k": 1, "b": "same"})
    assert synced == set()
    lab.connection.settings["objects.durable"] = True
    T.insert1({"k": 2, "b": "same"})
    assert unsynced(lab, synced) == []


def test_copies_are_on_the_disk_before_rows_refer_to_them(
    lab: Lab, synced: set[str], tmp_path: Path
) -> None:
    T = lab.table(DEFINITION)
    folder(T)
    (tmp_path / "cold").mkdir()
    stores = lab.connection.settings["stores"]
    stores["cold"] = {"protocol": "file", "location": str(tmp_path / "cold")}
    assert lab.schema.copy_objects("raw", "cold", rewrite=True).rows == 1
    cold = tmp_path / "cold"
    assert [path for path in (cold, *cold.rglob("*")) if str(path) not in synced] == []


def test_a_disk_that_does_not_take_an_object_leaves_no_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = dj.Connection("sqlite://", settings=Settings(safemode=False))
    connection.settings["stores"] = {
        "default": "raw",
        "raw": {"protocol": "file", "location": str(tmp_path)},
    }
    schema = dj.Schema("lab", connection=connection)
    T = schema(type("T", (dj.Manual,), {"definition": f"k : int32\n---\n{DEFINITION}"}))

    def broken(file: Any) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(DataJointError, match=r"'raw'.*Input/output error"):
        T.insert([{"k": 1, "a": np.arange(3)}, {"k": 2, "b": 1}])
    assert not T()
    assert not list(connection.stores.get("raw").entries("_schema"))
