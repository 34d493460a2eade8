"""A process that makes keys of one table by one of the two libraries; `test_jobs` starts one of each.

`python -m tests.interop.worker LIBRARY URL SCHEMA FILE` writes a line into the file for each key that it begins. With
its first key it says so, and goes on when it is told to: so that both are at work before either can end.
"""

from __future__ import annotations

import json
import os
import sys
from types import SimpleNamespace
from typing import Any

import datajoint

import djupyter
from tests.interop.conftest import peer_of

FAILS = 7  # every so many keys one fails


def declare(dj: Any, schema: Any) -> SimpleNamespace:
    """Declare a table and one that is made from it, by whichever of the two libraries is given."""

    @schema
    class Source(dj.Manual):
        definition = "i : int32\n---\nx : float64"

    @schema
    class Square(dj.Computed):
        definition = "-> Source\n---\ny : float64"
        fails: Any = ()

        def make(self, key: dict[str, Any]) -> None:
            if key["i"] in self.fails:
                raise ValueError(f"bad {key['i']}")
            self.insert1({**key, "y": (Source & key).fetch1("x") ** 2})

    return SimpleNamespace(Source=Source, Square=Square)


def main(library: str, url: str, name: str, path: str) -> None:
    """Make what there is to make, and print how many keys that were, and how many failed."""
    if library == "djupyter":
        dj: Any = djupyter
        schema: Any = dj.Schema(name, connection=dj.Connection(url))
    else:
        dj = datajoint
        schema = peer_of(url).Schema(name)
    square = declare(dj, schema).Square
    make = square.make
    file = os.open(path, os.O_WRONLY | os.O_APPEND)
    begun: list[int] = []

    def noted(self: Any, key: dict[str, Any]) -> None:
        os.write(file, f"{key['i']}\n".encode())
        if not begun:
            print("begun", flush=True)
            sys.stdin.readline()
        begun.append(key["i"])
        if key["i"] % FAILS == 0:
            raise ValueError(f"{library} found {key['i']} bad")
        make(self, key)

    square.make = noted
    found = square.populate(reserve_jobs=True, suppress_errors=True)
    errors = sorted(key["i"] for key, _ in found["error_list"])
    print(json.dumps({"made": found["success_count"], "errors": errors}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
