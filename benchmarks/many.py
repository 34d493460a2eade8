"""The time and the memory that collecting a million objects takes, of which no row refers to every tenth.

Run as `python -m benchmarks.many FOLDER` in the process that is measured.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

from benchmarks import fresh
from benchmarks.big import peak
from benchmarks.stores import folder_entry

OBJECTS = 1_000_000
LIMIT = 200  # megabytes
_ORPHANS, _IN_FOLDER = 10, 1000  # one of so many; so many objects have the same key
_SCHEMA = "many"


def main(objects: int = OBJECTS) -> int:
    """Make the objects, collect them in a process of its own, and say what that took; 1 when too much."""
    with TemporaryDirectory() as folder:
        fill(Path(folder), objects)
        found = json.loads(fresh.run(["-m", "benchmarks.many", folder]))
    assert (found["files"], found["removed"]) == (objects, -(-objects // _ORPHANS))
    verdict = "pass" if found["megabytes"] < LIMIT else "MISS"
    print(
        f"{objects:,} objects collected in {found['seconds']:.1f} s ({found['cpu']:.1f} s of processor time), "
        f"{found['megabytes']:.0f} MB of memory at most, of them {found['grown']:.0f} MB for this, "
        f"aim {LIMIT}: {verdict}"
    )
    return int(verdict == "MISS")


def fill(folder: Path, objects: int) -> None:
    """Make empty files, and let SQLite write a row for nine of ten."""
    connection, schema = _opened(folder)
    with connection:
        import djupyter as dj

        definition = "n : int32\n---\nmovie : <object@raw>"
        schema(type("Item", (dj.Manual,), {"definition": definition}))
    for n in range(objects):
        file = folder / "raw" / _path(n // _IN_FOLDER, n)
        if n % _IN_FOLDER == 0:
            file.parent.mkdir(parents=True)
        os.close(os.open(file, os.O_CREAT))
    raw = sqlite3.connect(folder / "many.db")
    raw.create_function("path_of", 1, lambda n: _path(n // _IN_FOLDER, n), deterministic=True)
    raw.execute(
        f'INSERT INTO "{_SCHEMA}.item" WITH RECURSIVE n(i) AS '
        "(SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?) "
        "SELECT i, json_object('path', path_of(i), 'store', 'raw', 'size', 0) FROM n WHERE i % ? > 0",
        (objects, _ORPHANS),
    )
    raw.commit()
    raw.close()


def collect(folder: Path) -> dict[str, float]:
    """Return what was found, and what collecting took."""
    import djupyter as dj

    connection, schema = _opened(folder)
    with connection:
        dj.gc.collect(schema, store=[], dry_run=False)  # what is loaded once does not count
        before, start, cpu = peak(), perf_counter(), process_time()
        done = dj.gc.collect(schema, dry_run=False, grace_period=0)
        return {
            "files": done.files,
            "removed": done.removed,
            "seconds": perf_counter() - start,
            "cpu": process_time() - cpu,
            "megabytes": peak(),
            "grown": peak() - before,
        }


def _opened(folder: Path) -> tuple[Any, Any]:
    import djupyter as dj

    store = folder / "raw"
    store.mkdir(exist_ok=True)
    connection = dj.Connection(f"sqlite:///{folder / 'many.db'}")
    connection.settings["stores"] = {"default": "raw", "raw": folder_entry(store)}
    return connection, dj.Schema(_SCHEMA, connection=connection)


def _path(key: int, n: int) -> str:
    return f"_schema/{_SCHEMA}/item/n={key}/movie_{n:08d}"


if __name__ == "__main__":
    print(json.dumps(collect(Path(sys.argv[1]))))
