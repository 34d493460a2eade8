"""Objects that were cut, changed, exchanged or taken away behind our back: an error that says which, never a crash."""

from __future__ import annotations

import json
import re
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest
import zarr

import djupyter as dj
from djupyter.errors import DataJointError
from djupyter.settings import Settings

KEY = r"(?s)(?=.*k=7)(?=.*(`x`|/x_))(?=.*scan)"


class Stored:
    """A table `Scan` with one value of one codec, and the file of its object."""

    def __init__(self, codec: str, folder: Path) -> None:
        self.codec, self.folder = codec, folder
        self.root, outside = folder / "store", folder / "outside"
        self.root.mkdir()
        outside.mkdir()
        (outside / "secret").write_bytes(b"secret" * 20)
        (self.root / "mine.dat").write_bytes(b"mine" * 100)
        (folder / "a.txt").write_bytes(b"text" * 100)
        connection = dj.Connection("sqlite://", settings=Settings(safemode=False))
        entry = {"protocol": "file", "location": str(self.root)}
        settings = connection.settings
        settings["stores"] = {"default": "raw", "filepath_default": "raw", "raw": entry}
        settings["download_path"] = str(folder / "downloads")
        definition = f"k : int32\n---\nx = null : <{codec}@>"
        schema = dj.Schema("lab", connection=connection)
        self.table = schema(type("Scan", (dj.Manual,), {"definition": definition}))
        self.table.insert1({"k": 7, "x": self.value()})
        mine = codec == "filepath"
        files = [path for path in sorted(self.root.rglob("*")) if path.is_file()]
        # Of a Zarr array the chunk.
        self.file = next(path for path in files if (path.name == "mine.dat") is mine)

    def value(self) -> Any:
        values: dict[str, Any] = {
            "blob": {"a": np.arange(1000.0)},
            "hash": b"bytes" * 100,
            "attach": self.folder / "a.txt",
            "object": b"x" * 1000,
            "npy": np.arange(1000.0),
            "zarr": np.arange(1000.0),
            "parquet": pd.DataFrame({"t": np.arange(1000.0)}),
            "filepath": "mine.dat",
        }
        return values[self.codec]

    def use(self) -> object:
        """Fetch the value and read all of it."""
        value = self.table.fetch1("x")
        match self.codec:
            case "npy":
                return value.load()
            case "zarr":
                return value[...]
            case "parquet":
                return value.to_pandas()
            case "object" | "filepath":
                value.verify()
                return value.read()
        return value


def missing(file: Path) -> None:
    file.unlink()


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def longer(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"more")


def overwritten(file: Path) -> None:
    file.write_bytes(b"\xff" * 12 + file.read_bytes()[12:])


def folder_instead(file: Path) -> None:
    file.unlink()
    file.mkdir()
    (file / "inside").write_bytes(b"1")


def link_out(file: Path) -> None:
    root = next(parent for parent in file.parents if parent.name == "store")
    file.unlink()
    file.symlink_to(root.parent / "outside" / "secret")


def folder_linked_out(file: Path) -> None:
    root = next(parent for parent in file.parents if parent.name == "store")
    if file.parent == root:
        link_out(file)
        return
    shutil.rmtree(file.parent)
    (root.parent / "outside" / file.name).write_bytes(b"secret" * 20)
    file.parent.symlink_to(root.parent / "outside")


DAMAGES = [missing, emptied, cut, longer, overwritten, folder_instead, link_out, folder_linked_out]
CODECS = ["blob", "hash", "attach", "object", "npy", "zarr", "parquet", "filepath"]
# Bytes that only a hash could tell, which datajoint's format has for content alone; what Blosc does not look at.
UNSEEN = {("object", overwritten), ("filepath", overwritten), ("zarr", longer)}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("codec", CODECS)
def test_a_damaged_object_is_named_by_table_key_and_attribute(
    codec: str, damage: Callable[[Path], None], tmp_path: Path
) -> None:
    if (codec, damage) in UNSEEN:
        pytest.skip("no codec of this format can tell")
    stored = Stored(codec, tmp_path)
    before = stored.use()
    assert before is not None
    damage(stored.file)
    with pytest.raises(DataJointError, match=KEY) as caught:
        stored.use()
    assert "secret" not in re.sub("outside/secret", "", str(caught.value))
    assert "7" in repr(stored.table())  # the row is shown all the same


# What pretends to be something else


def npy_header(text: bytes) -> Callable[[Path], None]:
    """Return what writes a .npy file with a header of its own."""

    def write(file: Path) -> None:
        header = text.ljust(117) + b"\n"
        start = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header))
        file.write_bytes(start + header + bytes(8000))

    return write


HEADER = b"{'descr': '<f8', 'fortran_order': False, 'shape': (%s,), }"


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: np.save(file, np.arange(1000)),
        lambda file: np.save(file, np.zeros((2, 500))),
        lambda file: np.save(file, np.array([None]), allow_pickle=True),
        npy_header(HEADER % b"1000000000000"),
        npy_header(HEADER % b"-5"),
        npy_header(b"__import__('os').abort()"),
        lambda file: file.write_bytes(b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**31) + b"{"),
    ],
    ids=["dtype", "shape", "pickle", "bomb", "negative", "code", "long header"],
)
@pytest.mark.parametrize("mode", [None, "r"])
def test_an_array_that_is_another_one_is_refused_before_memory_is_taken(
    damage: Callable[[Path], None], mode: Any, tmp_path: Path
) -> None:
    stored = Stored("npy", tmp_path)
    damage(stored.file)
    ref = stored.table.fetch1("x")
    with pytest.raises(DataJointError, match=KEY):
        ref.load(mmap_mode=mode)


def changed_metadata(change: Callable[[Any], None]) -> Callable[[Path], None]:
    def write(chunk: Path) -> None:
        file = chunk.parents[1] / "zarr.json"
        metadata = json.loads(file.read_text())
        change(metadata)
        file.write_text(json.dumps(metadata))

    return write


def claims_much(chunk: Path) -> None:
    """Let the header of Blosc claim nearly two gigabytes."""
    found = bytearray(chunk.read_bytes())
    found[4:8] = struct.pack("<I", 2**31 - 100)
    chunk.write_bytes(found)


@pytest.mark.parametrize(
    "damage",
    [
        claims_much,
        changed_metadata(lambda m: m.update(data_type="float32")),
        changed_metadata(lambda m: m.update(shape=[10**13])),
        changed_metadata(lambda m: m["chunk_grid"]["configuration"].update(chunk_shape=[10**13])),
        changed_metadata(lambda m: m["codecs"].append({"name": "evil", "configuration": {}})),
        changed_metadata(lambda m: m["codecs"].pop()),
    ],
    ids=["bomb", "dtype", "shape", "chunks", "unknown codec", "no codec"],
)
def test_a_zarr_array_that_is_another_one_is_refused(
    damage: Callable[[Path], None], tmp_path: Path
) -> None:
    stored = Stored("zarr", tmp_path)
    damage(stored.file)
    with pytest.raises(DataJointError, match=KEY):
        stored.use()


@pytest.mark.parametrize(
    "read",
    [
        lambda array: array[5],
        lambda array: array[[1, 5]],
        lambda array: array.vindex[[1, 5]],
        lambda array: array.oindex[[1, 5]],
        lambda array: array.blocks[0],
        lambda array: array.get_mask_selection(np.ones(9, bool)),
        np.asarray,
    ],
)
def test_every_way_to_read_a_damaged_chunk_names_the_array(
    read: Callable[[Any], object], tmp_path: Path
) -> None:
    group = zarr.create_group({})
    group.create_array("deep/inner", data=np.arange(9.0))
    stored = Stored("zarr", tmp_path)
    stored.table.insert1({"k": 8, "x": group})
    found = (stored.table & "k = 8").fetch1("x")
    arrays = [found["deep/inner"], found["deep"]["inner"], dict(found.members())["deep"]["inner"]]
    arrays += [array for _, inside in found.groups() for _, array in inside.arrays()]
    assert [read(array) is not None for array in arrays] == [True] * 4
    with pytest.raises(IndexError):
        arrays[0][99]
    chunk = next(path for path in stored.root.rglob("*/deep/inner/c/0"))
    cut(chunk)
    for array in arrays:
        assert isinstance(array, zarr.Array)
        with pytest.raises(DataJointError, match=r"k=8/x_\S+\.zarr/deep/inner cannot be read"):
            read(array)


@pytest.mark.parametrize(
    "frame",
    [{"t": ["a"] * 1000}, {"q": [0.5] * 1000}, {"t": [0.5] * 7}, {"t": np.zeros(5_000_000)}],
    ids=["dtype", "columns", "rows", "bomb"],
)
def test_a_frame_that_is_another_one_is_refused(frame: dict[str, Any], tmp_path: Path) -> None:
    stored = Stored("parquet", tmp_path)
    pyarrow.parquet.write_table(pyarrow.table(frame), stored.file)
    ref = stored.table.fetch1("x")
    for read in (ref.to_pandas, ref.to_arrow, lambda: list(ref.batches()), ref.reader):
        with pytest.raises(DataJointError, match=KEY):
            read()


def test_a_frame_of_which_some_bytes_were_changed_is_refused(tmp_path: Path) -> None:
    stored = Stored("parquet", tmp_path)
    found = bytearray(stored.file.read_bytes())
    for place in range(200, 230):
        found[place] ^= 0xFF
    stored.file.write_bytes(found)
    ref = stored.table.fetch1("x")
    for read in (ref.to_pandas, lambda: list(ref.batches())):
        with pytest.raises(DataJointError, match=KEY):
            read()


@pytest.mark.parametrize(
    "work",
    [
        lambda ref, to: ref.open(),
        lambda ref, to: ref.download(to),
        lambda ref, to: ref.verify(),
        lambda ref, to: ref.read(),
    ],
    ids=["open", "download", "verify", "read"],
)
def test_a_file_of_the_user_that_is_gone_is_named_by_the_row(
    work: Callable[[Any, Path], object], tmp_path: Path
) -> None:
    stored = Stored("filepath", tmp_path)
    stored.file.unlink()
    with pytest.raises(DataJointError, match=KEY):
        work(stored.table.fetch1("x"), tmp_path / "copy")
