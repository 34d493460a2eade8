"""A process that is killed while it inserts leaves everything or nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import djupyter as dj

PROGRAM = """
import sys
import djupyter as dj

schema = dj.Schema("lab", connection=dj.Connection(sys.argv[1]))

@schema
class A(dj.Manual):
    definition = "a : int32"

A.insert({"a": i} for i in range(-5, 0))

def rows():
    for i in range(10**9):
        if i == 35_000:
            print("inserting", flush=True)
        yield {"a": i}

A.insert(rows())
"""


def test_an_insert_that_is_killed_leaves_none_of_its_rows(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'crash.db'}"
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, url], stdout=subprocess.PIPE, text=True
    )
    assert program.stdout is not None
    assert program.stdout.readline() == "inserting\n"
    os.kill(program.pid, signal.SIGKILL)
    program.wait()
    with dj.Connection(url) as connection:
        table = dj.FreeTable(connection, "lab.a")
        assert len(table) == 5
        table.insert1((1,))
        assert len(table) == 6
        assert connection.query("PRAGMA integrity_check").fetchall() == [("ok",)]
