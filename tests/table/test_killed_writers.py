"""A process that is killed while it writes rows with objects leaves no row without its object, no object unseen.

`DJ_TEST_KILLS=200` kills as often as that on each database; what was found is printed with `-s`.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import djupyter as dj
from tests.conftest import Database
from tests.table.test_collect import paths, the_store, with_stores

KILLS = int(os.environ.get("DJ_TEST_KILLS", "0"))
# Half of the points in time are early: a process is then at its first statements.
SECONDS = 0.6

PROGRAM = """
import random, sys
from pathlib import Path
import numpy as np
import djupyter as dj
from djupyter.settings import Settings

url, name, folder, seed = sys.argv[1:]
connection = dj.Connection(url, settings=Settings(safemode=False))
connection.settings["stores"] = {"default": "raw", "raw": {"protocol": "file", "location": folder}}
schema = dj.Schema(name, connection=connection)

@schema
class Recording(dj.Manual):
    definition = '''
    n : int32
    ---
    b = null : <blob@raw>
    a = null : <npy@raw>
    o = null : <object@raw>
    '''

@schema
class Mean(dj.Computed):
    definition = '''
    -> Recording
    ---
    m : <npy@raw>
    '''

    def make(self, key):
        self.insert1({**key, "m": np.full(20_000, 2.5)})

chance = random.Random(int(seed))
big = np.random.default_rng(int(seed)).random(30_000)
source = Path(folder).parent / "source"
first = 1000 * int(seed)
(Recording & "n < 0").to_dicts()
print("ready", flush=True)

def row(n):
    # Content that others have too, and content of its own.
    b = np.arange(n % 4) if n % 2 else big * n
    return {"n": n, "b": b, "a": big[: 1000 * (n % 5)], "o": source if n % 3 else b"x" * 50_000}

n = first
while True:
    work = chance.randrange(6)
    if work == 0:
        Recording.insert([row(n), row(n + 1), row(n + 2)]); n += 3
    elif work == 1:
        Recording.insert1(row(n)); n += 1
    elif work == 2 and n > first:
        Recording.update1({**row(n - 1), "o": b"changed" * n, "b": big - n})
    elif work == 3:
        with connection.transaction:
            Recording.insert1(row(n))
            (Recording & {"n": n - 2}).delete()
        n += 1
    elif work == 4:
        (Recording & f"n < {n - 6}").delete(collect=True)
    elif chance.random() < 0.5:
        with Recording.staged_insert1 as staged:
            staged.rec["n"] = n
            if n % 2:
                with staged.open("o", ".bin") as file:
                    for _ in range(20):
                        file.write(b"y" * 10_000)
            else:
                folder = staged.store("o", ".zarr")
                folder.update({f"c/{part}": b"y" * 10_000 for part in range(20)})
            with staged.open("a") as file:
                np.save(file, big[:n])
        n += 1
    else:
        Mean.populate(max_calls=3)
"""


def killed(arguments: list[str], seconds: float) -> None:
    """Run the program and kill it so long after it began its work."""
    program = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    assert program.stderr is not None
    try:
        started = program.stdout.readline()
        assert started == "ready\n", program.stderr.read()
        try:
            program.wait(seconds)
            raise AssertionError(program.stderr.read())
        except subprocess.TimeoutExpired:
            os.kill(program.pid, signal.SIGKILL)
    finally:
        program.kill()
        program.wait()


@pytest.mark.timeout(1800 if KILLS else 300)
def test_a_killed_process_leaves_rows_with_objects_and_objects_that_are_found(
    db: Database, tmp_path: Path
) -> None:
    # SQLite needs no server that is shared; the others are killed less often, unless asked for.
    kills = KILLS or (15 if db.server == "sqlite" else 4)
    folder, source = tmp_path / "raw", tmp_path / "source"
    folder.mkdir()
    (source / "deep").mkdir(parents=True)
    for name in ("a.bin", "deep/b.bin"):
        (source / name).write_bytes(b"z" * 20_000)
    with_stores(db.connection, raw={"protocol": "file", "location": str(folder)})
    schema = dj.Schema(db.schema_name("lab"), connection=db.connection)
    chance = random.Random(20_240_229)
    left = rows = 0
    for seed in range(1, kills + 1):
        killed([db.url, schema.name, str(folder), str(seed)], chance.random() ** 2 * SECONDS)
        rows += _checked(schema)
        left += _collected(schema)
    print(f"\n{db.server}: {kills} kills, {rows:,} values read, {left:,} files without a row")


def _checked(schema: dj.Schema) -> int:
    """Read every object of every row; return how many there were."""
    verified = schema.verify(hashes=True)
    assert verified, verified
    count = 0
    for name in schema.list_tables():
        for row in schema[name].to_dicts():
            for value in row.values():
                if isinstance(value, dj.NpyRef):
                    value.load()
                elif isinstance(value, dj.ObjectRef):
                    value.verify()
                count += 1
    return count


def _collected(schema: dj.Schema) -> int:
    """Remove what has no row, see that nothing else is left, and that no row lost anything."""
    done = dj.gc.collect(schema, dry_run=False, grace_period=0)
    assert not done.failures
    referred = _referred(schema)
    for path in paths(the_store(schema)):
        assert any(path.startswith(known) for known in referred), path
    assert schema.verify()
    return done.removed


def _referred(schema: dj.Schema) -> set[str]:
    """Return the paths in the documents of all rows, read without the code that is tested."""
    found: set[str] = set()
    for name in schema.list_tables():
        table = schema[name]
        for row in table.cursor(as_dict=True).fetchall():
            documents = [json.loads(v) for v in row.values() if isinstance(v, str) and v[:1] == "{"]
            found |= {document["path"] for document in documents}
    return found
