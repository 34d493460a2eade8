"""The memory that iterating over 10 million rows of SQLite takes.

Run as `python -m benchmarks.big FILE` in the process that is measured.
"""

from __future__ import annotations

import re
import resource
import sqlite3
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks import fresh

ROWS = 10_000_000
LIMIT = 200  # megabytes
_SCHEMA = "big"


def main(rows: int = ROWS) -> int:
    """Make the file, read it in a process of its own, and say what that took; 1 when too much."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "big.db"
        fill(file, rows)
        said = fresh.run(["-m", "benchmarks.big", str(file)])
    count, seconds, megabytes = said.split()
    verdict = "pass" if float(megabytes) < LIMIT else "MISS"
    print(
        f"{int(count):,} rows in {seconds} s, {megabytes} MB of memory at most, aim {LIMIT}: {verdict}"
    )
    return int(verdict == "MISS")


def fill(file: Path, rows: int) -> None:
    """Declare a table and let SQLite fill it."""
    import djupyter as dj

    with dj.Connection(f"sqlite:///{file}") as connection:
        schema = dj.Schema(_SCHEMA, connection=connection)

        @schema
        class Sample(dj.Manual):
            definition = "sample : int32\n---\nvalue : float64\nnote : varchar(20)"

    raw = sqlite3.connect(file)
    raw.execute(
        f'INSERT INTO "{_SCHEMA}.sample" WITH RECURSIVE n(i) AS '
        "(SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ?) SELECT i, i / 3.0, 'sample ' || i FROM n",
        (rows,),
    )
    raw.commit()
    raw.close()


def read(file: Path) -> tuple[int, float, float]:
    """Return rows, seconds and the most memory in megabytes that iterating took."""
    import djupyter as dj

    start = perf_counter()
    with dj.Connection(f"sqlite:///{file}") as connection:
        count = sum(1 for _ in dj.FreeTable(connection, f"{_SCHEMA}.sample"))
    return count, perf_counter() - start, peak()


def peak() -> float:
    """Return the most memory that this process ever had, in megabytes."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux counts in `ru_maxrss` what the process that started this one had
        return int(re.search(r"VmHWM:\s*(\d+) kB", status.read_text())[1]) / 2**10
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # kilobytes, bytes on macOS
    return most / (2**20 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    print("{} {:.1f} {:.0f}".format(*read(Path(sys.argv[1]))))
