"""How often an object is in memory at most, itself included: the peak of a process of its own says so.

`test_names_and_memory` counts what Python allocates, which is all there is of the other codecs in a folder; here
counts what libraries do as well.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Database
from tests.object_stores import S3Server

PROGRAM = """
import gc, json, re, sys
from pathlib import Path

import numpy as np
import djupyter as dj
from djupyter.settings import Settings

url, schema, declared, size, entry, folder = json.loads(sys.argv[1])
codec, folder = declared.strip("<>").partition("@")[0], Path(folder)

class T(dj.Manual):
    definition = f"k : int32\\n---\\nx : {declared}"

def value(size):
    array = np.frombuffer(np.random.default_rng(size).bytes(size), "f8")
    if codec == "parquet":
        import pandas as pd
        return pd.DataFrame({"a": array})
    if codec in ("blob", "npy", "zarr"):
        return array
    path = folder / f"{size}.bin"
    array.tofile(path)
    return path

def read(k):
    found = (T() & {"k": k}).fetch1("x")
    ways = {"npy": lambda: found.load(), "zarr": lambda: found[...], "parquet": lambda: found.to_pandas(),
            "object": lambda: found.download(str(folder / f"{k}.out"))}
    return ways.get(codec, lambda: found)()

def kilobytes(field):
    return int(re.search(field + r":\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1])

def grown(work):
    gc.collect()
    before = kilobytes("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    result = work()
    return (kilobytes("VmHWM") - before) * 1024 / size, result

with dj.Connection(url, settings=Settings(safemode=False)) as connection:
    connection.settings["stores"] = {"default": "raw", "raw": entry}
    connection.settings["download_path"] = str(folder / "downloads")
    dj.Schema(schema, connection=connection)(T)
    T.insert1((1, value(1 << 20)))
    read(1)  # what is loaded once is no object
    made = value(size)
    inserted, _ = grown(lambda: T.insert1((9, made)))
    inserted += not isinstance(made, Path)
    del made
    fetched, _ = grown(lambda: read(9))
print(json.dumps([inserted, fetched]))
"""

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="only Linux measures a peak anew"
)
MB = 2**20


def copies(
    database: Database, declared: str, size: int, entry: dict[str, Any], folder: Path
) -> list[float]:
    """Return how many copies an insert and a fetch take at most."""
    given = json.dumps(
        [database.url, database.schema_name("lab"), declared, size, entry, str(folder)]
    )
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, given],
        capture_output=True,
        text=True,
        check=False,
        # Else the C library keeps what was freed before, in which there is room for some copies.
        env={**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"},
    )
    assert not result.returncode, result.stderr
    found: list[float] = json.loads(result.stdout)
    return found


# SQLite's driver copies what it is given, and its library then makes a record of that; PostgreSQL's library keeps a
# whole statement, and a whole row beside what has been received.
IN_ROW = {
    "sqlite": (32 * MB, 4, 2),
    "mariadb": (7 * MB, 2, 2),
    "mysql": (24 * MB, 2, 2),
    "postgresql": (32 * MB, 3, 3),
}


def test_a_blob_in_a_row_is_copied_no_more_than_the_driver_must(
    db: Database, tmp_path: Path
) -> None:
    size, inserted, fetched = IN_ROW[db.server]
    found = copies(db, "<blob>", size, {"protocol": "memory"}, tmp_path)
    assert found[0] < inserted + 0.4
    assert found[1] < fetched + 0.4


@pytest.mark.parametrize("declared", ["blob", "zarr", "parquet"])
def test_an_object_in_a_folder_is_in_memory_twice_at_most(declared: str, tmp_path: Path) -> None:
    database = Database("sqlite", f"sqlite:///{tmp_path / 'test.db'}")
    (tmp_path / "store").mkdir()
    entry = {"protocol": "file", "location": str(tmp_path / "store")}
    found = copies(database, f"<{declared}@>", 32 * MB, entry, tmp_path)
    # Parquet is read piece by piece, in a size that depends on how busy the machine is.
    assert max(found) < 2.8


@pytest.mark.parametrize("declared", ["blob", "object"])
def test_an_object_on_s3_is_in_memory_twice_at_most_beside_its_parts_on_their_way(
    declared: str, tmp_path: Path, s3_server: S3Server
) -> None:
    database = Database("sqlite", f"sqlite:///{tmp_path / 'test.db'}")
    size = 48 * MB
    parts = 2 * size  # four of 16 MB at most, each also in the buffer of its socket
    found = copies(database, f"<{declared}@>", size, s3_server.entry(), tmp_path)
    assert max(found) < 2.4 + parts / size
