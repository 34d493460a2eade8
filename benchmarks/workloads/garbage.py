"""Garbage collection of a folder with many objects of both kinds, a tenth of which no row refers to.

djupyter has twice the rows to read: it counts those of all schemas, also of the one that is datajoint's here. Both
remove the folders that become empty, which may take most of the time where that waits for a disk.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.places import LIBRARIES, Library, Place
from benchmarks.stores import configure, folder_entry
from benchmarks.tables import Sizes
from benchmarks.timing import Act, Aims, Contender, Contest, Workload

_AIMS = Aims(datajoint={"mysql": 0.2, "postgresql": 0.2})
_ORPHANS = 10  # one of so many
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


@contextmanager
def _contest(place: Place, sizes: Sizes) -> Iterator[Contest]:
    with ExitStack() as stack:
        acts: dict[Contender, Act] = {}
        litter: list[Act] = []
        kinds: list[Contender] = ["djupyter", "datajoint"] if place.has_datajoint else ["djupyter"]
        for kind in kinds:
            folder = Path(stack.enter_context(TemporaryDirectory()))
            library = LIBRARIES[kind](place)
            stack.callback(library.close)
            configure(library, folder_entry(folder))
            schema_name = place.schema(f"bench_{kind}")
            schema = _declared(library, schema_name)
            stack.callback(schema.drop, prompt=False)
            _fill(place, schema_name, folder, sizes.objects)
            acts[kind] = partial(_collect, library, schema)
            litter.append(partial(_litter, folder, schema_name, sizes.objects))

        def reset() -> None:
            for throw in litter:
                throw()

        reset()
        yield Contest(acts, reset)


def _declared(library: Library, name: str) -> Any:
    schema = library.schema(name)
    definition = "n : int32\n---\nvalues : <hash@raw>\nmovie : <object@raw>"
    schema(type("Recording", (library.dj.Manual,), {"definition": definition}))
    return schema


def _fill(place: Place, schema_name: str, folder: Path, count: int) -> None:
    """Insert the rows of either library with ours, which is no part of what is measured."""
    ours = LIBRARIES["djupyter"](place)
    configure(ours, folder_entry(folder))
    table = ours.dj.FreeTable(ours.connection, f"{schema_name}.recording")
    kept = (count - count // _ORPHANS) // 2
    table.insert({"n": n, "values": b"%d" % n, "movie": b"frames"} for n in range(kept))
    ours.close()


def _litter(folder: Path, schema_name: str, count: int) -> None:
    """Write objects that no row refers to, as a failed program may have left them a day ago."""
    day_ago = time.time() - 86_400
    for n in range(count // _ORPHANS):
        name = "".join(_LETTERS[n >> (5 * place) & 31] for place in range(26))
        by_key = f"_schema/{schema_name}/recording/n=-{n}/movie_x1y2z3w4"
        path = folder / (by_key if n % 2 else f"_hash/{schema_name}/{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"left behind")
        os.utime(path, (day_ago, day_ago))


def _collect(library: Library, schema: Any) -> None:
    report = library.dj.gc.GarbageCollector(schema, store="raw").collect(dry_run=False)
    assert report["deleted"] == report["hash_paths_orphaned"] + report["schema_paths_orphaned"]


WORKLOADS = (Workload("collect 5,000 objects, 500 without a row", _contest, _AIMS),)
