"""A lease lasts while code of the user holds Python's lock, which stops every thread of the worker."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
import time
from itertools import pairwise
from textwrap import dedent
from typing import Any

import djupyter as dj
from tests.conftest import Database

LEASE = 1.5

# A worker that, once its lease was renewed for the first time, sleeps in C for three leases.
WORKER = """
    import ctypes, os, sys, time
    import djupyter as dj

    url, name, lease = sys.argv[1], sys.argv[2], float(sys.argv[3])
    connection, watching = dj.Connection(url), dj.Connection(url)
    connection.settings["jobs.lease"] = lease
    schema = dj.Schema(name, connection=connection)
    workers = dj.FreeTable(watching, f"{name}.~workers")

    @schema
    class Stat(dj.Computed):
        definition = "-> Key\\n---\\npid : int32"

        def make(self, key):
            first = workers.fetch1("expires")
            while workers.fetch1("expires") == first:
                time.sleep(0.05)
            print("begun", flush=True)
            ctypes.PyDLL(None).usleep(int(3.2 * lease * 1e6))
            self.insert1({**key, "pid": os.getpid()})

    print(Stat.populate(reserve_jobs=True))
"""


def test_sleeping_in_c_stops_all_threads() -> None:
    moments = [time.perf_counter()]
    started, stop = threading.Event(), threading.Event()

    def run() -> None:
        while not stop.is_set():
            moments.append(time.perf_counter())
            started.set()

    thread = threading.Thread(target=run)
    thread.start()
    started.wait()
    ctypes.PyDLL(None).usleep(200_000)
    stop.set()
    thread.join()
    assert max(later - sooner for sooner, later in pairwise(moments)) >= 0.2


def test_a_worker_that_holds_the_lock_for_three_leases_keeps_its_job(
    schema: dj.Schema, db: Database
) -> None:
    @schema
    class Key(dj.Lookup):
        definition = "i : int32"
        contents = ((1,),)

    @schema
    class Stat(dj.Computed):
        definition = "-> Key\n---\npid : int32"

        def make(self, key: dict[str, Any]) -> None:
            self.insert1({**key, "pid": os.getpid()})

    arguments = [sys.executable, "-c", dedent(WORKER), db.url, schema.name, str(LEASE)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "begun\n"
        asked = 0
        while True:
            done = Stat.populate(reserve_jobs=True)
            assert done == {"success_count": 0, "error_list": []}
            asked += 1
            try:
                worker.wait(timeout=LEASE / 4)
                break
            except subprocess.TimeoutExpired:
                continue
        assert worker.stdout.read() == "{'success_count': 1, 'error_list': []}\n"
        assert Stat.fetch1("pid") == worker.pid
    assert asked > 3
    assert Stat.jobs.progress()["total"] == 0
