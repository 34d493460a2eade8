"""A hundred thousand objects are collected without ever being in memory together."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from djupyter.table.spool import Spool

OBJECTS, MEMORY = 100_000, 48 * 2**20

PROGRAM = """
import json, os, re, resource, sys
from pathlib import Path
import djupyter as dj
from djupyter.settings import Settings

folder, count = Path(sys.argv[1]), int(sys.argv[2])
connection = dj.Connection(f"sqlite:///{folder / 'many.db'}", settings=Settings(safemode=False))
store = folder / "raw"
connection.settings["stores"] = {"default": "raw", "raw": {"protocol": "file", "location": str(store)}}
schema = dj.Schema("lab", connection=connection)

@schema
class Item(dj.Manual):
    definition = "n : int32\\n---\\no : <object@raw>"

def path(n):
    return f"_schema/lab/item/n={n // 1000}/o_{n:08d}.bin"

for n in range(count):
    if n % 1000 == 0:
        (store / path(n)).parent.mkdir(parents=True)
    os.close(os.open(store / path(n), os.O_CREAT))
documents = ({"n": n, "o": {"path": path(n), "store": "raw", "size": 0}} for n in range(count) if n % 10)
Item.insert(documents, chunk_size=5000)
dj.gc.collect(schema, store=[], dry_run=False)  # what is loaded once does not count

def peak():
    status = Path("/proc/self/status")
    if status.exists():  # Linux counts in ru_maxrss what the process that started this one had
        return int(re.search(r"VmHWM:\\s*(\\d+) kB", status.read_text())[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

before = peak()
done = dj.gc.collect(schema, dry_run=False, grace_period=0)
valid = bool(schema.verify())
print(json.dumps([done.files, done.removed, valid, peak() - before]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell the peak of memory so")
def test_a_hundred_thousand_objects_are_collected_and_verified_in_bounded_memory(
    tmp_path: Path,
) -> None:
    (tmp_path / "raw").mkdir()
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path), str(OBJECTS)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert not result.returncode, result.stderr
    files, removed, valid, grown = json.loads(result.stdout)
    assert (files, removed, valid) == (OBJECTS, OBJECTS // 10, True)
    assert grown < MEMORY


@given(st.lists(st.tuples(st.binary(max_size=3), st.integers())), st.integers(1, 5))
def test_a_spool_gives_what_sorting_gives(rows: list[tuple[bytes, int]], in_memory: int) -> None:
    spool = Spool(rows, in_memory=in_memory)
    assert list(spool) == sorted(rows)
    assert list(spool.distinct()) == sorted(set(rows))
    assert [list(pair) for pair in zip(spool, spool, strict=True)] == [[r, r] for r in sorted(rows)]
    assert len(spool) == len(rows)
