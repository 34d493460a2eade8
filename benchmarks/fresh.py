"""Work in a process of its own, which has loaded nothing yet.

Run as `python -m benchmarks.fresh` with a `Task` as JSON for its only argument; prints seconds, or the number of
statements.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_FOREIGN = ("DJ_", "PYTHONDONTWRITEBYTECODE")


@dataclass(frozen=True)
class Task:
    """What the process does.

    Parameters
    ----------
    library
        `djupyter` or `datajoint`.
    place
        Name, URL and mark of a `Place`.
    tables
        How many tables to declare, or to activate where they are declared already.
    counted
        Whether to count statements rather than take the time.
    """

    library: str
    place: tuple[str, str, str]
    tables: int
    counted: bool = False


@cache
def _bytecode() -> TemporaryDirectory[str]:
    """Return where modules are compiled to: else only those have bytecode that an installer has compiled."""
    return TemporaryDirectory()


def run(code: list[str]) -> str:
    """Run Python in a process that finds no settings, neither in files nor in the environment."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    paths = [str(ROOT), own.get("PYTHONPATH", "")]
    environment = {
        **own,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONPYCACHEPREFIX": _bytecode().name,
    }
    with TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, *code],
            cwd=folder,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
    return done.stdout


def carried_out(task: Task) -> float:
    """Return what a task says, done in a process of its own."""
    return float(run(["-m", "benchmarks.fresh", json.dumps(asdict(task))]).splitlines()[-1])


def declare(library: Any, schema_name: str, count: int) -> None:
    """Declare a chain of tables, or take up those that are declared already, and look at each."""
    dj, schema = library.dj, library.schema(schema_name)
    known: dict[str, Any] = {}
    for number in range(count):
        parent = f"-> Step{(number - 1) // 2}\n" if number else ""
        definition = f"""
        # step {number}
        {parent.strip() or "root_id : int32  # where all begins"}
        step{number} : int32
        ---
        value : float64  # what was measured
        note = "" : varchar(80)
        taken = null : datetime
        """
        cls = type(f"Step{number}", (dj.Manual,), {"definition": definition})
        known[cls.__name__] = schema(cls, context=known)
    for cls in known.values():
        assert cls().heading.primary_key, "every table has a key"


def main() -> None:
    """Do what the argument says."""
    given = json.loads(sys.argv[1])
    task = Task(given["library"], tuple(given["place"]), given["tables"], given["counted"])
    from benchmarks import traffic
    from benchmarks.places import LIBRARIES, Place

    place = Place(*task.place)
    schema = place.schema(f"bench_steps_{task.library}_{task.tables}")
    if not task.counted:
        library = LIBRARIES[task.library](place)
        start = perf_counter()
        declare(library, schema, task.tables)
        print(perf_counter() - start)
        return
    with traffic.counted(place) as (through, counter):
        library = LIBRARIES[task.library](through)
        before = counter.statements
        declare(library, schema, task.tables)
        print(counter.statements - before)


if __name__ == "__main__":
    main()
